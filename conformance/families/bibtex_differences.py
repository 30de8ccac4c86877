"""Where other readers of BibTeX and BibLaTeX mean something else than we do, and why.

Each project's conventions, as data: a name, the reason, and the rule by which it is known.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from typing import Final

from bifolio.formats.bibtex.strings import LANGUAGE_CODES
from bifolio.records.names import Name
from conformance.agreement import plain, plain_texts
from conformance.family import Difference, Disagreement

_Rule = Callable[[Disagreement], bool]

_QUOTES: Final = str.maketrans(
    dict.fromkeys("“”„‟‘’‚‛«»´`", "'") | {"∼": "~", "〈": "⟨", "〉": "⟩"}
)
_TAG: Final = re.compile(r"</?(?:i|b|u|sub|sup|span|p|br|em|strong|pre|a|div)\b[^<>]*>")
_SPAN: Final = re.compile(r"</?span\b[^<>]*>")
_DASHES: Final = re.compile(r"\s*[-‐‑‒–—―−]+\s*")

_Change = Callable[[str], str]


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(one for one in decomposed if not unicodedata.combining(one)).replace("ı", "i")


#: What may be changed in both texts before they are compared, in this order.
_TEXTS: Final[dict[str, _Change]] = {
    "entities": html.unescape,
    "spans": lambda text: _SPAN.sub("", text),
    "tags": lambda text: _TAG.sub("", text),
    "scripts": lambda text: unicodedata.normalize("NFKC", text).replace("∘", "°"),
    "dashes": lambda text: _DASHES.sub("-", text),
    "quotes": lambda text: text.replace('"', "'").translate(_QUOTES).replace("''", "'"),
    "case": str.casefold,
    "points": lambda text: re.sub(r"[.:,;?!]+(?=\s|$)|[\[\]{}]", "", text),
    "blanks": lambda text: re.sub(r"[\s\u00ad\u200b]+", "", text),
}


def loose(text: str) -> str:
    """The text without case, marks, kinds of dashes and quotes, and blanks."""
    for change in _TEXTS.values():
        text = change(text)
    return text


def _alike(*names: str) -> _Rule:
    """A rule: the two are the same after these changes alone."""
    changes = [change for name, change in _TEXTS.items() if name in names]

    def applies(found: Disagreement) -> bool:
        def changed(text: str) -> str:
            for change in changes:
                text = change(text)
            return plain(text)

        return [changed(one) for one in plain_texts(found.expected)] == [
            changed(one) for one in plain_texts(found.ours)
        ]

    return applies


def _is_loosely_equal(found: Disagreement) -> bool:
    return [loose(one) for one in plain_texts(found.expected)] == [
        loose(one) for one in plain_texts(found.ours)
    ]


def _has_the_same_letters(found: Disagreement) -> bool:
    """Names whose parts are cut in other places or come in another order."""
    if not isinstance(found.ours, tuple) or not isinstance(found.expected, tuple):
        return False
    if not all(isinstance(one, Name) for one in (*found.ours, *found.expected)):
        return False

    def letters(value: tuple[Name, ...] | tuple[str, ...]) -> list[list[str]]:
        return [sorted(re.findall(r"\w", loose(text))) for text in plain_texts(value)]

    return letters(found.expected) == letters(found.ours)


def _all_of_ours(found: Disagreement) -> str:
    """Every text that we have of the entry, loosely, as one."""
    return "\n".join(
        loose(f"{name} {text}") for name, value in found.values.items()
        for text in plain_texts(value)
    )  # fmt: skip


def _raw(found: Disagreement) -> str:
    return "\n".join(loose(raw.replace("{", "").replace("}", "")) for _, raw in found.tags)


def _stands_elsewhere(found: Disagreement) -> bool:
    """Every piece of what is expected is in some field of ours."""
    ours = _all_of_ours(found)
    pieces = [
        piece for text in plain_texts(found.expected)
        for piece in re.split(r"\n|; | / |: |\. |, ?", text)
    ]  # fmt: skip
    ours = _without_marks(ours)
    return bool(pieces) and all(_without_marks(loose(piece)) in ours for piece in pieces)


def _has_other_accents(found: Disagreement) -> bool:
    """The same letters with their accents elsewhere."""
    expected, ours = plain_texts(found.expected), plain_texts(found.ours)
    return [loose(_without_marks(one)) for one in expected] == [
        loose(_without_marks(one)) for one in ours
    ]


def _given(found: Disagreement, *names: str) -> list[str]:
    return [raw.strip('{}" ') for tag, raw in found.tags if tag.removeprefix("^").lower() in names]


def _is_joined(found: Disagreement) -> bool:
    """A longer text that begins or ends with ours, the rest in a tag of the entry."""
    if found.ours is None or len(plain_texts(found.ours)) != 1:
        return False
    (ours,), expected = plain_texts(found.ours), plain_texts(found.expected)
    wanted, mine = loose("".join(expected)), loose(ours)
    if not mine or mine == wanted or mine not in wanted:
        return False
    rest = wanted.replace(mine, "", 1)
    return rest in _raw(found) or _stands_elsewhere(found)


def _is_shorter(found: Disagreement) -> bool:
    """Ours has more of the entry's own text."""
    if not isinstance(found.ours, str) or not isinstance(found.expected, str):
        return False
    wanted, mine = loose(found.expected), loose(found.ours)
    return bool(wanted) and wanted != mine and wanted in mine


