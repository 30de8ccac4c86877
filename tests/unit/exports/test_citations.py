"""Formatted citations: what a style makes of items, and what becomes of what it cannot format."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.cases import each

from bifolio.errors import InvalidValueError, StyleError, StyleNotFoundError
from bifolio.exports.citations import Form, cite, styles

BOOK: dict[str, Any] = {
    "id": "book",
    "type": "book",
    "title": "On <i>Homo</i> & Ink: a < b",
    "author": [{"family": "Doe", "given": "Jane"}],
    "issued": {"date-parts": [[2020]]},
    "publisher": "R & D <script>",
    "custom": {"x.shelf": ["B12"]},
}
ARTICLE: dict[str, Any] = {
    "id": "article",
    "type": "article-journal",
    "title": "Folding",
    "author": [{"family": "Berg", "given": "A. M.", "non-dropping-particle": "van den"}],
    "container-title": "Paper",
    "volume": "3",
    "page": "1-10",
    "issued": {"date-parts": [[2019]]},
}


def test_text_has_no_markup_and_every_character_as_it_is() -> None:
    cited = cite([BOOK], style="apa", form=Form.TEXT)
    assert cited.citation == "(Doe, 2020)"
    assert cited.bibliography == ("Doe, J. (2020). On Homo & Ink: a < b. R & D <script>.",)


def test_html_has_the_markup_and_nothing_else_of_a_value() -> None:
    (entry,) = cite([BOOK], style="apa", form=Form.HTML).bibliography
    assert "<i>Homo</i> &amp; Ink: a &lt; b" in entry
    assert "R &amp; D &lt;script&gt;" in entry


def test_a_field_that_citeproc_does_not_know_is_left_out_without_a_word(
    recwarn: pytest.WarningsRecorder,
) -> None:
    known = cite([BOOK], style="apa", form=Form.TEXT)
    assert cite([BOOK | {"read-status": "read"}], style="apa", form=Form.TEXT) == known
    assert not recwarn.list


def test_a_style_sorts_and_numbers_its_entries() -> None:
    by_name = cite([BOOK, ARTICLE], style="apa", form=Form.TEXT)
    assert by_name.citation == "(Doe, 2020; van den Berg, 2019)"
    assert [entry[:3] for entry in by_name.bibliography] == ["Doe", "van"]
    numbered = cite([ARTICLE, BOOK], style="ieee", form=Form.TEXT)
    assert numbered.citation == "[1], [2]"
    assert numbered.bibliography[0].startswith("[1] A. M. van den Berg, “Folding”, Paper, vol. 3")


@pytest.mark.parametrize(("locale", "near"), [("xx", "such as"), ("de_DE", "de-DE")])
def test_a_locale_that_nobody_knows_is_refused(locale: str, near: str) -> None:
    with pytest.raises(InvalidValueError, match=near):
        cite([ARTICLE], style="apa", form=Form.TEXT, locale=locale)


def test_a_locale_speaks_its_language() -> None:
    (entry,) = cite([ARTICLE], style="ieee", form=Form.TEXT, locale="de-DE").bibliography
    assert "„Folding“, Paper, Bd. 3, S. 1–10" in entry


def test_what_a_style_cannot_format_is_named_and_the_others_are_written() -> None:
    odd = ARTICLE | {"id": "odd", "issued": {"date-parts": [["soon"]]}}
    cited = cite([BOOK, odd], style="apa", form=Form.TEXT)
    assert cited.failed == ("odd",)
    assert len(cited.bibliography) == 1
    assert cite([odd], style="apa", form=Form.TEXT).bibliography == ()


def test_an_unknown_style_suggests_others() -> None:
    with pytest.raises(StyleNotFoundError, match="apax") as caught:
        cite([BOOK], style="apax", form=Form.TEXT)
    assert "apa" in caught.value.near
    with pytest.raises(StyleNotFoundError):
        cite([BOOK], style="/nowhere/own.csl", form=Form.TEXT)


def test_a_style_may_be_a_file(tmp_path: Path) -> None:
    own = tmp_path / "own.csl"
    own.write_text(
        '<style xmlns="http://purl.org/net/xbiblio/csl" class="in-text" version="1.0">'
        "<info><title>Own</title><id>own</id><updated>2020-01-01T00:00:00+00:00</updated></info>"
        '<citation><layout><text variable="title"/></layout></citation>'
        '<bibliography><layout><text variable="title"/></layout></bibliography></style>',
        "utf-8",
    )
    assert cite([ARTICLE], style=str(own), form=Form.TEXT).bibliography == ("Folding",)
    own.write_text("no style", "utf-8")
    with pytest.raises(StyleError, match="cannot be read"):
        cite([ARTICLE], style=str(own), form=Form.TEXT)


def test_styles_are_found_by_a_word() -> None:
    assert "apa" in styles("apa")
    assert all("vancouver" in name for name in styles("Vancouver"))
    assert len(styles()) > 1000


def test_without_the_extra_it_is_said_how_to_install_it() -> None:
    statement = (
        "import sys; sys.modules['citeproc'] = None\n"
        "from bifolio.exports.citations import Form, cite\n"
        "try:\n    cite([], style='apa', form=Form.TEXT)\n"
        "except Exception as error: print(type(error).__name__, error.next_step)"
    )
    done = subprocess.run(
        [sys.executable, "-c", statement], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("CitationsMissingError")
    assert "install-citations" in done.stdout


def article(**members: object) -> dict[str, Any]:
    return {
        "id": "a",
        "type": "article-journal",
        "title": "T",
        "author": [{"family": "Doe", "given": "J."}],
        **members,
    }


def text_of(item: dict[str, Any], style: str = "apa") -> str:
    cited = cite([item], style=style, form=Form.TEXT)
    assert cited.failed == ()
    return " ".join([cited.citation, *cited.bibliography])


@each("style", ["apa", "ieee", "chicago-author-date"])
@each(
    "parts", [[[2019, 3], [2019, 5]], [[2019, 3, 1], [2019, 3, 4]], [[2019], [2020]], [[2019], [0]]]
)
def test_a_range_of_dates_shows_its_year(parts: list[list[int]], style: str) -> None:
    assert "2019" in text_of(article(issued={"date-parts": parts}), style)


@pytest.mark.parametrize("style", ["apa", "ieee", "chicago-author-date"])
def test_and_others_is_et_al(style: str) -> None:
    people = [{"family": "Doe", "given": "J."}, {"literal": "others"}]
    text = text_of(article(author=people, issued={"date-parts": [[2019]]}), style)
    assert "others" not in text
    assert "et al." in text
    assert "and et al" not in text
    assert "& et al" not in text
    more = [
        {"family": "Doe", "given": "J."},
        {"family": "Roe", "given": "K."},
        {"literal": "others"},
    ]
    assert "others" not in text_of(article(author=more), style)
    assert "others" not in text_of(article(author=[{"literal": "others"}]), style)


@pytest.mark.parametrize("style", ["apa", "ieee", "chicago-author-date"])
@pytest.mark.parametrize("kind", ["document", "article-journal", "paper-conference"])
def test_a_season_costs_no_reference_its_citation(style: str, kind: str) -> None:
    issued = {"date-parts": [[2001]], "season": 1}
    assert "2001" in text_of(article(type=kind, issued=issued), style)


@pytest.mark.parametrize("style", ["apa", "ieee"])
def test_a_date_in_words_is_written_once(style: str) -> None:
    given = article(type="paper-conference", issued={"literal": "in press"})
    (entry,) = cite([given], style=style, form=Form.TEXT).bibliography
    assert entry.count("in press") == 1


def test_plain_text_has_no_markup_and_no_entity() -> None:
    title = '<span style="font-variant:small-caps;">A</span> &amp; <u>b</u> '
    title += "<jats:italic>c</jats:italic> <em>d</em> 1 &lt; 2"
    assert "A & b c d 1 < 2" in text_of(article(title=title))
    shown = cite([article(title=title)], style="apa", form=Form.HTML).bibliography[0]
    assert "A</span> &amp; <u>b</u> c d 1 &lt; 2" in shown
