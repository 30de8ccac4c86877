"""BibTeX and BibLaTeX: entries to values and back. Both dialects read alike.

The citation key is the source's id. Tags that a parent gives (``crossref``, ``xdata``) are kept
in the source with a mark (``bibtex.values``) and are never written; comment lines inside an entry
are tags named ``%``. May know BibTeX's fields and types, not files or the other formats.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bifolio.formats import dates
from bifolio.formats.bibtex.crowded import is_roundtrip, roundtrip_pieces
from bifolio.formats.bibtex.dates import PARTS as DATE_PARTS
from bifolio.formats.bibtex.dates import gather_issued, other_date
from bifolio.formats.bibtex.fields import (
    BODIES_AS_AUTHORS,
    PARTS,
    SUBTITLES,
    archive_address,
    csl_type,
    field_of,
    is_literal_list,
    number_field,
    rating_of,
    read_status_of,
    title_of_subtitle,
)
from bifolio.formats.bibtex.journals import journal_name, with_journal_names
from bifolio.formats.bibtex.macros import expand, macros_of, month_macros_of
from bifolio.formats.bibtex.names import own_name, written_name
from bifolio.formats.bibtex.strings import (
    LANGUAGE_CODES,
    LANGUAGE_NAMES,
    WITH_STRINGS,
    words_of,
)
from bifolio.formats.bibtex.values import (
    COMMENT_TAG,
    as_harmless,
    is_inherited,
    name_of,
    pieces,
)
from bifolio.formats.bounds import split_list
from bifolio.formats.entities import unescape
from bifolio.formats.field_collector import FieldCollector, MappedRecord
from bifolio.formats.identifiers import doi_of, split_identifiers, split_urls
from bifolio.formats.latex import text as latex
from bifolio.formats.latex.reading import address
from bifolio.formats.mapping.fields import BIBTEX_NAMES, WRITTEN_FIELDS
from bifolio.formats.mapping.types import BIBTEX_TYPES, UNKNOWN_TYPE, WRITTEN_TYPES
from bifolio.formats.names import parse_bibtex_names, split_names, write_bibtex_names
from bifolio.formats.pages import plain_range
from bifolio.formats.roundtrip_fields import restore, roundtrip_name, roundtrip_texts
from bifolio.records.canonical import nfc
from bifolio.records.dates import date_text
from bifolio.records.fields import FORMS, Form, is_extra
from bifolio.records.names import Name
from bifolio.records.reference import ImportedBlocks, Source, Value, Values

_EXTRA: Final = "x.bibtex."

#: Fields whose text is no TeX: a path, an address, an identifier.
_VERBATIM: Final = frozenset(
    "url doi eprint file pdf local-url urldate date origdate eventdate pmid pmcid isbn issn eissn "
    "ids crossref xdata xref related options sortkey langid".split()
)
#: Of these those that are read as addresses.
_ADDRESSES: Final = frozenset({"url", "doi"})
_FILES: Final = re.compile(r"file|pdf|local-url|bdsk-file-\d+|bdsk-url-\d+")
#: An address, by itself or behind the words that introduce one.
_AVAILABLE: Final = re.compile(
    r"(?:\[?online\]?[.:,]?\s*)?(?:(?:available|retrieved|accessible)\s*(?:at|from|online)?[.:]?\s*)?"
    r"(https?://\S+)",
    re.IGNORECASE,
)
_IN_TEXT_URL: Final = re.compile(r"\\url\s*\{([^{}]*)\}|\\href\s*\{([^{}]*)\}\s*\{.*\}", re.DOTALL)
_PUBMED_NOTE: Final = re.compile(r"\{?PMID:?\}?:?\s*(\d+)")
_GENRES: Final = {"phdthesis": "PhD thesis", "mastersthesis": "Master’s thesis"}

_SEMICOLON: Final = re.compile(";")
_COMMA: Final = re.compile(",")
#: A field's name that every program reads; BibTeX itself has more.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_SINGLE_HYPHEN: Final = re.compile(r"(?<=\w)-(?=\w)")


# --- reading ---------------------------------------------------------------------------------


def trace(source: Source, blocks: ImportedBlocks | None) -> MappedRecord:
    """The values of an entry and which fields each tag fed."""
    macros, months = macros_of(blocks), month_macros_of(blocks)
    entry: list[tuple[int, str, str, str]] = []
    given: dict[str, str] = {}
    for index, (tag, raw) in enumerate(source.tags):
        if tag == COMMENT_TAG:
            continue
        written = name_of(tag)
        name = written.lower()
        texts = roundtrip_pieces(raw) if is_roundtrip(name) else (raw,)
        for one in texts:
            text = expand(one, months if name == "month" else macros).strip()
            entry.append((index, name, written, text))
            given.setdefault(name, text)
    kind = csl_type(source.type.lower(), given)
    collector = FieldCollector(len(source.tags))
    collector.derive("type", kind)
    if source.id:
        collector.derive("citation-key", source.id)
    if (genre := _GENRES.get(source.type.lower())) is not None:
        collector.derive("genre", genre)
    if address := archive_address(given):
        collector.derive("URL", (address,))
    for index, name, written, text in entry:
        if name in DATE_PARTS:
            continue  # one date together
        if text or name.startswith("x-csl-"):
            _gather(collector, index, name, written, text, kind, given)
    gather_issued(collector, entry)
    return collector.finish()


def _gather(
    collector: FieldCollector,
    index: int,
    name: str,
    written: str,
    text: str,
    kind: str,
    given: Mapping[str, str],
) -> None:
    """Give one tag's text to the field it means in an entry of this type."""
    if name.startswith("x-") and (restored := restore(own_name(written), _plain(text))) is not None:
        collector.restore(index, restored)
        return
    field, rank = field_of(name, kind, given)
    if field == "":
        _gather_extra(collector, index, name, text)
        return
    form = FORMS[field]
    if form is Form.NAMES:
        if name.endswith("type"):
            collector.feed(index, field)  # editortype: it chose the field of the names
            return
        if name in BODIES_AS_AUTHORS:
            collector.append(index, field, Name(literal=_line(latex.decode(text))))
            return
        for person in parse_bibtex_names(text):
            collector.append(index, field, person)
    elif form is Form.TEXT:
        if name == "note" and (pubmed := _PUBMED_NOTE.fullmatch(text)) is not None:
            collector.candidate(index, "PMID", pubmed.group(1), rank=1, extra=_EXTRA + name)
            return
        collector.append(index, field, _paragraphs(text))
    elif form is Form.STRINGS:
        for element in _elements(field, text):
            collector.append(index, field, element)
    elif form is Form.DATE:
        collector.candidate(index, field, other_date(_plain(text)), rank=rank, extra=_EXTRA + name)
    else:
        value = _scalar(field, name, text, given)
        collector.candidate(index, field, value, rank=rank, extra=_EXTRA + name)


