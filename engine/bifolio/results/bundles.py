"""Bundles: what was written into one, and what was taken from some."""

from __future__ import annotations

from pathlib import Path

from bifolio.errors import NextStep
from bifolio.results.base import Result


class BundleExport(Result, frozen=True):
    """A bundle that was written: its bytes, and the envelopes and attached files in it.

    ``unsealed`` counts the changes of this computer that are not in it, because it may not write
    into the library.
    """

    file: Path
    size: int
    envelopes: int
    files: int
    unsealed: int = 0


class InvitationByBundle(Result, frozen=True):
    """A ticket, and the bundle with which another computer uses it."""

    ticket: str
    bundle: BundleExport


class ImportedBundle(Result, frozen=True):
    """A bundle that was taken in: the changes and files that were new, and when it was made."""

    file: Path
    made_at: str
    changes: int
    files: int


class RefusedBundle(Result, frozen=True):
    """A bundle that was not taken in, or not all of it: why, and what to do."""

    file: Path
    reason: str
    next: NextStep | None


class KnownRelay(Result, frozen=True):
    """A relay that an owner said the library is on, and where this computer is not (yet): its
    address, and whose computer said so."""

    url: str
    by: str


class BundleImport(Result, frozen=True):
    """What bundles brought.

    ``waiting`` counts the received changes that build on others which are not here yet;
    ``moved_to`` is where an owner's record, which was new here, says that the library is now.
    """

    bundles: tuple[ImportedBundle, ...]
    refused: tuple[RefusedBundle, ...]
    changes: int
    files: int
    waiting: int
    conflicts: int
    state: str
    moved_to: KnownRelay | None = None


class BundleState(Result, frozen=True):
    """How a replica lives by bundles: when one was last written and taken in, and how many changes
    of this computer are in none."""

    exported_at: str | None
    imported_at: str | None
    not_bundled: int
