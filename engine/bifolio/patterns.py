"""Regular expressions that are compiled when they are first used.

Compiling one takes up to some milliseconds, and a command uses few of those that its modules have.
Knows nothing of references. May import nothing of Bifolio.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def pattern(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What ``re.compile`` gives for these, as far as its own methods go.

    It is no argument for the functions of ``re``, and cannot be compared.
    """
    return cast("re.Pattern[AnyStr]", _Pattern(source, flags))


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