def _gather_extra(collector: FieldCollector, index: int, name: str, text: str) -> None:
    """A tag without a field of its own; ``howpublished`` is often an address."""
    if _FILES.fullmatch(name):
        collector.append(index, _EXTRA + name, text)
        return
    if name == "howpublished":
        found = _IN_TEXT_URL.search(text)
        whole = text.strip("{} ")
        if found is not None:
            collector.append(index, "URL", address(found.group(1) or found.group(2) or ""))
            if found.group() == whole or found.group() == text:
                return
        elif (said := _AVAILABLE.fullmatch(whole)) is not None:
            collector.append(index, "URL", address(said.group(1)))
            return
    line = _line(_plain(text) if name in _VERBATIM else latex.decode(text))
    collector.append(index, _EXTRA + name, line)


_DASHES: Final = re.compile(r"-{2,4}")
_URL_COMMAND: Final = re.compile(
    r"\\(?:url|nolinkurl|path|texttt|doi|detokenize|urlstyle)\s*(?=\{)"
)


def _scalar(field: str, name: str, text: str, given: Mapping[str, str]) -> str:
    if field == "page":
        return plain_range(_line(latex.decode(_DASHES.sub("–", text))))
    if field == "DOI":
        return doi_of(unescape(address(_URL_COMMAND.sub("", text))))
    if field in ("rating", "read-status"):
        return rating_of(text) if field == "rating" else read_status_of(text)
    if field == "container-title":
        if journal := journal_name(text):
            return journal
        text = with_journal_names(text)
    value = _plain(text) if name in _VERBATIM else _line(latex.decode(text))
    if is_literal_list(name, given):
        return "; ".join(words_of(_line(latex.decode(part))) for part in split_names(text))
    if title := title_of_subtitle(name, given):
        return f"{_line(latex.decode(given[title]))}: {value}"
    if given.get(subtitle := SUBTITLES.get(name, "")):
        return f"{value}: {_line(latex.decode(given[subtitle]))}"
    if field == "language":
        return LANGUAGE_CODES.get(value, value)
    return words_of(value) if field in WITH_STRINGS else value


def _elements(field: str, text: str) -> list[str]:
    if field == "URL":
        found = _IN_TEXT_URL.search(text)
        written = address((found.group(1) or found.group(2)) if found else text)
        return split_urls(unescape(written))
    if field in ("ISBN", "ISSN"):
        return split_identifiers(_line(latex.decode(text)))
    decoded = unescape(latex.decode(text)) if field == "tags" else latex.decode(text)
    return [
        part
        for piece in split_list(_SEMICOLON if ";" in decoded else _COMMA, decoded)
        if (part := _line(piece))
    ]


def _line(text: str) -> str:
    return " ".join(text.split())


def _paragraphs(text: str) -> str:
    """A long text: its line ends stay, as entities of HTML do; the indentation of its lines does
    not."""
    read = latex.decode(text, keeps_entities=True)
    return "\n".join(line.strip() for line in read.strip().split("\n"))


def _plain(text: str) -> str:
    """The text of a verbatim field; some programs escape it all the same."""
    if "\\" not in text and "{" not in text:
        return text
    return latex.decode(text)


# --- writing ---------------------------------------------------------------------------------


