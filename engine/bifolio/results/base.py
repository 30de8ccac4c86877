"""What every result is, and the one way in which results become JSON.

A result is a frozen msgspec Struct: its fields are declared once, and the JSON document, the JSON
Schema (``schema``) and the types of other front ends are read from the declaration.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec

from bifolio.errors import NextStep
from bifolio.errors.next_steps import to_plain

#: Puts a next step into the words of a front end.
Wording = Callable[[NextStep], str]


class Result(msgspec.Struct, frozen=True):
    """The base of all results."""

    def with_fields(self, **fields: Any) -> Self:
        """The same result with other values in these fields."""
        return msgspec.structs.replace(self, **fields)

    def to_json(self, word: Wording = str) -> dict[str, Any]:
        """The result as plain values of JSON.

        Args:
            word: puts next steps into words; without it advice alone has words.
        """
        document: dict[str, Any] = to_json(self, word)
        return document


def to_json(value: object, word: Wording = str) -> Any:
    """A result, or several of them in a list or a dict, as plain values of JSON.

    Paths are text, enums are their values, and a next step is ``{"code", "facts", "text"}``.
    """

    def plain(other: object) -> object:
        if isinstance(other, NextStep):
            return step_to_json(other, word)
        if isinstance(other, Path):
            return str(other)
        raise NotImplementedError(f"{type(other).__name__} is no part of a result")

    return _listed(msgspec.to_builtins(value, enc_hook=plain, str_keys=True))


def _listed(value: Any) -> Any:
    """With lists where there are tuples, as JSON has them."""
    if isinstance(value, dict):
        return {name: _listed(one) for name, one in value.items()}
    return [_listed(one) for one in value] if isinstance(value, list | tuple) else value


def step_to_json(step: NextStep, word: Wording = str) -> dict[str, object]:
    """``{"code", "facts", "text"}``: a next step for a program, and in words for a person."""
    stored = to_plain(step)
    return {"code": str(step.code), "facts": stored[1] if stored else {}, "text": word(step)}
