"""What LaTeX's commands print: the tables that ``latex`` reads by, and the user of ``pylatexenc``.

The commands of bibliographies are here; the rest of LaTeX's symbols are looked up in pylatexenc's
tables, which are loaded at the first command that is not.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

#: Accent to combining character. Those of one letter are commands of their own (``\\c{c}``).
ACCENTS: Final = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    ".": "\u0307",
    '"': "\u0308",
    "r": "\u030a",
    "H": "\u030b",
    "v": "\u030c",
    "d": "\u0323",
    "c": "\u0327",
    "k": "\u0328",
    "b": "\u0331",
    "t": "\u0361",
    "h": "\u0309",
    "G": "\u030f",
    "U": "\u030e",
    # of MathSciNet
    "polhk": "\u0328",
    "soft": "\u030c",
    "ocirc": "\u030a",
    "udot": "\u0323",
    "cftil": "\u0302",
    # in formulas
    "grave": "\u0300",
    "acute": "\u0301",
    "hat": "\u0302",
    "widehat": "\u0302",
    "tilde": "\u0303",
    "widetilde": "\u0303",
    "bar": "\u0304",
    "overline": "\u0305",
    "breve": "\u0306",
    "dot": "\u0307",
    "ddot": "\u0308",
    "mathring": "\u030a",
    "check": "\u030c",
    "vec": "\u20d7",
}

#: An accent by itself.
BARE_ACCENTS: Final = {"`": "`", "'": "´", "^": "^", "~": "~", "=": "¯", '"': "¨", ".": "˙"}

#: Single letters: TeX takes the space after the command for its end.
LETTERS: Final = dict(
    zip(
        "ss o O l L ae AE oe OE aa AA i j dh DH th TH dj DJ ng NG imath jmath".split(),
        "ß ø Ø ł Ł æ Æ œ Œ å Å ı ȷ ð Ð þ Þ đ Đ ŋ Ŋ ı ȷ".split(),
        strict=True,
    )
)

_GREEK: Final = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma "
    "tau upsilon phi chi psi omega"
).split()
_GREEK_LETTERS: Final = {
    name: unicodedata.lookup(f"GREEK SMALL LETTER {name.replace('lambda', 'lamda')}")
    for name in _GREEK
}

#: Words and signs; one space after the command is a space.
WORDS: Final = {
    **_GREEK_LETTERS,
    **{name.capitalize(): letter.upper() for name, letter in _GREEK_LETTERS.items()},
    **{f"var{name.capitalize()}": letter.upper() for name, letter in _GREEK_LETTERS.items()},
    **{f"text{name}": letter for name, letter in _GREEK_LETTERS.items()},
    **{name: name for name in "TeX LaTeX BibTeX AmSTeX AMSTeX XeTeX LuaTeX pdfTeX MF".split()},
    "LaTeXe": "LaTeX2ε",
    "Dash": "—",
    "ddag": "‡",
    "cprime": "ʹ",
    "Cprime": "ʺ",
    "cydot": "·",
    "lasp": "ʿ",
    "rasp": "ʾ",
    "dbar": "đ",
    "Dbar": "Đ",
    "flqq": "«",
    "frqq": "»",
    "flq": "‹",
    "frq": "›",
    "glqq": "„",
    "grqq": "“",
    "glq": "‚",
    "grq": "‘",
    "euro": "€",
    "ohm": "Ω",
    "micro": "µ",
    "perthousand": "‰",
    "permil": "‰",
    "checkmark": "✓",
    "textperiodcentered": "·",
    "slash": "/",
    "hyphen": "-",
    "emdash": "—",
    "endash": "–",
    "textendash": "–",
    "textemdash": "—",
    "textasciitilde": "~",
    "textasciicircum": "^",
    "textasciigrave": "`",
    "textbackslash": "\\",
    "backslash": "\\",
    "textbar": "|",
    "textless": "<",
    "textgreater": ">",
    "textunderscore": "_",
    "textdollar": "$",
    "textbraceleft": "{",
    "textbraceright": "}",
    "lbrace": "{",
    "rbrace": "}",
    "textquotesingle": "'",
    "textquotedbl": '"',
    "textquoteleft": "‘",
    "textquoteright": "’",
    "textquotedblleft": "“",
    "textquotedblright": "”",
    "lq": "‘",
    "rq": "’",
    "copyright": "©",
    "textcopyright": "©",
    "textregistered": "®",
    "texttrademark": "™",
    "degree": "°",
    "textdegree": "°",
    "celsius": "°C",
    "textcelsius": "°C",
    "percent": "%",
    "circ": "∘",
    "ldots": "…",
    "dots": "…",
    "textellipsis": "…",
    "pounds": "£",
    "pm": "±",
    "times": "×",
    "cdot": "⋅",
    "sim": "∼",
    "mod": "mod",
    "log": "log",
    "S": "§",
    "P": "¶",
    "space": " ",
    "quad": " ",
    "qquad": " ",
    "enspace": " ",
    "thinspace": " ",
    "newline": " ",
    "linebreak": " ",
    "par": "\n",
    "item": " ",
    "hfill": " ",
}

#: Commands that print nothing.
SILENT: Final = frozenset(
    "protect relax aftergroup ignorespaces unskip null leavevmode noindent bgroup egroup break "
    "allowbreak nobreak nolinebreak tiny scriptsize footnotesize small normalsize large Large "
    "normalfont rm tt sf cal mit frak Bbb upshape rmfamily ttfamily sffamily mdseries "
    "displaystyle textstyle left "
    "right big Big bigl bigr Bigl Bigr biggl biggr Biggl Biggr middle limits nolimits makeatletter "
    "makeatother expandafter selectfont xspace LARGE huge Huge boldmath unboldmath scriptstyle "
    "scriptscriptstyle raggedright centering sloppy frenchspacing nonfrenchspacing strut "
    "mathstrut smallskip medskip bigskip newpage clearpage pagebreak nopagebreak".split()
)

#: Commands whose arguments print nothing either (at their place), and how many they have.
DROPPED: Final = {
    **dict.fromkeys(
        "noopsort SortNoop noop NoOp NOOP sortnoop phantom hphantom vphantom label color vspace "
        "begin end hspace pagestyle "
        "footnote footnotetext footnotemark thanks index todo marginpar includegraphics fontfamily "
        "fontseries fontshape thispagestyle addtolength selectlanguage".split(),
        1,
    ),
    **dict.fromkeys("fontsize rule setlength".split(), 2),
    "footnotemark": 0,
}

#: Commands that set a text in a box, and how many arguments come before that text.
BOXES: Final = {
    **dict.fromkeys("raisebox scalebox rotatebox parbox colorbox adjustbox".split(), 1),
    **dict.fromkeys("resizebox fcolorbox".split(), 2),
    **dict.fromkeys("makebox framebox".split(), 0),
}

#: Commands whose argument is an address or a path and no LaTeX.
VERBATIM: Final = frozenset("url path nolinkurl".split())

_ITALIC, _BOLD = ("<i>", "</i>"), ("<b>", "</b>")
_SMALL_CAPS: Final = ('<span style="font-variant:small-caps;">', "</span>")
_UNDERLINE: Final = ("<u>", "</u>")

#: Commands that put something around their argument.
WRAPPED: Final = {
    **dict.fromkeys("emph textit textsl mkbibemph mkbibitalic mathit".split(), _ITALIC),
    **dict.fromkeys("textbf mkbibbold mathbf boldsymbol".split(), _BOLD),
    **dict.fromkeys("textsuperscript mkbibsuperscript up".split(), ("<sup>", "</sup>")),
    **dict.fromkeys("textsubscript mkbibsubscript".split(), ("<sub>", "</sub>")),
    **dict.fromkeys("textsc mkbibacro".split(), _SMALL_CAPS),
    **dict.fromkeys("underline uline".split(), _UNDERLINE),
    **dict.fromkeys(
        "mbox hbox fbox text textrm textsf texttt textnormal textup textmd mathrm mathsf mathtt "
        "mathnormal operatorname autocap".split(),
        ("", ""),
    ),
    "mkbibparens": ("(", ")"),
    "mkbibbrackets": ("[", "]"),
    "sqrt": ("√(", ")"),
}

#: Commands that hold to the end of their group.
SWITCHES: Final = {
    **dict.fromkeys("em it itshape sl slshape".split(), _ITALIC),
    **dict.fromkeys("bf bfseries".split(), _BOLD),
    **dict.fromkeys("sc scshape".split(), _SMALL_CAPS),
}

#: Commands whose text is quoted, and how many arguments come before it.
QUOTED: Final = {
    **dict.fromkeys("enquote mkbibquote textquote".split(), 0),
    **dict.fromkeys("foreignquote foreigntextquote hyphenquote hyphentextquote".split(), 1),
    "textcquote": 1,
}

#: Commands that change the case of their argument.
UPPER_CASE: Final = frozenset("uppercase MakeUppercase MakeTextUppercase".split())
LOWER_CASE: Final = frozenset("lowercase MakeLowercase MakeTextLowercase".split())

#: TeX's own accents, by their place in the fonts that were made for it.
ACCENTS_BY_PLACE: Final = {
    18: "`", 19: "'", 20: "v", 21: "u", 22: "=", 23: "r", 24: "c",
    94: "^", 95: ".", 125: "H", 126: "~", 127: '"',
}  # fmt: skip


@lru_cache(maxsize=1024)
def symbol(name: str) -> str | None:
    """The text of any other of LaTeX's symbols; nothing for a command nobody knows."""
    return _macros().get(name)


