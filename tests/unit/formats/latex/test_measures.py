"""LaTeX that is more than text: branches, arguments, units, chemistry, journal macros, braces."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cases import each
from tests.unit.formats.files import export, exported, load_content

from bifolio.formats.latex.text import decode, encode
from bifolio.records.names import Name


@each(
    ("latex", "text"),
    [
        (r"Wi\ifmmode \acute{s}\else \'{s}\fi{}niewski", "Wiśniewski"),
        (r"Novotn\'y, Ji\ifmmode \check{r}\else \v{r}\fi{}\'i", "Novotný, Jiří"),
        (r"at $\ifmmode x\else y\fi$", "at x"),
        (r"\ifmmode only math\fi text", "text"),
        (r"A \ifmmode x\ifmmode y\else z\fi\else w\ifmmode a\else b\fi\fi{} c", "A wb c"),
        (r"\texorpdfstring{$\alpha$}{alpha}-rays", "α-rays"),
        (r"of \SIrange{1}{10}{\percent} and", "of 1–10 % and"),
        (r"\SI{10}{\kilo\metre\per\second}", "10 km/s"),
        (r"\qty{3}{\micro\meter} \num{1e3}", "3 µm 1 × 10<sup>3</sup>"),
        (r"\numrange{3}{5} \ang{30}", "3–5 30°"),
        (r"folds\footnote{a note} of", "folds of"),
        (r"folds\thanks{somebody}", "folds"),
        (r"\raisebox{-0.5ex}\textasciitilde10 cm", "~10 cm"),
        (r"\raisebox{-0.5ex}[0pt][0pt]{up}", "up"),
        (r"\scalebox{0.8}{small} \makebox[2em]{box}", "small box"),
        (r"\ce{H2O} and \ce{SO4^2-}", "H<sub>2</sub>O and SO<sub>4</sub><sup>2-</sup>"),
        (r"\ce{^{13}C} \ce{A -> B}", "<sup>13</sup>C A → B"),
        (r"\chem{CO_2} \isotope[12]{C}", "CO<sub>2</sub> <sup>12</sup>C"),
        (r"\unknown[option]{text} \qtyproduct{1 x 2}{\m}", "text 1 × 2 m"),
        (r"$\sqrt[3]{x}$ $\sqrt{y}$", "<sup>3</sup>√(x) √(y)"),
        (r"\iffalse a\else b\fi{} \iftrue c\else d\fi", "b c"),
        (r"{\cal C} $\mathfrak{g}$ $\mathscr{L}$ $\mathfrak{C}$", "C 𝔤 ℒ ℭ"),
        ("\\char'176 \\char\"7E \\char126", "~ ~ ~"),
        (r"Gel\cprime fand, Jurki\polhk{e}wicz \ddag \flqq a\frqq", "Gelʹfand, Jurkięwicz ‡«a»"),
    ],
)
def test_latex_with_arguments_prints_what_tex_prints(latex: str, text: str) -> None:
    assert decode(latex) == text


def test_branches_in_names_are_read_before_names_are_parted(tmp_path: Path) -> None:
    text = (
        r"@article{a, title={T}, author={Wi\ifmmode \acute{s}\else \'{s}\fi{}niewski, Rafa\l{} and "
        r"Mei\ss{}ner, Anna}}"
    )
    assert load_content(tmp_path, text).values()[0]["author"] == (
        Name("Wiśniewski", "Rafał"), Name("Meißner", "Anna"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "journal"),
    [
        (r"{\apj}", "The Astrophysical Journal"),
        (r"{\mnras}", "Monthly Notices of the Royal Astronomical Society"),
        (r"{{\aap}}", "Astronomy & Astrophysics"),
        (r"{\aap Letters}", "Astronomy & Astrophysics Letters"),
        (r"{\apj, Suppl.}", "The Astrophysical Journal, Suppl."),
        (r'"\prd{}"', "Physical Review D"),
        (r"{\ownmacro}", r"\ownmacro"),
        (r"{Astron. J.}", "Astron. J."),
    ],
)
def test_a_journal_s_macro_is_its_name_or_stays(tmp_path: Path, written: str, journal: str) -> None:
    loaded = load_content(tmp_path, f"@article{{a, title={{T}}, journal={written}}}")
    assert loaded.values()[0]["container-title"] == journal
    assert f"journal = {written}" in export(exported(loaded), "bibtex")[0]
    other = export(exported(loaded, with_source=False), "bibtex")[0]
    assert load_content(tmp_path, other).values() == loaded.values()


@each("text", ["a {x", "x} b", "} {", "{a}{", "a { b { c }", "{x}"])
def test_braces_balance_as_bibtex_counts_them(text: str) -> None:
    written = encode(text)
    depths = [0]
    for one in written:
        depths.append(depths[-1] + (one == "{") - (one == "}"))
    assert min(depths) == depths[-1] == 0
    assert decode(written) == text


@pytest.mark.parametrize(
    ("name", "record", "page"),
    [
        ("a.bib", "@article{{a, title={{T}}, pages={{{}}}}}", "A1-1--A1-9"),
        ("a.ris", "TY  - JOUR\nTI  - T\nSP  - A1-1\nEP  - A1-9\nER  - \n", ""),
        ("a.enw", "%0 Journal Article\n%T T\n%P {}\n", "A1-1--A1-9"),
    ],
)
def test_a_range_of_pages_with_hyphens_has_a_dash(
    tmp_path: Path, name: str, record: str, page: str
) -> None:
    loaded = load_content(tmp_path, record.format(page) if page else record, name)
    assert loaded.values()[0]["page"] == "A1-1–A1-9"
    for format, other in (("bibtex", "b.bib"), ("ris", "b.ris"), ("enw", "b.enw")):
        text, _ = export(exported(loaded, with_source=False), format)
        assert load_content(tmp_path, text, other).values()[0]["page"] == "A1-1–A1-9"


@pytest.mark.parametrize(
    "doi",
    [
        r"10.1002/(SICI)1097\textless1::AID\textgreater3.0.CO;2-2",
        r"10.1002/(SICI)1097\textless{}1::AID\textgreater{}3.0.CO;2-2",
        r"10.1002/(SICI)1097$<$1::AID$>$3.0.CO;2-2",
        r"10.1002/(SICI)1097&lt;1::AID&gt;3.0.CO;2-2",
    ],
)
def test_a_doi_s_angle_brackets_are_characters(tmp_path: Path, doi: str) -> None:
    loaded = load_content(tmp_path, f"@article{{a, title={{T}}, doi={{{doi}}}}}")
    assert loaded.values()[0]["DOI"] == "10.1002/(SICI)1097<1::AID>3.0.CO;2-2"
