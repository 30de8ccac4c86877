"""LaTeX text to Unicode and back."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.cases import each
from tests.support.examples import examples

from bifolio.formats.latex.text import decode, encode, encode_title


@each(
    ("tex", "text"),
    [
        ("Plain text", "Plain text"),
        (r"{{\AmSTeX{}{\Dash}``A friendly product''}}", "AmSTeX—“A friendly product”"),
        (r"Publishing \& \TeX", "Publishing & TeX"),
        (r"The format of {\TeX}'s files", "The format of TeX's files"),
        (r"{\"o} \'e {\'\i} \c{c} \ss{} Erd\H{o}s \L{}\'od\'z", "ö é í ç ß Erdős Łódź"),
        (r"H$_2$O and $x^{10}$", "H<sub>2</sub>O and x<sup>10</sup>"),
        (r"\emph{in vivo} and {\em foo bar}", "<i>in vivo</i> and <i>foo bar</i>"),
        (r"{Review: \booktitle{The Book}}", "Review: The Book"),
        (r"50% of & a_b #1 \$5", "50% of & a_b #1 $5"),
        (r"5\%  of \$5", "5%  of $5"),
        (r"1--9~and---so", "1–9 and—so"),
        (r"{\noopsort{1973b}}1973", "1973"),
        (r"a \emph", "a"),
        (r"Poss\'e \'{}e \'{}\i{} {\"}a Dezs\H o {\r a} \~{}", "Possé é í ä Dezső å ~"),
        (r"\OE uvre, stra\ss e, the \TeX book, \copyright 2010",
         "Œuvre, straße, the TeX book, ©2010"),
        (r"A\\B, Tirk\-konen, see \cite{Roe} and \verb|\special|",
         r"A B, Tirkkonen, see Roe and \special"),
        (r"\enquote{a \mkbibquote{b} c}, ?`Qu\'e?", "“a ‘b’ c”, ¿Qué?"),
        (r"\url{http://a.b/~c_d--e} \href{http://a.b/~c}{text}",
         "http://a.b/~c_d--e text <http://a.b/~c>"),
        (r"$20\,^\circ\mathrm{C}$ Cu$_{1\pm z}$O $\alpha + \mathbb{R}$",
         "20 °C Cu<sub>1±z</sub>O α + ℝ"),
        (r"$\frac{1}{2}$, (000$\overline{1}$) for $5", "1/2, (0001̅) for $5"),
        (r"{\sc Smc} \underline{a}", '<span style="font-variant:small-caps;">Smc</span> <u>a</u>'),
        (r"\vphantom\{{\sf sans}\vphantom{x}\aftergroup\ignorespaces", "sans"),
    ],
)  # fmt: skip
def test_a_reader_of_latex_sees_what_tex_prints(tex: str, text: str) -> None:
    assert decode(tex).strip() == text


_CHARACTERS = "ab é-–~\\{}$&%#_^`'\"<>/@|"
_PIECES = st.sampled_from(
    [*_CHARACTERS, "--", "``", "<i>x</i>", "<sup>2</sup>", "TeX", "\\alpha", "DNA", "aB", "É"]
)


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(_PIECES, max_size=9))
def test_what_is_encoded_decodes_to_the_same_text(pieces: list[str]) -> None:
    text = " ".join("".join(pieces).split())
    assert decode(encode(text)) == text
    assert decode(encode_title(text)) == text


@each(
    ("text", "tex"),
    [
        ("DNA-binding of mRNA", "{DNA}-binding of {mRNA}"),
        ("AT&T and McDonald's", r"{AT\&T} and {McDonald}'s"),
        ("<i>HeLa</i> cells at 5 pH", r"\emph{{HeLa}} cells at 5 {pH}"),
        ("On Paper: a History", "On Paper: a History"),
        ("HIV", "{HIV}"),
        ("THE <i>EFFECT</i> OF DNA", r"THE \emph{EFFECT} OF DNA"),
        ("_US and \\LaTeX", r"\_{US} and \textbackslash{}{LaTeX}"),
    ],
)
def test_capitals_inside_of_a_titles_words_are_protected(text: str, tex: str) -> None:
    assert encode_title(text) == tex
    assert decode(tex) == text


@settings(max_examples=examples(300), deadline=None)
@given(st.text(alphabet=_CHARACTERS + "emphtx", max_size=30))
def test_no_text_makes_the_decoder_fail(text: str) -> None:
    decode(text).encode()


def test_deep_nesting_costs_nothing_and_loses_no_text() -> None:
    assert decode("{" * 50_000 + r"\'e" + "}" * 50_000) == "é"
    for deep in (r"\emph{" * 50_000 + "x", r"\emph" * 50_000 + " x", r"$x_{" * 50_000 + "x"):
        assert decode(deep).rstrip("</i>bsu").endswith("x")
