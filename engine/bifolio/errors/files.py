"""Errors about the files that are attached to references."""

from __future__ import annotations

from pathlib import Path

from bifolio.errors.base import BifolioError, UsageError


class FilesFieldError(UsageError):
    """A user wrote to the field ``files``, whose elements name contents by their hash."""

    def __init__(self) -> None:
        super().__init__(
            "The files of a reference are no field that can be written. Nothing was changed.",
            next_step="Attach a file with 'bifolio file add REF PATH', take one off with "
            "'bifolio file remove REF NAME'.",
        )


class UnreadableFileError(BifolioError):
    """A file that was to be attached cannot be read."""

    def __init__(self, path: Path, *, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"{path} cannot be attached: {reason}.",
            next_step="Give the path of a file that you may read.",
        )


class FileTooLargeError(BifolioError):
    """A file beyond what a library carries."""

    def __init__(self, path: Path, *, limit_bytes: int) -> None:
        self.path = path
        self.limit_bytes = limit_bytes
        super().__init__(
            f"{path} cannot be attached: it has more than {limit_bytes:,} bytes.",
            next_step="Keep it elsewhere and note its place in the reference.",
        )


class FileNameError(BifolioError):
    """A file whose name another computer could not give it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        shown = str(path).encode(errors="backslashreplace").decode()
        super().__init__(
            f"{shown} cannot be attached: its name is no text that every computer can write.",
            next_step="Give the file a name of ordinary characters, at most 255 bytes long.",
        )


class FileNotFoundInReferenceError(BifolioError):
    """A reference has no file of this name or hash."""

    def __init__(self, ref: str, name: str, *, others: tuple[str, ...]) -> None:
        self.ref = ref
        self.name = name
        self.others = others
        super().__init__(
            f"{ref} has no file '{name}'.",
            next_step=f"It has: {', '.join(others)}." if others else "It has no files.",
        )


class AmbiguousFileError(BifolioError):
    """Several files of a reference have this name, or a hash that begins so."""

    def __init__(self, name: str, *, candidates: tuple[str, ...]) -> None:
        self.name = name
        self.candidates = candidates
        super().__init__(
            f"'{name}' fits several files: {', '.join(candidates)}.",
            next_step="Give one of these names as it stands there.",
        )


class FileNotHereError(BifolioError):
    """The content of a file is on another computer, or nowhere to be had."""

    def __init__(self, name: str, *, state: str, next_step: str) -> None:
        self.name = name
        self.state = state
        super().__init__(f"The content of '{name}' is not here: {state}.", next_step=next_step)


class DamagedFileError(BifolioError):
    """The content of a file is not what was attached."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"The content of '{name}' on this computer is damaged: it is not what was attached.",
            next_step="It was set aside. Run 'bifolio sync' to fetch it again from the relay.",
        )


class UnwritableFileError(BifolioError):
    """A file's content cannot be written where it was to go."""

    def __init__(self, path: Path, *, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"{path} cannot be written: {reason}. What stood there stands there still.",
            next_step="Name another place with -o.",
        )


class NoOpenerError(BifolioError):
    """This computer has no program that opens files by their kind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"This computer has no program to open {path} with.",
            next_step="Open it by its path, or write it elsewhere with 'bifolio file export'.",
        )
