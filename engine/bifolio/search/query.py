"""The search language: from what a user types to a tree of what is meant. docs/search.md says
it in words.

A word with a colon is an operator if the part before the colon is the name of one and something
follows it at once. A name that is nearly one, or is a field that has no operator, is an error;
any other word with a colon (``Beebe:1999:TBP``, ``https://...``, ``10.1000/x:y``) is a word.

Pure: knows nothing of the index and of groups.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from bifolio import lazy, limits
from bifolio.errors import QueryError, UnknownFieldError
from bifolio.lazy import pattern
from bifolio.records.fields import TYPES, canonical_field, is_other_name
from bifolio.records.folding import is_run_of_characters, words
from bifolio.records.terms import Mark, mark, year_range
from bifolio.search.operators import BY_NAME, HAS_NAMES, OPERATORS, STATES, Kind, Operator

if TYPE_CHECKING:
    import calendar
    import difflib
else:
    difflib = lazy.module("difflib")
    calendar = lazy.module("calendar")

#: A typed word of so many letters finds what begins with it; a shorter one finds itself alone.
#: Measured on 100,000 references with abstracts: what begins with "the" takes 70 ms, "in" 145,
#: "a" 340; with four letters the commonest beginnings take 14.
PREFIX_LETTERS_MIN = 4

_NAME = pattern(r"([A-Za-z][A-Za-z_-]*):(?=[^\s:])(?!//)")
_DOI = pattern(r"(?:https?://(?:dx\.)?doi\.org/|doi:)?10\.\d{4,9}/\S+", re.IGNORECASE)
_ADDRESS = pattern(r"[a-z][a-z0-9+.-]*://\S+|www\.\S+", re.IGNORECASE)
_RANGE = pattern(r"(-?\d{1,4})?\.\.(-?\d{1,4})?")
_COMPARED = pattern(r"(<=|>=|<|>|=)?(-?\d{1,4})")
_DAY = pattern(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_DAY_COMPARED = pattern(r"(<=|>=|<|>|=)(.+)")
_LAST_DAYS = pattern(r"([1-9]\d{0,4})d")
_NAMED_DAYS = {"today": 0, "yesterday": 1}
_QUOTES = str.maketrans("“”„‟″", '"""""')
_RATING_LAST = 5


class Text(Struct, frozen=True):
    """A run of words in one of some columns (in any, where none is named).

    ``prefix`` says that the last word may go on; ``marks`` are values that the same text may be.
    """

    words: tuple[str, ...]
    prefix: bool = False
    columns: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


class Marked(Struct, frozen=True):
    """One mark, or all that begin so."""

    mark: str
    prefix: bool = False


class InGroup(Struct, frozen=True):
    """What is in a group."""

    name: str


class Dated(Struct, frozen=True):
    """What was added (or ``modified``) on the days from ``first`` to ``last``, both included; None
    is open. A day is ``2026-11-30``, or a number of days before today."""

    moment: str
    first: str | int | None
    last: str | int | None


class InFile(Struct, frozen=True):
    """What has a file with a run of words; ``prefix`` says that the last one may go on."""

    words: tuple[str, ...]
    prefix: bool = False


class All(Struct, frozen=True):
    """What all of the parts find."""

    parts: tuple[Query, ...]


class Either(Struct, frozen=True):
    """What any of the parts finds."""

    parts: tuple[Query, ...]


class Not(Struct, frozen=True):
    """What the part does not find."""

    part: Query


Query = Text | Marked | InGroup | InFile | Dated | All | Either | Not

#: Finds nothing.
NOTHING = Either(())


def parse_query(text: str) -> Query:
    """What a query means.

    Raises:
        QueryError: a part that has no meaning, or more than a search carries out.
    """
    if len(text) > limits.QUERY_CHARACTERS_MAX:
        raise QueryError(
            f"it has {len(text):,} characters, more than {limits.QUERY_CHARACTERS_MAX:,}",
            next_step="Search for the words that matter.",
        )
    return _Parser(_pieces(text.translate(_QUOTES))).parsed()


# --- the pieces of a query -------------------------------------------------------------------


class _Piece(Struct, frozen=True):
    """A word, a phrase or a sign; ``name`` is what comes before an operator's colon."""

    text: str
    name: str = ""
    quoted: bool = False
    star: bool = False
    sign: str = ""  # one of ( ) - OR AND, otherwise empty


