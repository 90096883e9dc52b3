"""Validators by the names of profiles, from one folder: made when first asked for, and anew when the folder changes."""

from __future__ import annotations

import logging
import re
import time
from pathlib import Path

from weakcode.errors import WeakcodeError
from weakcode.serve.problems import ProblemError
from weakcode.validator import Validator

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LOOK_AGAIN = 1.0
_MOST = 1_000
_logger = logging.getLogger("weakcode.serve")

State = tuple[tuple[str, int, int], ...]


class Tenants:
    """The validator of the bundled rules (or of what the command line chose), and those of the profiles in a folder.

    A profile is asked for by the name of its file without `.yaml`, never by a path. What changed in the folder is
    taken over within a second. A profile that then has errors judges as it did before they came, until it is mended:
    `stale` names it, and `refused` counts how often. One that never was right is refused.
    """

    def __init__(self, validator: Validator, folder: Path | None) -> None:
        self._validator, self._folder = validator, folder
        self._made: dict[str, Validator] = {}
        self._last_good: dict[str, Validator] = {}
        self._stale: set[str] = set()
        self._looked = 0.0
        self._state: State = ()
        self.refused = 0

    @property
    def usual(self) -> Validator:
        """The validator that judges where no profile is named."""
        return self._validator

    @property
    def has_profiles(self) -> bool:
        """Whether there is a folder of profiles."""
        return self._folder is not None

    @property
    def stale(self) -> tuple[str, ...]:
        """Profiles that judge as they did before their files had errors."""
        return tuple(sorted(self._stale))

    def warm(self) -> None:
        """Make ready what judges first."""
        self._validator.warm()

    def known(self, name: str | None) -> Validator | None:
        """Return the validator of a profile where it is at hand; None where `of` has to make it."""
        if name is None:
            return self._validator
        self._look()
        return self._made.get(name)

    def of(self, name: str) -> Validator:
        """Return the validator of a profile by its name. Raises ProblemError where there is none, or it is refused."""
        self._look()
        state = self._state
        path = self._path(name)
        try:
            validator = Validator(profile=path, root=self._folder)
            validator.warm()
        except WeakcodeError:
            self.refused += 1
            # What is wrong with it is for whoever keeps the folder: weakcode rules list --profile says it.
            before = self._last_good.get(name)
            if before is None:
                raise ProblemError(503, f'the profile "{name}" has errors') from None
            _logger.error(
                'the profile "%s" has errors and judges as it did before; weakcode rules list says which', name
            )
            self._stale.add(name)
            validator = before
        else:
            self._stale.discard(name)
            if len(self._last_good) < _MOST or name in self._last_good:
                self._last_good[name] = validator
        if state == self._state and len(self._made) < _MOST:
            self._made[name] = validator
        return validator

    def _there(self, name: str) -> Path | None:
        assert self._folder is not None
        paths = (self._folder / f"{name}{ending}" for ending in (".yaml", ".yml"))
        return next((path for path in paths if path.is_file()), None)

    def _path(self, name: str) -> Path:
        if self._folder is None:
            raise ProblemError(404, "this server has no profiles; it was started without --profiles")
        path = self._there(name) if _NAME.fullmatch(name) else None
        if path is not None:
            return path
        raise ProblemError(404, "there is no profile of this name; a profile is named as its file is, without .yaml")

    def _look(self) -> None:
        """Forget what was made of the folder where anything in it has changed."""
        now = time.monotonic()
        if self._folder is None or now - self._looked < _LOOK_AGAIN:
            return
        self._looked = now
        state = _state_of(self._folder)
        if state != self._state:
            self._state = state
            self._made = {}
            for name in [name for name in self._last_good if not self._there(name)]:
                # A profile that was taken away judges no more.
                del self._last_good[name]
                self._stale.discard(name)


def _state_of(folder: Path) -> State:
    try:
        files = [path for path in folder.rglob("*") if path.is_file()]
        return tuple(sorted((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files))
    except OSError:
        return ()
