"""Errors about the whole libraries of other programs."""

from __future__ import annotations

from bifolio.errors.references import FileFormatError


class OldEndNoteLibraryError(FileFormatError):
    """An EndNote library of a version that keeps its references in MyISAM files."""

    def __init__(self, file: str) -> None:
        super().__init__(
            file,
            expected="an EndNote library of version 20 or later",
            got="one of EndNote X9 or earlier; open it in EndNote 20 or later, which converts it, "
            "or export it there as XML (File > Export), and import that",
            next_step="Open it in EndNote 20 or later, or export it as XML, and import that.",
        )


class OpenElsewhereError(FileFormatError):
    """A library that its own program is writing to, or lets nobody read."""

    def __init__(self, file: str, *, reason: str) -> None:
        self.reason = reason
        super().__init__(
            file,
            expected="a library that can be read",
            got=f"one that cannot be copied now ({reason})",
            next_step="Close the program that has it open, and import it again.",
        )
