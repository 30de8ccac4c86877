"""The process that derives references ahead and checks states of a snapshot: batches of records in,
what is stored of them, or what was found of them, out.

``derivation_worker`` starts it (``python -m bifolio.replica.derivation_process``) and is the only
one to talk to it. It opens no file and no library, and ends with its standard input.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from typing import Final

from bifolio.document.entries import without_superseded_imports
from bifolio.document.record import RecordDocument, read_entries
from bifolio.errors import DocumentError
from bifolio.replica import projection, worker_process
from bifolio.replica.checking import check_one
from bifolio.storage.derived import StoredReference

#: A record's id, and what it holds: as JSON, or its state.
Order = tuple[str, str | bytes]

#: What is to be done with a batch.
DERIVE: Final = "derive"
CHECK: Final = "check"


def derive_ahead(order: Order) -> StoredReference | None:
    """All that is stored of a reference that is shown as it is. None of one that is not, which is
    in the trash, purged or cannot be read: that depends on what the replica knows of it."""
    record_id, content = order
    try:
        json = content if isinstance(content, str) else RecordDocument(content).json()
        entries = read_entries(json)
    except (DocumentError, ValueError):
        return None
    derived = projection.derive_whatever(record_id, without_superseded_imports(entries))
    if derived.row.trashed or derived.purged is not None:
        return None
    return projection.to_stored_whatever(derived)


class Answerer:
    """Answers batches."""

    def __init__(self) -> None:
        #: Of every device of the library whose snapshot is checked, by client id.
        self._slots: Mapping[int, str] = {}

    def answer(self, body: bytes) -> bytes:
        """What is derived or found of a batch, in its order."""
        task, content = pickle.loads(body)
        if task == CHECK:
            return pickle.dumps(self._check(*content), protocol=5)
        return pickle.dumps([derive_ahead(one) for one in content], protocol=5)

    def _check(
        self, slots: Mapping[int, str] | None, batch: Sequence[tuple[str, bytes]]
    ) -> list[int | None] | None:
        """The shares of a batch; None where something is wrong with one: what that is, is found by
        who asks."""
        if slots is not None:
            self._slots = slots
        try:
            return [check_one(record_id, state, self._slots) for record_id, state in batch]
        except DocumentError:
            return None


def main() -> None:
    """Answer each batch, until there are no more."""
    worker_process.serve(Answerer().answer)


if __name__ == "__main__":
    main()
