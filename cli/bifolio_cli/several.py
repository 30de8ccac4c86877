"""Several references named in one call: what can be done is done, in one change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from bifolio.errors import AmbiguousReferenceError, ReferenceNotFoundError
from bifolio_cli.invocation import DONE_IN_PART
from bifolio_cli.output import Output
from bifolio_cli.rendering import called

if TYPE_CHECKING:
    from bifolio.results import Shown, TakenOff


@dataclass(frozen=True, slots=True)
class DoneInPart:
    """What was done, and why each of the other names stands for no one reference."""

    done: Sequence[Shown]
    missing: tuple[ReferenceNotFoundError | AmbiguousReferenceError, ...]
    #: The ids of those to which there was nothing to do.
    without: frozenset[str] = frozenset()


def to_each_found(
    act: Callable[[Sequence[str]], Sequence[Shown]], refs: Sequence[str]
) -> DoneInPart:
    """Do ``act`` to all of the references that there are; it must do nothing when it raises.

    Raises:
        ReferenceNotFoundError, AmbiguousReferenceError: the first one's, if no name is left.
    """
    remaining = list(refs)
    missing: list[ReferenceNotFoundError | AmbiguousReferenceError] = []
    while remaining:
        try:
            return DoneInPart(done=act(remaining), missing=tuple(missing))
        except (ReferenceNotFoundError, AmbiguousReferenceError) as error:
            if error.ref not in remaining:
                raise
            missing.append(error)
            remaining = [ref for ref in remaining if ref != error.ref]
    raise missing[0]


def taken_off_each(act: Callable[[Sequence[str]], TakenOff], refs: Sequence[str]) -> DoneInPart:
    """As ``to_each_found``, for what is taken off references."""
    without: frozenset[str] = frozenset()

    def done(found: Sequence[str]) -> Sequence[Shown]:
        nonlocal without
        taken = act(found)
        without = taken.without
        return taken.references

    return replace(to_each_found(done, refs), without=without)


def report_each(output: Output, outcome: DoneInPart, done: str, *, without: str = "") -> None:
    """Say what was done to each reference, and name those that were not found.

    Args:
        done: what is true of one now.
        without: what is said instead of one to which there was nothing to do.

    Raises:
        typer.Exit: with the code for what is done in part, where some were not found.
    """
    shown = [one.to_json() for one in outcome.done]
    if output.json:
        output.references(shown)
    else:
        for reference in shown:
            output.say(
                f"{called(reference)} {without if reference['id'] in outcome.without else done}"
            )
    for missing in outcome.missing:
        output.remark(missing.message)
    if outcome.missing:
        raise typer.Exit(DONE_IN_PART)
