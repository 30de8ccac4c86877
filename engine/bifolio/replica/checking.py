"""One state of a snapshot, checked by itself, and what is known of it then."""

from __future__ import annotations

from collections.abc import Mapping

from bifolio.document import canonical, snapshot_states, view
from bifolio.errors import DATA_FAULTS, DocumentError
from bifolio.replica.creation import REFERENCE


def check_one(record_id: str, state: bytes, slots: Mapping[int, str]) -> int | None:
    """Check a record's state, as ``snapshot_states.check_state``.

    Returns:
        a reference's share of the state hash; None of any other record, and of one that cannot be
        read: that is found again where it is merged.

    Raises:
        DocumentError: with what is wrong.
    """
    document = snapshot_states.check_state(record_id, state, slots)
    try:
        entries = document.entries()
        kind = view.kind_of(entries)
        return canonical.record_share(record_id, kind, entries) if kind == REFERENCE else None
    except (DocumentError, *DATA_FAULTS):
        return None
