"""The search language: what a query means, and what it says of what it does not understand."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cases import each

from bifolio import limits
from bifolio.errors import QueryError
from bifolio.records.terms import Mark, mark
from bifolio.search.operators import BY_NAME, OPERATORS
from bifolio.search.query import (
    NOTHING,
    All,
    Either,
    InGroup,
    Marked,
    Not,
    Query,
    Text,
    parse_query,
)


def plain(query: str) -> Query:
    """The tree without the keys and addresses that a bare word may be as well."""

    def without(tree: Query) -> Query:
        if isinstance(tree, Text):
            return Text(tree.words, tree.prefix, tree.columns)
        if isinstance(tree, Not):
            return Not(without(tree.part))
        if isinstance(tree, All | Either):
            return type(tree)(tuple(map(without, tree.parts)))
        return tree

    return without(parse_query(query))


def word(*words: str, prefix: bool = False) -> Text:
    return Text(words, prefix)


PAPER, INK = word("paper", prefix=True), word("ink")


@each(
    ("query", "expected"),
    [
        ("paper", PAPER),
        ("PAPER", PAPER),
        ("ink", INK),
        ("ink*", word("ink", prefix=True)),
        ("paper ink", All((PAPER, INK))),
        ("paper AND ink", All((PAPER, INK))),
        ('"paper and ink"', word("paper", "and", "ink")),
        ("“paper and ink”", word("paper", "and", "ink")),
        ('"paper and i"*', word("paper", "and", "i", prefix=True)),
        ('"paper and ink', word("paper", "and", "ink")),
        ("state-of-the-art", word("state", "of", "the", "art")),
        ("学习", word("学", "习")),
        ("paper -ink", All((PAPER, Not(INK)))),
        ("paper NOT ink", All((PAPER, Not(INK)))),
        ("-paper", Not(PAPER)),
        ('-"paper and ink"', Not(word("paper", "and", "ink"))),
        ("-(paper ink)", Not(All((PAPER, INK)))),
        ("paper OR ink", Either((PAPER, INK))),
        ("paper | ink", Either((PAPER, INK))),
        ("paper or ink", All((PAPER, word("or"), INK))),
        ("(paper OR ink) -folding", All((Either((PAPER, INK)), Not(word("folding", prefix=True))))),
        ("(paper", PAPER),
        ("paper)", PAPER),
        ("f(x)", word("f", "x")),
        ("paper - ink", All((PAPER, INK))),
        ("paper -- ink", All((PAPER, INK))),
        ("paper ... ink", All((PAPER, INK))),
        ("", NOTHING),
        ("...", NOTHING),
        ('""', NOTHING),
        ("()", NOTHING),
        ("-", NOTHING),
        ("*", NOTHING),
        ("title:paper", Text(("paper",), True, ("title",))),
        ('Title:"on paper"', Text(("on", "paper"), False, ("title",))),
        ("-author:doe", Not(Text(("doe",), False, ("author",)))),
        ("journal:ink", Text(("ink",), False, ("container",))),
        ('tag:"to read"', Marked(mark(Mark.TAG, "to read"))),
        ("tag:th*", Marked(mark(Mark.TAG, "th"), prefix=True)),
        ("key:doe2020", Marked(mark(Mark.KEY, "doe2020"))),
        ("doi:https://doi.org/10.1000/x:y", Marked(mark(Mark.DOI, "10.1000/x:y"))),
        ("year:2015", Either((Marked(mark(Mark.YEAR, "12015")),))),
        ("group:Thesis/Chapter", InGroup("Thesis/Chapter")),
        ('group:"My thesis"', InGroup("My thesis")),
        ("has:file", Marked(mark(Mark.HAS, "files"))),
        ("has:DOI", Marked(mark(Mark.HAS, "DOI"))),
        ("has:year", Marked(mark(Mark.HAS, "issued"))),
        ("has:x.ris.c1", Marked(mark(Mark.HAS, "x.ris.c1"))),
        ("is:unread", Not(Marked(mark(Mark.STATUS, "read")))),
        ("is:conflict", Marked(mark(Mark.CONFLICT))),
        ("rating:>3", Either((Marked(mark(Mark.RATING, "4")), Marked(mark(Mark.RATING, "5"))))),
        ("rating:none", Not(Marked(mark(Mark.HAS, "rating")))),
        ('type:"article"', Marked(mark(Mark.TYPE, "article"))),
        (
            "type:article",
            Either((Marked(mark(Mark.TYPE, "article")), Marked(mark(Mark.TYPE, "article-"), True))),
        ),
    ],
)
def test_a_query_means(query: str, expected: Query) -> None:
    assert plain(query) == expected


@each(
    ("query", "words"),
    [
        ("Bifolio: a tale", ("bifolio",)),
        ("Re:Visions", ("re", "visions")),
        ("Beebe:1999:TBP", ("beebe", "1999", "tbp")),
        ("10.1000/x:y", ("10", "1000", "x", "y")),
        ("https://example.org/a:b", ("https", "example", "org", "a", "b")),
        ("12:30", ("12", "30")),
        ("title:", ("title",)),
        ("C++::vector", ("c", "vector")),
        ('"author:doe"', ("author", "doe")),
    ],
)
def test_a_colon_that_belongs_to_no_operator_is_part_of_a_word(
    query: str, words: tuple[str, ...]
) -> None:
    tree = plain(query)
    first = tree.parts[0] if isinstance(tree, All) else tree
    assert isinstance(first, Text)
    assert (first.words, first.columns) == (words, ())


def test_a_bare_word_may_be_a_key_a_doi_or_an_address_as_well() -> None:
    tree = parse_query("10.1000/x")
    assert isinstance(tree, Text)
    assert tree.marks == (mark(Mark.KEY, "10.1000/x"), mark(Mark.DOI, "10.1000/x"))
    tree = parse_query("https://tug.org/a")
    assert isinstance(tree, Text)
    assert mark(Mark.URL, "tug.org/a") in tree.marks


@each(
    ("query", "what", "advice"),
    [
        ("autor:doe", "'autor:'", "Did you mean 'author:'?"),
        ("tittle:x", "'tittle:'", "Did you mean 'title:'?"),
        ("publisher:springer", "'publisher:'", "The operators are title:, author:,"),
        ("language:de", "'language:'", 'in quotes: "language: ..."'),
        ("year:soon", "'year:soon' is not what year: takes", "year:2015..2020"),
        ("year:..", "'year:..'", "year:2015..2020"),
        ("rating:good", "'rating:good'", "rating:4..5"),
        ("type:artcle", "no type 'artcle'", "type:article"),
        ("has:abstrct", "no field 'abstrct'", "abstract"),
        ("has:zzzzz", "no field 'zzzzz'", "has:file"),
        ("is:red", "no state 'red'", "read, unread or conflict"),
        ('tag:""', "'tag:'", "tag:"),
        ("title:...", "'title:...'", "title:folding"),
        ("paper OR", "OR needs something", "a OR b"),
        ("OR paper", "OR needs something", "a OR b"),
        ("x " * 501, "more than 500 words", "that matter"),
        ("x" * 10_001, "10,001 characters", "that matter"),
        ("(" * 60 + "x", "more than 50 deep", "fewer brackets"),
    ],
)
def test_what_is_not_understood_is_named_with_what_would_be(
    query: str, what: str, advice: str
) -> None:
    with pytest.raises(QueryError) as raised:
        parse_query(query)
    assert what in raised.value.message
    assert advice in str(raised.value.next_step)


def test_every_operator_understands_its_own_example() -> None:
    for operator in OPERATORS:
        tree = parse_query(operator.example)
        assert not isinstance(tree, Text) or tree.columns == operator.columns
        assert operator.example.split(":")[0] in BY_NAME


def test_no_two_operators_share_a_name() -> None:
    names = [name for one in OPERATORS for name in (one.name, *one.synonyms)]
    assert len(names) == len(set(names)) == len(BY_NAME)


@given(st.text(max_size=60) | st.text(alphabet='ab:"()-*| .OR', max_size=40))
def test_any_text_is_a_query_or_an_error_of_ours(text: str) -> None:
    with suppress(QueryError):
        assert parse_query(text) is not None


def test_what_is_quoted_is_always_searched_as_it_stands() -> None:
    for text in ("autor:doe", "publisher: x", "OR", "-ink", "(a"):
        assert isinstance(parse_query(f'"{text}"'), Text)
    assert limits.QUERY_DEPTH_MAX < 256
