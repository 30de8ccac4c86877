"""Errors about references and what orders them: groups, tags, citation keys, history, styles."""

from __future__ import annotations

from pathlib import Path

from bifolio.errors.base import BifolioError, shortened
from bifolio.errors.next_steps import Next, NextStep, next_step

#: References that one sentence names.
_NAMED_MAX = 5


class ReferenceNotFoundError(BifolioError):
    """No reference has this citation key, id or prefix of an id."""

    code = "reference-not-found"

    def __init__(self, ref: str) -> None:
        self.ref = ref
        super().__init__(
            f"There is no reference with the citation key or id '{ref}'.",
            next_step=Next.FIND_REFERENCE,
        )


class AmbiguousReferenceError(BifolioError):
    """Several references have an id that begins so, or had this citation key when they were
    deleted."""

    code = "ambiguous-reference"

    def __init__(self, ref: str, *, candidates: tuple[str, ...]) -> None:
        self.ref = ref
        self.candidates = candidates
        super().__init__(
            f"'{ref}' matches several references: {', '.join(candidates)}.",
            next_step=Next.GIVE_LONGER_ID,
        )


class TrashedReferenceError(BifolioError):
    """An edit of a reference that is in the trash."""

    code = "trashed-reference"

    def __init__(self, ref: str) -> None:
        self.ref = ref
        super().__init__(
            f"'{ref}' is in the trash. Nothing was changed.",
            next_step=next_step(Next.RESTORE_REFERENCE, ref=ref),
        )


class NothingToRemoveError(BifolioError):
    """A removal of a value that the field does not hold."""

    code = "nothing-to-remove"

    def __init__(self, field: str, value: str) -> None:
        self.field = field
        self.value = value
        super().__init__(
            f"The field '{field}' does not hold '{value}'. Nothing was changed.",
            next_step=next_step(Next.SHOW_REFERENCE, ref="REF"),
        )


class NoteNotFoundError(BifolioError):
    """A reference has no such note or annotation (``kind``)."""

    code = "note-not-found"

    def __init__(self, ref: str, note: str, *, kind: str) -> None:
        self.ref = ref
        self.note = note
        self.kind = kind
        super().__init__(
            f"'{ref}' has no {kind} {note}. Nothing was changed.",
            next_step=next_step(Next.LIST_NOTES, ref=ref, kind=kind),
        )


class ConflictChoiceError(BifolioError):
    """A conflict was to be settled by a choice that does not fit what is in conflict now."""

    code = "conflict-choice"

    def __init__(
        self, message: str, *, next_step: NextStep | Next | str = Next.LIST_CONFLICTS
    ) -> None:
        super().__init__(message, next_step=next_step)


class RecordTooLargeError(BifolioError):
    """One record is larger than one envelope may be."""

    code = "record-too-large"

    def __init__(self, record_id: str, *, size_bytes: int, limit_bytes: int) -> None:
        self.record_id = record_id
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
        super().__init__(
            f"The change to {record_id[:12]} has {size_bytes:,} bytes; one change may have at most "
            f"{limit_bytes:,}. Nothing was changed.",
            next_step=Next.SHORTEN_TEXT,
        )


class GroupNotFoundError(BifolioError):
    """No group has this name, path or id."""

    code = "group-not-found"

    def __init__(self, group: str) -> None:
        self.group = group
        super().__init__(
            f"There is no group with the name, path or id '{group}'.", next_step=Next.LIST_GROUPS
        )


class AmbiguousGroupError(BifolioError):
    """Several groups have this name or path, or an id that begins so."""

    code = "ambiguous-group"

    def __init__(self, group: str, *, candidates: tuple[str, ...], one_path: bool = False) -> None:
        """``one_path``: a path tells some of them apart no more than the name does."""
        self.group = group
        self.candidates = candidates
        super().__init__(
            f"'{group}' matches several groups: {', '.join(candidates)}.",
            next_step=Next.GIVE_GROUP_ID if one_path else Next.GIVE_GROUP_PATH,
        )


class GroupPlaceError(BifolioError):
    """A group was to be moved where it cannot be."""

    code = "group-place"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{reason}. Nothing was changed.", next_step=Next.LIST_GROUPS)


class SmartGroupError(BifolioError):
    """What only a group filled by hand can do, or only a smart one."""

    code = "smart-group"

    def __init__(self, name: str, *, smart: bool) -> None:
        self.name = name
        self.smart = smart
        if smart:
            super().__init__(
                f"'{name}' holds what its query finds; references cannot be added or removed.",
                next_step=next_step(Next.CHANGE_GROUP_QUERY, group=name),
            )
        else:
            super().__init__(
                f"'{name}' is filled by hand and has no query. Nothing was changed.",
                next_step=Next.CREATE_SMART_GROUP,
            )


class NotInGroupError(BifolioError):
    """None of the references that were to be taken out of a group is in it."""

    code = "not-in-group"

    def __init__(self, group: str, *, keys: tuple[str, ...]) -> None:
        self.group = group
        self.keys = keys
        who = f"{keys[0]} is not" if len(keys) == 1 else f"None of {_list_keys(keys)} is"
        super().__init__(
            f"{who} in the group '{group}'. Nothing was changed.",
            next_step=next_step(Next.LIST_GROUP_REFERENCES, group=group),
        )


