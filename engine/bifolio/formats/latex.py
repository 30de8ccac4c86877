r"""LaTeX text to Unicode and back: the only user of ``pylatexenc``.

Reading keeps what a reader sees: case-protecting braces go, accents become letters, emphasis and
sub- or superscript become the rich text ``<i> <b> <sub> <sup>``. A macro nobody knows leaves its
argument's text, or its own name where it has none (``\AmSTeX`` gives AmSTeX): nothing is dropped.
Writing is UTF-8 with TeX's special characters escaped, so that reading gives the same text again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

_TEX: Final = re.compile(r"[\\{}$~]|--|``|''")

#: Values with nothing but these commands need no parser; four in five of those with a backslash
#: in the demo's ``typography.bib`` are such.
_SIMPLE: Final = re.compile(r"\\(?:[&%#_{}]|(?:La)?TeX(?![A-Za-z])(?:\{\}|[ ]?(?=[^A-Za-z ]|$))?)")
_ONE_LETTER: Final = {"&": "&", "%": "%", "#": "#", "_": "_", "{": "\ue000", "}": "\ue001"}

#: Characters that are text, marked while the parser must not take them for TeX's.
_MARKS: Final = {"\ue000": "{", "\ue001": "}", "\ue002": "~", "\ue003": "\\", "\ue004": "^"}

#: Deeper nesting is no text; the parser is recursive.
_DEPTH_MAX: Final = 60

_ITALIC, _BOLD = ("<i>", "</i>"), ("<b>", "</b>")
_REPLACED: Final = {
    **dict.fromkeys(("emph", "textit", "textsl", "mkbibemph", "mkbibitalic"), _ITALIC),
    **dict.fromkeys(("textbf", "mkbibbold"), _BOLD),
    "textsuperscript": ("<sup>", "</sup>"),
    "mkbibsuperscript": ("<sup>", "</sup>"),
    "textsubscript": ("<sub>", "</sub>"),
    **dict.fromkeys(
        ("url", "path", "nolinkurl", "enquote", "ensuremath", "mbox", "hbox"), ("", "")
    ),
}

#: Macros of bibliographies that the parser's tables lack; without argument.
_WORDS: Final = {
    "Dash": "—",
    "slash": "/",
    "AmSTeX": "AmSTeX",
    "AMSTeX": "AMSTeX",
    "BibTeX": "BibTeX",
    "textendash": "–",
    "textemdash": "—",
    "protect": "",
    "relax": "",
    "newline": " ",
    "hskip": " ",
    "textasciitilde": "~",
    "textbackslash": "\\",
    "textasciicircum": "^",
}
_SWITCHES: Final = re.compile(r"\{\s*\\(em|it|itshape|sl|bf|bfseries)(?![A-Za-z])\s*")
_MACRO: Final = re.compile(r"\\([A-Za-z]+)\*?(\s*\{\s*\}|[ \t\n]+(?!\{)|)(?=(\s*\{)?)")
_MATH: Final = re.compile(r"(?<!\\)\$([^$]*)\$")
_SCRIPT: Final = re.compile(r"([_^])(?:\{([^{}]*)\}|(\\[A-Za-z]+|[^\s{}\\$]))")
#: Sorts a year or title and prints nothing.
_SORTING: Final = re.compile(r"\\(?:noopsort|SortNoop)\s*\{[^{}]*\}")
_BARE: Final = re.compile(r"(?<!\\)[%&#]")


def decode(text: str) -> str:
    """The Unicode text of a LaTeX text."""
    return _decode(text) if _TEX.search(text) else text


@lru_cache(maxsize=16_384)
def _decode(text: str) -> str:
    simple = _SIMPLE.sub(_simple_command, text)
    if "\\" not in simple and "$" not in simple:
        return _restore_braces(_without_braces(_typography(simple)))
    return _restore_braces(_parsed(text))


def _simple_command(found: re.Match[str]) -> str:
    command = found.group()[1:]
    if command[0] in _ONE_LETTER:
        return _ONE_LETTER[command[0]]
    word = "LaTeX" if command.startswith("La") else "TeX"
    return word + (" " if command.endswith(" ") and not command.endswith("{}") else "")


def _typography(text: str) -> str:
    text = text.replace("---", "—").replace("--", "–").replace("~", " ")
    return text.replace("``", "“").replace("''", "”")


def _without_braces(text: str) -> str:
    return text.replace("{", "").replace("}", "")


def _restore_braces(text: str) -> str:
    for mark, character in _MARKS.items():
        text = text.replace(mark, character)
    return text


def _parsed(text: str) -> str:
    """The text by the parser, or without its braces where the parser cannot read it."""
    if _depth(text) > _DEPTH_MAX:
        return text
    from pylatexenc.latexwalker import LatexWalkerError

    walker_options, converter = _parser()
    prepared = _SWITCHES.sub(
        lambda found: "\\textbf{" if found.group(1).startswith("bf") else "\\emph{",
        _SORTING.sub("", text),
    )
    prepared = _MATH.sub(_scripts, prepared)
    prepared = _BARE.sub(lambda found: "\\" + found.group(), prepared)
    prepared = prepared.replace(r"\{", "\ue000").replace(r"\}", "\ue001")
    prepared = _MACRO.sub(_known_macro, prepared)
    try:
        from pylatexenc.latexwalker import LatexWalker

        nodes = LatexWalker(prepared, **walker_options).get_latex_nodes()[0]
        return str(converter.nodelist_to_text(nodes))
    except (LatexWalkerError, ValueError, IndexError, RecursionError):
        return _without_braces(_typography(text))


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character == "{":
            depth += 1
            deepest = max(deepest, depth)
        elif character == "}":
            depth -= 1
    return deepest


def _scripts(found: re.Match[str]) -> str:
    """A formula whose sub- and superscripts are commands that the converter knows."""

    def script(inner: re.Match[str]) -> str:
        command = "textsubscript" if inner.group(1) == "_" else "textsuperscript"
        return f"\\{command}{{{inner.group(2) or inner.group(3) or ''}}}"

    return f"${_SCRIPT.sub(script, found.group(1))}$"


def _known_macro(found: re.Match[str]) -> str:
    """A macro as it stands if the parser knows it; else its text."""
    name, gap, argument = found.group(1), found.group(2), found.group(3)
    if name in _WORDS:
        return _tex_text(_WORDS[name])
    if name in _known_names():
        return found.group()
    # Before an argument, the argument is the text; alone, the name is.
    return "" if argument and "{" not in gap else name + ("" if "{" in gap else gap and " ")


def _tex_text(text: str) -> str:
    return {"~": "\ue002", "\\": "\ue003", "^": "\ue004"}.get(text, text)


@lru_cache(maxsize=1)
def _known_names() -> frozenset[str]:
    from pylatexenc.latex2text import get_default_latex_context_db

    specs = get_default_latex_context_db().iter_macro_specs()
    return frozenset(spec.macroname for spec in specs) | frozenset(_REPLACED)


@lru_cache(maxsize=1)
def _parser() -> tuple[dict[str, Any], Any]:
    """The parser's options and the converter, made once: each takes milliseconds."""
    from pylatexenc import latex2text, latexwalker, macrospec

    words = latexwalker.get_default_latex_context_db()
    words.add_context_category(
        "bifolio", prepend=True, macros=[macrospec.MacroSpec(name, "{") for name in _REPLACED]
    )
    texts = latex2text.get_default_latex_context_db()
    texts.add_context_category(
        "bifolio",
        prepend=True,
        macros=[
            latex2text.MacroTextSpec(name, _between(*text)) for name, text in _REPLACED.items()
        ],
    )
    converter = latex2text.LatexNodes2Text(
        latex_context=texts, math_mode="text", strict_latex_spaces=False, keep_comments=True
    )
    return {"latex_context": words, "tolerant_parsing": True}, converter