_SIGNS = {"OR": "OR", "|": "OR", "||": "OR", "AND": "AND", "&": "AND", "&&": "AND", "NOT": "-"}


def _pieces(text: str) -> list[_Piece]:
    found: list[_Piece] = []
    place = 0
    while place < len(text):
        character = text[place]
        if character.isspace():
            place += 1
        elif character in "()":
            found.append(_Piece("", sign=character))
            place += 1
        elif character == "-" and _begins_something(text, place + 1):
            found.append(_Piece("", sign="-"))
            place += 1
        else:
            piece, place = _piece(text, place)
            found.append(piece)
    return found


def _begins_something(text: str, place: int) -> bool:
    return place < len(text) and not text[place].isspace() and text[place] not in "-)"


def _piece(text: str, place: int) -> tuple[_Piece, int]:
    """The word, phrase or named value that begins at a place, and where it ends."""
    named = _NAME.match(text, place)
    name = named.group(1) if named else ""
    start = named.end() if named else place
    if text[start] == '"':
        end = text.find('"', start + 1)
        end = len(text) if end < 0 else end
        star = text[end + 1 : end + 2] == "*"
        piece = _Piece(text[start + 1 : end], name=name, quoted=True, star=star)
        return piece, end + 1 + star
    end = _word_end(text, start)
    word = text[start:end]
    if not name and word in _SIGNS:
        return _Piece("", sign=_SIGNS[word]), end
    star = len(word) > 1 and word.endswith("*")
    return _Piece(word.rstrip("*") if star else word, name=name, star=star), end


def _word_end(text: str, start: int) -> int:
    """Where a word ends: at a space, or at a bracket that it did not open itself."""
    opened = 0
    for place in range(start, len(text)):
        character = text[place]
        if character.isspace():
            return place
        if character == "(":
            opened += 1
        elif character == ")":
            if not opened:
                return place
            opened -= 1
    return len(text)


# --- the tree --------------------------------------------------------------------------------


class _Parser:
    """From pieces to the tree; a bracket without its other half is only a sign."""

    def __init__(self, pieces: Sequence[_Piece]) -> None:
        self._pieces = pieces
        self._place = 0
        self._terms = 0

    def parsed(self) -> Query:
        parts = []
        while self._place < len(self._pieces):
            part = self._either(0)
            if part is not None:
                parts.append(part)
            if self._sign() == ")":
                self._place += 1
        return _join(All, parts) or NOTHING

    def _sign(self) -> str:
        return self._pieces[self._place].sign if self._place < len(self._pieces) else ""

    def _either(self, depth: int) -> Query | None:
        if depth > limits.QUERY_DEPTH_MAX:
            raise QueryError(
                f"brackets are nested more than {limits.QUERY_DEPTH_MAX} deep",
                next_step="Write it with fewer brackets.",
            )
        parts = [self._all(depth)]
        while self._sign() == "OR":
            self._place += 1
            parts.append(self._all(depth))
        if len(parts) > 1 and None in parts:
            raise QueryError(
                "OR needs something on both of its sides",
                next_step='Write a OR b; the word itself is written "OR".',
            )
        return _join(Either, [part for part in parts if part is not None])

    def _all(self, depth: int) -> Query | None:
        parts = []
        while self._place < len(self._pieces) and self._sign() not in ("OR", ")"):
            if self._sign() == "AND":
                self._place += 1
                continue
            part = self._one(depth)
            if part is not None:
                parts.append(part)
        return _join(All, parts)

    def _one(self, depth: int) -> Query | None:
        piece = self._pieces[self._place]
        self._place += 1
        if piece.sign == "-":
            if self._place >= len(self._pieces) or self._sign() in ("OR", "AND", ")"):
                return None
            part = self._one(depth + 1)
            return Not(part) if part is not None else None
        if piece.sign == "(":
            inner = self._either(depth + 1)
            if self._sign() == ")":
                self._place += 1
            return inner
        self._terms += 1
        if self._terms > limits.QUERY_TERMS_MAX:
            raise QueryError(
                f"it has more than {limits.QUERY_TERMS_MAX} words",
                next_step="Search for the words that matter.",
            )
        return _term(piece)


def _join(kind: type[All] | type[Either], parts: Sequence[Query]) -> Query | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else kind(tuple(parts))


# --- one term --------------------------------------------------------------------------------


