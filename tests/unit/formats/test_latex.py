"""LaTeX text to Unicode and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifolio.formats.latex import decode, encode


@pytest.mark.parametrize(
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
        (r"1--9~and---so", "1–9 and—so"),
        (r"{\noopsort{1973b}}1973", "1973"),
        (r"a \emph", "a"),
    ],
)
def test_a_reader_of_latex_sees_what_tex_prints(tex: str, text: str) -> None:
    assert decode(tex).strip() == text


_CHARACTERS = "ab é-–~\\{}$&%#_^`'\"<>/@|"
_PIECES = st.sampled_from([*_CHARACTERS, "--", "``", "<i>x</i>", "<sup>2</sup>", "TeX", "\\alpha"])


@settings(max_examples=300, deadline=None)
@given(st.lists(_PIECES, max_size=9))
def test_what_is_encoded_decodes_to_the_same_text(pieces: list[str]) -> None:
    text = " ".join("".join(pieces).split())
    assert decode(encode(text)) == text


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=_CHARACTERS + "emphtx", max_size=30))
def test_no_text_makes_the_decoder_fail(text: str) -> None:
    decode(text).encode()


def test_nesting_without_end_is_kept_as_it_stands() -> None:
    deep = "{" * 5000 + r"\x" + "}" * 5000
    assert decode(deep) == deep
