"""The base of all errors, and what is wrong with a call in itself."""

from __future__ import annotations


class BifolioError(Exception):
    """Base of all: ``str(error)`` is one plain sentence, ``next_step`` what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step


class UsageError(BifolioError):
    """The call is wrong in itself, whatever the library holds."""

    exit_code = 2


class UnknownFieldError(UsageError):
    """A field name that is neither known nor in the open space ``x.*``."""

    def __init__(self, name: str, *, suggestion: str | None = None) -> None:
        self.name = name
        self.suggestion = suggestion
        advice = f"Did you mean '{suggestion}'? " if suggestion else ""
        super().__init__(
            f"There is no field named '{name}'.",
            next_step=f"{advice}A field of your own is written x.NAME, for example "
            f"x.{name.removeprefix('x.') or 'shelf'}.",
        )


class InvalidValueError(UsageError):
    """A value that a field cannot hold."""

    def __init__(self, field: str, *, expected: str, got: str) -> None:
        self.field = field
        self.expected = expected
        self.got = got
        super().__init__(
            f"The field '{field}' takes {expected}; it was given {got}.",
            next_step="Nothing was changed. Give the value again in that form.",
        )


class OutOfTurnError(BifolioError):
    """Our own side was about to send what the protocol does not permit now."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"This side was about to break the protocol: {reason}. It was not sent.",
            next_step="This is a fault of Bifolio. Report it with this sentence; nothing was lost.",
        )
