"""An export that is kept current: equal to a fresh one, and only what changed composed anew."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifolio import Library
from bifolio.errors import UsageError
from bifolio.exports.live_export import LiveExport
from bifolio.home import Home
from bifolio.records.edits import Act, Edit


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    home = Home(tmp_path / "home", device_name="desk")
    with Library.create(tmp_path / "Paper.bifolio", home=home) as made:
        for number in range(5):
            made.add({"type": "book", "title": f"Volume {number}", "citation-key": f"v{number}"})
        yield made


def written(standing: LiveExport) -> bytes:
    out = io.BytesIO()
    standing.write(out)
    return out.getvalue()


def fresh(library: Library, query: str | None = None) -> bytes:
    out = io.BytesIO()
    library.export(out, format="bibtex", query=query)
    return out.getvalue()


def test_only_what_changed_is_composed_anew(library: Library) -> None:
    standing = library.live_export(format="bibtex")
    assert written(standing) == fresh(library)
    assert standing.composed == 5
    library.edit("v3", [Edit("title", Act.SET, ("Another",))])
    library.delete(["v4"])
    assert written(standing) == fresh(library)
    assert standing.composed == 1
    assert written(standing) == fresh(library)
    assert standing.composed == 0


def test_it_knows_that_another_opening_wrote(library: Library) -> None:
    standing = library.live_export(format="bibtex")
    assert standing.has_changed()
    written(standing)
    assert not standing.has_changed()
    with Library.open(library.path, home=Home(library.path.parent / "home")) as other:
        other.add({"title": "Elsewhere"})
    assert standing.has_changed()
    assert b"Elsewhere" in written(standing)


def test_new_macros_compose_everything_anew(library: Library, tmp_path: Path) -> None:
    standing = library.live_export(format="bibtex")
    written(standing)
    file = tmp_path / "macros.bib"
    file.write_text('@string{p = "Press"}\n@book{m, title = {M}, publisher = p}\n', "utf-8")
    library.import_files([file])
    assert written(standing) == fresh(library)
    assert standing.composed == 6


@pytest.mark.parametrize("format", ["bibtex", "biblatex"])
def test_a_child_inherits_as_long_as_its_parent_stands_beside_it(
    library: Library, tmp_path: Path, format: str
) -> None:
    file = tmp_path / "proceedings.bib"
    file.write_text(
        "@inproceedings{child, title = {The Child}, crossref = {parent}, pages = {1--2}}\n"
        "@proceedings{parent, title = {Proceedings of X}, year = {2001}}\n",
        "utf-8",
    )
    library.import_files([file])
    standing = library.live_export(format=format)
    for change, composed in (
        (lambda: None, 7),
        (lambda: library.delete(["v1"]), 0),
        (lambda: library.delete(["parent"]), 1),
        (lambda: library.restore(["parent"]), 2),
    ):
        change()
        out = io.BytesIO()
        library.export(out, format=format)
        assert written(standing) == out.getvalue()
        assert standing.composed == composed
    assert b"year = {2001}" not in out.getvalue().partition(b"{child,")[2].partition(b"\n}")[0]


def test_a_query_keeps_to_what_it_finds(library: Library) -> None:
    standing = library.live_export(format="bibtex", query="Another")
    assert b"@book" not in written(standing)
    library.edit("v2", [Edit("title", Act.SET, ("Another",))])
    assert written(standing) == fresh(library, "Another")


def test_a_key_that_is_taken_is_written_with_its_suffix(library: Library) -> None:
    """K1: two entries of one key would stop LaTeX; what a file gave stays as it was."""
    standing = library.live_export(format="bibtex")
    second = library.add({"title": "Second", "citation-key": "v1"})
    text = written(standing).decode()
    assert text.count("{v1,") == 1
    assert f"{{v1-{second.id[:6]}," in text
    library.delete(["v1"])
    assert f"{{v1-{second.id[:6]}," not in written(standing).decode()


def test_no_such_format_is_told_at_once(library: Library) -> None:
    with pytest.raises(UsageError):
        library.live_export(format="word")
