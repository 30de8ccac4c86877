"""An update under somebody else's names is refused, whoever brings it."""

from __future__ import annotations

import pytest
from tests.support.cases import each
from tests.unit.document.builders import RECORD_ID

from bifolio.clock import import_stamp, make_stamp
from bifolio.document import content_names, importing, snapshots
from bifolio.document.importing import ImportVersion
from bifolio.document.new_update import encode_new
from bifolio.document.plan import Plan, TextEdit, Writer
from bifolio.document.record import RecordDocument
from bifolio.document.update_identity import (
    UpdateAuthor,
    UpdateKind,
    check_identity,
    check_settings,
)
from bifolio.document.update_structure import read_update
from bifolio.errors import DocumentError
from bifolio.ids import SETTINGS_ID, base64url, device_tag, incarnation_client_id
from bifolio.records.canonical import canonical_json
from bifolio.records.reference import Source

ALICE, MALLORY = b"a" * 32, b"m" * 32
NONCE = b"n" * 8
STAMP = make_stamp(milliseconds=1_700_000_000_000, counter=0)
VERSION = ImportVersion(
    {"title": "On Paper", "abstract": "Of paper. 📚", "tags": ("x",)},
    Source("ris", "JOUR", "1", (("TI", "On Paper"),)),
)
NEWER = ImportVersion(
    {"title": "On Ink", "abstract": "Of ink, nothing else."},
    Source("ris", "JOUR", "1", (("TI", "On Ink"),)),
)


def slot_of(key: bytes) -> str:
    return device_tag(key) + "0000"


def author(key: bytes, *, is_owner: bool = False, slot: str = "") -> UpdateAuthor:
    incarnations = [(slot or slot_of(key), NONCE)]
    return UpdateAuthor.of(key, is_owner=is_owner, incarnations=incarnations)


def client(key: bytes) -> int:
    return incarnation_client_id(key, slot_of(key), NONCE)


def writes(
    keys: dict[str, str], *, slot: str, client_id: int, base: RecordDocument | None = None
) -> bytes:
    """An update that writes registers under a slot and a client id."""
    document = RecordDocument(base.state() if base else None, client_id=client_id)
    plan = Plan(Writer(slot, STAMP))
    for name, value in keys.items():
        plan.put(name, value, seen=document.entries().live(name))
    return document.write(plan)


def check(update: bytes, by: UpdateAuthor, *, record_id: str = RECORD_ID) -> UpdateKind:
    return check_identity(record_id, update, read_update(update), by)


def check_in_settings(settings: RecordDocument, update: bytes, by: UpdateAuthor) -> None:
    check(update, by, record_id=SETTINGS_ID)
    before = settings.state()
    check_settings(settings, update, settings.check(update), by)
    assert settings.state() == before


def test_one_s_own_names_are_one_s_own() -> None:
    update = writes({"title": "Mine"}, slot=slot_of(ALICE), client_id=client(ALICE))
    assert check(update, author(ALICE)) is UpdateKind.OWN
    with pytest.raises(DocumentError, match="not its author's"):
        check(update, author(MALLORY))


@each(
    ("slot", "client_id"),
    [
        (slot_of(ALICE), client(ALICE)),
        (slot_of(ALICE), client(MALLORY)),
        (slot_of(MALLORY), client(ALICE)),
        (slot_of(MALLORY), 7),
        (device_tag(MALLORY) + "0001", client(MALLORY)),
        ("i" + "A" * 11, client(MALLORY)),
        ("j" + "A" * 11, client(MALLORY)),
        ("short", client(MALLORY)),
        (device_tag(MALLORY)[:7], client(MALLORY)),
    ],
)
def test_what_bears_another_s_client_id_or_slot_is_refused(slot: str, client_id: int) -> None:
    update = writes({"title": "Forged"}, slot=slot, client_id=client_id)
    with pytest.raises(DocumentError):
        check(update, author(MALLORY))


def test_nobody_declares_a_slot_of_another_one() -> None:
    with pytest.raises(DocumentError, match="another computer's"):
        author(MALLORY, slot=slot_of(ALICE))


