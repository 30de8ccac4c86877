"""From what a user calls a reference to the reference, and to what is shown of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from bifolio import lazy
from bifolio.clock import stamp_milliseconds
from bifolio.document.conflicts import FieldConflict
from bifolio.document.deletion import MERGED_INTO
from bifolio.document.entries import is_import_slot
from bifolio.errors import (
    AmbiguousReferenceError,
    ReferenceNotFoundError,
    TrashedReferenceError,
)
from bifolio.ids import JOIN_MARK, SLOT_LENGTH, device_tag, digest, is_slot, slot_tag
from bifolio.lazy import pattern
from bifolio.records.attachments import Attachment, distinct_names
from bifolio.records.canonical import canonical_json, nfc
from bifolio.records.citation_keys import suffixed_key
from bifolio.replica.deletion_guard import SHOWN_ON
from bifolio.replica.device_naming import distinct_names as distinct_device_names
from bifolio.replica.projection import shown_fields, strings_of
from bifolio.replica.replica import Replica
from bifolio.results import Conflict, ConflictChoice, ReferenceView
from bifolio.storage.derived import ReferenceRow
from bifolio.storage.elements import ALIASES

if TYPE_CHECKING:
    from bifolio.document import view as views
else:
    views = lazy.module("bifolio.document.view")

#: An id, or so much of its beginning that no slip of the keyboard is one.
_ID = pattern(r"[0-9a-f]{4,32}")
_SUFFIXED = pattern(r"(.+)-([0-9a-f]{6})")
_CANDIDATES_MAX = 5

#: What is shown instead of a citation key that was cleared: enough of the id to find it by.
_ID_SHOWN_LENGTH = 12


#: Of a signing key in hex: as much as is shown, and the least that names one.
MEMBER_ID_LENGTH = 12
MEMBER_ID_LENGTH_MIN = 4


def find(replica: Replica, ref: str) -> ReferenceRow:
    """The reference of a citation key (shown with a suffix or not, today's or an earlier one), an
    id or its beginning.

    What lives comes before what lies in the trash: a trashed reference holds no key, and is found
    by those that it had where nothing living is.

    Raises:
        ReferenceNotFoundError, AmbiguousReferenceError.
    """
    references = replica.references
    wanted = nfc(ref.strip())
    if not wanted:  # a variable that a shell left empty means no reference, not one without a key
        raise ReferenceNotFoundError(ref)
    named = references.find_named(wanted)
    if named.living is not None:
        return _row(replica, named.living)
    if suffixed := _SUFFIXED.fullmatch(wanted):
        for record_id in references.ids_with_key(suffixed.group(1)):
            if record_id.startswith(suffixed.group(2)):
                return _row(replica, record_id)
    for known in (named.earlier, named.trashed, named.earlier_trashed, named.itself):
        if known is not None:
            return _row(replica, known)
    if is_id(wanted):
        found = references.ids_with_prefix(wanted.lower(), most=_CANDIDATES_MAX)
        if len(found) == 1:
            return _row(replica, found[0])
        if found:
            names = tuple(with_id(shown_key(_row(replica, one)), one) for one in found)
            raise AmbiguousReferenceError(ref, candidates=names)
    raise ReferenceNotFoundError(ref)


def find_in_trash(replica: Replica, wanted: str) -> list[ReferenceRow]:
    """The references in the trash of a citation key (with a suffix or not), otherwise of an earlier
    one; not of an id."""
    references = replica.references
    if found := references.trashed_with_key(wanted, most=_CANDIDATES_MAX):
        return [_row(replica, one) for one in found]
    if suffixed := _SUFFIXED.fullmatch(wanted):
        begin_so = references.ids_with_prefix(suffixed.group(2), most=_CANDIDATES_MAX)
        rows = [_row(replica, one) for one in begin_so]
        if rows := [row for row in rows if row.trashed and row.key == suffixed.group(1)]:
            return rows
    earlier = references.elements.holders(ALIASES, wanted, trashed=True)
    return [_row(replica, one) for one in islice(earlier, _CANDIDATES_MAX)]


def with_id(key: str, record_id: str) -> str:
    """How one of several references of a key is told from the others."""
    return f"{key or 'no key'} ({record_id[:_ID_SHOWN_LENGTH]})"


def is_id(text: str) -> bool:
    """Whether this may be an id or the beginning of one."""
    return _ID.fullmatch(text.lower()) is not None


def shown_key(row: ReferenceRow) -> str:
    """The citation key as it is shown: with a suffix where an earlier reference keeps it."""
    if not row.key:
        return row.id[:_ID_SHOWN_LENGTH]
    return suffixed_key(row.key, row.id) if row.key_is_taken else row.key


def live_with_key(replica: Replica, key: str) -> list[ReferenceRow]:
    """The live references with this citation key, the one that keeps it first."""
    rows = map(replica.references.read, replica.references.ids_with_key(key))
    return [row for row in rows if row is not None and not row.trashed]


def namesakes(replica: Replica, row: ReferenceRow) -> list[str]:
    """The other live references with this one's citation key, as their keys are shown."""
    if not row.key or row.trashed:
        return []
    others = replica.references.ids_with_key(row.key)
    if len(others) < 2:
        return []
    return [shown_key(one) for one in live_with_key(replica, row.key) if one.id != row.id]


def show(replica: Replica, row: ReferenceRow) -> ReferenceView:
    """A reference as it is shown, its conflicts read from its document where it has any."""
    return ReferenceView(
        id=row.id,
        key=shown_key(row),
        type=row.type,
        fields=shown_fields(row),
        tags=tuple(strings_of(row.fields, "tags")),
        groups=tuple(group_names(replica, row)),
        files=tuple(file_names(row)),
        trashed=row.trashed,
        conflicts=tuple(conflicts(replica, row)) if row.conflicts else (),
        merged_into=row.fields.get(MERGED_INTO),
        deleted_by=_deleted_by(replica, row),
        same_key=tuple(namesakes(replica, row)),
    )


def _deleted_by(replica: Replica, row: ReferenceRow) -> str | None:
    """The computer that deleted a reference which is shown on."""
    mark = strings_of(row.fields, SHOWN_ON)
    return device_name(device_names(replica), mark[0]) if mark else None


def live_ids(replica: Replica, refs: Sequence[str]) -> list[str]:
    """The ids of references that are to be edited, each once, in the order given.

    Raises:
        ReferenceNotFoundError, AmbiguousReferenceError, TrashedReferenceError.
    """
    found: dict[str, None] = {}
    for ref in refs:
        row = find(replica, ref)
        if row.trashed:
            raise TrashedReferenceError(ref)
        found[row.id] = None
    return list(found)


def show_id(replica: Replica, record_id: str) -> ReferenceView:
    """A reference by its id, as it is shown.

    Raises:
        ReferenceNotFoundError.
    """
    return show(replica, _row(replica, record_id))


def group_names(replica: Replica, row: ReferenceRow) -> list[str]:
    """The names of the groups that a reference is in, deleted ones left out."""
    found = [replica.groups.living_name(one) for one in strings_of(row.fields, "groups")]
    return [name for name in found if name is not None]


def file_names(row: ReferenceRow) -> list[str]:
    """What the files of a reference are called, by name."""
    if "files" not in row.fields:
        return []
    found = [Attachment.from_element(one) for one in strings_of(row.fields, "files")]
    return distinct_names(sorted((one.name, one.hash) for one in found if one is not None))


def conflicts(replica: Replica, row: ReferenceRow) -> list[Conflict]:
    """The conflicts of one reference."""
    view = views.read_view(replica.document(row.id).visible())
    names = device_names(replica)
    return [
        describe_conflict(names, one, of="reference", ref=row.id, key=shown_key(row))
        for one in view.conflicts
    ]


def describe_conflict(
    names: dict[str, str], conflict: FieldConflict, *, of: str, ref: str, key: str
) -> Conflict:
    """A conflict of a record with the names of the devices that wrote its values."""
    return Conflict(
        of=of,
        ref=ref,
        key=key,
        field=conflict.field,
        kind=str(conflict.kind),
        values=tuple(
            ConflictChoice(
                n=number,
                value=one.value,
                by=author(names, one.slot, one.stamp),
                at=moment(one.stamp),
            )
            for number, one in enumerate(conflict.values, start=1)
        ),
    )


def hash_listed(conflict: Conflict) -> bytes:
    """What a user was shown of a conflict: a choice by number holds for just that."""
    return digest(canonical_json([one.to_json() for one in conflict.values]).encode())


def device_names(replica: Replica) -> dict[str, str]:
    """The names of the devices by the tag of their slots, as they are shown: no two alike."""
    said, successors = said_names(replica), replica.meta.successors
    shown = distinct_device_names(
        {tag: name for tag, name in said.items() if successors.get(tag) not in said}
    )
    # Under the keys that it had before, a device is called what it is called now.
    return shown | {old: shown[new] for old, new in successors.items() if new in shown}


def said_names(replica: Replica) -> dict[str, str]:
    """What devices are called, by the tag of their slots: what the members call one goes before
    what it calls itself, and that before what it said when it joined."""
    meta = replica.meta
    return {**meta.joined_names, **meta.devices, **meta.member_names}


def tags_named(replica: Replica, wanted: str) -> list[str]:
    """The tags of the devices that are shown so; otherwise of all that call themselves so, or of
    those members whose id begins so."""
    wanted = nfc(wanted.strip()).casefold()
    names = device_names(replica)
    shown = [tag for tag, name in names.items() if nfc(name).casefold() == wanted]
    if shown:
        return shown
    said = [
        tag for tag, name in said_names(replica).items() if nfc(name.strip()).casefold() == wanted
    ]
    if said or len(wanted) < MEMBER_ID_LENGTH_MIN:
        return said
    beginning = wanted[:MEMBER_ID_LENGTH]
    return [tag for tag, one in replica.meta.member_ids.items() if one.startswith(beginning)]


def author(names: dict[str, str], slot: str, stamp: str) -> str:
    """Who wrote under a slot, in words."""
    if is_import_slot(slot, stamp):
        return "import"
    if not is_slot(slot):
        return "unknown"
    if is_joined(slot):
        return "a library that joined"
    return device_name(names, slot_tag(slot))


def is_joined(slot: str) -> bool:
    """Whether a library that became a part of this one brought this, whose devices are unknown."""
    return len(slot) == SLOT_LENGTH and slot.startswith(JOIN_MARK)


def device_name(names: dict[str, str], tag: str) -> str:
    """What the device of a tag is called."""
    return names.get(tag, f"device {tag}")


def own_tag(replica: Replica) -> str | None:
    """This device's tag, by what its library says of it, without its keys."""
    introduced = replica.meta.introduced
    return device_tag(introduced[0]) if introduced else None


def moment(stamp: str) -> str | None:
    """When a stamp was made, as ISO 8601 in UTC; None for an import."""
    milliseconds = stamp_milliseconds(stamp)
    if milliseconds == 0:
        return None
    second, rest = divmod(milliseconds, 1000)
    begins = _second(second)
    return f"{begins}.{rest:03d}Z" if begins else "9999-12-31T23:59:59.999Z"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    """A second of Unix time as ISO 8601; empty where no calendar has it. Whole lists are of few:
    an import's, or one evening's."""
    try:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    except OverflowError:
        return ""
    return at.isoformat(timespec="seconds").removesuffix("+00:00")


def _row(replica: Replica, record_id: str) -> ReferenceRow:
    row = replica.references.read(record_id)
    if row is None:
        raise ReferenceNotFoundError(record_id)
    return row
