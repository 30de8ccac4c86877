r"""LaTeX text to the Unicode text that a reader sees.

One pass over the tokens with a stack of open groups, so that time and memory are in proportion to
the text; braces beyond a bound of nesting mean nothing. A command nobody knows gives its
argument's text, or its own name where it has none: nothing is dropped but what prints nothing
(``\relax``, ``\noopsort{..}``). May know LaTeX, nothing of bibliographies beyond the commands
they use (``latex.symbols``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from bifolio.formats.latex.measures import MEASURES, measure
from bifolio.formats.latex.symbols import (
    ACCENTS,
    ACCENTS_BY_PLACE,
    ALPHABETS,
    BARE_ACCENTS,
    BOXES,
    DROPPED,
    LETTERS,
    LOWER_CASE,
    QUOTED,
    SILENT,
    SWITCHES,
    UPPER_CASE,
    VERBATIM,
    WORDS,
    WRAPPED,
    alphabet,
    symbol,
)

_TOKEN: Final = re.compile(
    r"\\(?P<word>[A-Za-z]+)\*?(?P<gap>[ \t\n]*)|\\(?P<sign>.)(?P<pause>[ \t\n]*)"
    r"|(?P<open>\{)|(?P<close>\})|(?P<math>\$\$?)|(?P<script>[_^])"
    r"|(?P<typography>---?|``|''|~|[?!]`)|(?P<text>[^\\{}$_^~\-`'?!]+|[^\\])|\\",
    re.DOTALL,
)
#: A tie between words; behind a blank and before a number it says "about".
TIE: Final = re.compile(r"(?<=[^\s(])~|~(?![\d.])")
_TYPOGRAPHY: Final = {
    "---": "—", "--": "–", "``": "“", "''": "”", "?`": "¿", "!`": "¡"
}  # fmt: skip
_SPACING: Final = {
    ",": " ", ";": " ", ":": " ", "!": "", " ": " ", "\n": " ", "\\": " ", "-": "", "/": "",
    "@": "",
}  # fmt: skip
_SCRIPTS: Final = {"_": ("<sub>", "</sub>"), "^": ("<sup>", "</sup>")}
_FRACTIONS: Final = frozenset("frac tfrac dfrac cfrac nicefrac sfrac textfrac".split())
_ABOVE: Final = frozenset("`'^~=u.\"rHvhGU")
_URL_ESCAPE: Final = re.compile(
    r"\\([%_#&~{}$^])|\\(?:string|textasciitilde)(?:\{\}|\s*)(~?)"
    r"|\\text(less|greater|underscore|hyphen|dollar)(?:\{\}|\s+|(?![A-Za-z]))|\$\\?([<>])\$"
)
_URL_WORDS: Final = {"less": "<", "greater": ">", "underscore": "_", "hyphen": "-", "dollar": "$"}
#: A command's options, which print nothing.
#: The options of a command, behind which its argument comes.
_OPTIONS_OF_ARGUMENT: Final = re.compile(r"\s*(\[[^\[\]{}]*\])(?=\{)")
_OPTIONS: Final = re.compile(r"\s*\[[^\[\]{}]*\]")
_CODE: Final = re.compile(r"\s*(\d+)|\s*`\\?(.)|\s*'([0-7]+)|\s*\"([0-9A-F]+)")
_DIMENSION: Final = re.compile(r"\s*-?[\d.]*\s*(?:em|ex|pt|in|cm|mm)\b", re.IGNORECASE)
_EMPTY_BEFORE_LETTER: Final = re.compile(r"\{\}(?:[^\W\d_]|\\[ij]\b)")
#: Takes the blanks after it away; it stands for no character.
_JOINT: Final = "\ufdd0"
_JOINED: Final = re.compile(f"{_JOINT}\\s*")
#: The number of a sign in a font; behind a mark for another base than ten.
_PLACE: Final = re.compile(r"\s*(?:(\")([0-9A-F]{1,2})|(')?(\d{1,3}))\s*")
_TAG: Final = re.compile(r"(</?\w[^<>]*>)")
_VERB: Final = re.compile(r"(\S)(.*?)\1", re.DOTALL)

#: Deeper nesting is no text; each level's text is copied into the next one's.
_DEPTH_MAX: Final = 60

_Finish = Callable[[str], str]


class _Group:
    """An open group: its text so far, and what becomes of it at its end."""

    __slots__ = ("finish", "math", "parts", "quotes", "switched")

    def __init__(self, finish: _Finish | None, *, math: bool, quotes: int) -> None:
        self.finish = finish
        self.math = math
        self.quotes = quotes
        self.parts: list[str] = []
        #: (where in the parts a switch is, what it puts around the rest)
        self.switched: list[tuple[int, tuple[str, str]]] = []

    def text(self) -> str:
        for place, (before, after) in reversed(self.switched):
            inner = "".join(self.parts[place:])
            self.parts[place:] = [before + inner + after if inner.strip() else inner]
        text = "".join(self.parts)
        return self.finish(text) if self.finish else text


class LatexReader:
    """Reads one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._groups = [_Group(None, math=False, quotes=0)]
        #: What the next group or character is the argument of.
        self._pending: _Finish | None = None
        self._waiting = 0
        #: Open groups beyond those that mean anything.
        self._too_deep = 0

    def read(self) -> str:
        """The whole text."""
        text, length = self._text, len(self._text)
        while self._at < length:
            found = _TOKEN.match(text, self._at)
            if found is None:
                break
            self._at = found.end()
            kind = found.lastgroup
            if kind == "text" or kind == "typography":
                self._plain(found.group(kind), typography=kind == "typography")
            elif kind == "open":
                self._open()
            elif kind == "close":
                self._close()
            elif kind == "gap":
                self._command(found.group("word"), found.group("gap"))
            elif kind == "pause":
                self._sign(found.group("sign"), found.group("pause"))
            elif kind == "math":
                self._dollar(found.group("math"))
            elif kind == "script":
                self._script(found.group("script"))
        self._too_deep = 0
        while len(self._groups) > 1:
            self._close()
        self._end_pending()
        return _JOINED.sub("", self._groups[0].text())

    # --- what comes out ---

    def _emit(self, text: str) -> None:
        """Text into the open group, through the command that waits for it."""
        if self._pending is not None:
            finish, self._pending = self._pending, None
            text = finish(text)
        self._groups[-1].parts.append(text)

    def _await(self, finish: _Finish) -> None:
        """Let a command wait for its argument, which is the argument of one that waits already."""
        outer = self._pending
        self._waiting = 1 if outer is None else self._waiting + 1
        if self._waiting > _DEPTH_MAX:
            return
        self._pending = finish if outer is None else lambda text: outer(finish(text))

    def _end_pending(self) -> None:
        if self._pending is not None:
            self._emit("")

    def _plain(self, text: str, *, typography: bool) -> None:
        group = self._groups[-1]
        if self._pending is None:
            if text == "~":
                text = " " if TIE.match(self._text, self._at - 1) else text
            elif typography and not group.math:
                text = _TYPOGRAPHY[text]
            group.parts.append(text)
            return
        stripped = text.lstrip()
        if not stripped:
            return
        # An argument without braces is one character.
        self._at -= len(stripped) - 1
        self._emit(stripped[0])

    def _open(self) -> None:
        if len(self._groups) > _DEPTH_MAX:
            self._too_deep += 1
            return
        group = self._groups[-1]
        self._groups.append(_Group(self._pending, math=group.math, quotes=group.quotes))
        self._pending = None

    def _close(self) -> None:
        if self._too_deep:
            self._too_deep -= 1
            return
        if len(self._groups) == 1:
            return  # it closes nothing
        group = self._groups[-1]
        if self._pending is not None and not group.parts and group.finish is None:
            self._groups.pop()
            return  # {\"}a, which some people write
        self._end_pending()
        self._groups[-2].parts.append(self._groups.pop().text())

    # --- commands ---

    def _command(self, name: str, gap: str) -> None:
        following = self._text[self._at : self._at + 1]
        if name in LETTERS:
            self._emit(LETTERS[name])
        elif name in SWITCHES:
            group = self._groups[-1]
            group.switched.append((len(group.parts), SWITCHES[name]))
        elif name in ACCENTS:
            self._await(lambda text: _accent(name, text))
        elif name in WORDS:
            self._word(WORDS[name], gap)
        elif name in WRAPPED:
            before, after = WRAPPED[name]
            if options := _OPTIONS_OF_ARGUMENT.match(self._text, self._at):
                self._at = options.end(1)
                self._emit(f"<sup>{options.group(1)[1:-1]}</sup>" if name == "sqrt" else "")
            self._await(lambda text: before + text + after if text else "")
        elif name in QUOTED:
            self._quote(QUOTED[name])
        elif name in DROPPED:
            self._drop_options()
            for _ in range(DROPPED[name]):
                self._drop_argument()
        elif name in BOXES:
            self._box(BOXES[name])
        elif name in MEASURES:
            self._emit(self._measure(name))
        elif name == "texorpdfstring":
            self._await(self._without_alternative)
        elif name in VERBATIM:
            self._emit(self._address())
        elif name == "href":
            self._link()
        elif name == "ensuremath":
            if following == "{":
                self._at += 1
                self._open()
                self._groups[-1].math = True
        elif name not in SILENT:
            self._special(name, gap, following)

    def _special(self, name: str, gap: str, following: str) -> None:
        """The commands with a syntax of their own, and those that nobody knows."""
        if name in ("char", "symbol"):
            self._character()
        elif name in ("kern", "hskip", "vskip", "raise", "lower"):
            found = _DIMENSION.match(self._text, self._at)
            self._at = found.end() if found else self._at
            self._emit(" " if name == "hskip" else "")
        elif name == "verb" and (found := _VERB.match(self._text, self._at)) is not None:
            self._at = found.end()
            self._emit(found.group(2))
        elif name in ("textcolor", "foreignlanguage") and following in ("{", "["):
            self._drop_options()
            self._drop_argument()
        elif name in UPPER_CASE or name in LOWER_CASE:
            self._await(_upper_case if name in UPPER_CASE else _lower_case)
        elif name == "accent" and (place := _PLACE.match(self._text, self._at)) is not None:
            self._at = place.end()
            accent = ACCENTS_BY_PLACE.get(_place(place))
            self._await(lambda text: _accent(accent, text) if accent else text)
        elif name in _FRACTIONS:
            self._await(lambda text: text.strip() + "/" + _JOINT)
        elif name == "discretionary":
            for _ in range(3):
                self._drop_argument()
        elif name in ALPHABETS:
            self._await(lambda text: "".join(alphabet(name, one) for one in text))
        elif (known := symbol(name)) is not None:
            self._word(known, gap)
        elif following == "[" and (options := _OPTIONS_OF_ARGUMENT.match(self._text, self._at)):
            self._at = options.end(1)
            if name in ("isotope", "nuclide"):
                self._emit(f"<sup>{options.group(1)[1:-1].strip()}</sup>")
        elif following != "{" or self._text.startswith("{}", self._at):
            self._word(name, gap)

    def _word(self, text: str, gap: str) -> None:
        """A command's own text. TeX swallows the space after it, people mean one after a word."""
        following = self._text[self._at : self._at + 1]
        if len(text) > 1:
            spaced = following != "{"
        else:
            spaced = self._groups[-1].math and not following.isalnum()
        self._emit(text + " " if gap and spaced else text)

    def _sign(self, sign: str, pause: str) -> None:
        if sign in "()[]":
            self._groups[-1].math = sign in "(["
            self._groups[-1].parts.append(pause)
            return
        if sign in ACCENTS:
            if sign not in "~^" and _EMPTY_BEFORE_LETTER.match(self._text, self._at):
                self._at += 2  # \'{}e, which some exporters write
            self._await(lambda text: _accent(sign, text))
            return
        self._emit(_SPACING.get(sign, sign) + pause)

    def _script(self, sign: str) -> None:
        if not self._groups[-1].math and not self._text.startswith("{", self._at):
            self._emit(sign)
            return
        before, after = _SCRIPTS[sign]

        def scripted(text: str) -> str:
            if text.strip() in ("∘", "°") and sign == "^":
                return "°"
            return before + text + after if text else ""

        self._await(scripted)

    def _dollar(self, sign: str) -> None:
        group = self._groups[-1]
        if group.math:
            group.math = False
            if group.parts:
                group.parts[-1] = group.parts[-1].rstrip()
        elif self._text.find("$", self._at) >= 0:
            group.math = True
            while self._text[self._at].isspace():
                self._at += 1
        else:
            self._emit(sign)

    def _quote(self, before: int) -> None:
        """A text between quotation marks, behind so many arguments that print nothing."""
        for _ in range(before):
            self._drop_options()
            self._drop_argument()
        marks = "“”" if self._groups[-1].quotes % 2 == 0 else "‘’"
        self._await(lambda text: marks[0] + text + marks[1])
        if self._text.startswith("{", self._at):
            self._at += 1
            self._open()
            self._groups[-1].quotes += 1

    def _character(self) -> None:
        braced = self._raw_argument() if self._text.startswith("{", self._at) else None
        found = _CODE.match(braced) if braced is not None else _CODE.match(self._text, self._at)
        if found is None:
            return
        if braced is None:
            self._at = found.end()
        code = _code(found)
        self._emit(chr(code) if 32 <= code < 0xD800 else "")

    # --- arguments that are no LaTeX ---

    def _raw_argument(self) -> str:
        """The text between the braces that begin here, as it is; empty if none do."""
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1
        if not self._text.startswith("{", self._at):
            return ""
        depth, start = 0, self._at + 1
        for at in range(self._at, len(self._text)):
            character = self._text[at]
            if character in "{}" and self._text[at - 1 : at] != "\\":
                depth += 1 if character == "{" else -1
                if depth == 0:
                    self._at = at + 1
                    return self._text[start:at]
        self._at = len(self._text)
        return self._text[start:]

    def _drop_options(self) -> None:
        while (found := _OPTIONS.match(self._text, self._at)) is not None:
            self._at = found.end()

    def _box(self, before: int) -> None:
        """A command whose text comes behind so many arguments that print nothing."""
        for _ in range(before):
            self._drop_options()
            self._drop_argument()
        self._drop_options()

    def _without_alternative(self, text: str) -> str:
        """The first of two arguments that say the same; the second one is passed over."""
        self._drop_argument()
        return text

    def _measure(self, name: str) -> str:
        """Numbers and units, or a formula of chemistry, as they are printed."""
        arguments = []
        self._drop_options()
        for _ in range(MEASURES[name]):
            arguments.append(self._raw_argument())
            self._drop_options()
        return measure(name, arguments)

    def _drop_argument(self) -> None:
        if self._text.startswith("\\", self._at):
            self._at += 2  # \vphantom\}
        else:
            self._raw_argument()

    def _address(self) -> str:
        return address(self._raw_argument())

    def _link(self) -> None:
        """A link's text, and its address where the text is another."""
        target = self._address()

        def linked(text: str) -> str:
            shown = text.strip()
            return target if shown in ("", target) or "://" in shown else f"{shown} <{target}>"

        self._await(linked)


