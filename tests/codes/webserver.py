"""A web server on loopback that answers as a test says, and small invented releases in the layout of CDC's."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import attrs

Answer = Callable[[BaseHTTPRequestHandler], None]
TABLE = "icd10cm-table-and-index-{year}.zip"
ORDER = "icd10cm-code-descriptions-{year}.zip"


@attrs.define
class Server:
    """`files` are given as they are, `answers` do what they like; `asked` are the paths in order of the requests."""

    port: int
    files: dict[str, bytes] = attrs.Factory(dict)
    answers: dict[str, Answer] = attrs.Factory(dict)
    asked: list[str] = attrs.Factory(list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def release(self, year: int, codes: Sequence[str], **more: Any) -> None:
        """Put a release where CDC would."""
        self.files[f"/{year}/{TABLE.format(year=year)}"] = table(year, codes, **more)
        self.files[f"/{year}/{ORDER.format(year=year)}"] = descriptions(year, codes)


@contextmanager
def serving() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path)
            server.asked.append(path)
            if path in server.answers:
                server.answers[path](self)
            elif path in server.files:
                send(self, server.files[path])
            else:
                self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(http.server_port)
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()


def send(handler: BaseHTTPRequestHandler, content: bytes, *, says: int | None = None, status: int = 200) -> None:
    """Answer with some content; `says` is the length that the header tells."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content) if says is None else says))
    handler.end_headers()
    handler.wfile.write(content)


def redirect(to: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tabular(year: int, codes: Sequence[str]) -> bytes:
    """A Tabular List of some categories: one chapter, one section, no notes."""
    listed = "".join(f"<diag><name>{code}</name><desc>Invented condition {code}</desc></diag>" for code in codes)
    return (
        f"<?xml version='1.0'?><ICD10CM.tabular><version>{year}</version><chapter><name>1</name><desc>x</desc>"
        f"<section id='{codes[0]}-{codes[-1]}'><desc>x</desc>{listed}</section></chapter></ICD10CM.tabular>"
    ).encode()


def index(year: int, code: str) -> bytes:
    """An Alphabetic Index with one term that no title has, one below it, and a reference."""
    return (
        f"<?xml version='1.0'?><ICD10CM.index><version>{year}</version><letter><title>W</title><mainTerm>"
        f"<title>Wobbliness<nemod>(acute)</nemod></title><code>{code}</code><term level='1'><title>persistent</title>"
        f"<code>{code}.-</code></term></mainTerm><mainTerm><title>Wobbly</title><see>Wobbliness</see></mainTerm>"
        "</letter></ICD10CM.index>"
    ).encode()


def table(
    year: int, codes: Sequence[str], *, name: str = "icd10cm-tabular_-{year}.xml", says: int | None = None
) -> bytes:
    """The zip with Tabular List and Alphabetic Index of a release."""
    return zipped(
        {
            f"Table and Index/{name.format(year=year)}": tabular(says or year, codes),
            f"Table and Index/icd10cm-index-{year}.xml": index(says or year, codes[0]),
            "Table and Index/read me.pdf": b"%PDF-1.7",
        }
    )


def descriptions(year: int, codes: Sequence[str]) -> bytes:
    """The zip with the order file of a release, its addendum and the file of codes."""
    rows = [
        f"{number:05} {code:<7} 1 {f'Invented {code}':<60} Invented condition {code}"
        for number, code in enumerate(codes, 1)
    ]
    return zipped(
        {
            f"icd10cm-order-{year}.txt": "\r\n".join(rows).encode(),
            f"icd10cm-order-addenda-{year}.txt": f"Add:         1 {codes[-1]:<7} {'Invented':<60} Invented".encode(),
            f"icd10cm-codes-{year}.txt": "\r\n".join(f"{code:<7} Invented condition" for code in codes).encode(),
        }
    )