def _term(piece: _Piece) -> Query | None:
    if not piece.name:
        return _text(piece.text, piece, marks=() if piece.quoted else _marks_of_word(piece.text))
    operator = BY_NAME.get(piece.name.lower())
    if operator is None:
        _refuse_near_miss(piece.name)
        whole = f"{piece.name}:{piece.text}"
        return _text(whole, piece, marks=() if piece.quoted else _marks_of_word(whole))
    if not piece.text.strip():
        raise _misunderstood(operator, piece)
    return _TERMS[operator.kind](operator, piece)


def _text(
    text: str, piece: _Piece, columns: tuple[str, ...] = (), marks: tuple[str, ...] = ()
) -> Text | None:
    """The words of a piece; None where it holds none."""
    found = tuple(words(text))
    if not found:
        return None
    last = found[-1]
    runs_on = piece.star or (
        not piece.quoted and len(last) >= PREFIX_LETTERS_MIN and not is_run_of_characters(last)
    )
    return Text(found, prefix=runs_on, columns=columns, marks=marks)


def _marks_of_word(text: str) -> tuple[str, ...]:
    """The values that a bare word may be besides a word: a key, a DOI, an address."""
    found = [mark(Mark.KEY, text)]
    if _DOI.fullmatch(text):
        found.append(mark(Mark.DOI, text))
    if _ADDRESS.fullmatch(text):
        found.append(mark(Mark.URL, text))
    return tuple(found)


def _refuse_near_miss(name: str) -> None:
    """A name that is nearly an operator's, or that of a field which has none."""
    lower = name.lower()
    near = difflib.get_close_matches(lower, BY_NAME, n=1, cutoff=0.75)
    if near:
        advice = f"Did you mean '{near[0]}:'? "
    elif _is_field(lower):
        advice = ""
    else:
        return
    raise QueryError(
        f"there is no operator '{name}:'",
        next_step=f"{advice}The operators are {_names()}. Words with a colon are searched in "
        f'quotes: "{name}: ...".',
    )


def _is_field(name: str) -> bool:
    if is_other_name(name):
        return True
    try:
        canonical_field(name)
    except UnknownFieldError:
        return False
    return True


def _names() -> str:
    names = [f"{operator.name}:" for operator in OPERATORS]
    return ", ".join(names[:-1]) + f" and {names[-1]}"


def _misunderstood(operator: Operator, piece: _Piece) -> QueryError:
    return QueryError(
        f"'{piece.name}:{piece.text}' is not what {operator.name}: takes",
        next_step=f"It takes {operator.kind.value}, for example {operator.example}.",
    )


def _text_term(operator: Operator, piece: _Piece) -> Query:
    found = _text(piece.text, piece, columns=operator.columns)
    if found is None:
        raise _misunderstood(operator, piece)
    return found


def _file_term(operator: Operator, piece: _Piece) -> Query:
    found = _text(piece.text, piece)
    if found is None:
        raise _misunderstood(operator, piece)
    return InFile(found.words, found.prefix)


def _value_term(operator: Operator, piece: _Piece) -> Query:
    assert operator.mark is not None
    return Marked(mark(operator.mark, piece.text), prefix=piece.star)


def _years_term(operator: Operator, piece: _Piece) -> Query:
    low, high = _bounds(operator, piece)
    return Either(tuple(Marked(one, prefix) for one, prefix in year_range(low, high)))


def _days_term(operator: Operator, piece: _Piece) -> Query:
    text = piece.text.strip().lower()
    compared = _DAY_COMPARED.fullmatch(text)
    if ".." in text:
        low, _, high = text.partition("..")
        if not low and not high:
            raise _misunderstood(operator, piece)
        first = _days(operator, piece, low)[0] if low else None
        last = _days(operator, piece, high)[1] if high else None
    elif compared is not None:
        sign, (begin, end) = compared.group(1), _days(operator, piece, compared.group(2))
        first, last = {
            "=": (begin, end),
            ">": (_next_day(end), None),
            ">=": (begin, None),
            "<": (None, _next_day(begin, -1)),
            "<=": (None, end),
        }[sign]
    else:
        first, last = _days(operator, piece, text)
    return Dated(operator.name, first, last)


