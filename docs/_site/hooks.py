"""What the site has beyond the files of docs/: rule pages, the command line's help, and files of the project's root."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from weakcode.pages.bycode import SUBJECT, Category, CodeIndex, code_index
from weakcode.pages.facts import RuleBook
from weakcode.pages.markdown import rule_pages

PROJECT = Path(__file__).resolve().parents[2]
INCLUDED = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "examples/README.md": "examples.md",
}
"""Files outside docs/ that are pages of the site, by their path in the project."""

_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)([^)\s#]+)(#[^)\s]*)?(?=\))")
_WIDTH = 80


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    for uri, text in made():
        files.append(File.generated(config, uri, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links that leave docs/ to the page that the site has of what they name."""
    uri = page.file.src_uri
    return markdown if page.file.generated_by else relinked(markdown, f"docs/{uri}", uri)


def made() -> Iterator[tuple[str, str]]:
    """Yield each page as its path in the site and its text."""
    for name, uri in INCLUDED.items():
        yield uri, relinked((PROJECT / name).read_text(encoding="utf-8"), name, uri)
    yield "reference/commands.md", commands()
    book = RuleBook.of()
    # A page for each of the 1,918 categories would be seven of every eight pages of the site; a chapter has one here.
    yield from ((f"rules/{name}", text) for name, text in rule_pages(book))
    by_code = code_index(book.program, book.edition)
    chapters = [
        (name, book.edition.title(name) or "", tuple(inside))
        for name, inside in groupby(by_code.categories, lambda category: category.chapter)
    ]
    yield "rules/codes/index.md", _chapters(book, by_code, chapters)
    for name, title, categories in chapters:
        yield f"rules/codes/{_file(name)}", _chapter(name, title, categories)


def relinked(markdown: str, source: str, uri: str) -> str:
    """Return the text of a file of the project, `source`, with links that hold on the page `uri` of the site."""

    def lead(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), found[1]))
        inside = INCLUDED.get(target) or (target.removeprefix("docs/") if target.startswith("docs/") else None)
        if inside is None:
            return found[0]
        return posixpath.relpath(inside, posixpath.dirname(uri) or ".") + (found[2] or "")

    return _LINK.sub(lead, markdown)


def commands() -> str:
    """Return the help of every command as one page."""
    from weakcode.cli import main

    parts = ["# Command line", "What `weakcode COMMAND --help` says."]
    for name, command in _commands("weakcode", main):
        context = click.Context(command, info_name=name, terminal_width=_WIDTH, max_content_width=_WIDTH)
        parts.append(f"## {name}\n\n```text\n{command.get_help(context).rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def _commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for one in command.list_commands(context):
            inside = command.get_command(context, one)
            assert inside is not None
            yield from _commands(f"{name} {one}", inside)


def _file(chapter: str) -> str:
    return f"{chapter.lower().replace(' ', '-')}.md"


def _chapters(book: RuleBook, by_code: CodeIndex, chapters: Iterable[tuple[str, str, tuple[Category, ...]]]) -> str:
    rows = [
        f"| [{name}]({_file(name)}) | {inside[0].name} to {inside[-1].name} | {_cell(title)} |"
        for name, title, inside in chapters
    ]
    every = [
        f"- [`{touch.rule}`](../{touch.rule}.md): {book.title(touch.rule)} (the code is its {touch.role})"
        for touch in by_code.everywhere
    ]
    about = (
        "For each category the rules that are about some of its codes: those whose subject a code can be. What a rule "
        "forbids or asks for beside it is on the rule's page; `weakcode code M62.84` tells both. "
        f"ICD-10-CM {book.edition.name}."
    )
    return "\n\n".join(
        [
            "# Rules by code",
            about,
            "\n".join(["| chapter | categories | title |", "| --- | --- | --- |", *rows]),
            "## Every code",
            "\n".join(every),
        ]
    )


def _chapter(name: str, title: str, categories: Iterable[Category]) -> str:
    rows = []
    for category in categories:
        names = dict.fromkeys(touch.rule for touch in category.touches if touch.role == SUBJECT)
        links = ", ".join(f"[{rule}](../{rule}.md)" for rule in names)
        rows.append(f"| {category.name} | {_cell(category.title)} | {links} |")
    head = ["| category | title | rules |", "| --- | --- | --- |"]
    return f"# {name}: {title}\n\n[All chapters](index.md)\n\n" + "\n".join([*head, *rows]) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"([\\*_\[\]|#])", r"\\\1", text)
