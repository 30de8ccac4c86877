"""BibTeX and BibLaTeX: entries to values and back. Both dialects read alike.

The citation key is the source's id. Tags that a parent gives (``crossref``, ``xdata``) are kept
in the source behind a ``^`` and are never written; comment lines inside an entry are tags named
``%``. May know BibTeX's fields and types, not files or the other formats.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from bifolio.formats import dates, latex, people
from bifolio.formats.bibtex_values import COMMENT_TAG, pieces
from bifolio.formats.carriers import carrier_name, carrier_texts, restore
from bifolio.formats.gathering import Gathering, Mapped
from bifolio.formats.identifiers import doi_of, split_identifiers, split_urls
from bifolio.formats.latex_reading import address
from bifolio.formats.mapping_fields import BIBTEX_FIELDS, BIBTEX_NAMES, WRITTEN_FIELDS
from bifolio.formats.mapping_types import BIBTEX_TYPES, UNKNOWN_TYPE, WRITTEN_TYPES
from bifolio.records.dates import date_text, date_year, parse_date
from bifolio.records.fields import FIELDS, MergeRule, is_extra
from bifolio.records.names import Name
from bifolio.records.reference import ImportedBlocks, Source, Value, Values

#: Before a tag that a parent gives.
INHERITED: Final = "^"

_EXTRA: Final = "x.bibtex."

#: Fields whose text is no TeX: a path, an address, an identifier.
_VERBATIM: Final = frozenset(
    "url doi eprint file pdf local-url urldate date origdate eventdate pmid pmcid isbn issn eissn "
    "ids crossref xdata xref related options sortkey langid".split()
)
_FILES: Final = re.compile(r"file|pdf|local-url|bdsk-file-\d+|bdsk-url-\d+")
_IN_TEXT_URL: Final = re.compile(r"\\url\s*\{([^{}]*)\}")

_ARTICLES: Final = frozenset(
    "article-journal article-magazine article-newspaper periodical".split()
)
_PARTS: Final = frozenset(
    "chapter paper-conference entry-encyclopedia entry-dictionary entry".split()
)
_BOOKS: Final = frozenset("book collection classic".split())
_NUMBERED_SERIES: Final = _BOOKS | _PARTS | {"thesis", "pamphlet"}
_GENRES: Final = {"phdthesis": "PhD thesis", "mastersthesis": "Master’s thesis"}

_STRING: Final = re.compile(r"@\s*string\s*[{(]\s*([^\s=]+)\s*=\s*(.*)[})]\s*", re.I | re.S)
_NAME: Final = re.compile(r"[^\s{}(),=\"#%'\\~@^][^\s{}(),=\"#%'\\~^]*")
_MACRO_DEPTH_MAX: Final = 16
_PAGES: Final = re.compile(r"(?<=[\w?.])\s*(?:---?|–|—)\s*(?=[\w?.])")


# --- reading ---------------------------------------------------------------------------------


def trace(source: Source, blocks: ImportedBlocks | None) -> Mapped:
    """The values of an entry and which fields each tag fed."""
    macros = macros_of(blocks) if blocks is not None else {}
    entry = [
        (index, tag.removeprefix(INHERITED).lower(), tag.removeprefix(INHERITED), raw)
        for index, (tag, raw) in enumerate(source.tags)
        if tag != COMMENT_TAG
    ]
    given = {name: expand(raw, macros).strip() for _, name, _, raw in reversed(entry)}
    kind = _csl_type(source.type.lower(), given)
    gathering = Gathering(len(source.tags))
    gathering.derive("type", kind)
    if source.id:
        gathering.derive("citation-key", source.id)
    if (genre := _GENRES.get(source.type.lower())) is not None:
        gathering.derive("genre", genre)
    for index, name, written, raw in entry:
        text = expand(raw, macros).strip()
        if text or name.startswith("x-csl-"):
            _gather(gathering, index, name, written, text, kind, given)
    _gather_date(gathering, entry, macros)
    return gathering.finish()


def _csl_type(written: str, given: dict[str, str]) -> str:
    kind = BIBTEX_TYPES.get(written, UNKNOWN_TYPE)
    subtype = given.get("entrysubtype", "").lower()
    if kind == "article-journal" and subtype in ("magazine", "newspaper"):
        return f"article-{subtype}"
    if kind in ("document", "webpage"):
        if subtype == "map":
            return "map"
        if given.get("eprint") and not given.get("howpublished"):
            return "article"
    if kind == "manuscript" and given.get("eventtitle"):
        return "paper-conference"
    return kind


def _gather(
    gathering: Gathering,
    index: int,
    name: str,
    written: str,
    text: str,
    kind: str,
    given: dict[str, str],
) -> None:
    """Give one tag's text to the field it means in an entry of this type."""
    if name.startswith("x-") and (restored := restore(written, _plain(text))) is not None:
        gathering.restore(index, restored)
        return
    if name in ("year", "month", "day", "date"):
        return  # one date together
    field, rank = _field(name, kind, given)
    if field == "":
        gathering.append(index, _EXTRA + name, _extra_text(name, text))
        return
    rule = FIELDS[field]
    if rule is MergeRule.CREATORS:
        for person in people.parse_bibtex_names(text):
            gathering.append(index, field, person)
    elif rule is MergeRule.TEXT:
        gathering.append(index, field, _paragraphs(text))
    elif rule is MergeRule.SET:
        for element in _elements(field, text):
            gathering.append(index, field, element)
    elif rule is MergeRule.DATE:
        gathering.candidate(index, field, parse_date(_plain(text)), rank=rank, extra=_EXTRA + name)
    else:
        value = _scalar(field, name, text, given)
        gathering.candidate(index, field, value, rank=rank, extra=_EXTRA + name)


