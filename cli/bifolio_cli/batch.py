"""Several references named in one call: what can be done is done, in one change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from bifolio.errors import AmbiguousReferenceError, ReferenceNotFoundError
from bifolio_cli.invocation import DONE_IN_PART
from bifolio_cli.output import Output

if TYPE_CHECKING:
    from bifolio.results import ReferenceView, RemovalResult


@dataclass(frozen=True, slots=True)
class DoneInPart:
    """What was done, and why each of the other names stands for no one reference."""

    done: Sequence[ReferenceView]
    missing: tuple[ReferenceNotFoundError | AmbiguousReferenceError, ...]
    #: The ids of those to which there was nothing to do.
    without: frozenset[str] = frozenset()


def apply_to_each(
    act: Callable[[Sequence[str]], Sequence[ReferenceView]], refs: Sequence[str]
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


def remove_from_each(
    act: Callable[[Sequence[str]], RemovalResult], refs: Sequence[str]
) -> DoneInPart:
    """As ``apply_to_each``, for what is taken off references."""
    without: frozenset[str] = frozenset()

    def done(found: Sequence[str]) -> Sequence[ReferenceView]:
        nonlocal without
        taken = act(found)
        without = taken.without
        return taken.references

    return replace(apply_to_each(done, refs), without=without)


def report_each(output: Output, outcome: DoneInPart, done: str, *, without: str = "") -> None:
    """Say what was done to each reference, and name those that were not found.

    Args:
        done: what is true of one now.
        without: what is said instead of one to which there was nothing to do.

    Raises:
        typer.Exit: with the code for what is done in part, where some were not found.
    """
    if output.json:
        output.references(outcome.done)
    else:
        for reference in outcome.done:
            sentence = without if reference.id in outcome.without else done
            output.say(f"{reference.key or reference.id} {sentence}")
    for missing in outcome.missing:
        output.remark(missing.message)
    if outcome.missing:
        raise typer.Exit(DONE_IN_PART)
