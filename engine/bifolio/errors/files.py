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
