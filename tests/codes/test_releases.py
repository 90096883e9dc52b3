"""Fetching a release: from the servers in their order, checked, whole or not at all. Against a server on loopback."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.codes.webserver import ORDER, TABLE, Server, descriptions, redirect, send, serving, table, tabular, zipped

from weakcode.codes import catalog, installed
from weakcode.codes.sources import kept, orders
from weakcode.codes.web import download, releases
from weakcode.codes.web.releases import FetchedRelease, FiscalRelease
from weakcode.errors import EditionError

TODAY = date(2024, 11, 28)
CODES = ("A00", "A01", "A03")
TABLE_2025 = f"/2025/{TABLE.format(year=2025)}"
ORDER_2025 = f"/2025/{ORDER.format(year=2025)}"


@pytest.fixture(scope="module")
def _server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def server(_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with nothing on it that is CDC's, no server that is CMS's, and an empty folder for editions."""
    _server.files, _server.answers, _server.asked = {}, {}, []
    monkeypatch.setenv("WEAKCODE_DATA_DIR", str(tmp_path / "data"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", releases.MIRROR_VARIABLE):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(releases, "CDC", _server.address)
    monkeypatch.setattr(releases, "CMS", _server.address + "cms/")
    monkeypatch.setattr(download, "PAUSES", (0.0, 0.0))
    # The invented releases are small.
    monkeypatch.setattr(orders, "_FEWEST", 1)
    catalog.forget()
    yield _server
    catalog.forget()


def fetched(text: str | None = "2025", mirror: str | None = None) -> FetchedRelease:
    found = releases.fetch(text, mirror=mirror, today=TODAY)
    assert isinstance(found, FetchedRelease)
    return found


def refused(text: str | None = "2025", mirror: str | None = None) -> str:
    """The one line with which a fetch is refused; nothing may have changed on disk."""
    with pytest.raises(EditionError) as error:
        releases.fetch(text, mirror=mirror, today=TODAY)
    assert "\n" not in str(error.value)
    assert not kept.data_dir().exists()
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "today", "names"),
    [
        ("2027", date(2026, 11, 28), ["2026-10-01"]),
        ("2026-10", date(2026, 11, 28), ["2026-10-01"]),
        ("2026-04", date(2026, 11, 28), ["2026-04-01"]),
        ("latest", date(2026, 11, 28), ["2026-10-01"]),
        (None, date(2026, 2, 1), ["2025-10-01"]),
        ("latest", date(2026, 4, 2), ["2026-04-01", "2025-10-01"]),
        ("latest", date(2026, 7, 2), ["2026-10-01", "2026-04-01", "2025-10-01"]),
    ],
)
def test_a_word_names_the_releases_that_may_be_meant(text: str | None, today: date, names: list[str]) -> None:
    assert [str(one.starts) for one in releases.wanted(text, today)] == names


@pytest.mark.parametrize("text", ["2014", "2040", "26", "2026-05", "newest", "2026-04-01", "../2026"])
def test_what_is_not_a_release_is_refused_with_examples(text: str) -> None:
    with pytest.raises(EditionError, match="fiscal year from 2016 such as 2025"):
        releases.wanted(text, TODAY)


def test_a_release_is_fetched_checked_and_reported_by_size_and_digest(server: Server) -> None:
    server.release(2025, CODES)
    told: list[str] = []
    found = releases.fetch("2025", today=TODAY, tell=told.append)
    assert isinstance(found, FetchedRelease)
    assert (found.starts, found.ends) == (date(2024, 10, 1), date(2025, 3, 31))
    assert [one.address for one in found.files] == [server.address + path[1:] for path in (TABLE_2025, ORDER_2025)]
    assert found.files[0].sha256 == hashlib.sha256(server.files[TABLE_2025]).hexdigest()
    assert found.in_order_file
    assert [(term.code, term.words) for term in found.terms] == [
        ("A00", "Wobbliness (acute)"),
        ("A00", "Wobbliness (acute), persistent"),
    ]
    assert told == [f"Fetching {one.address}" for one in found.files]
    assert not kept.data_dir().exists()