#: The tag whose text is joined to another's.
_SUBTITLES: Final = {"title": ("subtitle",), "booktitle": ("booksubtitle",)}


def _field(name: str, kind: str, given: dict[str, str]) -> tuple[str, int]:
    """(field, rank) that a name means in this type; an empty field where it means none."""
    if name in ("subtitle", "booksubtitle"):
        name = name.replace("sub", "")
        if not given.get(name):
            return "", 0
    if name == "number":
        return _number_field(kind), 0
    if name in ("journal", "journaltitle", "fjournal"):
        if name == "journal" and given.get("fjournal"):
            return "container-title-short", 1
        return "container-title", 1 if kind in _PARTS and given.get("booktitle") else 0
    if name == "booktitle":
        if kind in _BOOKS:
            return "", 0
        return "container-title", 0 if kind in _PARTS else 1
    if name in ("school", "institution", "organization"):
        return "publisher", 1 + ("school", "institution", "organization").index(name)
    if name == "eprint":
        archive = given.get("eprinttype", given.get("archiveprefix", "")).lower()
        return ("PMID", 1) if archive == "pubmed" else ("", 0)
    return BIBTEX_FIELDS.get(name, ("", 0))


def _number_field(kind: str) -> str:
    if kind in _ARTICLES:
        return "issue"
    return "collection-number" if kind in _NUMBERED_SERIES else "number"


def _scalar(field: str, name: str, text: str, given: dict[str, str]) -> str:
    if field == "page":
        return _PAGES.sub("-", _line(latex.decode(text.replace("--", "–"))))
    if field == "DOI":
        return doi_of(address(text))
    value = _plain(text) if name in _VERBATIM else _line(latex.decode(text))
    if name in ("subtitle", "booksubtitle"):
        return f"{_line(latex.decode(given[name.replace('sub', '')]))}: {value}"
    for subtitle in _SUBTITLES.get(name, ()):
        if given.get(subtitle):
            return f"{value}: {_line(latex.decode(given[subtitle]))}"
    return value


def _elements(field: str, text: str) -> list[str]:
    if field == "URL":
        found = _IN_TEXT_URL.search(text)
        return split_urls(address(found.group(1) if found else text))
    if field in ("ISBN", "ISSN"):
        return split_identifiers(_line(latex.decode(text)))
    decoded = latex.decode(text)
    return [
        part
        for piece in re.split(";" if ";" in decoded else ",", decoded)
        if (part := _line(piece))
    ]


def _extra_text(name: str, text: str) -> str:
    if _FILES.fullmatch(name):
        return text
    return _line(_plain(text) if name in _VERBATIM else latex.decode(text))


