"""One record of a file holds no more than a library can take, and the others are imported.

Each file has a good record before the large one and another behind it. What is measured is the
memory that Python's objects take at most while the file is read.
"""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.formats.files import load_content

from bifolio import limits
from bifolio.records.reference import ImportedReference

MANY = 25_000
LONGEST = limits.IMPORT_RECORD_CHARACTERS_MAX


def ris(body: str) -> str:
    return (
        f"TY  - JOUR\nTI  - Good\nER  - \n\nTY  - JOUR\nTI  - Big\n{body}\nER  - \n\n"
        "TY  - JOUR\nTI  - Good too\nER  - \n"
    )


def bib(body: str) -> str:
    return (
        "@article{a,\n title={Good}\n}\n@article{b,\n title={Big},\n"
        f"{body}\n}}\n@article{{c,\n title={{Good too}}\n}}\n"
    )


def enw(body: str) -> str:
    return f"%0 Book\n%T Good\n\n%0 Book\n%T Big\n{body}\n\n%0 Book\n%T Good too\n"


def nbib(body: str) -> str:
    return f"PMID- 1\nTI  - Good\n\nPMID- 2\nTI  - Big\n{body}\n\nPMID- 3\nTI  - Good too\n"


def xml(body: str) -> str:
    def record(number: int, title: str, more: str = "") -> str:
        return (
            f"<record><rec-number>{number}</rec-number><ref-type name='Book'>6</ref-type>"
            f"<titles><title>{title}</title></titles>{more}</record>\n"
        )

    records = record(1, "Good") + record(2, "Big", body) + record(3, "Good too")
    return f"<xml><records>\n{records}</records></xml>"


def csl(body: str) -> str:
    return (
        '[{"id":"a","type":"book","title":"Good"},\n{"id":"b","type":"book","title":"Big",'
        f'{body}}},\n{{"id":"c","type":"book","title":"Good too"}}]'
    )


TOO_MANY: dict[str, tuple[str, Callable[[], str]]] = {
    "RIS lines": ("a.ris", lambda: ris("KW  - k\n" * MANY)),
    "RIS authors": ("a.ris", lambda: ris("".join(f"AU  - D{n}, J\n" for n in range(MANY)))),
    "RIS keywords": ("a.ris", lambda: ris("KW  - " + "".join(f"k{n};" for n in range(MANY)))),
    "BibTeX fields": ("a.bib", lambda: bib("".join(f"a{n}={{x}},\n" for n in range(MANY)))),
    "BibTeX one field": ("a.bib", lambda: bib("a={x},\n" * MANY)),
    "BibTeX authors": ("a.bib", lambda: bib(f"author={{{'D, J and ' * MANY}E}}")),
    "BibTeX braced authors": ("a.bib", lambda: bib(f"author={{{'{D} and ' * MANY}E}}")),
    "BibTeX keywords": (
        "a.bib",
        lambda: bib("keywords={" + "".join(f"k{n}," for n in range(MANY)) + "}"),
    ),
    "enw lines": ("a.enw", lambda: enw("%K k\n" * MANY)),
    "enw authors": ("a.enw", lambda: enw("%A Doe, J\n" * MANY)),
    "nbib lines": ("a.nbib", lambda: nbib("MH  - k\n" * MANY)),
    "nbib authors": ("a.nbib", lambda: nbib("FAU - Doe, J\n" * MANY)),
    "XML keywords": (
        "a.xml",
        lambda: xml(f"<keywords>{'<keyword>k</keyword>' * MANY}</keywords>"),
    ),
    "XML styles": (
        "a.xml",
        lambda: xml("<abstract>" + "<style face='b'>k</style>" * 10 * MANY + "</abstract>"),
    ),
    "XML empty": ("a.xml", lambda: xml("<a/>" * 10 * MANY)),
    "XML attributes": (
        "a.xml",
        lambda: xml("<a " + " ".join(f"b{n}='x'" for n in range(900_000)) + "/>"),
    ),
    "CSL names": (
        "a.json",
        lambda: csl('"author":[' + '{"family":"D"},' * MANY + "{}]"),
    ),
    "CSL variables": ("a.json", lambda: csl(",".join(f'"f{n}":1' for n in range(MANY)))),
    "CSL lists": ("a.json", lambda: csl('"custom":[' + "[]," * 10 * MANY + "[]]")),
    "CSL dates": ("a.json", lambda: csl('"issued":{"date-parts":[' + "[1]," * 10 * MANY + "[1]]}")),
}