def test_an_entry_that_follows_another_s_is_refused() -> None:
    held = RecordDocument()
    held.merge(writes({"title": "Hers"}, slot=slot_of(ALICE), client_id=client(ALICE)))
    document = RecordDocument(held.state(), client_id=client(MALLORY))
    plan = Plan(Writer(slot_of(ALICE), STAMP))
    plan.put("title", "Forged", seen=[])
    update = document.write(plan)
    assert read_update(update).keys == {}  # it says no key: that of the entry that it follows
    with pytest.raises(DocumentError, match="entry"):
        check(update, author(MALLORY))


def test_another_s_text_is_edited_and_another_s_values_are_deleted_under_one_s_own_names() -> None:
    held = RecordDocument(client_id=client(ALICE))
    plan = Plan(Writer(slot_of(ALICE), STAMP))
    plan.new_text(held.entries(), "note", "A note of hers.")
    held.write(plan)
    document = RecordDocument(held.state(), client_id=client(MALLORY))
    plan = Plan(Writer(slot_of(MALLORY), STAMP))
    (text,) = document.entries().texts
    plan.edit_text(text, [TextEdit(0, 1, "An excellent")])
    plan.put("title", "Mine", seen=[])
    update = document.write(plan)
    assert check(update, author(MALLORY)) is UpdateKind.OWN
    with pytest.raises(DocumentError):
        check(update, author(ALICE))


def test_imports_and_snapshots_are_named_by_their_content_whoever_brings_them() -> None:
    first, second = importing.import_updates(RECORD_ID, [VERSION, NEWER], mapping="1")
    held = importing.document_of([first, second])
    edited = RecordDocument(held.state(), client_id=client(ALICE))
    plan = Plan(Writer(slot_of(ALICE), STAMP))
    plan.put("title", "Mine", seen=edited.entries().live("title"))
    edited.write(plan)
    for state in (held, edited):
        snapshot = snapshots.offered_update(RECORD_ID, state.state())
        for update in (first, second, snapshot):
            assert check(update, author(MALLORY)) is UpdateKind.CONTENT
    merged = RecordDocument()
    merged.merge(first)
    assert snapshots.offered_update(RECORD_ID, merged.state()) == first


def test_a_content_with_anything_changed_is_refused() -> None:
    updates = importing.import_updates(RECORD_ID, [VERSION, NEWER], mapping="1")
    snapshot = snapshots.offered_update(RECORD_ID, importing.document_of(updates).state())
    for update in (*updates, snapshot):
        with pytest.raises(DocumentError):
            check(update, author(MALLORY), record_id="cd" * 16)
        for at in range(len(update)):
            changed = update[:at] + bytes([update[at] ^ 1]) + update[at + 1 :]
            try:
                read_update(changed)
            except DocumentError:
                continue
            with pytest.raises(DocumentError):
                check(changed, author(MALLORY))


def test_no_content_bears_another_one_s_names() -> None:
    (mine,) = importing.import_updates(RECORD_ID, [VERSION], mapping="1")
    ((taken, _),) = read_update(mine).structs.items()
    slot = next(iter(importing.document_of([mine]).entries().live("title"))).slot
    forged = writes({"title": "Forged"}, slot=slot, client_id=taken)
    with pytest.raises(DocumentError, match="content"):
        check(forged, author(MALLORY))


def test_a_content_that_goes_on_with_another_s_entries_is_refused() -> None:
    """Its bytes name it, and it would still take a register that is another's."""
    held = RecordDocument()
    held.merge(writes({"title": "Hers"}, slot=slot_of(ALICE), client_id=client(ALICE)))
    document = RecordDocument(held.state(), client_id=content_names.STAND_IN_CLIENT)
    stem = "iAAAAA1"
    plan = Plan(Writer(content_names.stand_in(stem), import_stamp(1)))
    plan.put("volume", "1", seen=[])
    plan.puts[f"title\x1f{slot_of(ALICE)}"] = "Forged"
    named = content_names.name_update(RECORD_ID, document.write(plan), stem=stem)
    with pytest.raises(DocumentError, match="content"):
        check(named.update, author(MALLORY))


