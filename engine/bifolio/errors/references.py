"""Errors about references, and about files that hold some."""

from __future__ import annotations

from bifolio.errors.base import BifolioError


class ReferenceNotFoundError(BifolioError):
    """No reference has this citation key, id or prefix of an id."""

    def __init__(self, ref: str) -> None:
        self.ref = ref
        super().__init__(
            f"No reference is called '{ref}'.",
            next_step="Find it with 'bifolio search WORDS'; 'bifolio list --trash' shows the "
            "deleted ones.",
        )


class AmbiguousReferenceError(BifolioError):
    """Several references have an id that begins so, or had this citation key when they were
    deleted."""

    def __init__(self, ref: str, *, candidates: tuple[str, ...]) -> None:
        self.ref = ref
        self.candidates = candidates
        super().__init__(
            f"'{ref}' fits several references: {', '.join(candidates)}.",
            next_step="Give an id, or more characters of it.",
        )


class ConflictChoiceError(BifolioError):
    """A conflict was to be settled by a number that does not stand for one value any more."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message, next_step="Run 'bifolio conflicts' and choose from what it lists."
        )


class RecordTooLargeError(BifolioError):
    """One record is larger than one envelope may be."""

    def __init__(self, record_id: str, *, size_bytes: int, limit_bytes: int) -> None:
        self.record_id = record_id
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
        super().__init__(
            f"The change to {record_id[:12]} is {size_bytes:,} bytes; one change may be "
            f"{limit_bytes:,}. Nothing was changed.",
            next_step="Shorten the text, or keep it in a file of its own.",
        )


class FileFormatError(BifolioError):
    """A file of which nothing can be imported."""

    def __init__(self, file: str, *, expected: str, got: str, next_step: str = "") -> None:
        self.file = file
        self.expected = expected
        self.got = got
        super().__init__(
            f"{file} cannot be imported: expected {expected}, found {got}. Nothing was changed.",
            next_step=next_step
            or "Export the file again from the program it came from, or name "
            "its format with --format.",
        )


class NothingToRemoveError(BifolioError):
    """A removal of a value that the field does not hold."""

    def __init__(self, field: str, value: str) -> None:
        self.field = field
        self.value = value
        super().__init__(
            f"The field '{field}' does not hold '{value}'. Nothing was changed.",
            next_step="'bifolio show REF' lists what it holds; a name is given whole.",
        )


class TrashedReferenceError(BifolioError):
    """An edit of a reference that lies in the trash."""

    def __init__(self, ref: str) -> None:
        self.ref = ref
        super().__init__(
            f"'{ref}' is in the trash. Nothing was changed.",
            next_step=f"Run 'bifolio restore {ref}' first.",
        )
