"""RIS: tagged records to values and back.

What a tag means depends on the type and on the other tags beside it (``JO`` is a name or an
abbreviation, ``SN`` an ISSN, ISBN or number): all of that is decided here. May know RIS's tags and
types, not files or the other formats.
"""

from __future__ import annotations

import re
from typing import Final

from bifolio.formats import dates
from bifolio.formats.carriers import carrier_name, carrier_texts, restore
from bifolio.formats.gathering import Gathering, Mapped
from bifolio.formats.identifiers import (
    doi_in_address,
    doi_of,
    is_doi,
    is_isbn,
    is_issn,
    split_identifiers,
    split_urls,
)
from bifolio.formats.mapping_fields import RIS_FIELDS, WRITTEN_FIELDS
from bifolio.formats.mapping_types import RIS_TYPES, UNKNOWN_TYPE, WRITTEN_TYPES
from bifolio.formats.people import parse_ris_name, write_ris_name
from bifolio.formats.tagged_lines import is_tag_line
from bifolio.records.fields import FIELDS, MergeRule, is_extra
from bifolio.records.names import Name
from bifolio.records.reference import ImportedBlocks, Source, Value, Values

_EXTRA: Final = "x.ris."

_WHOLE_BOOKS: Final = frozenset("book classic collection".split())
_WHOLE_WORKS: Final = _WHOLE_BOOKS | {"thesis", "report", "manuscript", "pamphlet"}
_ARTICLES: Final = frozenset("article-journal article-magazine article-newspaper".split())
_NUMBERED: Final = frozenset(
    "report patent standard bill legislation regulation hearing article".split()
)
_VERSIONED: Final = frozenset({"software", "dataset"})
_ISSN_TYPES: Final = _ARTICLES | {"periodical", "paper-conference", "article"}
_PUBMED: Final = re.compile(r"pubmed|medline|nlm|national library of medicine", re.IGNORECASE)
_CARRIER_LINE: Final = re.compile(r"(x-[^:\s]+): ?(.*)", re.DOTALL)


# --- reading ---------------------------------------------------------------------------------


def trace(source: Source, blocks: ImportedBlocks | None) -> Mapped:
    """The values of a record and which fields each tag fed."""
    del blocks  # text outside of records says nothing of them
    kind = csl_type(source.type)
    given: dict[str, str] = {}
    for tag, raw in source.tags:
        if raw.strip():
            given.setdefault(tag, " ".join(raw.split()))
    gathering = Gathering(len(source.tags))
    gathering.derive("type", kind)
    for index, (tag, raw) in enumerate(source.tags):
        if raw.strip():
            _gather(gathering, index, tag, raw.strip(), kind, source.type.upper(), given)
    return gathering.finish()


def csl_type(written: str) -> str:
    """The CSL type of what stands after ``TY``: a code, or EndNote's name for it."""
    return RIS_TYPES.get(" ".join(written.lower().split()), UNKNOWN_TYPE)


def _gather(
    gathering: Gathering,
    index: int,
    tag: str,
    raw: str,
    kind: str,
    code: str,
    given: dict[str, str],
) -> None:
    """Give one line to the field that its tag means in a record of this type."""
    text = " ".join(raw.split())
    carried = _CARRIER_LINE.fullmatch(raw) if tag == "N1" and raw.startswith("x-") else None
    if carried and (restored := restore(carried.group(1), carried.group(2))) is not None:
        gathering.restore(index, restored)
        return
    if tag in ("PY", "Y1", "DA"):
        _gather_issued(gathering, index, tag, text, given)
        return
    if tag == "EP" and given.get("SP") and _page_field(kind, given) == "page":
        gathering.feed(index, "page")
        return
    if tag == "SN":
        for part in split_identifiers(text):
            _gather_serial_number(gathering, index, part, kind)
        return
    field, rank, value = _meaning(tag, text, kind, code, given)
    if field == "":
        gathering.append(index, _EXTRA + tag, raw)
        return
    _gather_value(gathering, index, tag, field, rank, value, raw)


def _gather_value(
    gathering: Gathering, index: int, tag: str, field: str, rank: int, value: str, raw: str
) -> None:
    rule = FIELDS[field]
    if rule is MergeRule.CREATORS:
        gathering.append(index, field, parse_ris_name(value))
    elif rule is MergeRule.TEXT:
        lines = [line.strip() for line in raw.split("\n")]
        gathering.append(index, field, "\n".join(lines).strip())
    elif field == "URL":
        for address in split_urls(value):
            gathering.append(index, field, address)
            if doi := doi_in_address(address):
                gathering.candidate(index, "DOI", doi, rank=9)
    elif field == "tags":
        for keyword in re.split(r"[;\n]", raw):
            if keyword.strip():
                gathering.append(index, field, " ".join(keyword.split()))
    elif field == "author-address":
        gathering.append(index, field, value)
    elif rule is MergeRule.DATE:
        date, whole = dates.ris_date(value)
        gathering.candidate(index, field, date, rank=rank, extra=_EXTRA + tag)
        if not whole:
            gathering.append(index, _EXTRA + tag, value)
    else:
        gathering.candidate(index, field, value, rank=rank, extra=_EXTRA + tag)


