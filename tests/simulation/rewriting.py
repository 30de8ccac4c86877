"""What a computer writes again as its own, when what it built on counts nowhere any more: noted as
what it is, an edit of that computer's, which nobody knew of who edited elsewhere meanwhile.

Without it the oracle of ``history`` takes such a value for one that came back, where its first
author, or somebody else, had removed it without having seen this one (seeds 475 and 490).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from tests.simulation.computer import Computer, change_id
from tests.simulation.history import Act, Event, History, Typed, names_in, typed_in

from bifolio.document import deletion
from bifolio.replica.replica import Replica
from bifolio.replication import cut_off
from bifolio.replication.cut_off import CutOff
from bifolio.storage.packed_states import unpack_state
from bifolio.wire.changes import Change

#: What is shown of a record, how often each name is, and whether it is in the trash.
Shown = tuple[frozenset[Typed], Counter[Typed], bool]


@contextmanager
def noting_what_is_written_again(
    history: History, computers: Callable[[], Sequence[Computer]]
) -> Iterator[None]:
    """Look on while the engine writes again."""
    write_again = cut_off.write_again

    def look_on(replica: Replica, taken: CutOff) -> None:
        computer = next((one for one in computers() if one.replica is replica), None)
        if computer is None:
            write_again(replica, taken)
            return
        known, here = computer.known(), _unsealed(computer)
        before = {record: _shown(computer, record) for record in taken.before}
        write_again(replica, taken)
        fresh = [one for number, one in _unsealed(computer).items() if number not in here]
        for record, was in before.items():
            changes = [one for one in fresh if record in dict(one.records)]
            if changes:
                event = _event(known, record, was, _shown(computer, record))
                history.events[change_id(changes[-1])] = event
                history.authors[change_id(changes[-1])] = computer.keys.sign_public

    with patch.object(cut_off, "write_again", look_on):
        yield


def _unsealed(computer: Computer) -> dict[int, Change]:
    rows = computer.replica.database.rows(
        "SELECT number, body FROM changes WHERE hash IS NULL ORDER BY number"
    )
    return {number: Change.parse(unpack_state(body)) for number, body in rows}


def _shown(computer: Computer, record: str) -> Shown:
    if not computer.replica.records.exists(record):
        return frozenset(), Counter(), False
    is_trashed = deletion.is_trashed(computer.replica.document(record).entries())
    return typed_in(computer, record), names_in(computer, record), is_trashed


def _event(known: frozenset[bytes], record: str, before: Shown, after: Shown) -> Event:
    """What was written: what is shown more than before."""
    (was, names_before, _), (now, names, is_trashed) = before, after
    removed = was - now
    return Event(
        known,
        record,
        (now - was) | (names - names_before).keys(),
        removed,
        removed | (names_before - names).keys(),
        Act.DELETE if is_trashed else Act.EDIT,
    )