def test_what_was_fetched_is_installed_whole_and_removed_whole(server: Server) -> None:
    server.release(2025, CODES)
    found = fetched()
    source = installed.install(found.tabular, found.xml, found.starts, found.ends, found.terms)
    assert source.name == "2024-10"
    assert catalog.edition_for(date(2024, 12, 1)).is_billable("A03")
    assert len(list(kept.folder().iterdir())) == 2
    again = releases.fetch("2025", today=TODAY)
    assert again == source
    assert len(server.asked) == 2
    installed.remove("2024-10")
    assert not list(kept.folder().iterdir())


def test_members_of_the_zip_are_detected_by_content_and_not_by_name(server: Server) -> None:
    server.files[TABLE_2025] = zipped(
        {"index.xml": tabular(2025, CODES), "tabular.xml": b"<ICD10CM.index><version>2025</version></ICD10CM.index>"}
    )
    found = fetched()
    assert list(found.tabular.billable()) == list(CODES)
    assert not found.in_order_file


@pytest.mark.parametrize(
    "name", ["icd10cm-table and index-2025.zip", "icd10cm-table-index-2025.zip", "2025 Tables and Index.ZIP"]
)
def test_a_file_of_another_name_is_found_in_the_folder_of_its_year(server: Server, name: str) -> None:
    link = name.replace(" ", "%20")
    elsewhere = "<a href='http://other.invalid/2025/table-index.zip'>x</a><a href='/2024/table-index-2024.zip'>x</a>"
    server.files["/2025/"] = (
        f"<html>{elsewhere}<a href='table-index-addenda-2025.zip'>x</a><a href='{link}'>x</a>".encode()
    )
    server.files[f"/2025/{name}"] = table(2025, CODES)
    assert fetched().files[0].address == f"{server.address}2025/{link}"


def test_an_update_of_april_is_found_in_its_folder(server: Server) -> None:
    server.files["/2025-Update/"] = b"<a href='icd10cm-table-index-April-2025.zip'>"
    server.files["/2025-Update/icd10cm-table-index-April-2025.zip"] = table(2025, CODES, name="tabular-{year}.xml")
    found = fetched("2025-04")
    assert (found.starts, found.ends) == (date(2025, 4, 1), date(2025, 9, 30))


def test_the_latest_release_is_the_newest_that_is_there(server: Server) -> None:
    server.release(2025, CODES)
    found = releases.fetch("latest", today=date(2025, 7, 1))
    assert isinstance(found, FetchedRelease)
    assert found.starts == date(2024, 10, 1)
    assert server.asked[0] == f"/2026/{TABLE.format(year=2026)}"


def test_the_other_server_is_asked_where_the_first_has_nothing(server: Server) -> None:
    server.files["/cms/2025-code-tables-tabular-index.zip"] = table(2025, CODES, name="icd10cm_tabular_{year}.xml")
    server.files["/cms/2025-code-descriptions-tabular-order.zip"] = descriptions(2025, CODES)
    found = fetched()
    assert [one.address.rpartition("/")[0] for one in found.files] == [server.address + "cms"] * 2
    assert found.in_order_file


