"""People in RIS, ``enw`` and BibTeX by one rule, however a line holds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.formats.files import load_content

from bifolio.records.names import Name

OTHERS = Name(literal="others")
DOE, ROE = Name("Doe", "J."), Name("Roe", "K.")


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("Doe, J.; Roe, K.; ", (DOE, ROE)),
        ("Doe, J.;", (DOE,)),
        ("Doe J.; Roe K.", (DOE, ROE)),
        ("Doe, J. and Roe, K.", (DOE, ROE)),
        ("Doe, J. & Roe, K.", (DOE, ROE)),
        ("Jane Doe; John Roe", (Name("Doe", "Jane"), Name("Roe", "John"))),
        ("Doe J.A.", (Name("Doe", "J.A."),)),
        ("Smith JA", (Name("Smith", "JA"),)),
        ("Roe R.", (Name("Roe", "R."),)),
        ("de Vries H.", (Name("Vries", "H.", non_dropping_particle="de"),)),
        ("Garcia Lopez J.A.", (Name("Garcia Lopez", "J.A."),)),
        ("Müller-Lüdenscheidt K.-H.", (Name("Müller-Lüdenscheidt", "K.-H."),)),
        ("Smith JA Jr", (Name("Smith", "JA", suffix="Jr"),)),
        ("DOE, JANE", (Name("DOE", "JANE"),)),
        ("De Vries H", (Name("De Vries", "H"),)),
        ("Van Dyke MC", (Name("Van Dyke", "MC"),)),
        ("J.A. Smith", (Name("Smith", "J.A."),)),
        ("Jane A. Doe", (Name("Doe", "Jane A."),)),
        ("Smith JA 3rd", (Name("Smith", "JA", suffix="3rd"),)),
        ("Doe J, Roe K", (Name("Doe", "J"), Name("Roe", "K"))),
        ("Doe, J., Roe, K.", (DOE, ROE)),
        ("Doe, J., and Roe, K.", (DOE, ROE)),
        ("J. Doe, K. Roe", (DOE, ROE)),
        ("Doe, J.,", (DOE,)),
        ("World Bank,", (Name(literal="World Bank"),)),
        ("Doe; Roe", (Name("Doe"), Name("Roe"))),
        ("Doe, J.; Roe, K.; et al.", (DOE, ROE, OTHERS)),
        ("Doe, J. et al.", (DOE, OTHERS)),
        ("and Doe, J.", (DOE,)),
        ("Jane Doe and Karl Roe", (Name("Doe", "Jane"), Name("Roe", "Karl"))),
        (
            "Jane Doe, Karl Roe, and A. Poe",
            (Name("Doe", "Jane"), Name("Roe", "Karl"), Name("Poe", "A.")),
        ),
        ("Garcia Lopez, Ana Maria", (Name("Garcia Lopez", "Ana Maria"),)),
        ("US EPA", (Name(literal="US EPA"),)),
        ("Research Center, Inc.", (Name(literal="Research Center, Inc."),)),
        ("Simon and Schuster", (Name(literal="Simon and Schuster"),)),
        ("University of Oslo; Department A", (Name(literal="University of Oslo; Department A"),)),
        ("World Bank US", (Name(literal="World Bank US"),)),
        ("Research Group A", (Name(literal="Research Group A"),)),
    ],
)
@pytest.mark.parametrize(
    ("name", "record"),
    [("a.ris", "TY  - JOUR\nTI  - T\nAU  - {}\nER  - \n"), ("a.enw", "%0 Book\n%T T\n%A {}\n")],
)
def test_people_are_read_by_one_rule(
    tmp_path: Path, name: str, record: str, written: str, names: tuple[Name, ...]
) -> None:
    assert load_content(tmp_path, record.format(written), name).values()[0]["author"] == names


@pytest.mark.parametrize("written", [", ", ";", "; ;", "-", ""])
def test_an_empty_name_is_none(tmp_path: Path, written: str) -> None:
    ris = f"TY  - JOUR\nTI  - T\nAU  - {written}\nAU  - Doe, J.\nER  - \n"
    assert load_content(tmp_path, ris, "a.ris").values()[0]["author"] == (DOE,)
    bib = f"@misc{{a, title={{T}}, author={{{written} and Doe, J. and and {written}}}}}"
    assert load_content(tmp_path, bib).values()[0]["author"] == (DOE,)


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("Doe, J.; Roe, K.", (DOE, ROE)),
        ("Doe, J., Roe, K.", (DOE, ROE)),
        ("Doe J, Roe K", (Name("Doe", "J"), Name("Roe", "K"))),
        ("Doe J.A. and de Vries H.", (
            Name("Doe", "J.A."), Name("Vries", "H.", non_dropping_particle="de"),
        )),
        ("Doe, J. and et al.", (DOE, OTHERS)),
        ("Doe, J. et al.", (DOE, OTHERS)),
        ("Doe, Jr., J.", (Name("Doe", "J.", suffix="Jr."),)),
        ("Doe, Jr.,", (Name("Doe", suffix="Jr."),)),
        ("Doe, J., and Roe, K.", (DOE, ROE)),
        ("{Doe, J.; Roe, K.}", (Name(literal="Doe, J.; Roe, K."),)),
    ],
)  # fmt: skip
def test_lists_that_are_none_of_bibtex_s_are_people(
    tmp_path: Path, written: str, names: tuple[Name, ...]
) -> None:
    bib = f"@misc{{a, title={{T}}, author={{{written}}}}}"
    assert load_content(tmp_path, bib).values()[0]["author"] == names


@pytest.mark.parametrize("written", ["and", "~", "{}", " and ", "and and"])
def test_a_list_of_no_name_ends_no_import(tmp_path: Path, written: str) -> None:
    bib = f"@misc{{a, title={{T}}, author={{{written}}}}}"
    assert "author" not in load_content(tmp_path, bib).values()[0]
