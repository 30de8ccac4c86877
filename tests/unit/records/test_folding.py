"""Words as a search compares them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.support.cases import each

from bifolio.records.folding import fold, one_word, words


@each(
    ("text", "expected"),
    [
        ("On Paper, and Ink.", ["on", "paper", "and", "ink"]),
        ("MÜLLER Müller Mu\u0308ller muller", ["muller"] * 4),
        ("Straße Sørensen Łódź Æsop Đorđe", ["strasse", "sorensen", "lodz", "aesop", "dorde"]),
        ("İstanbul ΣΟΦΟΣ σοφός", ["istanbul", "σοφοσ", "σοφοσ"]),
        ("don’t don't", ["don", "t", "don", "t"]),
        ("ﬁrst m² ½", ["first", "m2", "1", "2"]),
        ("co\u00adoperate zero\u200bwidth", ["cooperate", "zerowidth"]),
        ("H<sub>2</sub>O and <i>E. coli</i>", ["h2o", "and", "e", "coli"]),
        ("<p>One</p><p>Two</p>", ["one", "two"]),
        ("p < 0.05 and n > 3", ["p", "0", "05", "and", "n", "3"]),
        ("机器学习 COVID疫苗", [*"机器学习", "covid", *"疫苗"]),
        ("ひらがな ガ", [*"ひらがな", "ガ"]),
        ("한국어 연구", [*"한국어", *"연구"]),
        ("ไทย", [*"ไทย"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("שָׁלוֹם שלום", ["שלום", "שלום"]),
        ("مُحَمَّد محمد", ["محمد", "محمد"]),
        ("\x00\ud800 \ue000", []),
    ],
)
def test_words_come_without_case_accents_and_markup(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text(max_size=40))
def test_folding_twice_changes_no_word(text: str) -> None:
    assert words(fold(text)) == words(text)
    fold(text).encode()


@given(st.text(max_size=300))
def test_a_value_is_one_word_whatever_it_holds(text: str) -> None:
    word = one_word(text)
    assert not any(character.isascii() and not character.isalnum() for character in word)
    word.encode()


def test_values_that_differ_by_punctuation_stay_apart_and_long_ones_do_too() -> None:
    assert len({one_word(tag) for tag in ("C", "C++", "C#", "c ++")}) == 4
    assert one_word("  To   Read ") == one_word("to read") == one_word("TO READ")
    assert one_word("é") == one_word("E")
    long = "x" * 10_000
    assert one_word(long + "a") != one_word(long + "b")
    assert len(one_word(long)) < 300
