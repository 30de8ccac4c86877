"""What a backup says of itself: whole, of this version, and naming nothing outside a library."""

from __future__ import annotations

import json

from tests.support.cases import each

from bifolio.storage.manifest import (
    DATABASE,
    VERSION,
    Manifest,
    ManifestEntry,
    is_entry_name,
    parse,
    version_of,
)

HASH = "ab" + "0" * 62
CONTENT = f"files/ab/{HASH}"

MANIFEST = Manifest(
    made_at="2026-11-26T08:00:00Z",
    device="office",
    library="1f" * 16,
    name="Thèse",
    references=3,
    trashed=1,
    state="0" * 64,
    storage_version=4,
    files="all",
    absent=2,
    entries=(ManifestEntry(DATABASE, 10, "1" * 64), ManifestEntry(CONTENT, 5, HASH)),
)


def test_what_is_written_is_read_again() -> None:
    assert parse(MANIFEST.serialize()) == MANIFEST
    assert version_of(MANIFEST.serialize()) == VERSION


def test_keys_of_a_later_version_are_passed_over() -> None:
    later = json.loads(MANIFEST.serialize()) | {"colour": "red"}
    assert parse(json.dumps(later).encode()) == MANIFEST


@each(
    "name",
    [
        "",
        "/etc/passwd",
        "../library.sqlite",
        "files/../library.sqlite",
        f"files/ab/../ab/{HASH}",
        f"files\\ab\\{HASH}",
        f"files/cd/{HASH}",
        f"files/AB/{HASH.upper()}",
        f"files/ab/{HASH}\n",
        "library.sqlite-wal",
        "device.key",
    ],
)
def test_no_name_leads_out_of_a_library(name: str) -> None:
    assert not is_entry_name(name)
    altered = json.loads(MANIFEST.serialize())
    altered["entries"].append([name, 1, HASH])
    assert parse(json.dumps(altered).encode()) is None


def test_the_library_and_contents_by_their_hash_are_entries() -> None:
    assert is_entry_name(DATABASE)
    assert is_entry_name(CONTENT)


@each(
    "altered",
    [
        {"format": "something else"},
        {"references": -1},
        {"references": "3"},
        {"trashed": True},
        {"made_at": "yesterday"},
        {"name": None},
        {"files": "some"},
        {"files": ""},
        {"entries": "none"},
        {"entries": [["library.sqlite", 1]]},
        {"entries": [["library.sqlite", -1, HASH]]},
        {"entries": [["library.sqlite", 1, "short"]]},
    ],
    ids=str,
)
def test_a_manifest_that_was_altered_is_none(altered: dict[str, object]) -> None:
    account = json.loads(MANIFEST.serialize()) | altered
    assert parse(json.dumps(account).encode()) is None


@each("raw", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_manifest_has_no_version(raw: bytes) -> None:
    assert version_of(raw) is None
    assert parse(raw) is None


def test_a_content_that_is_not_what_its_name_says_is_told() -> None:
    assert ManifestEntry(CONTENT, 5, HASH).is_whole
    assert not ManifestEntry(CONTENT, 5, "1" * 64).is_whole
    assert ManifestEntry(DATABASE, 5, "1" * 64).is_whole