class TagNotFoundError(BifolioError):
    """No live reference has this tag."""

    code = "tag-not-found"

    def __init__(self, tag: str) -> None:
        self.tag = tag
        super().__init__(f"No reference has the tag '{tag}'.", next_step=Next.LIST_TAGS)


class NotTaggedError(BifolioError):
    """None of the references that a tag was to be taken off has it."""

    code = "not-tagged"

    def __init__(self, tag: str, *, keys: tuple[str, ...]) -> None:
        self.tag = tag
        self.keys = keys
        who = f"{keys[0]} does not have" if len(keys) == 1 else f"None of {_list_keys(keys)} has"
        super().__init__(
            f"{who} the tag '{tag}'. Nothing was changed.",
            next_step=next_step(Next.SHOW_REFERENCE, ref=keys[0] if len(keys) == 1 else "REF"),
        )


class KeyTakenError(BifolioError):
    """Another reference has this citation key, or had it and is still found by it."""

    code = "key-taken"

    def __init__(self, key: str, *, by: str) -> None:
        self.key = key
        self.by = by
        super().__init__(
            f"The citation key '{key}' belongs to another reference ({by}). Nothing was changed.",
            next_step=next_step(Next.CHOOSE_OTHER_KEY, ref=by),
        )


class PinnedKeyError(BifolioError):
    """A new citation key for a reference whose key is pinned."""

    code = "pinned-key"

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(
            f"The citation key '{key}' is pinned. Nothing was changed.",
            next_step=next_step(Next.UNPIN_KEY, key=key),
        )


class NothingToUndoError(BifolioError):
    """No command of this computer is left to be undone; ``library`` is the name of one that it
    joined, and ``backup`` that of its own library as it was before."""

    code = "nothing-to-undo"

    def __init__(self, *, library: str = "", backup: Path | None = None) -> None:
        self.library = library
        self.backup = backup
        message = "No command of this computer is left to be undone."
        if library:
            message += (
                f" It joined '{library}', and nothing of its own that could be taken back is there."
            )
        if backup is not None:
            message += f" What it had before is in the backup {backup}."
        super().__init__(message, next_step=Next.LEAVE_OR_SHOW_LOG if library else Next.SHOW_LOG)


class ChangeNotFoundError(BifolioError):
    """No change has this id."""

    code = "change-not-found"

    def __init__(self, change: str) -> None:
        self.change = change
        super().__init__(f"There is no change with the id '{change}'.", next_step=Next.FIND_CHANGE)


class AmbiguousChangeError(BifolioError):
    """Several changes have an id that begins so."""

    code = "ambiguous-change"

    def __init__(self, change: str, *, candidates: tuple[str, ...]) -> None:
        self.change = change
        self.candidates = candidates
        super().__init__(
            f"'{change}' matches several changes: {', '.join(candidates)}.",
            next_step=Next.GIVE_LONGER_ID,
        )


class SealedChangeError(BifolioError):
    """A change that this device has no key to."""

    code = "sealed-change"

    def __init__(self, change: str) -> None:
        self.change = change
        super().__init__(
            f"The change {change} can be read only by the computer that this folder was copied "
            "from. Nothing was changed.",
            next_step=Next.ATTACH_WITH_TICKET,
        )


class DeviceNotFoundError(BifolioError):
    """No device of this library has this name."""

    code = "device-not-found"

    def __init__(self, device: str, *, known: tuple[str, ...]) -> None:
        self.device = device
        self.known = known
        names = ", ".join(known) or "none"
        super().__init__(
            f"No device of this library is named '{shortened(device)}'. Those that made changes: "
            f"{names}.",
            next_step="Give one of these names.",
        )


class NotThereThenError(BifolioError):
    """A reference was to be taken back to a time at which it did not exist, as far as is known."""

    code = "not-there-then"

    def __init__(self, ref: str, *, time: str, begins: str | None) -> None:
        self.ref = ref
        self.time = time
        self.begins = begins
        since = f"; its history begins at {begins}" if begins else ""
        super().__init__(
            f"'{ref}' was not in this library at {time}{since}. Nothing was changed.",
            next_step=next_step(Next.SHOW_HISTORY, ref=ref),
        )


class CitationsMissingError(BifolioError):
    """The packages that format citations are not installed."""

    code = "citations-not-installed"

    def __init__(self) -> None:
        super().__init__(
            "Formatted citations need packages that are not installed.",
            next_step=Next.INSTALL_CITATIONS,
        )


class StyleNotFoundError(BifolioError):
    """No citation style has this name, and no file exists there."""

    code = "style-not-found"

    def __init__(self, style: str, *, near: tuple[str, ...]) -> None:
        self.style = style
        self.near = near
        super().__init__(
            f"There is no citation style '{style}'.",
            next_step=next_step(Next.LIST_STYLES, suggestions=near),
        )


class StyleError(BifolioError):
    """A citation style that cannot be used."""

    code = "unusable-style"

    def __init__(self, style: str, *, reason: str) -> None:
        self.style = style
        self.reason = reason
        super().__init__(
            f"The citation style '{style}' cannot be used: {reason}.",
            next_step=next_step(Next.LIST_STYLES, suggestions=()),
        )


def _list_keys(keys: tuple[str, ...]) -> str:
    return ", ".join(keys[:_NAMED_MAX]) + (", ..." if len(keys) > _NAMED_MAX else "")
