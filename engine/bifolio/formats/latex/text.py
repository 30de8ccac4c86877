r"""LaTeX text to Unicode and back.

Reading keeps what a reader sees: case-protecting braces go, accents become letters, emphasis and
sub- or superscript become the rich text ``<i> <b> <u> <sub> <sup>`` and a span for small capitals.
Writing is UTF-8 with TeX's special characters escaped, so that reading gives the same text again;
in a title, capitals inside of words are protected.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from bifolio.formats.entities import unescape
from bifolio.formats.latex.reading import TIE, LatexReader

_TEX: Final = re.compile(r"[\\{}$~]|--|``|''|[?!]`")

#: Values with nothing but these commands need no reader; four in five of those with a backslash
#: in the demo's ``typography.bib`` are such.
_SIMPLE: Final = re.compile(r"\\(?:[&%#_{}]|(?:La)?TeX(?![A-Za-z])(?:\{\}|[ ]?(?=[^A-Za-z ]|$))?)")
#: Whatever ends the last command ends with it.
_BRANCHES: Final = re.compile(
    r"\\if(mmode|true|false)(?![A-Za-z])\s*"
    r"((?:(?!\\else|\\fi(?![A-Za-z])|\\if(?:mmode|true|false)).)*+)"
    r"(?:\\else(?![A-Za-z])\s*((?:(?!\\fi(?![A-Za-z])|\\if(?:mmode|true|false)).)*+))?"
    r"\\fi(?![A-Za-z])(?:\{\}|[ \t\n]+)?",
    re.DOTALL,
)
_BRANCHES_DEEP_MAX: Final = 10
_SCRIPT: Final = re.compile(r"(?<!\\)[_^]\{")
_ONE_LETTER: Final = {"&": "&", "%": "%", "#": "#", "_": "_", "{": "\ue000", "}": "\ue001"}


#: HTML's entities, which databases leave in BibTeX, with TeX's escapes or without.
_ENTITY: Final = re.compile(
    r"(?:\\?&|\{\\&\})(\\?#[xX]?[0-9a-fA-F]{1,7};|[A-Za-z][A-Za-z0-9]{1,30};)"
)


def decode(text: str, *, keeps_entities: bool = False) -> str:
    """The Unicode text of a LaTeX text; HTML's entities in it are characters.

    Args:
        keeps_entities: whether they stay, as in an abstract that was taken from a page.
    """
    if not keeps_entities and "&" in text and ";" in text:
        text = _ENTITY.sub(_entity, text)
    return _decode(resolve_branches(text)) if _TEX.search(text) else text


def _entity(found: re.Match[str]) -> str:
    written = "&" + found.group(1).replace("\\", "")
    meant = unescape(written)
    return found.group() if meant == written else encode(meant)


def resolve_branches(text: str) -> str:
    r"""The text with one branch of ``\ifmmode..\else..\fi``: that of a formula in one, else the
    other; and of ``\iftrue``, ``\iffalse``."""
    if r"\if" not in text:
        return text

    def branch(found: re.Match[str]) -> str:
        condition, formula, plain = found.group(1), found.group(2), found.group(3) or ""
        if condition != "mmode":
            return formula if condition == "true" else plain
        return formula if text.count("$", 0, found.start()) % 2 else plain

    # The innermost first; each turn leaves one level of nesting less.
    for _ in range(_BRANCHES_DEEP_MAX):
        text, count = _BRANCHES.subn(branch, text)
        if not count:
            break
    return text


@lru_cache(maxsize=16_384)
def _decode(text: str) -> str:
    if "\\" not in text and "$" not in text and not _SCRIPT.search(text):
        return _plain(text)
    simple = _SIMPLE.sub(_simple_command, text)
    if "\\" not in simple and "$" not in simple and not _SCRIPT.search(text):
        return _plain(simple).replace("\ue000", "{").replace("\ue001", "}")
    return LatexReader(text).read()


def _simple_command(found: re.Match[str]) -> str:
    command = found.group()[1:]
    if command[0] in _ONE_LETTER:
        return _ONE_LETTER[command[0]]
    word = "LaTeX" if command.startswith("La") else "TeX"
    return word + (" " if command.endswith(" ") and not command.endswith("{}") else "")


def _plain(text: str) -> str:
    """Without braces, and with the marks that ligatures stand for."""
    if "-" in text:
        text = text.replace("---", "—").replace("--", "–")
    if "`" in text:
        text = text.replace("?`", "¿").replace("!`", "¡").replace("``", "“")
    if "~" in text:
        text = TIE.sub(" ", text)
    return text.replace("''", "”").replace("{", "").replace("}", "")


_RICH: Final = {
    "<i>": r"\emph{",
    "<b>": r"\textbf{",
    "<sub>": r"\textsubscript{",
    "<sup>": r"\textsuperscript{",
    "<u>": r"\underline{",
    '<span style="font-variant:small-caps;">': r"\textsc{",
}
_RICH_PAIR: Final = re.compile(
    r'(<(i|b|u|sub|sup|span)(?: style="font-variant:small-caps;")?>)'
    r"((?:(?!</?(?:i|b|u|sub|sup)>|</?span).)*)</\2>",
    re.DOTALL,
)
_ESCAPES: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
#: BibTeX counts a brace behind a backslash too: one alone would end the entry elsewhere.
_LONE_BRACES: Final = {"{": r"\textbraceleft{}", "}": r"\textbraceright{}"}
_ESCAPED: Final = re.compile(r"[\\{}$&%#_~^]")
_LIGATURES: Final = re.compile(r"-(?=-)|[`?!](?=`)|'(?=')")


def encode(text: str) -> str:
    """A LaTeX text that ``decode`` turns into this text, and that TeX can print."""
    escapes = _ESCAPES if _has_balanced_braces(text) else _ESCAPES | _LONE_BRACES
    escaped = _ESCAPED.sub(lambda found: escapes[found.group()], text)
    if "&" in escaped and ";" in escaped:
        escaped = _ENTITY.sub(lambda found: r"\&{}" + found.group(1), escaped)
    escaped = _LIGATURES.sub(lambda found: found.group() + "{}", escaped)
    while (nested := _RICH_PAIR.sub(_rich_command, escaped)) != escaped:
        escaped = nested
    return escaped


def _has_balanced_braces(text: str) -> bool:
    depth = 0
    for one in text if "{" in text or "}" in text else "":
        depth += (one == "{") - (one == "}")
        if depth < 0:
            return False
    return depth == 0


def _rich_command(found: re.Match[str]) -> str:
    command = _RICH.get(found.group(1))
    return command + found.group(3) + "}" if command else found.group()


#: A word, escaped characters inside of it included (``AT\\&T``). A brace before a backslash would
#: mean something else to BibTeX, so it begins with a letter or digit.
_WORD: Final = re.compile(r"[^\W_](?:[^\W_]|\\[&%#_$])*")


_RICH_TAG: Final = re.compile(r"</?\w+[^<>]*>")
#: So many words in capitals are no row of abbreviations.
_ABBREVIATIONS_MAX: Final = 3


def encode_title(text: str) -> str:
    """``encode``, with braces round words that have capitals inside: styles make these small.

    A title all in capitals has none: there they mean nothing.
    """
    if all(word[1:] == word[1:].lower() for word in text.split()):
        return encode(text)
    shown = _RICH_TAG.sub("", text)
    if shown.isupper() and len(shown.split()) > _ABBREVIATIONS_MAX:
        return encode(text)
    return _WORD.sub(_protect, encode(text))


def _protect(found: re.Match[str]) -> str:
    word = found.group()
    return word if word[1:] == word[1:].lower() else "{" + word + "}"
