"""Several references named in one call: what can be done is done, in one change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bifolio.errors import AmbiguousReferenceError, ReferenceNotFoundError

if TYPE_CHECKING:
    from bifolio.results import Shown


@dataclass(frozen=True, slots=True)
class DoneInPart:
    """What was done, and why each of the other names stands for no one reference."""

    done: Sequence[Shown]
    missing: tuple[ReferenceNotFoundError | AmbiguousReferenceError, ...]


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