@lru_cache(maxsize=1)
def _macros() -> dict[str, str]:
    from pylatexenc.latex2text import get_default_latex_context_db

    return {
        spec.macroname: spec.simplify_repl
        for spec in get_default_latex_context_db().iter_macro_specs()
        if isinstance(spec.simplify_repl, str)
        and "%" not in spec.simplify_repl
        and not spec.simplify_repl.startswith(("<", "["))  # what pylatexenc shows of \\cite{..}
    }


#: The alphabets of formulas, by Unicode's names of their letters.
ALPHABETS: Final = {
    "mathbb": "DOUBLE-STRUCK",
    "mathcal": "SCRIPT",
    "mathscr": "SCRIPT",
    "mathfrak": "FRAKTUR",
}


@lru_cache(maxsize=256)
def alphabet(name: str, letter: str) -> str:
    """A letter of ``\\mathbb``, ``\\mathcal``, ``\\mathscr`` or ``\\mathfrak``."""
    style = ALPHABETS[name]
    if letter.islower():  # Unicode's capital of the name says nothing of the letter's
        style = {"FRAKTUR": "FRAKTUR SMALL"}.get(style, "")
    else:
        style += " CAPITAL"
    for words in (
        f"{style.replace('FRAKTUR', 'BLACK-LETTER')} {letter}",
        f"{style} {letter}",
        f"MATHEMATICAL {style} {letter}",
    ):
        try:
            return unicodedata.lookup(words)
        except KeyError:
            continue
    return letter
