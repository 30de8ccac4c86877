"""What is made when it is first used, so that a command starts fast: expressions and modules.

Compiling a regular expression takes up to some milliseconds, loading libsodium's interface eight;
a command uses few of those that its modules name. Knows nothing of references. May import nothing
of Bifolio.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any, AnyStr, cast


def pattern(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What ``re.compile`` gives for these, as far as its own methods go.

    It is no argument for the functions of ``re``, and cannot be compared.
    """
    return cast("re.Pattern[AnyStr]", _Pattern(source, flags))


def module(name: str) -> Any:
    """The module of this name, loaded when something of it is first asked for."""
    return _Module(name)


class _Pattern:
    """Compiles at the first use of a method, and has the method from then on as its own."""

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        # Only for what is not there yet; ``re`` keeps what it compiled for the next method.
        found = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, found)
        return found


class _Module:
    """Loads at the first use of a name, and has the names of the module from then on."""

    def __init__(self, name: str) -> None:
        self.__dict__["__name__"] = name

    def __getattr__(self, name: str) -> Any:
        found = import_module(self.__dict__["__name__"])
        self.__dict__ = found.__dict__
        return getattr(found, name)
