"""A bundle's file is read within bounds, and refused with a reason wherever it is not whole."""

from __future__ import annotations

import os
import random
from pathlib import Path

import msgspec
import pytest

from bifolio import limits
from bifolio.bundles.file import Bundle, writing
from bifolio.bundles.heads import heads_in
from bifolio.bundles.importing import read_members_of
from bifolio.errors import (
    BundleError,
    BundleTakenError,
    DamagedBundleError,
    NewerBundleError,
    NotABundleError,
)
from bifolio.ids import content_hash
from bifolio.wire import bundle_parts
from bifolio.wire.bundle_parts import MAGIC, End, Head, encode_part

HEAD = Head(1, b"l" * 16, b"r" * 16, 1_700_000_000_000)


def made(path: Path, *parts: tuple[str, object], head: object = HEAD) -> Path:
    """A file of these parts with an end that fits, whatever they are."""
    raw = MAGIC + b"".join(encode_part(*one) for one in (("Head", head), *parts))
    path.write_bytes(raw + encode_part("End", End(len(parts) + 1, content_hash(raw))))
    return path


def checked(path: Path) -> Head:
    with Bundle.open(path) as bundle:
        return bundle.check()


def names(path: Path) -> list[str]:
    with Bundle.open(path) as bundle:
        bundle.check()
        return [name for name, _ in bundle.parts()]


def test_a_bundle_is_whole_at_one_length_only(tmp_path: Path) -> None:
    path = tmp_path / "a.bundle"
    with writing(path, HEAD) as writer:
        writer.add(bundle_parts.ENVELOPES, [b"one", b"two"])
    assert checked(path) == HEAD
    assert names(path) == ["Head", "Envelopes"]
    whole = path.read_bytes()
    cut = tmp_path / "cut"
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        with pytest.raises(NotABundleError if length < len(MAGIC) else DamagedBundleError):
            checked(cut)
    cut.write_bytes(whole + b"\0")
    with pytest.raises(DamagedBundleError):
        checked(cut)


def test_no_altered_byte_goes_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "a.bundle"
    with writing(path, HEAD) as writer:
        writer.add(bundle_parts.MEMBERS, [b"record"])
    whole = path.read_bytes()
    choose = random.Random(7)
    for place in range(len(whole)):
        raw = bytearray(whole)
        raw[place] ^= 1 << choose.randrange(8)
        path.write_bytes(raw)
        with pytest.raises(BundleError):
            checked(path)


def test_lengths_are_bounded_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.bundle"
    for length in (0, limits.BUNDLE_PART_BYTES_MAX + 1, 2**32 - 1):
        path.write_bytes(MAGIC + encode_part("Head", HEAD) + length.to_bytes(4, "big") + b"x" * 99)
        with pytest.raises(DamagedBundleError):
            checked(path)
    path.write_bytes(MAGIC + (limits.BUNDLE_HEAD_BYTES_MAX + 1).to_bytes(4, "big") + b"x" * 99)
    with pytest.raises(DamagedBundleError):
        checked(path)


@pytest.mark.parametrize(
    "raw",
    [b"\x91", b"\xdd\xff\xff\xff\xff", b"\x91" * 5000, b"\xc1", b"\x92\xa0\xc0", b"\x92\xa11\xc0"],
)
def test_a_part_that_is_none_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.bundle"
    head = encode_part("Head", HEAD)
    path.write_bytes(MAGIC + head + len(raw).to_bytes(4, "big") + raw)
    with pytest.raises(DamagedBundleError):
        checked(path)


def test_what_is_newer_waits_for_an_upgrade_or_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.bundle"
    assert names(made(path, ("extra", {"any": 1}))) == ["Head"]
    with pytest.raises(NewerBundleError, match="Extra"):
        checked(made(path, ("Extra", 1)))
    head = msgspec.to_builtins(HEAD, builtin_types=(bytes,))
    assert checked(made(path, head={**head, "more": 1})) == HEAD
    with pytest.raises(NewerBundleError, match="Zipped"):
        checked(made(path, head={**head, "Zipped": 1}))
    with pytest.raises(NewerBundleError, match="version 2"):
        checked(made(path, head={"version": 2}))
    for wrong in ({}, {**head, "library": b""}, {**head, "made_ms": -1}, {**head, "version": 0}, 7):
        with pytest.raises(DamagedBundleError):
            checked(made(path, head=wrong))


def test_what_many_parts_hold_together_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part keeps its bound, and there may be any number of them."""
    path = tmp_path / "a.bundle"
    head = (b"c" * 32, 1, b"h" * 32)
    for bound, parts, read in (
        ("BUNDLE_HEADS_MAX", [("have", [head] * 2)] * 2, heads_in),
        ("RELAY_MEMBERSHIP_RECORDS_MAX", [("Members", [b"record"] * 2)] * 2, read_members_of),
        ("RELAY_MEMBERSHIP_BYTES_MAX", [("Members", [b"r"] * 2)] * 2, read_members_of),
    ):
        with Bundle.open(made(path, *parts)) as bundle:
            assert len(read(bundle)) == 4
            with monkeypatch.context() as bounds:
                bounds.setattr(limits, bound, 3)
                with pytest.raises(DamagedBundleError):
                    read(bundle)


def test_what_is_no_ordinary_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "missing", Path("/dev/zero")):
        with pytest.raises(NotABundleError):
            checked(path)


def test_an_export_replaces_a_bundle_of_its_library_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.bundle"
    for _ in range(2):
        with writing(path, HEAD):
            pass
    path.write_bytes(path.read_bytes()[:20])  # what an interrupted copy left
    with writing(path, HEAD):
        pass
    other = Head(1, b"o" * 16, b"r" * 16, 1)
    before = path.read_bytes()
    with pytest.raises(BundleTakenError), writing(path, other):
        pass
    assert path.read_bytes() == before
    path.write_text("a thesis")
    with pytest.raises(BundleTakenError), writing(path, HEAD):
        pass
    assert path.read_text() == "a thesis"


def test_an_export_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.bundle"
    with writing(path, HEAD):
        pass
    before = path.read_bytes()
    with pytest.raises(RuntimeError), writing(path, HEAD):
        raise RuntimeError
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["a.bundle"]
