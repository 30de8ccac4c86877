"""Errors about bundles: the files by which a library is shared without a relay."""

from __future__ import annotations

from pathlib import Path

from bifolio.errors.base import BifolioError
from bifolio.errors.next_steps import Next, NextStep


class BundleError(BifolioError):
    """A bundle's file, at ``path``."""

    code = "bundle"

    def __init__(self, path: Path, message: str, *, next_step: NextStep | Next) -> None:
        self.path = path
        super().__init__(message, next_step=next_step)


class NotABundleError(BundleError):
    """A file, or something else, that is no bundle."""

    code = "not-a-bundle"

    def __init__(self, path: Path, *, reason: str = "it does not begin like one") -> None:
        self.reason = reason
        super().__init__(path, f"{path} is not a bundle: {reason}.", next_step=Next.CHOOSE_BUNDLE)


class DamagedBundleError(BundleError):
    """A bundle that is cut short or altered."""

    code = "damaged-bundle"

    def __init__(self, path: Path, *, reason: str) -> None:
        self.reason = reason
        super().__init__(
            path,
            f"The bundle {path} cannot be used: {reason}. Nothing of it was taken.",
            next_step=Next.COPY_BUNDLE_AGAIN,
        )


class NewerBundleError(BundleError):
    """A bundle that only a newer Bifolio can read."""

    code = "newer-bundle"

    def __init__(self, path: Path, *, needs: str) -> None:
        self.needs = needs
        super().__init__(
            path,
            f"The bundle {path} was made by a newer Bifolio ({needs}). Nothing of it was taken.",
            next_step=Next.UPGRADE,
        )


class ForeignBundleError(BundleError):
    """A bundle of another library; the ids are in hex."""

    code = "foreign-bundle"

    def __init__(self, path: Path, *, bundle_id: str, library_id: str) -> None:
        self.bundle_id = bundle_id
        self.library_id = library_id
        super().__init__(
            path,
            f"The bundle {path} is of another library ({bundle_id[:8]}) than this one "
            f"({library_id[:8]}). Nothing of it was taken.",
            next_step=Next.CHOOSE_BUNDLE,
        )


class BundleBeforeTicketError(BundleError):
    """A bundle that was made before the ticket with which it is to be used."""

    code = "bundle-before-ticket"

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            f"The bundle {path} was made before the ticket, or on a computer that does not know "
            "of the ticket yet. Nothing was changed.",
            next_step=Next.EXPORT_BUNDLE_WITH_TICKET,
        )


class BundleTakenError(BundleError):
    """A file that is in the place of a new bundle, and is no bundle of this library."""

    code = "bundle-taken"

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            f"{path} exists, and is not a bundle of this library. It was left as it is.",
            next_step=Next.CHOOSE_BUNDLE_PATH,
        )


class UnwritableBundleError(BundleError):
    """A bundle that cannot be written in its place."""

    code = "unwritable-bundle"

    def __init__(self, path: Path, *, reason: str) -> None:
        self.reason = reason
        super().__init__(
            path,
            f"The bundle {path} cannot be written: {reason}.",
            next_step=Next.CHOOSE_BUNDLE_PATH,
        )


class BundleIncompleteError(BundleError):
    """A bundle that would lack what came here by a snapshot, of which the changes are not here."""

    code = "bundle-incomplete"

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            f"The bundle {path} was not written, because it would be incomplete: this computer got "
            "earlier changes of the library as a snapshot from the relay, and does not have them "
            "one by one.",
            next_step=Next.EXPORT_BUNDLE_ELSEWHERE,
        )


class BundleNeededError(BifolioError):
    """A ticket of a library that has no relay, given without a bundle."""

    code = "bundle-needed"

    def __init__(self) -> None:
        super().__init__(
            "This ticket is for a library that is shared by bundles, without a relay.",
            next_step=Next.GIVE_BUNDLE,
        )