def own_id(values: Values, reference: str) -> str:
    """A key that BibTeX can read: white space and its special characters become hyphens."""
    del reference
    return bibtex_key(str(values.get("citation-key", "")))


#: What is in no key that BibTeX, Biber and pandoc all read.
UNREADABLE_IN_KEY: Final = re.compile(r"[^\w\x21-\x7e]|[{},\"#%=\\~<>^|()']")


def bibtex_key(key: str) -> str:
    """A key with hyphens for white space, the special characters of BibTeX, and the signs that
    pandoc takes for no part of a key (a dash is one); letters of any script stay."""
    made = UNREADABLE_IN_KEY.sub("-", nfc(key))
    return made if is_readable_key(made) else f"key-{made}"


def is_readable_key(key: str) -> bool:
    """Whether every program that reads BibTeX takes it for a key; Biber takes ``0`` for none."""
    return key != "0" and UNREADABLE_IN_KEY.search(key) is None


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
    if field == "rating":
        return [("ranking", in_braces(f"rank{value}"))] if rating_of(str(value)) else []
    if field == "read-status":
        return [("readstatus", in_braces("read"))] if value == "read" else []
    name = _written_name(field, values, dialect, kind)
    if not name:
        return []
    form = FORMS[field]
    if form is Form.DATE:
        return _emit_date(field, value, name, dialect)
    if form is Form.NAMES:
        names = tuple(one for one in value if isinstance(one, Name))
        return [(name, in_braces(write_bibtex_names(names)))] if names else []
    if form is Form.STRINGS:
        return _emit_set(field, value, name)
    text = str(value)
    if field == "language" and dialect == "biblatex":
        babel = LANGUAGE_NAMES.get(text)
        return [
            ("langid", in_braces(babel)) if babel else ("language", in_braces(latex.encode(text)))
        ]
    if field == "genre" and _GENRES.get(kind) == text:
        return []
    if field == "page":
        dash = "–" in text
        written = text.replace("–", "--") if dash else _SINGLE_HYPHEN.sub("--", latex.encode(text))
        return [(name, in_braces(written))]
    if field == "DOI":
        return _verbatim(name, text)
    if field == "title":
        return [(name, in_braces(latex.encode_title(text)))]
    return [(name, in_braces(latex.encode(text)))]


def _written_name(field: str, values: Values, dialect: str, kind: str) -> str:
    """``kind`` is the entry type that will be written."""
    csl = BIBTEX_TYPES.get(kind.lower(), UNKNOWN_TYPE)
    if field == "volume-title":
        return "booktitle" if csl in PARTS else ""
    if field == "container-title":
        if csl in PARTS and "volume-title" in values:
            return "maintitle"
        if csl in PARTS:
            return "booktitle"
        return "journaltitle" if dialect == "biblatex" else "journal"
    if field in ("issue", "number", "collection-number"):
        return "number" if number_field(csl) == field else WRITTEN_FIELDS[dialect].get(field, "")
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
        return _verbatim(name, date_text(value))
    if "literal" in value:
        return [("year", in_braces(latex.encode(str(value["literal"]))))]
    if dialect == "biblatex":
        return [("date", in_braces(date_text(value)))]
    return dates.bibtex_month(value) or [("date", in_braces(date_text(value)))]


def _emit_set(field: str, value: Value, name: str) -> list[tuple[str, str]]:
    elements = [one for one in value if isinstance(one, str)]
    if not elements:
        return []
    if field == "URL":
        return _verbatim(name, elements[0])
    return [(name, in_braces(latex.encode(", ".join(elements))))]


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
            return [(name, in_braces(one)) for one in written]
    return carry(field, value)


def carry(field: str, value: Value | None) -> list[tuple[str, str]]:
    """The round-trip fields of a field."""
    name = written_name(roundtrip_name(field))
    return [(name, in_braces(latex.encode(text))) for text in roundtrip_texts(field, value)]


def _verbatim(name: str, text: str) -> list[tuple[str, str]]:
    """A text that is no TeX; nothing where its braces would end the entry elsewhere."""
    return [(name, in_braces(text))] if _is_balanced(text) else []


def harmless(tag: str, raw: str) -> str:
    """What a tag says, as it damages no entry (``as_harmless``); an address, of which each blank is
    a part, plain where it cannot stay as it is."""
    made = as_harmless(tag, raw)
    if made == raw or name_of(tag).lower() not in _ADDRESSES or len(found := pieces(raw)) != 1:
        return made
    text = address(found[0][1])
    plain = in_braces(text)
    return plain if as_harmless(tag, plain) == plain and address(text) == text else made


def in_braces(text: str) -> str:
    """The text between braces."""
    return "{" + text + "}"


def _is_balanced(text: str) -> bool:
    """Whether every brace is closed, counted as BibTeX counts: one behind a backslash too."""
    depth = 0
    for character in text:
        if character in "{}":
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
        elif not is_inherited(tag):
            lines.append(f"  {name_of(tag)} = {raw},")
    return "\n".join(lines) + "\n}\n\n"
