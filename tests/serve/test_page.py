"""The page, as a coder uses it, in a real Chromium: a claim, a code, a file, without a word to anybody else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.browser import headless
from tests.serve.running import Server


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with headless("MAP * ~NOTFOUND, EXCLUDE 127.0.0.1") as running:
        yield running


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Page]:
    opened = Page(browser, server)
    yield opened
    severe = [
        entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE" and " 4" not in entry["message"]
    ]
    assert not severe


class Page:
    """The page of a server, empty at first."""

    def __init__(self, browser: Any, server: Server) -> None:
        self.browser, self.address = browser, f"http://127.0.0.1:{server.port}/"
        browser.get(self.address)
        self.run("sessionStorage.clear(); localStorage.clear()")
        browser.get(self.address)

    def run(self, script: str, *given: Any) -> Any:
        return self.browser.execute_script(script, *given)

    def text(self, css: str) -> str:
        return self.run("return document.querySelector(arguments[0])?.innerText || ''", css)

    def type(self, css: str, text: str) -> None:
        self.browser.find_element("css selector", css).send_keys(text)

    def press(self, css: str) -> None:
        self.run("document.querySelector(arguments[0]).click()", css)

    def wait(self, what: Callable[[], Any]) -> Any:
        end = time.monotonic() + 60
        while not (found := what()):
            assert time.monotonic() < end, self.text("main")[-2_000:]
            time.sleep(0.05)
        return found

    def codes(self) -> list[str]:
        return self.run("return [...document.querySelectorAll('#diagnoses .code')].map((one) => one.innerText)")


def test_a_pasted_superbill_is_judged_code_by_code(page: Page) -> None:
    page.type("#entry", "M62.84, r54; 99213 I10\n")
    page.wait(lambda: "error" in page.text("#told"))
    assert page.codes() == ["M62.84", "R54", "I10"]
    assert "Sarcopenia" in page.wait(lambda: page.text("#diagnoses li .name"))
    assert page.run("return document.querySelectorAll('#diagnoses .findings .error').length") >= 1
    assert "ICD-10-CM" in page.text("#more")


def _paste(page: Page, text: str) -> None:
    page.run(
        "const data = new DataTransfer(); data.setData('text/plain', arguments[0]);"
        "document.querySelector('#entry').dispatchEvent("
        "new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}))",
        text,
    )


def test_what_is_not_a_diagnosis_of_a_superbill_is_left_out_and_can_be_taken_all_the_same(page: Page) -> None:
    _paste(page, "DOS 05/12/2026\n[x] I10 - Hypertension | u07.1\nCPT 99213 J1100\nvitamin B12 low")
    page.wait(lambda: page.codes() == ["I10", "U07.1"])
    assert "2 codes taken, 2 left out" in page.wait(lambda: page.text("#pasted"))
    page.press("#pasted li button")
    page.wait(lambda: page.codes() == ["I10", "U07.1", "J11.00"])
    page.press("#undo")
    page.wait(lambda: page.codes() == ["I10", "U07.1"])


def test_pasted_words_without_a_code_are_looked_for(page: Page) -> None:
    _paste(page, "vitamin B12 deficiency anemia")
    assert "D51.9" in page.wait(lambda: page.text("#choices"))
    assert page.codes() == []


def test_a_profile_is_asked_for_only_where_the_server_has_some(
    page: Page, start: Callable[..., Server], tmp_path: Path
) -> None:
    page.wait(lambda: page.run("return document.querySelector('#profile').offsetParent === null"))
    (tmp_path / "clinic.yaml").write_text("name: clinic\nrules: {icd10cm/duplicate-code: off}\n")
    other = Page(page.browser, start("--profiles", str(tmp_path)))
    other.type("#entry", "I10 I10\n")
    other.wait(lambda: "1 warning" in other.text("#told"))
    other.type("#about [name=profile]", "clinic\t")
    other.wait(lambda: "Nothing found" in other.text("#told"))


def test_words_are_completed_and_chosen_with_the_keyboard(page: Page) -> None:
    page.type("#entry", "heart attack")
    page.wait(lambda: page.text("#choices"))
    assert page.run("return document.querySelector('#entry').getAttribute('aria-expanded')") == "true"
    page.type("#entry", "\ue015\ue007")
    page.wait(lambda: page.codes() == ["I21.9"])


def test_a_safe_fix_is_one_click_and_is_undone_by_another(page: Page) -> None:
    page.type("#entry", "R65.20 A41.9 I10 I10\n")
    page.wait(lambda: page.run("return !document.querySelector('#fix').disabled"))
    page.press("#fix")
    page.wait(lambda: page.codes() != ["R65.20", "A41.9", "I10", "I10"])
    assert page.codes().count("I10") == 1
    page.press("#undo")
    page.wait(lambda: page.codes() == ["R65.20", "A41.9", "I10", "I10"])


def test_the_fix_of_a_finding_is_one_click_and_is_undone_by_another(page: Page) -> None:
    page.type("#entry", "R65.20 A41.9\n")
    page.wait(lambda: "error" in page.text("#told"))
    assert page.text("#diagnoses .findings button:not(.link)") == "Put A41.9 before R65.20"
    page.press("#diagnoses .findings button:not(.link)")
    page.wait(lambda: page.codes() == ["A41.9", "R65.20"])
    page.press("#undo")
    page.wait(lambda: page.codes() == ["R65.20", "A41.9"])


def test_codes_are_moved_without_a_mouse(page: Page) -> None:
    page.type("#entry", "I10 E11.9\n")
    page.wait(lambda: page.codes() == ["I10", "E11.9"])
    page.press("#diagnoses li:nth-child(2) .up")
    page.wait(lambda: page.codes() == ["E11.9", "I10"])


def test_a_claim_is_there_again_after_loading_anew_and_another_tab_has_its_own(page: Page) -> None:
    page.type("#entry", "M62.84 I10\n")
    page.wait(lambda: page.codes() == ["M62.84", "I10"])
    page.browser.get(page.address)
    page.wait(lambda: page.codes() == ["M62.84", "I10"])
    first = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    page.browser.get(page.address)
    page.wait(lambda: page.text("#empty"))
    assert page.codes() == []
    page.browser.close()
    page.browser.switch_to.window(first)


def test_a_code_is_looked_up_with_its_notes_and_rules(page: Page) -> None:
    page.run("location.hash = 'codes/M62.84'")
    page.wait(lambda: "Code first" in page.text("#code"))
    text = page.text("#code")
    assert "Sarcopenia" in text
    assert "M62.8" in text
    page.type("#words", "frailty")
    page.wait(lambda: "R54" in page.text("#found"))


def _send(page: Page, path: Path) -> None:
    page.run("location.hash = 'files'")
    page.type("#file", str(path))
    page.wait(lambda: "evaluated" in page.text("#file-told") or page.text("#file-told.problem"))


def test_a_file_becomes_a_work_list_that_is_filtered_opened_and_set_aside(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "visits.csv"
    rows = ("A1,M62.84,R54,05/02/2026", "A2,I10,,05/03/2026", "A3,I10,I10,05/03/2026")
    file.write_text("\n".join(["Patient Acct #,Dx 1,Dx 2,DOS", *rows, ""]))
    _send(page, file)
    assert "visits.csv" in page.text("#file-told")
    page.wait(lambda: "A1" in page.text("#list"))
    page.run(
        "const one = document.querySelector('#filters [name=severity]'); one.value = 'warning';"
        "one.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    page.wait(lambda: "A1" not in page.text("#list") and "A3" in page.text("#list"))
    page.run(
        "[...document.querySelectorAll('#list button')].find((one) => one.innerText.startsWith('Set aside')).click()"
    )
    page.type("#dialog textarea", "The second is a typing slip that the payer takes.")
    page.type("#dialog input", "K. Coder")
    page.press("#dialog form button")
    page.wait(lambda: "A3" not in page.text("#list"))
    page.run("const one = document.querySelector('#filters [name=waived]'); one.click()")
    page.wait(lambda: "Set aside by K. Coder" in page.text("#list"))
    page.run("[...document.querySelectorAll('#list h3 button')].find((one) => one.innerText === 'A3').click()")
    page.wait(lambda: page.codes() == ["I10", "I10"])


def test_columns_that_nobody_knows_are_said_on_the_page_and_remembered(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "odd, 05.csv"
    file.write_text("Konto,Grund,Neben,Tag\n1,I10,I10,2026-05-01\n2,M62.84,,not a day\n")
    _send(page, file)
    assert "--map" not in page.text("#part-files")
    assert str(tmp_path) not in page.text("#part-files")
    for column, part in (("Konto", "id"), ("Grund", "codes"), ("Neben", "codes"), ("Tag", "date")):
        page.run(
            'document.querySelector(`#columns [aria-label="What column ${arguments[0]} holds"]`).value = arguments[1]',
            column,
            part,
        )
    page.run("[...document.querySelectorAll('#columns button')].at(-1).click()")
    page.wait(lambda: "1 evaluated, 1 rejected" in page.text("#file-told"))
    page.press("#rejected summary")
    assert "Row 3, claim 2: the service date 'not a day' is not a date" in page.wait(lambda: page.text("#rejected li"))
    assert "I10 I10" in page.wait(lambda: page.text("#list h3"))
    # Another file of such a name is read by the same columns.
    other = tmp_path / "odd, 06.csv"
    other.write_text("Konto,Grund,Neben,Tag\n7,I10,I10,2026-05-01\n")
    _send(page, other)
    assert "1 claims, 1 evaluated" in page.text("#file-told")


def test_the_sheet_of_a_workbook_is_chosen(page: Page, tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")
    file = tmp_path / "export.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        book.add_worksheet("About").write_row(0, 0, ["made by", "nobody"])
        sheet = book.add_worksheet("Claims")
        sheet.write_row(0, 0, ["Acct #", "Dx 1", "Dx 2"])
        sheet.write_row(1, 0, ["A1", "I10", "I10"])
    _send(page, file)
    page.run("const one = document.querySelector('#columns label select'); one.value = 'Claims'")
    page.press("#columns label + button")
    page.wait(lambda: "1 claims, 1 evaluated" in page.text("#file-told"))


def test_the_work_list_is_printed_as_it_is_filtered(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    file.write_text("claim_id,codes\n" + "".join(f"A{number},I10 I10\n" for number in range(120)))
    _send(page, file)
    page.wait(lambda: "Claims 1 to 50 of 120" in page.text("#work-told"))
    page.run("window.print = () => { window.printed = document.querySelectorAll('#list > li').length }")
    page.run("[...document.querySelectorAll('#downloads button')].at(-1).click()")
    assert page.wait(lambda: page.run("return window.printed")) == 120
    page.wait(lambda: page.run("return document.querySelectorAll('#list > li').length") == 50)


@pytest.mark.slow
def test_a_file_of_a_hundred_thousand_claims_becomes_a_work_list_that_is_there_after_loading_anew(
    page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "year.csv"
    rows = (f"A{number},{'M62.84,I10' if number % 5 == 0 else 'I10,E11.9'},2026-05-01\n" for number in range(100_000))
    file.write_text("claim_id,dx1,dx2,service_date\n" + "".join(rows))
    _send(page, file)
    assert "100,000 claims, 100,000 evaluated, 0 rejected; 20,000 errors" in page.text("#file-told")
    page.wait(lambda: "Claims 1 to 50 of 20,000" in page.text("#work-told"))
    page.press("#next")
    page.wait(lambda: "Claims 51 to 100" in page.text("#work-told"))
    page.browser.refresh()
    page.wait(lambda: "100,000 claims" in page.text("#file-told"))
    page.wait(lambda: "Claims 1 to 50 of 20,000" in page.text("#work-told"))


def test_what_is_taken_along_says_nothing_of_where_the_server_keeps_it(server: Server) -> None:
    body = b"claim_id,codes\nA,I10 I10\nB,\n"
    key = server.ask("POST", "/v1/files?name=may.csv", body, {"content-type": "text/csv"}).json["id"]
    end = time.monotonic() + 60
    while server.ask("GET", f"/v1/files/{key}").json["state"] == "reading":
        assert time.monotonic() < end
        time.sleep(0.1)
    for what in ("", "/claims", "/rejects", "/findings.csv", "/findings.parquet", "/rejects.csv", "/summary.json"):
        answer = server.ask("GET", f"/v1/files/{key}{what}")
        assert answer.status == 200
        assert b"given-file" not in answer.body
        assert b"weakcode-files" not in answer.body
    assert "may.csv" in server.ask("GET", f"/v1/files/{key}/rejects.csv").body.decode()


def test_a_file_without_claims_is_reported_in_a_sentence(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "letter.csv"
    file.write_text("dear,sir\n1,2\n")
    _send(page, file)
    assert page.text("#file-told.problem")
    assert str(tmp_path) not in page.text("main")
    assert "Traceback" not in page.text("main")


def _violations(page: Page) -> list[Any]:
    spec = find_spec("axe_core_python")
    if spec is None:
        pytest.skip("needs axe-core-python, of the extra dev")
    assert spec.submodule_search_locations is not None
    axe = Path(spec.submodule_search_locations[0], "axe.min.js").read_text("utf-8")
    page.browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    page.run(axe)
    found = page.browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    return [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found["violations"]]


def _claim_with_choices(page: Page, tmp_path: Path) -> None:
    _paste(page, "M62.84 R54 I10 I10, vitamin B12")
    page.wait(lambda: "error" in page.text("#told"))
    page.type("#entry", "heart attack")
    page.wait(lambda: page.run("return !document.querySelector('#choices').hidden"))
    page.type("#entry", "\ue015")


def _rule_in_a_dialog(page: Page, tmp_path: Path) -> None:
    _paste(page, "M62.84 R54")
    page.wait(lambda: "error" in page.text("#told"))
    page.run("document.querySelectorAll('#diagnoses details').forEach((one) => { one.open = true; })")
    page.press("#diagnoses details .link")
    page.wait(lambda: "Sources" in page.text("#dialog"))


def _code(page: Page, tmp_path: Path) -> None:
    page.run("location.hash = 'codes/M62.84'")
    page.wait(lambda: "Code first" in page.text("#code"))
    page.type("#words", "frailty")
    page.wait(lambda: "R54" in page.text("#found"))


def _work_list(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "visits.csv"
    file.write_text("Acct #,Dx 1,Dx 2,DOS\nA1,M62.84,R54,05/02/2026\nA2,I10,I10,never\n")
    _send(page, file)
    page.wait(lambda: page.text("#list") and page.text("#rejected"))
    page.run("document.querySelectorAll('#part-files details').forEach((one) => { one.open = true; })")


def _reason_in_a_dialog(page: Page, tmp_path: Path) -> None:
    _work_list(page, tmp_path)
    page.run("[...document.querySelectorAll('#list button')].find((one) => one.innerText.startsWith('Set')).click()")
    page.wait(lambda: page.text("#dialog"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1_200])
@pytest.mark.parametrize(
    "state",
    [_claim_with_choices, _rule_in_a_dialog, _code, _work_list, _reason_in_a_dialog],
    ids=lambda one: one.__name__,
)
def test_the_page_has_no_barrier_that_axe_knows_and_fits_a_phone(
    page: Page, tmp_path: Path, state: Callable[[Page, Path], None], width: int, scheme: str
) -> None:
    features = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
    page.browser.set_window_size(width, 900)
    state(page, tmp_path)
    assert not _violations(page)
    wide = page.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


def test_the_page_asks_nobody_but_its_server(page: Page) -> None:
    # What the browser asked for the tests before this one, of their servers, is not meant.
    page.browser.get_log("performance")
    page.type("#entry", "M62.84 R54\n")
    page.wait(lambda: "error" in page.text("#told"))
    asked = [json.loads(entry["message"])["message"] for entry in page.browser.get_log("performance")]
    hosts = {
        one["params"]["request"]["url"].split("/")[2]
        for one in asked
        if one["method"] == "Network.requestWillBeSent" and one["params"]["request"]["url"].startswith("http")
    }
    assert hosts == {page.address.split("/")[2]}


def test_what_is_kept_of_files_is_closed_to_others_and_goes_with_the_server(
    start: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    server = start()
    answer = server.ask("POST", "/v1/files?name=c.csv", b"claim_id,codes\nA,I10 I10\n", {"content-type": "text/csv"})
    assert answer.status == 202
    key = answer.json["id"]
    end = time.monotonic() + 60
    while server.ask("GET", f"/v1/files/{key}").json["state"] == "reading":
        assert time.monotonic() < end
        time.sleep(0.1)
    folder = next(tmp_path.glob("weakcode-files-*"))
    assert folder.stat().st_mode & 0o077 == 0
    assert server.ask("GET", f"/v1/files/{key}/claims").json["total"] == 1
    for wrong in ("x" * 22, "..", "%2e%2e", key[:-1]):
        assert server.ask("GET", f"/v1/files/{wrong}").status == 404
    assert server.ask("GET", f"/v1/files/{key}/state.json").status == 404
    assert server.ask("DELETE", f"/v1/files/{key}").status == 204
    assert server.ask("GET", f"/v1/files/{key}").status == 404
    server.stop()
    assert not list(tmp_path.glob("weakcode-files-*"))