def _gather_date(
    gathering: Gathering, entry: list[tuple[int, str, str, str]], macros: dict[str, str]
) -> None:
    """``date``, or else ``year`` with ``month`` and ``day``: one date together."""
    first: dict[str, tuple[int, str]] = {}
    for index, name, _, raw in entry:
        if name in ("year", "month", "day", "date"):
            months = macros | dates.MONTH_MACROS if name == "month" else macros
            text = _line(latex.decode(expand(raw, months)))
            if not text:
                continue
            if name in first:
                gathering.append(index, _EXTRA + name, text)
            else:
                first[name] = (index, text)
    if "date" in first:
        index, text = first["date"]
        date = parse_date(text)
        gathering.candidate(index, "issued", date)
        stated = date_year(date)
        for name in ("year", "month", "day"):
            if name in first:
                index, text = first[name]
                if name == "year" and stated is not None and text != str(stated):
                    gathering.append(index, _EXTRA + name, text)
                else:
                    gathering.feed(index, "issued")
        return
    _gather_year(gathering, first)


def _gather_year(gathering: Gathering, first: dict[str, tuple[int, str]]) -> None:
    month = first.get("month")
    day = first.get("day")
    if "year" in first:
        index, text = first["year"]
        edtf = dates.bibtex_year(text)
        date = parse_date(edtf) if edtf else {"literal": text}
        whole = None
        if month is not None and edtf.isdigit():
            whole = dates.month_and_day(int(edtf), month[1], day[1] if day else "")
            if whole is None and day is not None:
                whole = dates.month_and_day(int(edtf), month[1])
                if whole is not None:
                    gathering.append(day[0], _EXTRA + "day", day[1])
                    day = None
        gathering.candidate(index, "issued", whole or date)
        if whole is not None:
            for part in (month, day):
                if part is not None:
                    gathering.feed(part[0], "issued")
            return
    for name, part in (("month", month), ("day", day)):
        if part is not None:
            gathering.append(part[0], _EXTRA + name, part[1])


def expand(raw: str, macros: dict[str, str]) -> str:
    """The text of a raw value: delimiters off, parts joined, macros in their place.

    A macro that nothing defines stays as its name.
    """
    parts = pieces(raw)
    if len(parts) == 1 and parts[0][0]:
        return parts[0][1]
    return "".join(
        text if delimiter else macros.get(text.lower(), text) for delimiter, text in parts
    )


@lru_cache(maxsize=16)
def macros_of(blocks: ImportedBlocks) -> dict[str, str]:
    """The ``@string`` macros of a file, in full; a later definition replaces an earlier one."""
    macros: dict[str, str] = {}
    for block in blocks.blocks:
        if (definition := macro_definition(block)) is not None:
            name, raw = definition
            macros[name] = expand(raw, macros)
    return macros


def macro_definition(block: str) -> tuple[str, str] | None:
    """(name in small letters, raw value) of an ``@string`` block; nothing for any other."""
    found = _STRING.fullmatch(block.strip())
    return (found.group(1).lower(), found.group(2).strip()) if found else None


def _line(text: str) -> str:
    return " ".join(text.split())


def _paragraphs(text: str) -> str:
    """A long text: its line ends stay, the indentation of its lines does not."""
    return "\n".join(line.strip() for line in latex.decode(text).strip().split("\n"))


def _plain(text: str) -> str:
    """The text of a verbatim field or a carrier, which some programs escape all the same."""
    if "\\" not in text and "{" not in text:
        return text
    return latex.decode(text)


# --- writing ---------------------------------------------------------------------------------


def own_id(values: Values, reference: str) -> str:
    """A key that BibTeX can read: white space and its special characters become hyphens."""
    del reference
    key = str(values.get("citation-key", ""))
    return "".join("-" if one.isspace() or one in "{}(),=\"#%'\\~" else one for one in key)


def written_type(values: Values, dialect: str) -> str:
    """The entry type for a CSL type in this dialect."""
    kind = str(values.get("type", UNKNOWN_TYPE))
    genre = values.get("genre")
    if kind == "thesis" and dialect == "bibtex" and isinstance(genre, str):
        return "mastersthesis" if "master" in genre.lower() else "phdthesis"
    return WRITTEN_TYPES[dialect].get(kind, "misc")


