"""The relay's quotas: how many libraries it holds, and how many bytes of each.

``rules`` and ``blob_rules`` refuse what goes beyond them.
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
