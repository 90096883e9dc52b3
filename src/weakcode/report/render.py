"""A report as one HTML page that needs nothing but a browser."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
import os
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from weakcode.base.clock import today
from weakcode.errors import MissingExtraError
from weakcode.findings import CONFIDENCES
from weakcode.report.charts import LABELS, RULES, charts, is_rated, percent
from weakcode.report.data import read_report_data
from weakcode.report.model import SEVERITIES, ReportData
from weakcode.report.rulefacts import rule_facts
from weakcode.report.runs import latest, runs_of
from weakcode.report.trend import last_runs, rule_trend, trend_of
from weakcode.report.worklist import WORK_LIST_EXTENSIONS, WorkListFile
from weakcode.scrub.write.files import Outputs, checked_output, writing
from weakcode.visible import visible

if TYPE_CHECKING:
    import jinja2

_MEANINGS = {
    "error": "contradicts a mandatory convention, or will be rejected",
    "warning": "a likely denial, or an incomplete picture",
    "info": "advice",
}


def write_report(
    findings: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    claims: Sequence[str | os.PathLike[str]] = (),
    rules: Sequence[str] = (),
    rows: int = 1_000,
    work: int = 100,
    together: bool = False,
    practice: str = "",
    work_list: str | os.PathLike[str] | None = None,
    hash_key: bytes | None = None,
    db: str | None = None,
) -> ReportData:
    """Write the report of findings files to `output`, an .html file, and return what it shows.

    Each of `findings` is a run: a findings file, a folder of Parquet files, or a summary (.json) of which there are no
    findings; a folder of such stands for what is in it. The page shows the latest, and the trend of several. With
    `together`, all findings files are one run. A table of the database `db` is all the runs that wrote into it.

    `claims` are the files that were scrubbed, for payers, months and the share of clean claims; `rules` the rule
    files whose rules are not bundled; `rows` how many findings the table may hold, `work` how many claims the work
    list. `practice` stands at the head of the page. `work_list` is an .xlsx or .csv file with all findings, claim by
    claim. With `hash_key`, claim ids are replaced by `hashed_id`. The files appear whole or not at all.

    Raises InputError for files that are not there or hold something else, and for an output that cannot be;
    MissingExtraError where the extra `report` is not installed.
    """
    sources = [os.fspath(path) for path in (*findings, *claims)]
    target = checked_output(output, (".html", ".htm"), sources)
    listed = None if work_list is None else checked_output(work_list, WORK_LIST_EXTENSIONS, sources)
    template = _template()
    with Outputs() as outputs, tempfile.TemporaryDirectory(prefix="weakcode-report-") as scratch:
        runs = runs_of([os.fspath(path) for path in findings], together=together, scratch=Path(scratch), db=db)
        file = outputs.open(target)
        run = latest(runs)
        data = read_report_data(
            run.files,
            [os.fspath(path) for path in claims],
            rows=rows,
            work=work,
            hash_key=hash_key,
            work_list=None if listed is None else WorkListFile(listed, outputs.open(listed)),
        )
        data = attrs.evolve(
            data, files=run.names, started=run.started, practice=practice.strip(), trend=trend_of(runs, run, data)
        )
        page = _page(template, data, rules)
        with writing(target):
            file.write(page.encode("utf-8", "replace"))
        outputs.commit()
    return data


def _template() -> jinja2.Template:
    try:
        import jinja2
        import vl_convert  # noqa: F401
    except ImportError:
        raise MissingExtraError("reports", extra="report", needs="jinja2 or vl-convert-python") from None
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=None,
        finalize=_shown,
    )
    environment.filters |= {"count": lambda number: f"{number:,}", "percent": percent}
    return environment.from_string(_part("page.html"))


def _shown(value: object) -> object:
    """Return text of the findings with what is not seen spelled out; our own parts of the page are markup."""
    return visible(value, keep="\n\t") if type(value) is str else value


def _page(template: jinja2.Template, data: ReportData, rules: Sequence[str]) -> str:
    from markupsafe import Markup

    from weakcode import __version__

    facts = rule_facts([one.rule for one in data.rules], rules)
    titles = {name: fact.title for name, fact in facts.items()}
    drawn = charts(data, titles)
    library = _library() if drawn else ""
    script = _part("page.js")
    return template.render(
        data=data,
        facts=facts,
        titles=titles,
        code_titles=_code_titles(data),
        anchors={one.rule: f"rule-{one.rule.replace('/', '-')}" for one in data.rules},
        severities=SEVERITIES,
        charted=RULES,
        labels=LABELS,
        meanings=_MEANINGS,
        confidences=CONFIDENCES,
        version=__version__,
        made_on=_day(today().isoformat()),
        day=_day,
        rated=is_rated(data.trend),
        last_runs=last_runs(data.trend) if data.trend else (),
        rule_trend=rule_trend(data.trend) if data.trend else (),
        charts=[{"id": one.id, "spec": one.spec} for one in drawn],
        style=Markup(_part("page.css")),  # noqa: S704 - our own files, not what is reported
        library=Markup(library),  # noqa: S704
        script=Markup(script),  # noqa: S704
        notices=_part("notices.txt") if drawn else "",
        script_hashes=" ".join(_hash(text) for text in (library, script) if text),
    )


@functools.cache
def _library() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script."""
    import vl_convert

    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


def _hash(script: str) -> str:
    """Return what a content security policy calls a script by."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _part(name: str) -> str:
    return (Path(str(files("weakcode.report"))) / "page" / name).read_text(encoding="utf-8")


def _day(text: str) -> str:
    """Return a day, or the day of a point in time, as 28 November 2026."""
    day = dt.date.fromisoformat(text[:10])
    return f"{day.day} {day:%B %Y}"


def _code_titles(data: ReportData) -> dict[str, str]:
    """Return the titles of the codes in pairs."""
    from weakcode.codes.catalog import edition_for

    edition = edition_for(None)
    codes = {code for pair in data.pairs for code in pair.codes}
    return {code: title for code in codes if (title := edition.title(code))}
