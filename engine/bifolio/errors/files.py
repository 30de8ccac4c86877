"""Errors about files: those attached to references, and those that references are read from."""

from __future__ import annotations

from pathlib import Path

from bifolio.errors.base import BifolioError, UsageError
from bifolio.errors.next_steps import Next, NextStep, next_step


class FilesFieldError(UsageError):
    """A user wrote to the field ``files``, whose elements name contents by their hash."""

    code = "files-field"

    def __init__(self) -> None:
        super().__init__(
            "The field 'files' cannot be edited. Nothing was changed.",
            next_step=Next.ADD_OR_REMOVE_FILE,
        )


class UnreadableFileError(BifolioError):
    """A file that was to be attached cannot be read."""

    code = "unreadable-file"

    def __init__(self, path: Path, *, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"{path} cannot be attached: {reason}.", next_step=Next.CHOOSE_READABLE_FILE
        )


class FileTooLargeError(BifolioError):
    """A file beyond what a library carries."""

    code = "file-too-large"

    def __init__(self, path: Path, *, limit_bytes: int) -> None:
        self.path = path
        self.limit_bytes = limit_bytes
        super().__init__(
            f"{path} cannot be attached: it has more than {limit_bytes:,} bytes.",
            next_step=Next.KEEP_FILE_ELSEWHERE,
        )


class FileNameError(BifolioError):
    """A file whose name another computer could not give it."""

    code = "file-name"

    def __init__(self, path: Path) -> None:
        self.path = path
        shown = str(path).encode(errors="backslashreplace").decode()
        super().__init__(
            f"{shown} cannot be attached: not every computer can write its name.",
            next_step=Next.RENAME_FILE,
        )


class FileNotFoundInReferenceError(BifolioError):
    """A reference has no file of this name or hash."""

    code = "file-not-found"

    def __init__(self, ref: str, name: str, *, others: tuple[str, ...]) -> None:
        self.ref = ref
        self.name = name
        self.others = others
        super().__init__(
            f"{ref} has no file '{name}'.",
            next_step=next_step(Next.CHOOSE_FILE_NAME, names=others),
        )


class AmbiguousFileError(BifolioError):
    """Several files of a reference have this name, or a hash that begins so."""

    code = "ambiguous-file"

    def __init__(self, name: str, *, candidates: tuple[str, ...]) -> None:
        self.name = name
        self.candidates = candidates
        super().__init__(
            f"'{name}' matches several files: {', '.join(candidates)}.",
            next_step=next_step(Next.CHOOSE_FILE_NAME, names=candidates),
        )


class FileNotHereError(BifolioError):
    """The content of a file is on another computer, or nowhere to be had.

    ``where`` says so in words.
    """

    code = "file-not-here"

    def __init__(self, name: str, *, where: str, next_step: NextStep | Next) -> None:
        self.name = name
        self.where = where
        super().__init__(
            f"The content of '{name}' is not on this computer: {where}.", next_step=next_step
        )


class DamagedFileError(BifolioError):
    """The content of a file is not what was attached."""

    code = "damaged-file"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"The content of '{name}' on this computer is damaged: it is not what was attached. "
            "The damaged copy was kept under another name.",
            next_step=Next.FETCH_FILE_AGAIN,
        )


class UnwritableFileError(BifolioError):
    """A file's content cannot be written where it was to go."""

    code = "unwritable-file"

    def __init__(self, path: Path, *, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"{path} cannot be written: {reason}. What was there before is unchanged.",
            next_step=Next.CHOOSE_OUTPUT_PATH,
        )


class FileNotOpenedError(BifolioError):
    """A file that no program is started on: it is no document, or not what its name says."""

    code = "file-not-opened"

    def __init__(self, ref: str, name: str, *, label: str, reason: str) -> None:
        self.ref = ref
        self.name = name
        self.reason = reason
        super().__init__(
            f"The file '{name}' of {ref} is not opened: {reason}.",
            next_step=next_step(Next.EXPORT_FILE, ref=ref, file=label),
        )


class NoOpenerError(BifolioError):
    """This computer has no program that opens files by their kind."""

    code = "no-opener"

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"This computer has no program to open {path} with.", next_step=Next.OPEN_BY_PATH
        )


class FileFormatError(BifolioError):
    """A file of which nothing can be imported."""

    code = "file-format"

    def __init__(
        self, file: str, *, expected: str, got: str, next_step: NextStep | Next | str | None = None
    ) -> None:
        self.file = file
        self.expected = expected
        self.got = got
        super().__init__(
            f"{file} cannot be imported: expected {expected}, found {got}. Nothing was changed.",
            next_step=next_step or Next.EXPORT_FILE_AGAIN,
        )


class OldEndNoteLibraryError(FileFormatError):
    """An EndNote library of a version that keeps its references in MyISAM files."""

    code = "old-endnote-library"

    def __init__(self, file: str) -> None:
        super().__init__(
            file,
            expected="an EndNote library of version 20 or later",
            got="one of EndNote X9 or earlier",
            next_step="Open it in EndNote 20 or later, which converts it, or export it there as "
            "XML (File > Export), and import that.",
        )


class OpenElsewhereError(FileFormatError):
    """A library that its own program is writing to, or lets nobody read."""

    code = "open-elsewhere"

    def __init__(self, file: str, *, reason: str) -> None:
        self.reason = reason
        super().__init__(
            file,
            expected="a library that can be read",
            got=f"one that cannot be copied now ({reason})",
            next_step="Close the program that has it open, and import it again.",
        )
