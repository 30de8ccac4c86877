"""Errors about the past: what cannot be shown, reverted or undone."""

from __future__ import annotations

from bifolio.errors.base import BifolioError


class NothingToUndoError(BifolioError):
    """No command of this computer is left to be undone."""

    def __init__(self) -> None:
        super().__init__(
            "No command of this computer is left to be undone.",
            next_step="'bifolio log' lists what was changed, also by others; 'bifolio undo ID' "
            "takes one of them back.",
        )


class ChangeNotFoundError(BifolioError):
    """No change has this id."""

    def __init__(self, change: str) -> None:
        self.change = change
        super().__init__(
            f"No change is called '{change}'.",
            next_step="See the ids with 'bifolio log' or 'bifolio history REF'.",
        )


class AmbiguousChangeError(BifolioError):
    """Several changes have an id that begins so."""

    def __init__(self, change: str, *, candidates: tuple[str, ...]) -> None:
        self.change = change
        self.candidates = candidates
        super().__init__(
            f"'{change}' fits several changes: {', '.join(candidates)}.",
            next_step="Give more characters of the id.",
        )


class SealedChangeError(BifolioError):
    """A change that this device has no key to."""

    def __init__(self, change: str) -> None:
        self.change = change
        super().__init__(
            f"The change {change} is sealed for the device that this folder was copied from. "
            "Nothing was changed.",
            next_step="Attach this computer to the library with a ticket, then try again.",
        )


class DeviceNotFoundError(BifolioError):
    """No device of this library is called so."""

    def __init__(self, device: str, *, known: tuple[str, ...]) -> None:
        self.device = device
        self.known = known
        names = ", ".join(known) or "none"
        super().__init__(
            f"No device of this library is called '{device}'. Those that wrote something: {names}.",
            next_step="Give one of these names.",
        )


class NotThereThenError(BifolioError):
    """A reference was to be taken back to a time at which it did not exist, as far as is known."""

    def __init__(self, ref: str, *, time: str, begins: str | None) -> None:
        self.ref = ref
        self.time = time
        self.begins = begins
        since = f"; its history begins at {begins}" if begins else ""
        super().__init__(
            f"'{ref}' was not in this library at {time}{since}. Nothing was changed.",
            next_step=f"See when it was what with 'bifolio history {ref}'.",
        )
