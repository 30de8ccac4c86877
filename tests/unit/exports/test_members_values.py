"""What another member wrote goes into a file as one record, and TeX does nothing that it says."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cases import each
from tests.support.hostile_values import HOSTILE_STRINGS, library_of, plant
from tests.unit.replica.builders import Computer, meet, members

from bifolio.formats import EXPORT_FORMATS, read, write
from bifolio.formats.bibtex.foreign import checked_block, is_powerful
from bifolio.records.canonical import canonical_json
from bifolio.records.fields import FIELDS, MergeRule
from bifolio.records.reference import (
    ExportedReference,
    ImportedBlocks,
    ImportedReference,
    Source,
    Values,
)

SUFFIX = {"csl-json": "json", "endnote-xml": "xml", "bibtex": "bib", "biblatex": "bib"}
SCALARS = sorted(field for field, rule in FIELDS.items() if rule is MergeRule.SCALAR)

hostile = st.one_of(
    st.sampled_from(HOSTILE_STRINGS),
    st.text(st.sampled_from('{}\\@#%"=,()\n\r <>]&-TYERN012\x00\x1f\u2028\x85é'), max_size=30),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
tags = st.lists(st.tuples(hostile | st.sampled_from(["title", "TI", "T", "author", "%"]), hostile))
sources = st.builds(
    Source,
    st.sampled_from(["bibtex", "ris", "enw", "csl-json", "endnote-xml"]),
    hostile | st.sampled_from(["book", "BOOK", "Book", "preamble", "string"]),
    hostile,
    tags.map(tuple),
)
values = st.dictionaries(st.sampled_from([*SCALARS, "abstract", "note"]), hostile, max_size=5)


def records(text: bytes, format: str, folder: Path) -> list[ImportedReference]:
    path = folder / f"a.{SUFFIX.get(format, format)}"
    path.write_bytes(text)
    return [one for one in read(path, format=format) if isinstance(one, ImportedReference)]


@pytest.mark.parametrize("format", EXPORT_FORMATS)
@given(pairs=st.lists(st.tuples(values, st.none() | sources), min_size=1, max_size=3))
def test_each_reference_is_read_back_as_one_record_whatever_it_says(
    format: str, pairs: list[tuple[Values, Source | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    first: Values = {"type": "book", "title": "First", "citation-key": "first"}
    last: Values = {"type": "book", "title": "Last", "citation-key": "last"}
    exported = [ExportedReference("a" * 32, first)]
    for number, (said, source) in enumerate(pairs):
        exported.append(
            ExportedReference(f"{number:032x}", {"title": "x", **said}, source, foreign=True)
        )
    exported.append(ExportedReference("b" * 32, last))
    out = io.BytesIO()
    report = write(out, exported, format=format, blocks={})
    found = records(out.getvalue(), format, tmp_path_factory.getbasetemp())
    assert [found[0].values["title"], found[-1].values["title"]] == ["First", "Last"]
    # A record whose every value is empty holds nothing to be read.
    assert len(found) <= report.exported
    whole = [one for one in report.lost if one.field == "reference"]
    assert report.exported + len(whole) == len(exported)


@each(
    "block",
    [
        '@preamble{"\\immediate\\write18{id}"}',
        '@preamble{ "\\input{/etc/passwd}" }',
        '@preamble{"^^5cinput /etc/passwd"}',
        '@preamble{"\\csname inp\\endcsname"}',
        '@preamble{"\\def\\x{\\openout1=a}"}',
        '@preamble{"\\directlua{os.execute(1)}"}',
        '@preamble{"\\catcode`\\@=0"}',
        '@preamble{"a"}\n@book{more, title = {x}}',
        '@preamble{"a',
        "@comment{a @book{b, title = {x}}}",
        "@string{a = {x}} @book{b, title = {x}}",
        "@string{a = {\\input{x}}}",
        '@string{a = "}',
        "@string{a}b = {x}}",
        "@book{b, title = {x}}",
        "free text with @book{b, title = {x}}",
        "@comment{a",
        "",
    ],
)
def test_a_block_of_another_member_that_does_more_than_set_type_is_left_out(block: str) -> None:
    text, reason = checked_block(block)
    assert (text, bool(reason)) == ("", True)


@each(
    "block",
    [
        '@preamble{"\\newcommand{\\noopsort}[1]{} \\providecommand{\\cprime}{$\'$}"}',
        "@preamble{ {\\def\\cprime{$'$} \\\"o} }",
        "@comment{jabref-meta: databaseType:bibtex;}",
        "% a line of text",
        '@string{jcp = "J. Chem. Phys."}',
    ],
)
def test_a_harmless_block_of_another_member_is_written(block: str) -> None:
    text, reason = checked_block(block)
    assert reason == ""
    assert text.lower().replace(" ", "") in (block.lower().replace(" ", ""))


def shared(tmp_path: Path) -> tuple[Computer, Computer]:
    victim, mallory = members(tmp_path, "victim", "mallory")
    victim.adds("f" * 32, {"type": "book", "title": "Good", "citation-key": "good"})
    meet(victim, mallory)
    return victim, mallory


def test_a_preamble_of_another_member_is_left_out_named_and_written_on_request(
    tmp_path: Path,
) -> None:
    victim, mallory = shared(tmp_path)
    evil = '@preamble{"\\immediate\\write18{id}"}'
    blocks = canonical_json([evil, '@string{jcp = "J. Chem. Phys."}'])
    plant(mallory, {"e" * 32: {"kind": "import", "format": "bibtex", "blocks": blocks}})
    meet(victim, mallory)
    out = io.BytesIO()
    report = library_of(victim).export(out, format="bibtex")
    assert b"write18" not in out.getvalue()
    assert b'@string{jcp = "J. Chem. Phys."}' in out.getvalue()
    (lost,) = report.lost
    assert (lost.key, lost.field) == ("imported file", evil)
    assert "more than set type (\\immediate, \\write)" in lost.reason
    out = io.BytesIO()
    library_of(victim).export(out, format="bibtex", members_blocks=True)
    assert evil.encode() in out.getvalue()


def test_a_preamble_that_this_device_imported_is_written_as_it_was(tmp_path: Path) -> None:
    victim, mallory = shared(tmp_path)
    text = '@preamble{"\\input{macros}"}\n\n@book{a,\n  title = {On Ink},\n}\n'
    (tmp_path / "own.bib").write_text(text)
    library = library_of(victim)
    library.import_files([tmp_path / "own.bib"])
    out = io.BytesIO()
    assert library.export(out, format="bibtex", query="ink").lost == []
    assert out.getvalue().decode().startswith('@preamble{"\\input{macros}"}')
    # The same record, overwritten by somebody else, is no longer this device's word.
    record_id = ImportedBlocks("bibtex", ('@preamble{"\\input{macros}"}',)).record_id()
    meet(victim, mallory)
    evil = canonical_json(['@preamble{"\\input{/etc/passwd}"}'])
    plant(mallory, {record_id: {"blocks": evil}})
    meet(victim, mallory)
    out = io.BytesIO()
    library.export(out, format="bibtex")
    assert b"\\input" not in out.getvalue()


def test_the_tex_of_a_members_source_is_written_as_text(tmp_path: Path) -> None:
    victim, mallory = shared(tmp_path)
    raw = "{Ink \\input{/etc/passwd} \\write18{id}}"
    source = Source("bibtex", "book", "ink", (("title", raw), ("x-csl-title", "{Ink}")))
    plant(
        mallory,
        {
            "e" * 32: {
                "kind": "reference",
                "title": "Ink",
                "+source\x1fA": source.text(),
                "type": "book",
            }
        },
    )
    meet(victim, mallory)
    out = io.BytesIO()
    library_of(victim).export(out, format="bibtex")
    assert not is_powerful(out.getvalue().decode())
    assert b"Ink" in out.getvalue()


def test_a_date_with_a_fraction_is_shown_as_its_text_and_stops_no_export(tmp_path: Path) -> None:
    victim, mallory = shared(tmp_path)
    written = '{"date-parts": [[2024]], "x": 1.5}'
    plant(mallory, {"e" * 32: {"kind": "reference", "title": "Ink", "issued": written}})
    meet(victim, mallory)
    library = library_of(victim)
    assert library.show("e" * 32).fields["issued"] == {"literal": written}
    for format in EXPORT_FORMATS:
        out = io.BytesIO()
        assert library.export(out, format=format).exported == 2
