"""Where one record of a file ends and the next one begins, in every format that has them in lines,
and what is in no record at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.formats.files import export, exported, load, load_content

from bifolio.formats import without_damage
from bifolio.records.names import Name


def test_refer_records_end_at_an_empty_line_wherever_their_type_is(tmp_path: Path) -> None:
    text = (
        "%T One\n%0 Journal Article\n%A Doe, Jane\n%D 2021\n\n\n"
        "%T Two, without a type\n%B Annals\n%D 2021\n\n\n"
        "%T Three\n%0 Journal Article\n%A Roe, Richard\n"
    )
    loaded = load_content(tmp_path, text, "a.enw")
    assert [one.values["title"] for one in loaded.references] == [
        "One", "Two, without a type", "Three",
    ]  # fmt: skip
    assert [one.values.get("author") for one in loaded.references] == [
        (Name("Doe", "Jane"),), None, (Name("Roe", "Richard"),),
    ]  # fmt: skip
    written, report = export(exported(loaded), "enw", loaded.blocks)
    (tmp_path / "again.enw").write_text(written, encoding="utf-8")
    assert load(tmp_path / "again.enw").values() == loaded.values()
    assert report.lost == []


def test_an_empty_line_before_an_abstract_parts_no_record(tmp_path: Path) -> None:
    text = (
        "%0 Book\n%T One\n%A Doe, J.\n\n%X An abstract\n\nof two paragraphs\n%K word\n\n"
        "%0 Book\n%T B\n"
    )
    first, second = load_content(tmp_path, text, "a.enw").values()
    assert (first["abstract"], first["tags"]) == ("An abstract\n\nof two paragraphs", ("word",))
    assert second["title"] == "B"


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("a.ris", "TY  - JOUR\nTI  - One é\nER  - \n"),
        ("a.bib", "@article{k1, title={One é}}\n"),
        ("a.enw", "%0 Journal Article\n%T One é\n\n"),
        ("a.json", '[{"id":"a1","type":"article-journal","title":"One é"}]\n'),
    ],
)
@pytest.mark.parametrize("mark", ["\ufeff", "\ufeff\ufeff"])
def test_the_mark_of_a_joined_file_belongs_to_no_record(
    tmp_path: Path, name: str, record: str, mark: str
) -> None:
    other = record.replace("One", "Two").replace("k1", "k2").replace("a1", "a2")
    for between in (record, record.rstrip("\n")):
        loaded = load_content(tmp_path, mark + between + mark + other, name)
        assert [one["title"] for one in loaded.values()] == ["One é", "Two é"]
        assert {one["type"] for one in loaded.values()} == {"article-journal"}


def test_what_follows_the_end_of_a_json_array_is_read_or_named(tmp_path: Path) -> None:
    one = '{"id":"a","type":"book","title":"One"}'
    two = '{"id":"b","type":"book","title":"Two"}'
    words = load_content(tmp_path, f"[{one}] trailing words", "a.json")
    assert len(words.references) == 1
    assert "after the end of the JSON comes 'trailing words'" in words.skipped[0].reason
    for text in (f"[{one}]\n[{two}]", f"{one}\n{two}\n", f"[{one}]\n{two}", f"[{one}],[{two}]"):
        loaded = load_content(tmp_path, text, "a.json")
        assert [item["title"] for item in loaded.values()] == ["One", "Two"]
        assert loaded.skipped == []
    assert load_content(tmp_path, f"{one}\n{two}\n", "a.json").references[1].line == 2


@pytest.mark.parametrize(
    "text", ['{"id":"https://openalex.org/W1","display_name":"T","doi":"10.1000/1"}']
)
def test_json_that_holds_no_reference_is_named(tmp_path: Path, text: str) -> None:
    loaded = load_content(tmp_path, text, "a.json")
    assert loaded.references == []
    assert "no reference of CSL" in loaded.skipped[0].reason
    assert not loaded.skipped[0].is_remark


def test_what_ovid_says_of_the_search_is_in_no_record(tmp_path: Path) -> None:
    search = "C1  - Database: Embase\n\nSearch Strategy:\n1. folding\n"
    record = "TY  - JOUR\nTI  - {}\nER  -  \n\n"
    text = record.format("One") + search + "\n2. \n" + record.format("Two") + search
    loaded = load_content(tmp_path, text, "a.ris")
    assert [sorted(one) for one in loaded.values()] == [["title", "type"]] * 2
    assert loaded.skipped == []


def test_a_type_in_the_midst_of_a_record_is_that_record_s(tmp_path: Path) -> None:
    text = (
        "DB  - X\nTI  - One\nTY  - JOUR\nAU  - Doe, A.\nER  - \n\n"
        "TI  - Two\nAU  - Poe, E.\nTY  - BOOK\nER  - \n"
    )
    loaded = load_content(tmp_path, text, "a.ris")
    one, two = loaded.values()
    assert (one["title"], one["author"], one["type"]) == (
        "One", (Name("Doe", "A."),), "article-journal",
    )  # fmt: skip
    assert (two["title"], two["type"]) == ("Two", "book")
    assert all(skipped.is_remark for skipped in loaded.skipped)
    assert len(loaded.skipped) == 2


def test_a_second_type_begins_a_record_where_a_title_follows_it(tmp_path: Path) -> None:
    text = "TI  - One\nAU  - A, B\nTY  - JOUR\nTI  - Two\nER  - \n"
    assert [one["title"] for one in load_content(tmp_path, text, "a.ris").values()] == [
        "One", "Two",
    ]  # fmt: skip
    text = "TY  - JOUR\nTI  - One\nTY  - JOUR\nTI  - Two\n"
    assert len(load_content(tmp_path, text, "a.ris").references) == 2


@pytest.mark.parametrize("first", ["TY  -JOUR", "TY -JOUR", "TY- JOUR", "TY  - JOUR", "ty  -JOUR"])
def test_a_type_without_its_blank_is_one(tmp_path: Path, first: str) -> None:
    text = f"{first}\nTI  -One\nAU  -Doe, J.\nER  -\n"
    if first.islower():
        text = text.replace("TI", "ti").replace("AU", "au")
    loaded = load_content(tmp_path, text, "a.ris")
    (values,) = loaded.values()
    assert values["type"] == "article-journal"
    assert (values["title"], values["author"]) == ("One", (Name("Doe", "J."),))


def test_an_entry_that_a_brace_closes_too_early_keeps_its_fields(tmp_path: Path) -> None:
    text = (
        "@article{a,\n  author = {Doe, Jane},\n  title = {Title}},\n  year = 2020,\n"
        "  journal = {J. of K}\n}\n"
        '@article{b, author = {A, B}}, title={On {B}}, note="x"}\n'
        "@article{c, title={Whole}}\nand loose text\n"
    )
    loaded = load_content(tmp_path, text)
    a, b, c = loaded.values()
    assert (a["container-title"], a["issued"]) == ("J. of K", {"date-parts": [[2020]]})
    assert (b["title"], b["note"]) == ("On B", "x")
    assert set(c) == {"type", "citation-key", "title"}
    first, second = loaded.skipped
    assert "a brace in line 3 closes it" in first.reason
    assert second.line == 7
    assert not first.is_remark
    written, _ = export(exported(loaded), "bibtex")
    assert load_content(tmp_path, written).skipped == []
    assert load_content(tmp_path, written).values() == loaded.values()


@pytest.mark.parametrize(
    "entry",
    [
        # inside of a text
        "@article{a,\n abstract = {Some } text} and more},\n year = 2020,\n title={T}\n}\n",
        # behind the key
        "@article{a},\n title = {T},\n year = 2020,\n}\n",
        "@article{a, title = {T}},\n year = 2020},\n note={x}\n}\n",
    ],
)
def test_what_follows_a_brace_too_many_stays_in_its_entry(tmp_path: Path, entry: str) -> None:
    loaded = load_content(tmp_path, entry + "@book{b, title={B}}\n")
    first, second = loaded.values()
    assert (first["title"], first["issued"]) == ("T", {"date-parts": [[2020]]})
    assert second["title"] == "B"
    (named,) = loaded.skipped
    assert (named.line, named.is_remark) == (1, False)
    assert loaded.blocks == {}
    written, _ = export(exported(loaded), "bibtex")
    assert written.count("{") == written.count("}")
    again = load_content(tmp_path, written)
    assert (again.skipped, again.values()) == ([], loaded.values())


def test_a_missing_comma_is_a_remark(tmp_path: Path) -> None:
    loaded = load_content(tmp_path, "@misc{a, title = {T}\n year = 2020\n note={x}}\n")
    (values,) = loaded.values()
    assert (values["title"], values["note"]) == ("T", "x")
    (named,) = loaded.skipped
    assert named.is_remark
    assert "no comma after 'title'" in named.reason


def test_a_value_that_nothing_closes_damages_no_other_entry(tmp_path: Path) -> None:
    text = '@misc{a, title = {T,\n year = 2020\n}\n@misc{b, note = "x {y",\n title={U}\n}\n'
    loaded = load_content(tmp_path, text)
    written, _ = export(exported(loaded), "bibtex")
    assert "title = {T}" in written
    assert "note = {x y}" in written
    assert load_content(tmp_path, written).skipped == []


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ('"https://example.org/a%20b"', "{https://example.org/a%20b}"),
        ('"50 % of {all}"', "{50 % of {all}}"),
        ('jan # "~5%"', "jan # {~5%}"),
        ('"50\\% of all"', '"50\\% of all"'),
        ("{50 % of all}", "{50 % of all}"),
        ('"none"', '"none"'),
    ],
)
def test_a_percent_sign_between_quotation_marks_is_written_in_braces(
    tmp_path: Path, raw: str, written: str
) -> None:
    loaded = load_content(tmp_path, f"@misc{{a, title={{T}}, note = {raw}}}\n")
    out, _ = export(exported(loaded), "bibtex")
    assert f"note = {written}" in out
    [before], [after] = loaded.values(), load_content(tmp_path, out).values()
    assert before == after


def test_a_lone_brace_between_entries_is_no_text(tmp_path: Path) -> None:
    loaded = load_content(tmp_path, "@misc{a, title={T}}}\n\n}\n@misc{b, title={U}}\n")
    assert loaded.blocks == {}
    assert [one["title"] for one in loaded.values()] == ["T", "U"]


@pytest.mark.parametrize(
    "text",
    [
        "%0 Journal Article\n%A Doe, J.\n%T One\n\n%J J. of K\n%D 2020\n",
        "%0 Journal Article\n\n%A Doe, J.\n%T One\n%J J. of K\n%D 2020\n",
        "%0 Journal Article\n%J J. of K\n%D 2020\n\n%A Doe, J.\n%T One\n",
    ],
)
def test_an_empty_line_inside_a_refer_record_parts_nothing(tmp_path: Path, text: str) -> None:
    first, second = load_content(tmp_path, text + "\n%0 Book\n%T Two\n", "a.enw").values()
    assert (first["title"], first["container-title"]) == ("One", "J. of K")
    assert (first["author"], second["title"]) == ((Name("Doe", "J."),), "Two")


def test_refer_records_that_say_the_same_kind_of_thing_are_two(tmp_path: Path) -> None:
    text = (
        "%0 Journal Article\n%A Doe, J.\n%J J. of K\n%D 2020\n\n%A Roe, K.\n%J J. of L\n%D 2021\n"
    )
    assert len(load_content(tmp_path, text, "a.enw").references) == 2


def test_zotero_s_notes_and_files_go_with_their_item(tmp_path: Path) -> None:
    text = (
        '[{"key":"N","data":{"key":"N","itemType":"note","note":"<p>See</p>","parentItem":"B"}},'
        '{"key":"B","data":{"key":"B","itemType":"book","title":"T"}},'
        '{"key":"M","data":{"key":"M","itemType":"note","note":"alone"}}]'
    )
    loaded = load_content(tmp_path, text, "a.json")
    assert [(one["title"], one["note"]) for one in loaded.values()] == [("T", "See")]
    assert len(loaded.skipped) == 1


def test_a_comment_without_braces_is_loose_text_that_no_export_writes(tmp_path: Path) -> None:
    loaded = load_content(tmp_path, "@Comment Len Schubert\n\n@misc{a, title={T}}\n")
    (blocks,) = loaded.blocks.values()
    kept, named = without_damage(blocks)
    assert (kept.blocks, len(named)) == ((), 1)
