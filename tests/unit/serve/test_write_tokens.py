"""Tokens of writes (``Zotero-Write-Token``): a request is done once, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.serving import serving
from tests.unit.serve.test_writing import PROGRAM, Writer

from bifolio import Library, limits
from bifolio.home import Home
from bifolio.library.whole_writes import WholeWrites
from bifolio.serve.permissions import Permissions

ONE = [{"itemType": "book", "title": "One"}]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    home = Home(tmp_path / "home")
    Library.create(tmp_path / "A.bifolio", home=home).close()
    Permissions(home).allow(PROGRAM)
    with serving(tmp_path / "A.bifolio", home) as running:
        yield Writer(running, tmp_path)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.create(tmp_path / "A.bifolio", home=Home(tmp_path / "home")) as created:
        yield created


def test_a_write_token_writes_once(writer: Writer) -> None:
    assert writer.send("POST", "items", ONE, Zotero_Write_Token="a" * 32).status == 200
    assert writer.send("POST", "items", ONE, Zotero_Write_Token="a" * 32).status == 412
    assert len(writer.served.get("items/top").json) == 1


def test_a_write_token_writes_once_also_after_another_start(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    Library.create(tmp_path / "A.bifolio", home=home).close()
    Permissions(home).allow(PROGRAM)
    for status in (200, 412):
        with serving(tmp_path / "A.bifolio", home) as running:
            again = Writer(running, tmp_path)
            assert again.send("POST", "items", ONE, Zotero_Write_Token="t" * 32).status == status
            assert len(again.served.get("items/top").json) == 1
    assert b"t" * 32 not in (tmp_path / "A.bifolio" / "library.sqlite").read_bytes()


def test_a_token_of_a_write_that_failed_may_be_used_again(writer: Writer) -> None:
    assert writer.send("POST", "items", {}, Zotero_Write_Token="a" * 32).status == 400
    assert writer.send("POST", "items", ONE, Zotero_Write_Token="a" * 32).status == 200


@pytest.mark.parametrize("token", ["abcd", "a" * 33])
def test_a_write_token_has_a_length(writer: Writer, token: str) -> None:
    assert writer.send("POST", "items", [], Zotero_Write_Token=token).status == 400


def test_tokens_are_forgotten_after_twelve_hours(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = WholeWrites(library)
    writes.use("a" * 32)
    assert writes.is_used("a" * 32)
    monkeypatch.setattr(limits, "SERVE_TOKEN_KEPT_S", -10.0)
    assert not writes.is_used("a" * 32)
    monkeypatch.setattr(limits, "SERVE_TOKENS_MAX", 3)
    monkeypatch.setattr(limits, "SERVE_TOKEN_KEPT_S", 1000.0)
    for number in range(20):
        writes.use(f"token {number}")
    assert sum(writes.is_used(f"token {number}") for number in range(20)) == 3


def test_a_write_and_its_token_are_there_together_or_not_at_all(
    library: Library, tmp_path: Path
) -> None:
    writes = WholeWrites(library)

    def write(*, is_ended: bool) -> None:
        with Library.open(tmp_path / "A.bifolio", home=Home(tmp_path / "home")) as other:
            with writes.together():
                library.add({"type": "book", "title": "One"})
                writes.use("a" * 32)
                # Another process sees neither before both are durable.
                assert list(other.list()) == []
                assert not WholeWrites(other).is_used("a" * 32)
                if is_ended:
                    raise KeyboardInterrupt
            assert len(list(other.list())) == 1
            assert WholeWrites(other).is_used("a" * 32)

    with pytest.raises(KeyboardInterrupt):
        write(is_ended=True)
    assert list(library.list()) == []
    assert not writes.is_used("a" * 32)
    assert len(library.history.log()) == 1  # that the library was made
    write(is_ended=False)
    assert [one.fields["title"] for one in library.list()] == ["One"]


def test_what_fails_in_a_part_of_a_write_is_undone_by_itself(library: Library) -> None:
    writes = WholeWrites(library)

    def fail() -> None:
        with writes.together():
            library.add({"type": "book", "title": "Lost"})
            raise ValueError("a part")

    with writes.together():
        library.add({"type": "book", "title": "Kept"})
        with pytest.raises(ValueError, match="a part"):
            fail()
        library.add({"type": "book", "title": "Kept too"})
    assert sorted(str(one.fields["title"]) for one in library.list()) == ["Kept", "Kept too"]


def test_a_request_that_is_refused_at_its_end_changes_nothing(writer: Writer) -> None:
    old = writer.add(title="Old")
    version = int(writer.served.get("items?limit=1").headers["last-modified-version"])
    new = writer.add(title="New")
    answer = writer.send(
        "DELETE", f"items?itemKey={old},{new}", If_Unmodified_Since_Version=str(version)
    )
    assert answer.status == 412
    assert len(writer.served.get("items/top").json) == 2  # neither of them is in the trash
    both = f"items?itemKey={old},{new}"
    assert writer.send("DELETE", both, If_Unmodified_Since_Version=str(version + 1)).status == 204
    assert writer.served.get("items/top").json == []
