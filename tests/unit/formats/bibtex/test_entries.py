"""BibTeX and BibLaTeX read: what stands in a file, and what it means."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.bibliographies import DEMO
from tests.unit.formats.files import GOLDEN, export, exported, load, load_content

from bifolio.formats import map_source, read, reading
from bifolio.formats.bibtex.blocks import BibtexEntry, split
from bifolio.records.names import Name
from bifolio.records.reference import ImportedReference

ROE = Name(family="Roe", given="Jane")


@pytest.mark.parametrize(
    "file",
    [
        "crossref.bib",
        "printing-history.bib",
        pytest.param("typography.bib", marks=pytest.mark.heavy),
    ],
)
def test_a_long_file_is_read_in_two_passes_to_the_same(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / file
    if file == "crossref.bib":
        path.write_text(
            "@string{x = {Proceedings}}\n@inproceedings{a, crossref={b}, title={A}}\n"
            "% free\n@misc{c, title={C\n@proceedings{b, title=x, year=2001}\n"
        )
    else:
        path = DEMO / file
    at_once = list(read(path))
    monkeypatch.setattr(reading, "_KEPT_CHARACTERS", 0)
    assert list(read(path)) == at_once
    if file == "crossref.bib":
        (a, *_) = [one for one in at_once if isinstance(one, ImportedReference)]
        assert a.values["container-title"] == "Proceedings"


def test_an_article_is_read_whole() -> None:
    article = load(GOLDEN / "small.bib").references[0]
    assert article.values == {
        "type": "article-journal",
        "citation-key": "Roe:1984:TB",
        "author": (
            Name(family="Roe", given="Jane Q."),
            Name(family="Croix", given="José", non_dropping_particle="de la"),
            Name(literal="World Paper Organization"),
            Name(literal="others"),
        ),
        "title": "The TeXnician's x<sup>2</sup>: On <i>Paper</i> & Ink",
        "container-title": "Journal of Made-up Studies",
        "x.bibtex.acknowledgement": ("Thanks to Ada and nobody",),
        "issued": {"date-parts": [[1984, 1, 10], [1984, 1, 12]]},
        "page": "1-9",
        "tags": ("paper", "ink"),
        "note": "First note.\n\nSecond note.",
        "URL": ("https://example.org/a_b",),
        "ISSN": ("0896-3207", "1234-5678"),
    }
    assert article.line == 7


def test_raw_values_are_kept_with_delimiters_and_macros() -> None:
    tags = dict(load(GOLDEN / "small.bib").references[0].source.tags)
    assert tags["journal"] == "jms"
    assert tags["month"] == '"10 " # jan # "--" # "12"'
    assert tags["acknowledgement"] == 'ack # " and " # nobody'
    assert tags["year"] == "1984"
    assert tags["%"].startswith("%%  doi = {10.1/switched-off}")


def test_a_child_inherits_and_keeps_what_was_inherited_apart() -> None:
    child = load(GOLDEN / "small.bib").references[1]
    assert child.values["container-title"] == "Proceedings of the Folders"
    assert child.values["publisher"] == "Sheet Press"
    assert child.values["issued"] == {"date-parts": [[1999]]}
    assert ("^booktitle", "{Proceedings of the Folders}") in child.source.tags


def test_an_entry_of_the_parents_own_type_inherits_all_but_its_key_and_links(
    tmp_path: Path,
) -> None:
    text = "@article{a, crossref={b}}\n@article{b, title={T}, pages={1--9}, ids={c}, doi={10.1/x}}"
    child = load_content(tmp_path, text).references[0]
    assert child.source.tags[1:] == (("^title", "{T}"), ("^pages", "{1--9}"), ("^doi", "{10.1/x}"))


def test_a_volume_takes_the_title_of_all_volumes_as_its_main_title(tmp_path: Path) -> None:
    text = "@inbook{a, crossref={m}}\n@mvbook{m, title={All}, subtitle={Of it}}"
    child = load_content(tmp_path, text).references[0]
    assert child.source.tags[1:] == (("^maintitle", "{All}"), ("^mainsubtitle", "{Of it}"))


def test_unknown_months_and_pages_are_data() -> None:
    child = load(GOLDEN / "small.bib").references[1]
    assert child.values["x.bibtex.month"] == ("????",)
    assert child.values["page"] == "??-??"


def test_the_stored_source_and_blocks_map_to_the_same_values() -> None:
    loaded = load(GOLDEN / "small.bib")
    for reference in loaded.references:
        blocks = loaded.blocks[reference.source.blocks]
        assert map_source(reference.source, blocks) == reference.values


def test_a_files_own_blocks_are_kept_as_written() -> None:
    (blocks,) = load(GOLDEN / "small.bib").blocks.values()
    assert blocks.blocks[1] == "@string(jms = {Journal of Made-up Studies})"
    assert blocks.blocks[-1] == "% A small library, made for the tests."


def test_a_damaged_entry_is_salvaged_and_the_next_one_stands() -> None:
    loaded = load(GOLDEN / "damaged.bib")
    titles = [values["title"] for values in loaded.values()]
    assert titles == ["Ink & Paper", "One", "Another", "Without a key", "The last one stands"]
    assert loaded.references[0].values["issued"] == {"date-parts": [[1999]]}
    assert [(one.line, "balance" in one.reason or "neither" in one.reason) for one in
            loaded.skipped] == [(8, True), (1, True)]  # fmt: skip


def test_a_name_that_no_document_could_hold_is_spelled_otherwise(tmp_path: Path) -> None:
    (one,) = load_content(tmp_path, "@misc{a, fo\x1fo = {bar}}").references
    assert one.values["x.bibtex.fo_o"] == ("bar",)
    assert one.source.tags == (("fo\x1fo", "{bar}"),)


def test_repeated_keys_are_two_references() -> None:
    loaded = load(GOLDEN / "damaged.bib")
    twice = [one for one in loaded.references if one.source.id == "twice"]
    assert len({one.record_id() for one in twice}) == 2


def test_a_repeated_scalar_keeps_its_other_value_as_an_extra_field(tmp_path: Path) -> None:
    (values,) = load_content(tmp_path, "@misc{a, title={One}, title={Two}}").values()
    assert values["title"] == "One"
    assert values["x.bibtex.title"] == ("Two",)


def test_a_repeated_date_keeps_its_other_value_too(tmp_path: Path) -> None:
    text = "@misc{a, urldate={2014-01-02}, urldate={2015-01-02}}"
    (values,) = load_content(tmp_path, text).values()
    assert values["x.bibtex.urldate"] == ("2015-01-02",)


def test_reading_twice_gives_the_same_result() -> None:
    assert load(GOLDEN / "small.bib") == load(GOLDEN / "small.bib")


@pytest.mark.parametrize(
    ("entry", "field", "value"),
    [
        ("@phdthesis{a, school={U}}", "publisher", "U"),
        ("@phdthesis{a, school={U}}", "genre", "PhD thesis"),
        ("@techreport{a, number={7}}", "number", "7"),
        ("@book{a, number={7}}", "collection-number", "7"),
        ("@article{a, number={7}}", "issue", "7"),
        ("@online{a, title={T: }, subtitle={S}}", "title", "T:: S"),
        ("@article{a, date={2014-05/2015}}", "issued", {"date-parts": [[2014, 5], [2015]]}),
        ("@article{a, year={in press}}", "issued", {"literal": "in press"}),
        ("@article{a, journal={J.}, fjournal={Journal}}", "container-title", "Journal"),
        ("@article{a, journal={J.}, fjournal={Journal}}", "container-title-short", "J."),
        ("@misc{a, eprint={123}, eprinttype={pubmed}}", "PMID", "123"),
        ("@misc{a, doi={https://doi.org/10.1000/a_b}}", "DOI", "10.1000/a_b"),
        ("@misc{a, x-csl-rating={5}}", "rating", "5"),
        ("@article{a, pages={1598 - 1602}}", "page", "1598-1602"),
        ("@article{a, note={{PMID:} 23439512}}", "PMID", "23439512"),
        ("@misc{a, howpublished={\\url{https://a.org/~b}}}", "URL", ("https://a.org/~b",)),
        ("@misc{a, howpublished={\\href {https://a.org} {A}}}", "URL", ("https://a.org",)),
        ("@misc{a, howpublished={CD-ROM}}", "x.bibtex.howpublished", ("CD-ROM",)),
        ("@misc{a, howpublished={See \\url{a.org}}}", "x.bibtex.howpublished", ("See a.org",)),
        ("@book{a, langid={ngerman}}", "language", "de-DE"),
        ("@book{a, language={Deutsch}}", "language", "Deutsch"),
        ("@thesis{a, type={mathesis}}", "genre", "Master’s thesis"),
        ("@patent{a, location={countryde and countryfr}}", "publisher-place", "Germany; France"),
        ("@article{a, pubstate={inpress}}", "status", "in press"),
        ("@inbook{a, booktitle={B}, maintitle={M}}", "container-title", "M"),
        ("@inbook{a, booktitle={B}, booksubtitle={S}, maintitle={M}}", "volume-title", "B: S"),
        ("@article{a, journaltitle={J}, journalsubtitle={S}}", "container-title", "J: S"),
        ("@inproceedings{a, address={N}, location={G}}", "event-place", "G"),
        ("@book{a, origpublisher={P}}", "original-publisher", "P"),
        ("@book{a, editora={Roe, Jane}, editoratype={compiler}}", "compiler", (ROE,)),
        ("@video{a, title={T}}", "type", "motion_picture"),
        ("@article{a, urldate={29 November 2011}}", "accessed", {"date-parts": [[2011, 11, 29]]}),
        ("@book{a, date={[1990] 2002}}", "issued", {"date-parts": [[2002]]}),
        ("@book{a, year={2002 [1990]}}", "original-date", {"date-parts": [[1990]]}),
        ("@book{a, date={199X}}", "issued", {"date-parts": [[1990], [1999]]}),
        ("@book{a, date={2004-04-05T14:34:00}}", "issued", {"date-parts": [[2004, 4, 5]]}),
        ("@book{a, date={2004-04-05T14:34:00}}", "x.bibtex.date", ("2004-04-05T14:34:00",)),
        ("@book{a, author={{family=Roe, given=Jane}}}", "author", (ROE,)),
        ("@misc{a, x-ris-C7={e1}}", "x.ris.C7", ("e1",)),
    ],
)
def test_a_field_means_what_its_type_says(
    tmp_path: Path, entry: str, field: str, value: object
) -> None:
    assert load_content(tmp_path, entry).values()[0][field] == value


def test_entries_beyond_one_piece_keep_their_lines() -> None:
    text = "".join(f"@misc{{k{number},\n  title = {{{'x' * 500}}}}}\n" for number in range(1000))
    entries = [one for one in split(text) if isinstance(one, BibtexEntry)]
    assert len(entries) == 1000
    assert [one.line for one in entries] == list(range(1, 2001, 2))


def test_macros_that_grow_tenfold_at_each_step_take_no_memory(tmp_path: Path) -> None:
    bomb = '@string{a0="xxxxxxxxxx"}\n' + "".join(
        f"@string{{a{step + 1} = {' # '.join([f'a{step}'] * 10)}}}\n" for step in range(12)
    )
    bomb += "@book{k, title=a12, note=a4}\n"
    loaded = load_content(tmp_path, bomb)
    (values,) = loaded.values()
    assert values["title"] == "a12"
    assert values["note"] == "a4"
    assert [one.line for one in loaded.skipped] == list(range(5, 14))
    assert "the macro 'a4' is longer than 16,384 characters" in loaded.skipped[0].reason


def test_a_value_of_many_macros_keeps_their_names_where_their_text_is_too_long(
    tmp_path: Path,
) -> None:
    text = f"@string{{a = {{{'x' * 9000}}}}}\n@book{{k, title = a # {{ and }} # a, note = a}}\n"
    loaded = load_content(tmp_path, text)
    (values,) = loaded.values()
    assert values["title"] == "a and a"
    assert values["note"] == "x" * 9000
    assert [(one.line, "'title'" in one.reason) for one in loaded.skipped] == [(2, True)]
    assert "title = a # { and } # a,\n" in export(exported(loaded), "bibtex", loaded.blocks)[0]
