"""Values that an object works out when they are first asked for, and keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

_T = TypeVar("_T")


class lazy(Generic[_T]):  # noqa: N801 - used as a decorator, like property
    """A property that is worked out once and then an attribute of the object.

    That of functools holds a lock for all objects of the class while it works, on Python 3.11: a child that is forked
    while any thread works waits for it for ever. Here there is none. Threads that ask at once may each work it out;
    all are given the one that was kept first. What raises keeps nothing.
    """

    def __init__(self, work: Callable[[Any], _T]) -> None:
        self._work = work
        self.__doc__ = work.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[_T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...
    def __get__(self, instance: object | None, owner: type) -> lazy[_T] | _T:
        if instance is None:
            return self
        kept: _T = instance.__dict__.setdefault(self._name, self._work(instance))
        return kept
