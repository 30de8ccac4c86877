"""The base of all errors, and what is wrong with a call in itself."""

from __future__ import annotations

import re
from typing import ClassVar

from bifolio.errors.next_steps import Next, NextStep, as_next_step, next_step

#: What a fault of ours in reading a value of a foreign shape raises. Whoever catches it names the
#: record and goes on with the others. Faults of the disk and of the library's file are none of it.
DATA_FAULTS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

#: Characters of what somebody gave that a message repeats.
_SHOWN_MAX = 120
#: Characters of a message from which on it is looked through for values that it repeats whole, and
#: of a run without a space, as a path is, that it repeats.
_MESSAGE_MAX, _RUN_MAX = 1000, 400


class BifolioError(Exception):
    """Base of all: ``str(error)`` is one plain sentence, ``next_step`` what to do about it.

    ``code`` tells programs what went wrong and stays the same; the facts are attributes.
    """

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, next_step: NextStep | Next | str | None = None) -> None:
        message = _without_long_values(message)
        super().__init__(message)
        self.message = message
        self.next_step = as_next_step(next_step)


class UsageError(BifolioError):
    """The call is wrong in itself, whatever the library holds."""

    code = "wrong-usage"
    exit_code = 2


class UnknownFieldError(UsageError):
    """A field name that is neither known nor in the open space ``x.*``."""

    code = "unknown-field"

    def __init__(self, name: str, *, suggestion: str | None = None) -> None:
        self.name = name
        self.suggestion = suggestion
        super().__init__(
            f"There is no field named '{name}'.",
            next_step=next_step(
                Next.CHOOSE_FIELD,
                suggestion=suggestion or "",
                example=f"x.{name.removeprefix('x.') or 'shelf'}",
            ),
        )


class InvalidValueError(UsageError):
    """A value that a field cannot hold, or an option (``--name``) cannot take."""

    code = "invalid-value"

    def __init__(self, field: str, *, expected: str, got: str) -> None:
        self.field = field
        self.expected = expected
        self.got = got
        kind = "option" if field.startswith("--") else "field"
        super().__init__(
            f"The {kind} '{field}' takes {expected}, not {_shortened_quoted(got)}.",
            next_step="Nothing was changed. Give the value again in that form.",
        )


class QueryError(UsageError):
    """A query of which a part has no meaning."""

    code = "invalid-query"

    def __init__(self, reason: str, *, next_step: NextStep | Next | str | None) -> None:
        self.reason = reason
        super().__init__(f"The query was not understood: {reason}.", next_step=next_step)


class OutOfTurnError(BifolioError):
    """Our own side was about to send what the protocol does not permit now."""

    code = "out-of-turn"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"This side was about to break the protocol: {reason}. It was not sent.",
            next_step=Next.REPORT_FAULT,
        )


def shortened(text: str) -> str:
    """What somebody gave, as a message repeats it: not all of ten thousand characters."""
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."


def _without_long_values(message: str) -> str:
    """A message in which no single value is so long that nobody finds the sentence around it."""
    if len(message) <= _MESSAGE_MAX:
        return message
    quoted = rf"(?<!\w)'[^']{{{_SHOWN_MAX + 1},}}'(?!\w)"
    message = re.sub(quoted, lambda found: _shortened_quoted(found[0]), message)
    run = rf"\S{{{_RUN_MAX + 1},}}"
    return re.sub(run, lambda found: found[0][:_RUN_MAX] + "...", message)


def _shortened_quoted(text: str) -> str:
    """The same of what may be in quotation marks."""
    if text.startswith("'") and text.endswith("'"):
        return f"'{shortened(text[1:-1])}'"
    return shortened(text)