def _is_abbreviation(found: Disagreement) -> bool:
    if found.field not in ("container-title", "container-title-short"):
        return False
    if not isinstance(found.expected, str):
        return False
    written = {
        loose(raw) for raw in _given(found, "journal", "journaltitle", "fjournal", "booktitle")
    }
    return found.project == "bbt" and (loose(found.expected) not in written or found.ours is None)


def _is_number_of_identifier(found: Disagreement) -> bool:
    def digits(value: object) -> list[str]:
        return sorted(
            re.sub(r"[^0-9Xx]", "", text) for one in plain_texts(value)  # type: ignore[arg-type]
            for text in re.split(r"[,;]\s*|\s+(?=97[89]|\d{4}-)", one)
        )  # fmt: skip

    return found.field in ("ISBN", "ISSN") and digits(found.expected) == digits(found.ours)


def _is_ordinal(found: Disagreement) -> bool:
    return found.field in ("edition", "collection-title") and isinstance(found.expected, str)


def _field_of(project: str, *fields: str) -> _Rule:
    return lambda found: found.project == project and found.field in fields


def _kinds(project: str, pairs: str) -> _Rule:
    """A rule for types: pairs of (theirs, ours)."""
    known = {tuple(pair.split(">")) for pair in pairs.split()}
    return lambda found: (
        found.field == "type"
        and found.project == project
        and (str(found.expected), str(found.ours)) in known
    )


def _is_date_detail(found: Disagreement) -> bool:
    """Dates of the same year of which one side says less or marks it as uncertain."""
    if not isinstance(found.expected, dict) or not isinstance(found.ours, dict):
        return False
    years = re.findall(r"\d{4}", "".join(plain_texts(found.expected)))
    ours = "".join(plain_texts(found.ours))
    return bool(years) and all(year in ours for year in years)


#: Beginnings of the names of cases, and fields.
_FAULTS: Final = (
    ("Maintain_the_JabRef_group", "abstract author note"),
    ("Problem_when_importing_BibTeX_entries_with_percent_sign", "abstract"),
    ("Some_bibtex_entries_quietly_discarded", "x.bibtex.acontentnote"),
    ("Math_parts_in_title", "title title-short"),
    ("LaTeX_commands_in_Zotero", "title translator"),
    ("importing_a_title-cased_bib", "title container-title author"),
    ("bibtex.json#11", "author publisher"),
    ("biblatex-cotton", "annotation"),
    ("biblatex-murray", "annotation"),
)