def test_a_mirror_takes_the_place_of_both_servers(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.release(2025, CODES)
    monkeypatch.setattr(releases, "CDC", "http://127.0.0.1:9/")
    monkeypatch.setattr(releases, "CMS", "http://127.0.0.1:9/")
    assert fetched(mirror=server.address).files
    monkeypatch.setenv(releases.MIRROR_VARIABLE, server.address.rstrip("/"))
    assert fetched().files
    server.files.clear()
    nothing = f"cannot be fetched: 127.0.0.1:{server.port} has no such file (404); with its zip"
    assert refused().startswith(f"the release of October 2024 (fiscal year 2025) {nothing}")


def test_a_mirror_may_be_one_zip_whose_days_its_names_tell(server: Server) -> None:
    server.files["/any/table-index-April-2025.zip"] = table(2025, CODES)
    address = f"{server.address}any/table-index-April-2025.zip"
    assert fetched(None, mirror=address).starts == date(2025, 4, 1)
    assert "is the release of April 2025, not the release of October 2024" in refused("2025", mirror=address)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("file:///etc/passwd", "is not an address"),
        ("ftp://ftp.cdc.gov/", "is not an address"),
        ("/mnt/mirror", "is not an address"),
        ("http://[::1", "is not an address"),
        ("https://me:secret@mirror.example/", "holds a user name"),
    ],
)
def test_a_mirror_is_an_address_of_the_web_without_password(server: Server, address: str, says: str) -> None:
    line = refused(mirror=address)
    assert says in line
    assert "secret" not in line


def cut(handler: BaseHTTPRequestHandler) -> None:
    content = table(2025, CODES)
    send(handler, content[: len(content) // 2], says=len(content))
    handler.close_connection = True


def test_a_download_that_is_cut_is_tried_again_and_then_refused(server: Server) -> None:
    server.answers[TABLE_2025] = cut
    assert "bytes; with its zip from elsewhere" in refused()
    assert server.asked.count(TABLE_2025) == 3
    server.asked.clear()

    def second(handler: BaseHTTPRequestHandler) -> None:
        server.answers[TABLE_2025] = lambda last: send(last, table(2025, CODES))
        cut(handler)

    server.answers[TABLE_2025] = second
    assert fetched().tabular
    assert server.asked.count(TABLE_2025) == 2


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_busy_server_is_asked_again(server: Server, status: int) -> None:
    def busy(handler: BaseHTTPRequestHandler) -> None:
        server.answers.clear()
        handler.send_error(status)

    server.release(2025, CODES)
    server.answers[TABLE_2025] = busy
    assert fetched().in_order_file


def test_a_file_that_is_longer_than_its_header_says_is_refused(server: Server) -> None:
    content = table(2025, CODES)
    server.answers[TABLE_2025] = lambda handler: send(handler, content, says=len(content) - 40)
    assert "damaged or cut short" in refused()


def test_a_file_that_is_too_large_is_not_read_whether_it_says_so_or_not(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "MOST_BYTES", 1000)
    server.answers[TABLE_2025] = lambda handler: send(handler, b"PK", says=10**12)
    assert "would send 1,000,000,000,000 bytes, more than the 1,000" in refused()

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"PK" * 100_000)

    server.answers[TABLE_2025] = endless
    assert "sends more than the 1,000 bytes" in refused()


def test_a_server_that_sends_nothing_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/x.zip"
        began = time.monotonic()
        with pytest.raises(EditionError, match=r"sends nothing for 0\.05 s"):
            download.download(address, silence=0.05)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("http://localhost:{port}/2025/x.zip", "sends to another server, http://localhost:"),
        ("http://169.254.169.254/latest/meta-data/", "sends to another server, http://169.254.169.254"),
        ("ftp://127.0.0.1/x.zip", "sends to another server, ftp://127.0.0.1"),
        ("file:///etc/passwd", "no web address"),
        (TABLE_2025, "in circles"),
    ],
)
def test_a_redirection_to_another_server_or_scheme_is_not_followed(server: Server, to: str, says: str) -> None:
    server.answers[TABLE_2025] = redirect(to.format(port=server.port))
    assert says in refused()


def test_a_redirection_on_the_same_server_is_followed(server: Server) -> None:
    server.answers[TABLE_2025] = redirect("/moved/table.zip")
    server.files["/moved/table.zip"] = table(2025, CODES)
    assert fetched().tabular


