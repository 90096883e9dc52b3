"""Files of claims that the page is given: scrubbed in the background, kept until the server stops, and never shared.

Each file has a folder of its own below one that only this user can open. Its name in addresses is random and
as good as a key; what is waived stands beside the findings. Whichever process of the server is asked finds it there.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from weakcode.base import objects
from weakcode.errors import WeakcodeError
from weakcode.scrub.formats import known_extensions
from weakcode.serve.claims import json_response
from weakcode.serve.files import worklist
from weakcode.serve.files.job import GIVEN, FileReading, asked_of, in_the_pages_words, say, scrub, summary_of
from weakcode.serve.problems import ProblemError
from weakcode.serve.requests import Service
from weakcode.serve.settings import MEBIBYTE

_KEPT = 8
"""Files that are kept at a time; the oldest goes when another comes."""
_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_WAIVER = ("claim_id", "finding_id", "rule", "reason", "by")
_LONGEST_WAIVER = 2_000
_DOWNLOADS = {
    "findings.csv": "text/csv; charset=utf-8",
    "findings.parquet": "application/vnd.apache.parquet",
    "findings.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "rejects.csv": "text/csv; charset=utf-8",
    "summary.json": "application/json",
    "report.html": "text/html; charset=utf-8",
}


class FileRoutes:
    """The routes about files of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        # One at a time, so that single checks go on; made when first used, since a forked process has no threads.
        self._threads: ThreadPoolExecutor | None = None

    async def add(self, request: Request) -> Response:
        """POST /v1/files: take a file and begin to scrub it; `name`, `map`, `sheet` and `profile` in the query."""
        root = self._root()
        validator = await self._service.validator(request, "name", "map", "sheet", "date_format", "encoding")
        query = request.query_params
        reading = asked_of(query)
        name = Path(query.get("name", "claims").replace("\\", "/")).name[:120] or "claims"
        await self._in_thread(lambda: _make_room(root))
        key = secrets.token_urlsafe(16)
        folder = root / key
        folder.mkdir(mode=0o700)
        try:
            size = await self._take(request, folder / f"{GIVEN}{known_extensions(name)}")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        say(folder, {"state": "reading", "name": name, "size": size, "read": 0})
        self._pool().submit(scrub, folder, name, size, validator, reading)
        return Response(
            orjson.dumps({"version": objects.VERSION, "id": key, "name": name, "size": size}),
            status_code=202,
            media_type="application/json",
        )

    async def state(self, request: Request) -> Response:
        """GET /v1/files/{id}: how far it is, or the summary, or what was wrong."""
        folder = self._folder(request)
        return json_response({"version": objects.VERSION, **(await self._in_thread(lambda: summary_of(folder)))})

    async def again(self, request: Request) -> Response:
        """POST /v1/files/{id}/again: read a file that is kept once more; `columns` and `sheet` say how."""
        folder = self._folder(request)
        validator = await self._service.validator(request)
        values = self._service.json(await self._service.body(request, MEBIBYTE))
        if set(values) - {"columns", "sheet"} or not isinstance(values.get("sheet", ""), str):
            raise ProblemError(422, "a reading has columns, an object of names by part of a claim, and the sheet")
        before = summary_of(folder)
        if before.get("state") == "reading":
            raise ProblemError(409, "the file is being read; wait for its end")
        try:
            reading = FileReading(values.get("columns") or None, values.get("sheet") or None)
        except WeakcodeError as error:
            raise ProblemError(422, in_the_pages_words(str(error))) from None
        name, size = before.get("name", "claims"), before.get("size", 0)
        say(folder, {"state": "reading", "name": name, "size": size, "read": 0})
        self._pool().submit(scrub, folder, name, size, validator, reading)
        return Response(
            orjson.dumps({"version": objects.VERSION, "id": folder.name, "name": name, "size": size}),
            status_code=202,
            media_type="application/json",
        )

    async def rejects(self, request: Request) -> Response:
        """GET /v1/files/{id}/rejects: the first rejected rows, each with its line and the reason."""
        folder = self._done(request)
        found = await self._in_thread(lambda: worklist.rejects(folder, summary_of(folder)["name"]))
        return json_response({"version": objects.VERSION, **found})

    async def remove(self, request: Request) -> Response:
        """DELETE /v1/files/{id}: forget a file and everything that came of it."""
        folder = self._folder(request)
        await self._in_thread(lambda: shutil.rmtree(folder, ignore_errors=True))
        return Response(status_code=204)

    async def claims(self, request: Request) -> Response:
        """GET /v1/files/{id}/claims: claims with findings, the worst first, filtered and by pages."""
        folder = self._done(request)
        asked = worklist.asked(request.query_params)
        found = await self._in_thread(lambda: worklist.claims(folder, asked))
        return json_response({"version": objects.VERSION, **found})

    async def claim(self, request: Request) -> Response:
        """GET /v1/files/{id}/claim?claim_id=: a claim as it was read."""
        folder, name = self._done(request), request.query_params.get("claim_id", "")
        found = await self._in_thread(lambda: worklist.claim(folder, name))
        if found is None:
            raise ProblemError(404, "the file has no such claim")
        return json_response({"version": objects.VERSION, **found})

    async def waive(self, request: Request) -> Response:
        """POST /v1/files/{id}/waivers: set a finding aside with a reason and a name, or take that back."""
        folder = self._done(request)
        values = self._service.json(await self._service.body(request, MEBIBYTE))
        if set(values) - {*_WAIVER, "undo"} or not all(isinstance(values.get(name, ""), str) for name in _WAIVER):
            raise ProblemError(422, f"a waiver has the texts {', '.join(_WAIVER)}")
        texts = {name: values.get(name, "").strip() for name in _WAIVER}
        if not texts["finding_id"] or (not values.get("undo") and not (texts["reason"] and texts["by"])):
            raise ProblemError(422, "a waiver names the finding, the reason and who says so")
        if sum(map(len, texts.values())) > _LONGEST_WAIVER:
            raise ProblemError(422, f"a waiver has at most {_LONGEST_WAIVER:,} characters")
        waived = await self._in_thread(lambda: worklist.waive(folder, texts, undo=bool(values.get("undo"))))
        return json_response({"version": objects.VERSION, "waived": waived})

    async def download(self, request: Request) -> Response:
        """GET /v1/files/{id}/{what}: findings as CSV, Excel or Parquet, rejected rows, the summary, or the report."""
        folder, what = self._done(request), request.path_params["what"]
        if what not in _DOWNLOADS:
            raise ProblemError(404, f"there is no such download; there are {', '.join(_DOWNLOADS)}")
        try:
            path = await self._in_thread(lambda: worklist.download(folder, what, summary_of(folder)["name"]))
        except WeakcodeError as error:
            raise ProblemError(422, str(error)) from None
        return FileResponse(
            path, media_type=_DOWNLOADS[what], headers={"content-disposition": f'attachment; filename="{what}"'}
        )

    def _root(self) -> Path:
        root = self._service.settings.files
        if root is None:
            raise ProblemError(403, "this server takes no files; weakcode desk and weakcode serve --files do")
        return root

    def _folder(self, request: Request) -> Path:
        key = request.path_params["id"]
        folder = self._root() / key
        if not _ID.fullmatch(key) or not folder.is_dir():
            raise ProblemError(404, "there is no such file; it may have made room for others")
        return folder

    def _done(self, request: Request) -> Path:
        folder = self._folder(request)
        if summary_of(folder).get("state") != "done":
            raise ProblemError(409, "the file is not read to its end")
        return folder

    async def _take(self, request: Request, path: Path) -> int:
        """Write the body to a file, as it comes. Returns its bytes; raises ProblemError where it is too long."""
        most, size = self._service.settings.max_file, 0
        with path.open("xb") as out:
            path.chmod(0o600)
            stream = request.stream().__aiter__()
            while True:
                try:
                    part = await asyncio.wait_for(anext(stream), self._service.settings.body_seconds)
                except StopAsyncIteration:
                    break
                except TimeoutError:
                    raise ProblemError(408, "the file did not come in time", connection="close") from None
                size += len(part)
                if size > most:
                    raise ProblemError(413, f"the file is longer than {most:,} bytes", connection="close")
                out.write(part)
        if not size:
            raise ProblemError(422, "the file is empty")
        return size

    def _pool(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(1, "weakcode-files")
        return self._threads

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, work)


def _make_room(root: Path) -> None:
    folders = sorted((path for path in root.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for folder in folders[: max(0, len(folders) - _KEPT + 1)]:
        shutil.rmtree(folder, ignore_errors=True)
