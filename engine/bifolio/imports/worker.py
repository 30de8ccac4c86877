"""The process that makes creations ahead for an import: batches in, batches of creations out.

``prefetch`` starts it (``python -m bifolio.imports.worker``) and is the only one to talk to it. It
opens no file and no library, and ends with its standard input, or with a record that cannot be
made: the import makes that one itself then, and meets the error.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence

from bifolio.replica import worker_process
from bifolio.replica.creation import Creation, create

#: Records of the staging: number, id and the reference as it lies there.
Batch = Sequence[tuple[int, str, bytes]]

#: The mapping's version, and a batch that was read under it.
Order = tuple[str, Batch]


def make_creations(order: Order) -> dict[int, Creation]:
    """The creations of a batch, by number."""
    mapping, batch = order
    return {
        number: create(record_id, pickle.loads(body), mapping=mapping)
        for number, record_id, body in batch
    }


def main() -> None:
    """Answer each batch, until there are no more."""
    worker_process.serve(lambda body: pickle.dumps(make_creations(pickle.loads(body)), protocol=5))


if __name__ == "__main__":
    main()
