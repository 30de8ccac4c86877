"""The process that derives references ahead: batches of records in, what is stored of them out.

``derivation_worker`` starts it (``python -m bifolio.replica.derivation_process``) and is the only
one to talk to it. It opens no file and no library, and ends with its standard input.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence

from bifolio.document.entries import without_superseded_imports
from bifolio.document.record import RecordDocument, read_entries
from bifolio.errors import DocumentError
from bifolio.replica import projection, worker_process
from bifolio.storage.derived import StoredReference

#: A record's id, and what it holds: as JSON, or its state.
Order = tuple[str, str | bytes]


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


def answer(body: bytes) -> bytes:
    """What is derived of a batch, in its order."""
    batch: Sequence[Order] = pickle.loads(body)
    return pickle.dumps([derive_ahead(one) for one in batch], protocol=5)


def main() -> None:
    """Answer each batch, until there are no more."""
    worker_process.serve(answer)


if __name__ == "__main__":
    main()
