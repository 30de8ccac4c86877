"""Short names after an import: what is asked for is named first, the rest a little at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.serving import serving

from bifolio import Library
from bifolio.home import Home
from bifolio.library import short_names
from bifolio.library.short_names import ShortNames, UnnamedError
from bifolio.records.edits import Act, Edit

COUNT, AT_ONCE = 60, 10


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setattr(short_names, "_AT_ONCE", AT_ONCE)
    with Library.create(tmp_path / "A.bifolio", home=Home(tmp_path / "home")) as opened:
        fill(opened, tmp_path, "k")
        yield opened


def fill(library: Library, folder: Path, prefix: str) -> None:
    """Import references, every fifth with a note."""
    entries = [
        f"@book{{{prefix}{one}, title = {{{prefix} {one:03}}}"
        + (f", note = {{note {one}}}" if one % 5 == 0 else "")
        + "}"
        for one in range(COUNT)
    ]
    (folder / f"{prefix}.bib").write_text("\n".join(entries))
    library.import_files([folder / f"{prefix}.bib"])


def count(library: Library) -> int:
    row = library._replica.database.row("SELECT count(*) FROM short_keys WHERE part = ''")
    assert row is not None
    return int(row[0])


def all_named(library: Library) -> list[tuple[object, ...]]:
    return library._replica.database.rows("SELECT * FROM short_keys ORDER BY key")


def ids(library: Library) -> list[str]:
    return [one.id for one in library.list(sort="title")]


def test_a_first_request_names_a_few_and_what_it_asks_for(library: Library) -> None:
    names = ShortNames(library)
    names.catch_up(briefly=True)
    first = count(library)
    assert names.is_behind
    assert first <= 2 * AT_ONCE
    with pytest.raises(UnnamedError) as caught:
        names.named(ids(library)[-7:])
    assert caught.value.records is not None
    names.name(caught.value.records)
    assert all("" in parts for parts in names.named(ids(library)[-7:]).values())
    assert count(library) <= first + 7
    steps = 0
    while names.name_more():
        steps += 1
    assert steps <= 2 * COUNT // AT_ONCE
    assert count(library) == COUNT


def test_the_names_are_the_same_in_pieces_and_at_once(library: Library) -> None:
    names = ShortNames(library)
    names.catch_up(briefly=True)
    names.name(ids(library)[-3:])
    while names.name_more():
        pass
    in_pieces = all_named(library)
    database = library._replica.database
    with database.transaction():
        database.execute("DELETE FROM short_keys")
        library._replica.meta.short_keys_through = 0
    ShortNames(library).catch_up()
    assert all_named(library) == in_pieces
    assert len(in_pieces) > COUNT  # the notes have names too


def test_what_needs_all_names_says_so(library: Library) -> None:
    names = ShortNames(library)
    names.catch_up(briefly=True)
    for ask in (
        lambda: names.find("ZZZZZZZZ"),
        lambda: names.count_parts(trashed=False),
        lambda: names.gone_since(0),
    ):
        with pytest.raises(UnnamedError) as caught:
            ask()
        assert caught.value.records is None
    names.name(None)
    assert names.find("ZZZZZZZZ") is None
    assert names.count_parts(trashed=False) == COUNT // 5


def test_what_changes_while_names_are_behind_is_as_it_is_now(
    library: Library, tmp_path: Path
) -> None:
    names = ShortNames(library)
    names.catch_up()
    with_note, without = ids(library)[0], ids(library)[1]
    key = names.of([with_note])[with_note][""]
    fill(library, tmp_path, "m")  # many are new again
    library.edit(with_note, [Edit("note", Act.CLEAR)])
    library.edit(without, [Edit("note", Act.SET, ("new",))])
    names.catch_up(briefly=True)
    assert names.is_behind
    with pytest.raises(UnnamedError) as caught:
        names.find(key)
    assert caught.value.records == [with_note]
    names.name([with_note, without])
    assert set(names.of([with_note])[with_note]) == {""}
    assert "note" in names.of([without])[without]
    names.catch_up(briefly=True)  # the next request does not take it for named in its turn
    with pytest.raises(UnnamedError):
        names.of([without])
    while names.name_more():
        pass
    names.catch_up()
    assert set(names.of([with_note])[with_note]) == {""}
    assert count(library) == 2 * COUNT
    assert len(names.gone_since(0)) == 1


def test_a_server_answers_of_all_references_while_it_names_them(library: Library) -> None:
    """And everything is named soon, without anybody who asks."""
    with serving(library.path, Home(library.path.parent / "home")) as running:
        last = running.get("items/top?sort=title&direction=desc&limit=3")
        assert [one["data"]["title"] for one in last.json] == ["k 059", "k 058", "k 057"]
        assert last.headers["total-results"] == str(COUNT)
        all_keys = running.get("items/top?format=keys&limit=1000").text.split()
        assert len(all_keys) == len(set(all_keys)) == COUNT
        for key in all_keys[::9]:
            assert running.get(f"items/{key}").json["key"] == key
        assert running.get("items/ZZZZZZZZ").status == 404
        assert len(running.get("items?itemType=note").json) == COUNT // 5