DIFFERENCES: Final = (
    Difference(
        "dashes",
        "Zotero and pandoc make a dash of the hyphen of a range; ours is one hyphen, and -- in "
        "BibTeX; a dash where a page number has a hyphen of its own.",
        _alike("dashes"),
    ),
    Difference(
        "letter-case",
        "Better BibTeX and pandoc turn English titles into sentence case; a title is kept as it "
        "is written.",
        _alike("case"),
    ),
    Difference(
        "case-protection",
        "The converter marks words in braces with <span class=nocase>; the braces stay in the "
        "source alone.",
        _alike("spans", "case"),
    ),
    Difference("quotes", "Straight quotation marks stay straight.", _alike("quotes")),
    Difference(
        "scripts",
        "Zotero has characters of their own for sub- and superscripts where ours has <sub>, <sup>.",
        _alike("scripts", "tags"),
    ),
    Difference(
        "spelling",
        "Case, dashes, quotes, marks, points and blanks together: the same words.",
        _is_loosely_equal,
    ),
    Difference(
        "name-parts",
        "Zotero's names have no suffix and no particle, and the converter guesses particles.",
        _has_the_same_letters,
    ),
    Difference(
        "identifier-hyphens",
        "Better BibTeX sets hyphens into ISBNs; ours are as written, each an element of its own.",
        _is_number_of_identifier,
    ),
    Difference(
        "article-types",
        "The converter has one article for every kind.",
        _kinds("biblatex_csl_converter", "article>article-journal"),
    ),
    Difference(
        "bbt-types",
        "Better BibTeX: @manual is a report, @periodical a document, @hardware software, @misc "
        "with a journal an article, a book with a booktitle a chapter, an @online with an eprint "
        "a web page and not a preprint.",
        _kinds(
            "bbt",
            "report>book chapter>book document>periodical software>document webpage>article "
            "article-journal>document book>collection broadcast>motion_picture report>bill "
            "legislation>regulation paper-conference>article-journal regulation>bill "
            "treaty>regulation constitution>legislation",
        ),
    ),
    Difference(
        "collections",
        "Zotero has no type for a whole proceedings or collection.",
        _kinds("zotero", "book>collection"),
    ),
    Difference(
        "converter-types",
        "The converter's own choice; ours follows BibLaTeX's manual.",
        _kinds(
            "biblatex_csl_converter",
            "dataset>book article>document article-newspaper>periodical "
            "article-newspaper>document article>legislation article>motion_picture",
        ),
    ),
    Difference(
        "pandoc-types",
        "pandoc reads a periodical as an article and a preprint as a web page.",
        _kinds("pandoc", "article-journal>periodical webpage>article"),
    ),
    Difference(
        "article-number",
        "The converter writes the number of an article as collection-number; ours is its issue.",
        _field_of("biblatex_csl_converter", "collection-number"),
    ),
    Difference(
        "genre-of-a-type",
        "Better BibTeX writes the entry type as the genre where Zotero has no type for it.",
        lambda found: (
            found.project == "bbt"
            and (found.field == "genre" or found.field == "x.bibtex.entrytype")
        ),
    ),
    Difference(
        "language-codes",
        "Babel's names of languages are codes in ours, as CSL wants them.",
        lambda found: (
            found.field == "language" and LANGUAGE_CODES.get(str(found.expected)) == found.ours
        ),
    ),
    Difference(
        "language-guess",
        "pandoc and the converter make a country of every language.",
        lambda found: found.field == "language" and str(found.ours) in _raw(found),
    ),
    Difference(
        "address-of-an-eprint",
        "pandoc makes an address of an eprint; ours keeps the eprint.",
        lambda found: found.field == "URL" and found.ours is None and bool(_given(found, "eprint")),
    ),
    Difference(
        "place-of-a-patent",
        "pandoc takes the countries of a patent for its jurisdiction, ours for its place.",
        lambda found: (
            found.field == "jurisdiction"
            and plain_texts(found.expected) == plain_texts(found.values.get("publisher-place"))
        ),
    ),
    Difference(
        "accents",
        "The project sets an accent over another letter or leaves it beside its letter; the LaTeX "
        "says ours.",
        _has_other_accents,
    ),
    Difference(
        "marks-of-the-project",
        "A tag that Better BibTeX sets for itself, and keys that it makes anew.",
        lambda found: (
            found.expected == ("#LaTeX",)
            or (found.project == "bbt" and found.field == "citation-key")
        ),
    ),
    Difference(
        "journal-names",
        "Better BibTeX abbreviates and expands journals by a list of its own.",
        _is_abbreviation,
    ),
    Difference(
        "short-title",
        "pandoc and Better BibTeX make a short title of what stands before the colon.",
        lambda found: found.field == "title-short" and found.ours is None,
    ),
    Difference(
        "main-title",
        "pandoc takes the title of all volumes for the title of a volume; ours keeps its own, the "
        "other is the extra field maintitle.",
        lambda found: (
            bool(_given(found, "maintitle"))
            and found.field in ("title", "volume-title", "title-short", "volume")
        ),
    ),
    Difference(
        "doi",
        "A DOI is kept without the address or word before it.",
        lambda found: found.field == "DOI" and str(found.expected).endswith(str(found.ours)),
    ),
    Difference(
        "joined",
        "Two tags in one text (titleaddon, note and addendum, publisher and organization); ours "
        "are apart.",
        _is_joined,
    ),
    Difference(
        "apart",
        "One text where the project has two fields or drops a part.",
        _is_shorter,
    ),
    Difference(
        "edition",
        "pandoc and Better BibTeX make numbers of ordinals, or ordinals of numbers.",
        _is_ordinal,
    ),
    Difference(
        "date-detail",
        "A part of the date that the project leaves out, or marks that CSL has no place for.",
        _is_date_detail,
    ),
    Difference(
        "about",
        "A ~ before a number and behind a blank says about; the converter makes a blank of it.",
        lambda found: (
            [loose(text.replace("~", "")) for text in plain_texts(found.ours)]
            == [loose(text) for text in plain_texts(found.expected)]
        ),
    ),
    Difference(
        "research-notes",
        "Zotero has one kind of note; what stands in annote, comment or review is an annotation.",
        lambda found: found.field == "note" and found.ours is None and "annotation" in found.values,
    ),
    Difference(
        "fault-of-the-case",
        "What is expected is not what the LaTeX says: a sign, a percent sign's rest or a macro is "
        "missing, or the LaTeX is left as it stands.",
        lambda found: any(
            found.case.split("/")[1].startswith(case) and found.field in fields.split()
            for case, fields in _FAULTS
        ),
    ),
    Difference(
        "elsewhere",
        "The same text in other fields of ours.",
        _stands_elsewhere,
    ),
)