def _between(before: str, after: str) -> Callable[..., str]:
    """What the parser calls for a macro: its arguments' text between two texts."""

    def text(node: Any, l2tobj: Any) -> str:
        arguments = node.nodeargd.argnlist if node.nodeargd else None
        shown = "".join(l2tobj.nodelist_to_text([one]) for one in arguments or () if one)
        return before + shown + after if shown else ""

    return text


_RICH: Final = {
    "<i>": r"\emph{",
    "<b>": r"\textbf{",
    "<sub>": r"\textsubscript{",
    "<sup>": r"\textsuperscript{",
}
_RICH_PAIR: Final = re.compile(r"<(i|b|sub|sup)>((?:(?!</?(?:i|b|sub|sup)>).)*)</\1>", re.DOTALL)
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
_ESCAPED: Final = re.compile(r"[\\{}$&%#_~^]")
_LIGATURES: Final = re.compile(r"-(?=-)|`(?=`)|'(?=')")


def encode(text: str) -> str:
    """A LaTeX text that ``decode`` turns into this text, and that TeX can print."""
    escaped = _ESCAPED.sub(lambda found: _ESCAPES[found.group()], text)
    escaped = _LIGATURES.sub(lambda found: found.group() + "{}", escaped)
    while (nested := _RICH_PAIR.sub(_rich_command, escaped)) != escaped:
        escaped = nested
    return escaped


def _rich_command(found: re.Match[str]) -> str:
    return _RICH[f"<{found.group(1)}>"] + found.group(2) + "}"
