"""The code blocks of a page: where they stand, and what becomes of each when it is run.

Python blocks of a page share their names; a `text` block after one is what it prints. In `console` blocks, lines after
`$` are commands and the others what they print; `http` blocks are requests to a real server, and the text after one its
answer; `…` or `...` stands for any text, on a line of its own for any lines.
YAML, JSON and CSV blocks are read as what they are; a block with a title is a file that what follows can use.
"""

from __future__ import annotations

import atexit
import contextlib
import csv
import functools
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import click
import pytest
import yaml
from click.testing import CliRunner
from markdown_it import MarkdownIt

from tests.serve.running import Server
from weakcode.checking import run_examples
from weakcode.claims import Claim
from weakcode.cli import main
from weakcode.report.evaluate import read_truth
from weakcode.report.learning.remits import read_remits
from weakcode.rules.load import load_pack
from weakcode.rules.waivers import load_waivers
from weakcode.validator import Validator

PROJECT = Path(__file__).resolve().parents[2]
_ELSEWHERE = re.compile(r"\b(?:s3|gs|abfs|hdfs)://")
"""What needs a store of its own, which other tests start."""
_NOT_RUN = re.compile(r"<!--\s*not run:\s*(.+?)\s*-->", re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')
_ANY = re.compile(r"\.\.\.|…")
_INLINE = re.compile(r"`(weakcode [^`]+)`")
_PLACEHOLDER = re.compile(
    r"…|\||\b(?:A B|CODE|DIR|FILE|FINDINGS|FOLDER|ID|INPUT|MASTER|NAME|PATH|PLACE|RULE)\b|--db|--spark"
)


class BlockError(AssertionError):
    """A block that does not do what the page says; begins with file and line."""


@attrs.frozen
class Block:
    """A code block of a Markdown file at a 1-based line. `not_run` is the reason why it is only shown."""

    path: Path
    line: int
    language: str
    content: str
    title: str | None = None
    not_run: str | None = None

    @property
    def place(self) -> str:
        """File and line, as editors jump to."""
        return f"{self.path.relative_to(PROJECT)}:{self.line}"


def blocks_of(path: Path) -> list[Block]:
    """Return the code blocks of a Markdown file in their order, those without a language as `indented`."""
    blocks, reason = [], None
    for token in MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8")):
        if token.type == "html_block":
            found = _NOT_RUN.search(token.content)
            reason = found[1] if found else None
            continue
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            language, title = token.info.partition(" ")[0], _TITLE.search(token.info)
            line = token.map[0] + (2 if token.type == "fence" else 1)
            kind = language or ("indented" if token.type == "code_block" else "unnamed")
            blocks.append(Block(path, line, kind, token.content, title[1] if title else None, reason))
        reason = None
    return blocks


def inline_commands(path: Path) -> list[str]:
    """Return the commands that a page names within a sentence or a table."""
    return list(dict.fromkeys(one.replace("\\|", "|") for one in _INLINE.findall(path.read_text(encoding="utf-8"))))


@functools.cache
def served() -> Server:
    """Return the server of all pages, started when the first asks."""
    pytest.importorskip("uvicorn", reason="the page asks a server: needs the extra serve")
    folder = Path(tempfile.mkdtemp())
    server = Server(folder)

    def stop() -> None:
        server.stop()
        shutil.rmtree(folder)

    atexit.register(stop)
    return server


class Page:
    """Runs the blocks of one page, one after the other, in the current folder."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__page__"}
        self.printed: str | None = None
        self.status = 0

    def run(self, block: Block) -> None:
        """Run a block; raises BlockError where it does not do what it shows."""
        runner = getattr(self, f"_{block.language}", None)
        if runner is None:
            raise BlockError(f"{block.place}: nobody knows how to run a block that is {block.language!r}")
        try:
            runner(block)
        except BlockError:
            raise
        except Exception as error:
            raise BlockError(f"{block.place}: {type(error).__name__}: {error}") from error
        if block.language not in ("python", "http"):
            self.printed = None

    def command(self, line: str) -> str:
        """Run one command line and return what it prints. Only what the pages need: no other programs, pipes of cat."""
        first, piped, rest = line.partition(" | ")
        if piped and first.startswith("cat "):
            return self._invoked(rest, self.command(first))
        return self._invoked(line)

    def _invoked(self, line: str, given: str | None = None) -> str:
        words = shlex.split(line)
        environment = {}
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
        if words == ["echo", "$?"]:
            return f"{self.status}\n"
        if words[:1] == ["cat"]:
            return "".join(Path(name).read_text(encoding="utf-8") for name in words[1:])
        if words[:1] == ["make"]:
            # That the target is there, not what it does: the tests do not set up environments.
            done = subprocess.run(["make", "-n", *words[1:]], cwd=PROJECT, capture_output=True, text=True, check=False)
            self.status = done.returncode
            return ""
        if not words or words[0].removeprefix(".venv/bin/") != "weakcode":
            raise AssertionError(f"{line!r} is not a command that the tests of the pages can run")
        result = CliRunner(env={"COLUMNS": "120", **environment}).invoke(main, words[1:], input=given)
        self.status = result.exit_code
        return result.output

    def inline(self, line: str) -> None:
        """Run a command named in a sentence, or hold it against its help where it has no values to run with."""
        words = shlex.split(line.replace("|", " ").replace("…", " ")) if "SELECT" not in line else shlex.split(line)
        command: click.Command = main
        used = 1
        while used < len(words) and isinstance(command, click.Group):
            inside = command.get_command(click.Context(command), words[used])
            assert inside is not None or words[used].startswith("-"), f"{line!r}: there is no {words[used]!r}"
            if inside is None:
                break
            command, used = inside, used + 1
        help_text = command.get_help(click.Context(command))
        for option in words[used:]:
            assert not option.startswith("-") or option in help_text, f"{line!r}: there is no option {option}"
        if used < len(words) and not _PLACEHOLDER.search(line) and not _ELSEWHERE.search(line):
            # Whoever names `-` in a sentence has claims for it.
            printed = self._invoked(line, Path("claims.csv").read_text(encoding="utf-8") if "-" in words else None)
            assert self.status in (0, 1) or "Missing argument" in printed, (
                f"{line!r} ends with status {self.status}; the files of pages are made by `fill` here:\n{printed}"
            )

    def _python(self, block: Block) -> None:
        # Empty lines in front make the lines of a traceback those of the page.
        code = compile("\n" * (block.line - 1) + block.content, str(block.path), "exec")
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(code, self.names)
        self.printed = out.getvalue()

    def _http(self, block: Block) -> None:
        """Send a request to a real server; what it answers, status first, is what a text block shows."""
        head, _, body = block.content.partition("\n\n")
        first, *lines = head.strip().splitlines()
        method, path = first.split(" ")
        heads = dict(line.split(": ", 1) for line in lines)
        answer = served().ask(method, path, body.encode() or None, heads)
        text = answer.body.decode()
        if "json" in answer.headers["content-type"] and "ndjson" not in answer.headers["content-type"]:
            text = json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"
        self.printed = f"{answer.status}\n{text}"

    def _text(self, block: Block) -> None:
        if self.printed is None:
            raise BlockError(f"{block.place}: a text block follows no Python block that could have printed it")
        self._compare(block, block.content, self.printed)

    def _console(self, block: Block) -> None:
        for line, shown in _commands(block):
            printed = self.command(line)
            if self.status not in (0, 1) and not shown:
                raise BlockError(f"{block.place}: {line!r} ends with status {self.status}:\n{printed}")
            if shown:
                self._compare(block, shown, printed, line)

    def _compare(self, block: Block, shown: str, printed: str, by: str = "the block before") -> None:
        if not _pattern(shown).fullmatch(_stripped(printed) + "\n"):
            raise BlockError(f"{block.place}: {by} prints something else:\n{printed}\n--- the page shows\n{shown}")

    def _yaml(self, block: Block) -> None:
        path = _written(block, "block.yaml")
        keys = yaml.safe_load(block.content)
        if "pack" in keys:
            assert load_pack(path).pack.rules
            wrong = [result for result in run_examples([str(path)]) if not result.ok]
            assert not wrong, wrong
        elif "name" in keys:
            assert Validator(profile=path).rules
        else:
            assert load_waivers(path)

    def _json(self, block: Block) -> None:
        value = json.loads(block.content)
        path = _written(attrs.evolve(block, content=json.dumps(value) + "\n"), "block.jsonl")
        assert "claim_id" in value, "a JSON block is a claim"
        self.command(f"weakcode scrub {path.name} --rejects rejected.jsonl --fail-on never")
        assert self.status == 0
        assert Path("rejected.jsonl").read_text() == ""

    def _csv(self, block: Block) -> None:
        path = _written(block, "block.csv")
        header = next(csv.reader(io.StringIO(block.content)))
        if "who" in header:
            assert load_waivers(path)
        elif "carc" in header:
            assert read_remits([str(path)]).answers
        elif "verdict" in header:
            assert read_truth(path)
        else:
            self.command(f"weakcode scrub {path.name} --rejects rejected.csv --fail-on never")
            assert self.status == 0
            assert len(Path("rejected.csv").read_text().splitlines()) <= 1


def _written(block: Block, name: str) -> Path:
    path = Path(block.title or name)
    assert not path.is_absolute()
    assert ".." not in path.parts
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.content, encoding="utf-8")
    return path


def _commands(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with what the page shows of its output."""
    command, shown = "", ""
    for line in block.content.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line[2:], ""
        elif command.endswith("\\"):
            command = command[:-1] + line.strip()
        elif command:
            shown += line + "\n"
        else:
            raise BlockError(f"{block.place}: a console block begins with $ and a command")
    yield command, shown


def _stripped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _pattern(shown: str) -> re.Pattern[str]:
    parts = []
    for line in _stripped(shown).splitlines():
        if line.strip() in ("...", "…"):
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append("[^\n]*?".join(map(re.escape, _ANY.split(line))) + "\n")
    return re.compile("".join(parts))


def _delta_table(folder: Path, claims: Sequence[Any]) -> None:
    """Write claims as a table of Delta Lake."""
    import deltalake
    import pyarrow as pa

    folder.mkdir(parents=True)
    rows = {"claim_id": [claim.id for claim in claims], "codes": [list(claim.codes) for claim in claims]}
    deltalake.write_deltalake(str(folder), pa.table(rows))


def _workbook(path: Path, claims: Sequence[Claim]) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Claims")
        for number, row in enumerate([("claim_id", "codes"), *((c.id, " ".join(c.codes)) for c in claims)]):
            sheet.write_row(number, 0, row)


def fill(folder: Path) -> None:
    """Write the files that the pages speak of into a folder, all made from the example claims."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    import weakcode
    from tests.coverage.made import therapy, zipped
    from tests.scrub.x12.writing837 import interchange

    shutil.copytree(PROJECT / "examples", folder / "examples")
    zipped(folder / "current_article.zip", therapy(), inside="current_article_csv.zip")
    source = folder / "examples" / "claims.csv"
    shutil.copy(source, folder / "claims.csv")
    claims = list(weakcode.read_claims(source))
    names = ("claim_id", "codes", "service_date", "age", "sex", "payer")
    rows = [dict(zip(names, (c.id, list(c.codes), c.service_date, c.age, c.sex, c.payer), strict=True)) for c in claims]
    table = pa.Table.from_pylist(rows)
    for name in ("claims.parquet", "c/one.parquet"):
        (folder / name).parent.mkdir(exist_ok=True)
        pq.write_table(
            table.rename_columns(["id" if n == "claim_id" and "/" in name else n for n in names]), folder / name
        )
    lines = [json.dumps({**row, "service_date": row["service_date"].isoformat()}) for row in rows]
    (folder / "claims.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "claims.json").write_text("[" + ",\n".join(lines) + "]\n")
    _table(folder / "wide.csv", "claim_id,dx1,dx2,dx3", [(c.id, *c.codes[:3]) for c in claims])
    _table(
        folder / "inpatient.csv",
        "CLM_ID,PRNCPAL_DGNS_CD,ICD_DGNS_CD1",
        [(c.id, c.codes[0], c.codes[0]) for c in claims],
    )
    _table(folder / "t.csv", "NR,D1,D2,SEEN", [(c.id, *(*c.codes, "")[:2], c.service_date) for c in claims])
    for name in ("batch.837", "claims.837"):
        (folder / name).write_text("".join(interchange(claims[:5], "P")))
    entries = [{"resource": _fhir_claim(c.id or "", c.codes)} for c in claims[:5]]
    (folder / "bundle.json").write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    long = [(c.id, place, "10", code) for c in claims for place, code in enumerate(c.codes, start=1)]
    _table(folder / "long.csv", "CLM,SEQ,TYPE,DX", long)
    _workbook(folder / "claims.xlsx", claims[:5])
    _delta_table(folder / "tables/claims", claims[:5])
    for name in ("claims/may", "export"):
        (folder / name).mkdir(parents=True)
    shutil.copy(folder / "claims.parquet", folder / "claims/may/a.parquet")
    resources = [json.dumps(_fhir_claim(c.id or "", c.codes)) for c in claims[:5]]
    (folder / "export/Claim.ndjson").write_text("\n".join(resources) + "\n")
    with inside(folder):
        assert (
            Page().command("weakcode scrub claims.csv -o findings.parquet --rejects rejects.jsonl").count("Summary")
            == 1
        )


def _table(path: Path, header: str, rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names = header.split(",")
        writer.writerow(names)
        writer.writerows((*row, *[""] * len(names))[: len(names)] for row in rows)


def _fhir_claim(name: str, codes: tuple[str, ...]) -> dict[str, Any]:
    diagnoses = [
        {
            "sequence": place,
            "diagnosisCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}]},
        }
        for place, code in enumerate(codes, start=1)
    ]
    return {"resourceType": "Claim", "id": name, "status": "active", "diagnosis": diagnoses}


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