def address(raw: str) -> str:
    """An address or DOI as it is meant: escapes and braces off, ``~`` and ``--`` left alone."""
    if "\\" in raw or "$" in raw:
        raw = _URL_ESCAPE.sub(_url_character, raw)
    return raw.replace("{", "").replace("}", "").strip()


def _url_character(found: re.Match[str]) -> str:
    sign, _, word, math = found.groups()
    return sign or math or _URL_WORDS.get(word or "", "~")


def _place(found: re.Match[str]) -> int:
    """The number, of TeX's three bases."""
    if found.group(1):
        return int(found.group(2), 16)
    octal = found.group(3) and not found.group(4).strip("01234567")
    return int(found.group(4), 8 if octal else 10)


def _upper_case(text: str) -> str:
    """The text in capitals, its tags as they are."""
    return "".join(one if one.startswith("<") else one.upper() for one in _TAG.split(text))


def _lower_case(text: str) -> str:
    return text.lower()


def _code(found: re.Match[str]) -> int:
    """A character's number, written in ten digits, as the character, in octal or hexadecimal."""
    decimal, character, octal, hexadecimal = found.groups()
    if character:
        return ord(character)
    base, digits = (10, decimal) if decimal else (8, octal) if octal else (16, hexadecimal)
    return int(digits[:7], base)


def _accent(accent: str, text: str) -> str:
    """A text with an accent over its first letter (over all of it for a line)."""
    mark = ACCENTS[accent]
    if not text.strip():
        return BARE_ACCENTS.get(accent, "") + text
    if accent in ("overline", "underline"):
        return "".join(one + mark for one in text)
    first, rest = text[0], text[1:]
    if first == "<" or not first.isprintable():
        return text
    if accent in _ABOVE or len(accent) > 1:
        first = {"ı": "i", "ȷ": "j"}.get(first, first)
    if accent == "t":
        return first + mark + rest
    return unicodedata.normalize("NFC", first + mark) + rest