#: Each takes half a second or more, and the first two ten; of each format there are others.
_SLOW = (
    "CSL lists",
    "CSL dates",
    "CSL names",
    "BibTeX one field",
    "BibTeX authors",
    "BibTeX braced authors",
    "XML keywords",
    "XML attributes",
    "RIS authors",
    "enw authors",
    "nbib authors",
)


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=pytest.mark.heavy) if case in _SLOW else case for case in TOO_MANY],
)
def test_a_record_of_too_many_values_is_skipped_by_name_and_the_others_are_imported(
    case: str, tmp_path: Path
) -> None:
    name, make = TOO_MANY[case]
    content = make()
    tracemalloc.start()
    try:
        loaded = load_content(tmp_path, content, name)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [one.values["title"] for one in loaded.references] == ["Good", "Good too"]
    (skipped,) = loaded.skipped
    assert "more than" in skipped.reason
    assert skipped.line > 1
    assert peak < 6 * len(content) + 60_000_000


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.ris", lambda: ris("AB  - " + "x" * LONGEST)),
        pytest.param(
            "b.ris", lambda: ris("AB  - x\n" + "some words\n" * 1_100_000), marks=pytest.mark.heavy
        ),
        pytest.param(
            "c.ris", lambda: ris("AB  - x\n" + "a\n" * 1_100_000), marks=pytest.mark.heavy
        ),
        ("a.bib", lambda: bib("abstract={" + "x" * LONGEST + "}")),
        ("a.enw", lambda: enw("%X " + "x" * LONGEST)),
        ("a.nbib", lambda: nbib("AB  - " + "x" * LONGEST)),
        ("a.json", lambda: csl('"abstract":"' + "x" * LONGEST + '"')),
        pytest.param(
            "b.json",
            lambda: csl('"abstract":"' + "x" * 3 * LONGEST + '"'),
            marks=pytest.mark.heavy,
        ),
        (
            "a.xml",
            lambda: xml("<abstract>" + "x" * 3 * LONGEST + "</abstract>"),
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_record_of_too_much_text_is_skipped_by_name_and_the_others_are_imported(
    name: str, make: Callable[[], str], tmp_path: Path
) -> None:
    loaded = load_content(tmp_path, make(), name)
    assert [one.values["title"] for one in loaded.references] == ["Good", "Good too"]
    (skipped,) = loaded.skipped
    assert "more than 11,534,336 characters" in skipped.reason


@pytest.mark.parametrize("depth", [65, 1_000, 100_000])
def test_json_that_is_nested_too_deeply_is_skipped_alone(depth: int, tmp_path: Path) -> None:
    loaded = load_content(tmp_path, csl('"custom":' + "[" * depth + "]" * depth), "a.json")
    assert [one.values["title"] for one in loaded.references] == ["Good", "Good too"]
    assert [one.reason for one in loaded.skipped] == ["the record is nested too deeply"]


@pytest.mark.heavy
def test_a_large_object_of_items_is_read_member_by_member(tmp_path: Path) -> None:
    items = {
        f"k{n}": {"type": "book", "title": f"T{n}", "abstract": "x" * 80_000} for n in range(300)
    }
    loaded = load_content(tmp_path, json.dumps(items), "a.json")
    assert [one.source.id for one in loaded.references] == [f"k{n}" for n in range(300)]
    whole = {"items": [{"id": name, **item} for name, item in items.items()]}
    again = load_content(tmp_path, json.dumps(whole, indent=1), "a.json")
    assert [one.source.id for one in again.references] == [f"k{n}" for n in range(300)]
    assert again.references[1].line > again.references[0].line > 1


@pytest.mark.parametrize("authors", [5_154, pytest.param(19_000, marks=pytest.mark.heavy)])
def test_the_longest_lists_of_authors_are_imported(authors: int, tmp_path: Path) -> None:
    names = [f"Family{n}, Given" for n in range(authors)]
    for name, content in (
        ("a.ris", ris("".join(f"AU  - {one}\n" for one in names))),
        ("a.bib", bib(f"author={{{' and '.join(names)}}}")),
    ):
        loaded = load_content(tmp_path, content, name)
        assert not loaded.skipped
        assert len(loaded.references[1].values["author"]) == authors


@pytest.mark.parametrize("depth", [10, 1_000, 100_000])
@pytest.mark.parametrize("field", ["title", "author", "note", "keywords", "url", "date", "x"])
def test_braces_inside_each_other_are_read_whatever_their_depth(
    depth: int, field: str, tmp_path: Path
) -> None:
    body = f"{field}={{{'{' * depth}x{'}' * depth}}}"
    loaded = load_content(tmp_path, f"@book{{a,\n {body}\n}}\n@book{{b,\n title={{B}}\n}}\n")
    assert len(loaded.references) == 2


@pytest.mark.parametrize(
    "text", ["\\emph{", "$", "\\'{", "{\\bf ", "\\begin{x}", "\\frac{", '"{', "\\url{", "\\["]
)
def test_commands_inside_each_other_are_read_whatever_their_depth(
    text: str, tmp_path: Path
) -> None:
    for closing in ("}", ""):
        value = text * 20_000 + "x" + closing * 20_000
        loaded = load_content(
            tmp_path, f"@book{{a,\n title={{{value}}}\n}}\n\n@book{{b,\n title={{B}}\n}}\n"
        )
        assert loaded.references[-1].values["title"] == "B"


def test_texts_outside_of_records_are_kept_up_to_a_bound_and_the_rest_is_named(
    tmp_path: Path,
) -> None:
    for name, content in (
        ("a.bib", "@comment{x}\n" * (limits.IMPORT_BLOCKS_MAX + 5) + "@book{a,\n title={A}\n}\n"),
        ("a.ris", "x\nER  - \n" * (limits.IMPORT_BLOCKS_MAX + 5) + ris("")),
    ):
        loaded = load_content(tmp_path, content, name)
        assert isinstance(loaded.references[-1], ImportedReference)
        assert [one.reason for one in loaded.skipped if "outside" in one.reason]