def _days(operator: Operator, piece: _Piece, text: str) -> tuple[str | int, str | int]:
    """The first and the last day of ``2026``, ``2026-11``, ``2026-11-30``, ``today``, ``7d``."""
    if text in _NAMED_DAYS:
        return _NAMED_DAYS[text], _NAMED_DAYS[text]
    if (lately := _LAST_DAYS.fullmatch(text)) is not None:
        return int(lately.group(1)) - 1, 0
    found = _DAY.fullmatch(text)
    if found is None:
        raise _misunderstood(operator, piece)
    year, month, day = (int(part) if part else 0 for part in found.groups())
    try:
        first = date(year, month or 1, day or 1)
        if day:
            last = first
        elif month:
            last = date(year, month, calendar.monthrange(year, month)[1])
        else:
            last = date(year, 12, 31)
    except ValueError:
        raise _misunderstood(operator, piece) from None
    return first.isoformat(), last.isoformat()


def _next_day(day: str | int, by: int = 1) -> str | int:
    if isinstance(day, int):
        return day - by
    try:
        return (date.fromisoformat(day) + timedelta(days=by)).isoformat()
    except OverflowError:
        return day


def _numbers_term(operator: Operator, piece: _Piece) -> Query:
    assert operator.mark is not None
    if piece.text.lower() == "none":
        return Not(Marked(mark(Mark.HAS, "rating")))
    low, high = _bounds(operator, piece)
    first = max(low if low is not None else 0, 0)
    last = min(high if high is not None else _RATING_LAST, _RATING_LAST)
    numbers = range(first, last + 1)
    return Either(tuple(Marked(mark(operator.mark, str(number))) for number in numbers))


def _bounds(operator: Operator, piece: _Piece) -> tuple[int | None, int | None]:
    """The ends of ``2015``, ``2015..2020``, ``2015..``, ``..2020``, ``>2015``."""
    text = piece.text.strip()
    if (found := _RANGE.fullmatch(text)) and text != "..":
        low, high = (int(end) if end else None for end in found.groups())
        return low, high
    if (compared := _COMPARED.fullmatch(text)) is None:
        raise _misunderstood(operator, piece)
    sign, number = compared.group(1) or "=", int(compared.group(2))
    return {
        "=": (number, number),
        ">": (number + 1, None),
        ">=": (number, None),
        "<": (None, number - 1),
        "<=": (None, number),
    }[sign]


def _type_term(operator: Operator, piece: _Piece) -> Query:
    given = piece.text.strip().lower()
    word = Marked(mark(Mark.TYPE, given), prefix=piece.star)
    if piece.star:
        return word
    family = given + "-"
    if given in TYPES or any(one.startswith(family) for one in TYPES):
        return (
            word if piece.quoted else Either((word, Marked(mark(Mark.TYPE, family), prefix=True)))
        )
    near = difflib.get_close_matches(given, sorted(TYPES), n=1, cutoff=0.5)
    raise QueryError(
        f"there is no type '{piece.text}'",
        next_step=f"Did you mean type:{near[0]}?" if near else f"For example {operator.example}.",
    )


def _group_term(_operator: Operator, piece: _Piece) -> Query:
    return InGroup(piece.text + "*" * piece.star)


def _field_term(operator: Operator, piece: _Piece) -> Query:
    given = piece.text.strip()
    name = HAS_NAMES.get(given.lower(), given)
    if name not in HAS_NAMES.values():
        try:
            name = canonical_field(name if name.startswith("x.") else name.lower())
        except UnknownFieldError as error:
            raise QueryError(
                f"there is no field '{given}' to ask for with has:",
                next_step=f"Did you mean '{error.suggestion}'?"
                if error.suggestion
                else f"For example {operator.example}, has:note, has:DOI.",
            ) from None
    return Marked(mark(Mark.HAS, name))


def _state_term(operator: Operator, piece: _Piece) -> Query:
    state = piece.text.strip().lower()
    if state == "conflict":
        return Marked(mark(Mark.CONFLICT))
    if state not in STATES:
        raise QueryError(
            f"there is no state '{piece.text}'",
            next_step=f"{operator.name}: takes {', '.join(STATES[:-1])} or {STATES[-1]}.",
        )
    read = Marked(mark(Mark.STATUS, "read"))
    return read if state == "read" else Not(read)


_TERMS = {
    Kind.TEXT: _text_term,
    Kind.VALUE: _value_term,
    Kind.YEARS: _years_term,
    Kind.DAYS: _days_term,
    Kind.NUMBERS: _numbers_term,
    Kind.TYPE: _type_term,
    Kind.GROUP: _group_term,
    Kind.FIELD: _field_term,
    Kind.STATE: _state_term,
    Kind.FILE: _file_term,
}