def test_what_a_content_holds_that_looks_like_its_stand_ins_is_no_way_to_a_second_one() -> None:
    stem = "iAAAAA1"
    plan = Plan(Writer(content_names.stand_in(stem), import_stamp(1)))
    plan.put("title", "On Paper", seen=[])
    made = encode_new(plan, client_id=content_names.STAND_IN_CLIENT)
    named = content_names.name_update(RECORD_ID, made, stem=stem)
    # The same hash, with a stand-in left where the name belongs.
    for old, new in (
        (named.family.encode(), content_names.stand_in(stem).encode()),
        (b"On Paper", content_names.stand_in(stem).encode()[:8]),
    ):
        changed = named.update.replace(old, new)
        with pytest.raises(DocumentError):
            check(changed, author(MALLORY))


def settings_of_alice() -> RecordDocument:
    introduction = canonical_json({"name": "alice", "key": base64url(ALICE)})
    keys = {
        "kind": "settings",
        "name": "Thesis",
        f"device\x1f{device_tag(ALICE)}": introduction,
    }
    settings = RecordDocument()
    settings.merge(writes(keys, slot=slot_of(ALICE), client_id=client(ALICE)))
    return settings


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("name", "only an owner"),
        (f"device\x1f{device_tag(ALICE)}", "another computer is called"),
        (f"device\x1f{device_tag(MALLORY)}", "another one's key"),
    ],
)
def test_a_member_names_neither_the_library_nor_another_computer(name: str, reason: str) -> None:
    value = canonical_json({"name": "mallory", "key": base64url(ALICE)})
    settings = settings_of_alice()
    update = writes({name: value}, slot=slot_of(MALLORY), client_id=client(MALLORY), base=settings)
    with pytest.raises(DocumentError, match=reason):
        check_in_settings(settings, update, author(MALLORY))


@pytest.mark.parametrize("name", ["name", f"device\x1f{device_tag(ALICE)}"])
def test_a_member_deletes_none_of_them_either_not_even_what_is_gone(name: str) -> None:
    settings = settings_of_alice()
    document = RecordDocument(settings.state())
    plan = Plan(Writer("", STAMP))
    plan.remove(name, document.entries().live(name))
    update = document.write(plan)
    for _ in range(2):
        with pytest.raises(DocumentError):
            check_in_settings(settings, update, author(MALLORY))
        settings.merge(update)  # as if its owner had


def test_everybody_introduces_itself_and_writes_the_rest_and_an_owner_names_the_library() -> None:
    settings = settings_of_alice()
    introduction = canonical_json({"name": "mallory", "key": base64url(MALLORY)})
    keys = {f"device\x1f{device_tag(MALLORY)}": introduction, "key-pattern": "auth"}
    update = writes(keys, slot=slot_of(MALLORY), client_id=client(MALLORY), base=settings)
    check_in_settings(settings, update, author(MALLORY))
    named = writes(
        {"name": "Book"}, slot=slot_of(MALLORY), client_id=client(MALLORY), base=settings
    )
    check_in_settings(settings, named, author(MALLORY, is_owner=True))


def test_a_name_that_a_former_owner_gave_is_not_theirs_to_change() -> None:
    """The second write follows the first one and says no key."""
    settings = settings_of_alice()
    document = RecordDocument(settings.state(), client_id=client(ALICE))
    plan = Plan(Writer(slot_of(ALICE), STAMP))
    plan.put("name", "Mine again", seen=[])
    update = document.write(plan)
    assert read_update(update).keys == {}
    check_in_settings(settings, update, author(ALICE, is_owner=True))
    with pytest.raises(DocumentError, match="only an owner"):
        check_in_settings(settings, update, author(ALICE))


def test_no_import_writes_the_settings() -> None:
    (update,) = importing.import_updates(SETTINGS_ID, [VERSION], mapping="1")
    with pytest.raises(DocumentError, match="settings"):
        check(update, author(ALICE, is_owner=True), record_id=SETTINGS_ID)