BOMB = zipped({"icd10cm-tabular-2025.xml": b"<ICD10CM.tabular>" + b" " * 20_000_000})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<html><body>Access denied</body></html>", "holds no Tabular List in XML, but a page"),
        (b"", "holds no Tabular List in XML"),
        (zipped({"read me.txt": b"hello"}), r"but read me.txt"),
        (table(2025, CODES)[:-30], "damaged or cut short"),
        (table(2025, CODES, says=2024), "is for fiscal year 2024, not the release of October 2024 (fiscal year 2025)"),
        (
            table(2025, CODES, name="tabular-April-{year}.xml"),
            "is the release of April 2025, not the release of October 2024",
        ),
        (table(2025, ("A00", "A01")), "1 billable codes stand in one of them only, such as A03"),
        (
            zipped({"a.xml": tabular(2025, CODES), "b.xml": tabular(2025, CODES)}),
            "several Tabular Lists, a.xml and b.xml",
        ),
        (BOMB, "unpacks to more than"),
        (
            zipped({"a.xml": tabular(2025, CODES), "b.xml": b"<ICD10CM.index><version>2024</version></ICD10CM.index>"}),
            "b.xml is for 2024, the Tabular List for 2025",
        ),
        (zipped({"a.xml": tabular(2025, CODES), "b.xml": b"<ICD10CM.index>"}), "b.xml is not well-formed XML"),
        (
            zipped(
                {"a.xml": tabular(2025, CODES).replace(b"<ICD10CM.t", b"<!DOCTYPE a [<!ENTITY b 'c'>]><ICD10CM.t", 1)}
            ),
            "document type or entities",
        ),
    ],
)
def test_a_file_that_is_not_the_release_is_refused(server: Server, content: bytes, says: str) -> None:
    server.release(2025, CODES)
    server.files[TABLE_2025] = content
    assert says in refused()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped({"icd10cm-codes-2025.txt": b"A00 Cholera"}), "holds no order files"),
        (descriptions(2025, ("A00", "A01", "A02", "A03")), "only, such as A02"),
        (zipped({"order.txt": b"00001 A00     1 x\r\n00003 A01     1 y"}), "order.txt, line 2"),
    ],
)
def test_an_order_file_that_does_not_fit_is_refused(server: Server, content: bytes, says: str) -> None:
    server.release(2025, CODES)
    server.files[ORDER_2025] = content
    assert says in refused()


def test_offline_is_one_clear_line(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.setattr(releases, "CDC", "https://ftp.cdc.invalid/")
    monkeypatch.setattr(releases, "CMS", "https://cms.invalid/")
    assert refused() == (
        "the release of October 2024 (fiscal year 2025) cannot be fetched: "
        "ftp.cdc.invalid cannot be found: no network, or no such server; "
        "cms.invalid cannot be found: no network, or no such server; "
        "with its zip from elsewhere: weakcode edition add FILE"
    )


def test_a_proxy_of_the_environment_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers["http://mirror.invalid/2025/x.zip"] = lambda handler: send(handler, b"by proxy")
    monkeypatch.setenv("http_proxy", server.address)
    assert download.download("http://mirror.invalid/2025/x.zip").content == b"by proxy"
    monkeypatch.setenv("no_proxy", "mirror.invalid")
    with pytest.raises(EditionError, match=r"mirror\.invalid cannot be found"):
        download.download("http://mirror.invalid/2025/x.zip")


def test_cdc_and_cms_are_asked_where_they_publish(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def nothing(address: str, **_: object) -> None:
        asked.append(address)
        raise download.NotThere("there is no such file")

    monkeypatch.setattr(releases, "download", nothing)
    with pytest.raises(EditionError, match="there is no such file"):
        releases.fetch("2027", today=date(2026, 11, 28))
    folder = "https://ftp.cdc.gov/pub/Health_Statistics/NCHS/Publications/ICD10CM/2027/"
    assert asked == [
        f"{folder}icd10cm-table-and-index-2027.zip",
        folder,
        "https://www.cms.gov/files/zip/2027-code-tables-tabular-index.zip",
    ]
    assert FiscalRelease(2027).starts == date(2026, 10, 1)
