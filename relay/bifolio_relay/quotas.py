"""The relay's quotas: how many libraries it holds, how many bytes of each, and what things cost.

``rules`` and ``blob_rules`` refuse what goes beyond them. What is counted is what it costs the
relay: a file of one byte takes rows, a file and a block of the disk.
"""

from __future__ import annotations

from dataclasses import dataclass

from bifolio import limits


@dataclass(frozen=True, slots=True)
class Quotas:
    """What one relay holds at most.

    Each process counts what the store holds before it adds to it, so that several of them may go
    beyond a bound by what each is adding at the same moment.
    """

    libraries: int = limits.RELAY_LIBRARIES_MAX
    library_bytes: int = limits.RELAY_LIBRARY_BYTES_MAX
    file_bytes: int = limits.RELAY_FILE_BYTES_MAX
    require_token: bool = False


def blob_cost(size_bytes: int) -> int:
    """What a blob of this sealed size costs."""
    blocks = -(-size_bytes // limits.RELAY_BLOB_BLOCK_BYTES)
    return blocks * limits.RELAY_BLOB_BLOCK_BYTES + limits.RELAY_BLOB_BYTES


def entry_cost(size_bytes: int) -> int:
    """What an entry of a log, or a membership record, of this size costs."""
    return size_bytes + limits.RELAY_ENTRY_BYTES


def log_cost(*, entries: int, size_bytes: int, records: int, records_bytes: int) -> int:
    """What a library's log and its membership log cost together."""
    return size_bytes + records_bytes + (entries + records) * limits.RELAY_ENTRY_BYTES