def _meaning(
    tag: str, text: str, kind: str, code: str, given: dict[str, str]
) -> tuple[str, int, str]:
    """(field, rank, text) of a tag in this record; an empty field where it means none."""
    if tag in ("T2", "JO", "BT", "JF"):
        return *_container(tag, kind, code, given), text
    if tag in ("A2", "A3"):
        whole = kind in _WHOLE_BOOKS
        return "collection-editor" if (tag == "A2") == whole else "editor", 0, text
    if tag in ("IS", "M1", "CP"):
        return *_number(tag, kind, given), text
    if tag == "SP":
        return _page_field(kind, given), 0, _pages(text, given.get("EP", ""))
    if tag == "ET":
        return "version" if kind in _VERSIONED else "edition", 0, text
    if tag in ("M3", "DO", "DI") and (tag != "M3" or is_doi(text)):
        return "DOI", ("DO", "DI", "M3").index(tag), doi_of(text)
    if tag == "AN":
        database = f"{given.get('DB', '')} {given.get('DP', '')}"
        pubmed = text.isdigit() and _PUBMED.search(database)
        return "PMID" if pubmed else "accession-number", 0, text
    if tag in ("C1", "C2", "C3"):
        return _custom(tag, text, kind), 1, text
    if tag == "L2":
        return "URL" if "://" in text and not text.startswith("file:") else "", 0, text
    field, rank = RIS_FIELDS.get(tag, ("", 0))
    return field, rank, text


def _custom(tag: str, text: str, kind: str) -> str:
    if tag == "C2" and re.fullmatch(r"PMC\d+", text):
        return "PMCID"
    if kind == "paper-conference":
        return {"C1": "event-place", "C3": "event-title"}.get(tag, "")
    return ""


def _container(tag: str, kind: str, code: str, given: dict[str, str]) -> tuple[str, int]:
    """(field, rank) of the tags that name what a work appeared in."""
    if kind in _WHOLE_BOOKS:
        return {"T2": ("collection-title", 1), "BT": ("title", 3)}.get(tag, ("", 0))
    if tag == "T2" and code == "CPAPER":
        return "event-title", 0
    if tag == "JO":
        full = given.get("JF") or given.get("T2")
        if full and full != given["JO"] and code != "CPAPER":
            return "container-title-short", 3
        return "container-title", 3
    # A full name in JF is the journal; T2 beside it may be a section's title.
    return "container-title", ("JF", "T2", "BT").index(tag)


def _number(tag: str, kind: str, given: dict[str, str]) -> tuple[str, int]:
    if kind in _WHOLE_BOOKS and tag == "M1":
        return "collection-number", 1
    if kind in _NUMBERED:
        return ("number", 0 if tag == "IS" else 1) if tag != "CP" else ("", 0)
    if tag == "IS":
        return ("number-of-volumes", 1) if kind == "chapter" and given.get("NV") else ("issue", 0)
    if tag == "M1" and kind not in _ARTICLES:
        return "number", 0
    return "issue", ("IS", "CP", "M1").index(tag)


def _page_field(kind: str, given: dict[str, str]) -> str:
    whole = kind in _WHOLE_WORKS and not given.get("EP")
    return "number-of-pages" if whole and "-" not in given.get("SP", "") else "page"


def _pages(start: str, end: str) -> str:
    if not end or start.endswith((f"-{end}", f"–{end}")):
        return re.sub(r"(?<=\w)\s*[–—]\s*(?=\w)|(?<=\w)--(?=\w)", "-", start)
    return f"{start}-{end}"


def _gather_serial_number(gathering: Gathering, index: int, text: str, kind: str) -> None:
    if is_issn(text):
        gathering.append(index, "ISSN", text)
    elif is_isbn(text):
        gathering.append(index, "ISBN", text)
    elif kind in ("report", "patent"):
        gathering.candidate(index, "number", text, rank=2, extra=_EXTRA + "SN")
    else:
        gathering.append(index, "ISSN" if kind in _ISSN_TYPES else "ISBN", text)


