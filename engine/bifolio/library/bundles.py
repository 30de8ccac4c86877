"""Bundles of a library, as programs use them: ``library.bundles`` (docs/bundles.md)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from bifolio import limits
from bifolio.bundles import joining
from bifolio.bundles.exporting import LAST, export_bundle
from bifolio.bundles.importing import BundleInbox, ImportTotals
from bifolio.library import status
from bifolio.library.sharing import invite_terms
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.results import BundleExport, BundleImport, InvitationByBundle

__all__ = ["LAST", "Bundles"]


class Bundles:
    """What one library writes into bundles, and takes from them."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def export(
        self,
        target: Path | str,
        *,
        since: datetime | Path | str | None = None,
        with_files: bool = False,
    ) -> BundleExport:
        """Write a bundle for other computers: changes and members, sealed as for a relay.

        Args:
            target: a file, or a folder in which the bundle gets a name of its own.
            since: all without it; a moment, the path of a bundle (what its maker did not have),
                or ``LAST`` (what the last bundle of this replica did not have).
            with_files: whether the contents of attached files go along.

        Raises:
            BundleError: it cannot be written; what had the name still has it.
        """
        return export_bundle(self._replica, Path(target), since=since, with_files=with_files)

    def invite(
        self,
        target: Path | str,
        *,
        with_files: bool = False,
        role: str = "editor",
        uses: int | None = 1,
        lasts_s: float | None = limits.INVITE_LASTS_S,
        label: str = "",
    ) -> InvitationByBundle:
        """A ticket, and the bundle by which another computer uses it; no relay is asked. It is for
        whom ``Library.invite`` says; that it ends is only known to a relay.

        Raises:
            NotTheOwnerError, NotAMemberError, BundleError.
        """
        terms = invite_terms(role, uses=uses, lasts_s=lasts_s, label=label)
        if lasts_s is not None:
            now_ms = self._replica.runtime.now_ms()
            terms = replace(terms, expires_ms=max(now_ms + int(lasts_s * 1000), 0))
        ticket = joining.invite(self._replica, LibraryMembership(self._replica), terms)
        return InvitationByBundle(ticket, self.export(target, with_files=with_files))

    def import_from(self, source: Path | str) -> BundleImport:
        """Take in a bundle, or all that are in a folder, in whatever order.

        Raises:
            BundleError: the file is no whole bundle of this library, and nothing was taken; or the
                folder has none. One of several in a folder is named in the result.
        """
        path = Path(source)
        before = self._replica.meta.said_relay
        inbox = BundleInbox(self._replica, LibraryMembership(self._replica))
        if path.is_dir():
            totals = inbox.import_folder(path)
        else:
            totals = ImportTotals(bundles=[inbox.import_file(path)])
        return BundleImport(
            bundles=tuple(totals.bundles),
            refused=tuple(totals.refused),
            changes=totals.changes,
            files=totals.files,
            waiting=self._replica.changes.waiting(),
            conflicts=status.conflict_count(self._replica),
            state=status.state_hash(self._replica),
            moved_to=(
                status.known_relay(self._replica)
                if self._replica.meta.said_relay != before
                else None
            ),
        )
