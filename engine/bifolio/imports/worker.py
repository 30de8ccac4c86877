"""The process that makes creations ahead for an import: batches in, batches of creations out.

``ahead`` starts it (``python -m bifolio.imports.worker``) and is the only one to talk to it. It
opens no file and no library, and ends with its standard input, or with a record that cannot be
made: the import makes that one itself then, and meets the error.
"""

from __future__ import annotations

import pickle
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from bifolio.replica.creation import Creation, create

_LENGTH_BYTES = 8

#: Records of the staging: number, id and the reference as it lies there.
Batch = Sequence[tuple[int, str, bytes]]

#: The mapping's version, and a batch that was read under it.
Order = tuple[str, Batch]


def send(pipe: IO[bytes], body: bytes) -> None:
    """Write one message."""
    pipe.write(len(body).to_bytes(_LENGTH_BYTES, "big"))
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """Read one message; None where the other side has ended."""
    head = pipe.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "big")
    body = pipe.read(length)
    return body if len(body) == length else None


def make_creations(order: Order) -> dict[int, Creation]:
    """The creations of a batch, by number."""
    mapping, batch = order
    return {
        number: create(record_id, pickle.loads(body), mapping=mapping)
        for number, record_id, body in batch
    }


def main() -> None:
    """Answer each batch, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the import ends this process, not the keyboard
    with suppress(BrokenPipeError):
        while (body := receive(sys.stdin.buffer)) is not None:
            send(sys.stdout.buffer, pickle.dumps(make_creations(pickle.loads(body)), protocol=5))


if __name__ == "__main__":
    main()