def _gather_issued(
    gathering: Gathering, index: int, tag: str, text: str, given: dict[str, str]
) -> None:
    """One of the three tags of the date: the most telling wins if they agree on the year."""
    date, whole = dates.ris_date(text)
    year = (given.get("PY") or given.get("Y1") or "")[:4]
    if tag == "DA" and "date-parts" not in date and year.isdigit():
        within = dates.month_and_day(int(year), text)
        if within is not None:
            date, whole = within, True
    parts = date.get("date-parts")
    if parts is None:
        gathering.candidate(index, "issued", date, rank=5)
        other = any(given.get(name, text) != text for name in ("PY", "Y1", "DA"))
        if other:
            gathering.append(index, _EXTRA + tag, text)
        return
    if tag == "DA" and year.isdigit() and str(parts[0][0]) != year:
        gathering.append(index, _EXTRA + tag, text)
        return
    # A day beats a month, a month a year; among equals PY, then Y1.
    detail = 3 - len(parts[0]) - (1 if "season" in date or len(parts) > 1 else 0)
    gathering.candidate(index, "issued", date, rank=detail)
    if not whole:
        gathering.append(index, _EXTRA + tag, text)


# --- writing ---------------------------------------------------------------------------------


def written_type(values: Values, dialect: str) -> str:
    """The code for a CSL type."""
    del dialect
    kind = str(values.get("type", UNKNOWN_TYPE))
    if kind == "paper-conference" and "event-title" in values and "container-title" not in values:
        return "CPAPER"
    return WRITTEN_TYPES["ris"].get(kind, "GEN")


def emit(field: str, values: Values, dialect: str, kind: str) -> list[tuple[str, str]]:
    """The (tag, value) pairs that say a field; none where RIS has no place for it."""
    del dialect
    value = values[field]
    if is_extra(field):
        return _emit_extra(field, value)
    csl = csl_type(kind)
    tag = _written_tag(field, csl, kind)
    if not tag:
        return []
    rule = FIELDS[field]
    if rule is MergeRule.CREATORS:
        return [(tag, write_ris_name(name)) for name in value if isinstance(name, Name)]
    if rule is MergeRule.SET:
        return [(tag, one) for one in value if isinstance(one, str)]
    if rule is MergeRule.DATE:
        return _emit_date(field, value, tag)
    text = str(value)
    if field == "page":
        return _emit_pages(text)
    return [(tag, text if rule is MergeRule.TEXT else _one_line(field, text))]


def _written_tag(field: str, csl: str, code: str) -> str:
    if field == "editor":
        return "A3" if csl in _WHOLE_BOOKS else "A2"
    if field == "collection-editor":
        return "A2" if csl in _WHOLE_BOOKS else "A3"
    if field == "container-title":
        if csl in _WHOLE_BOOKS:
            return ""
        return "JF" if code.upper() == "CPAPER" else "T2"
    if field == "event-title":
        return "T2" if code.upper() == "CPAPER" else "C3"
    special: dict[str, str] = {
        "issue": "" if csl in _NUMBERED else "IS",
        "number": "IS" if csl in _NUMBERED else "M1",
        "number-of-pages": "SP" if csl in _WHOLE_WORKS else "",
        "edition": "ET",
        "version": "ET" if csl in _VERSIONED else "",
        "event-place": "C1" if csl == "paper-conference" else "",
        "ISBN": "SN",
        "ISSN": "SN",
        "PMCID": "C2",
        "accession-number": "AN",
    }
    tag: str = special.get(field, WRITTEN_FIELDS["ris"].get(field, ""))
    return tag


def _one_line(field: str, text: str) -> str:
    return text if field == "author-address" else " ".join(text.split())


def _emit_date(field: str, value: Value, tag: str) -> list[tuple[str, str]]:
    if not isinstance(value, dict):
        return []
    if any(not 1000 <= end[0] <= 9999 for end in value.get("date-parts", ())):
        return []  # four digits are all that a reader takes for a year
    text = dates.write_ris_date(value)
    if field != "issued" or "literal" in value or "/" not in text:
        return [(tag, text)]
    return [("PY", text[:4]), ("DA", text)]


def _emit_pages(text: str) -> list[tuple[str, str]]:
    start, hyphen, end = text.partition("-")
    if hyphen and start and end and "-" not in end and "," not in text:
        return [("SP", start), ("EP", end)]
    return [("SP", text)]


def _emit_extra(field: str, value: Value) -> list[tuple[str, str]]:
    tag = field.removeprefix(_EXTRA)
    if tag != field and re.fullmatch(r"[A-Z][A-Z0-9]", tag) and tag not in ("TY", "ER"):
        return [(tag, one) for one in value if isinstance(one, str)]
    return carry(field, value)


def carry(field: str, value: Value | None) -> list[tuple[str, str]]:
    """The field's carriers: notes at the record's end."""
    return [("N1", f"{carrier_name(field)}: {text}") for text in carrier_texts(field, value)]


def render(source: Source) -> str:
    """The record's text; a continuation that looks like a tag is set in by a space."""
    lines = [f"TY  - {source.type}"]
    for tag, raw in source.tags:
        first, *rest = raw.split("\n")
        lines.append(f"{tag}  - {first}")
        lines += [f" {line}" if is_tag_line(line) else line for line in rest]
    return "\n".join(lines) + "\nER  - \n\n"