def emit(field: str, values: Values, dialect: str, kind: str) -> list[tuple[str, str]]:
    """The (tag, raw) pairs that say a field; none where BibTeX has no place for it."""
    value = values[field]
    if is_extra(field):
        return _emit_extra(field, value)
    name = _written_name(field, dialect, kind)
    if not name:
        return []
    rule = FIELDS[field]
    if rule is MergeRule.DATE:
        return _emit_date(field, value, name, dialect)
    if rule is MergeRule.CREATORS:
        names = tuple(one for one in value if isinstance(one, Name))
        return [(name, braced(people.write_bibtex_names(names)))] if names else []
    if rule is MergeRule.SET:
        return _emit_set(field, value, name)
    text = str(value)
    if field == "genre" and _GENRES.get(kind) == text:
        return []
    if field == "page":
        return [(name, braced(re.sub(r"(?<=\w)-(?=\w)", "--", latex.encode(text))))]
    return [(name, braced(text if field == "DOI" else latex.encode(text)))]


def _written_name(field: str, dialect: str, kind: str) -> str:
    """``kind`` is the entry type that will be written."""
    csl = BIBTEX_TYPES.get(kind.lower(), UNKNOWN_TYPE)
    if field == "container-title":
        if csl in _PARTS or csl in _BOOKS:
            return "booktitle"
        return "journaltitle" if dialect == "biblatex" else "journal"
    if field in ("issue", "number", "collection-number"):
        return "number" if _number_field(csl) == field else WRITTEN_FIELDS[dialect].get(field, "")
    if field == "publisher" and csl == "thesis":
        return "institution" if dialect == "biblatex" else "school"
    if field == "publisher" and csl == "report":
        return "institution"
    name: str = WRITTEN_FIELDS[dialect].get(field, "issue" if field == "issue" else "")
    return name


def _emit_date(field: str, value: Value, name: str, dialect: str) -> list[tuple[str, str]]:
    if not isinstance(value, dict):
        return []
    if field != "issued":
        return [(name, braced(date_text(value)))]
    if "literal" in value:
        return [("year", braced(latex.encode(str(value["literal"]))))]
    if dialect == "biblatex":
        return [("date", braced(date_text(value)))]
    return dates.bibtex_month(value) or [("date", braced(date_text(value)))]


def _emit_set(field: str, value: Value, name: str) -> list[tuple[str, str]]:
    elements = [one for one in value if isinstance(one, str)]
    if not elements:
        return []
    if field == "URL":
        return [(name, braced(elements[0]))] if _is_balanced(elements[0]) else []
    return [(name, braced(latex.encode(", ".join(elements))))]


def _emit_extra(field: str, value: Value) -> list[tuple[str, str]]:
    name = field.removeprefix(_EXTRA)
    if (
        name != field
        and name not in BIBTEX_NAMES
        and _NAME.fullmatch(name)
        and name == name.lower()
    ):
        texts = [one for one in value if isinstance(one, str)]
        verbatim = _FILES.fullmatch(name)
        written = [one if verbatim else latex.encode(one) for one in texts]
        if not name.startswith("x-") and all(_is_balanced(one) for one in written):
            return [(name, braced(one)) for one in written]
    return carry(field, value)


def carry(field: str, value: Value | None) -> list[tuple[str, str]]:
    """The field's carriers."""
    name = carrier_name(field)
    return [(name, braced(latex.encode(text))) for text in carrier_texts(field, value)]


def braced(text: str) -> str:
    """The text between braces."""
    return "{" + text + "}"


def _is_balanced(text: str) -> bool:
    depth = 0
    for at, character in enumerate(text):
        if character in "{}" and (at == 0 or text[at - 1] != "\\"):
            depth += 1 if character == "{" else -1
            if depth < 0:
                return False
    return depth == 0 and not text.endswith("\\")


def render(source: Source) -> str:
    """The entry's text."""
    lines = [f"@{source.type}{{{source.id},"]
    for tag, raw in source.tags:
        if tag == COMMENT_TAG:
            lines.append(f"  {raw}")
        elif not tag.startswith(INHERITED):
            lines.append(f"  {tag} = {raw},")
    return "\n".join(lines) + "\n}\n\n"
