"""A plain call is read as Typer reads it; any other is left to Typer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifolio_cli import actions, plain_calls
from bifolio_cli.application import application
from bifolio_cli.call import Invocation

PLAIN = [
    ["status"],
    ["status", "--json"],
    ["--json", "status"],
    ["-L", "work", "status"],
    ["status", "--library", "work", "--json"],
    ["show", "doe2024"],
    ["show", "search"],
    ["--json", "-L", "a b", "show", "doe2024"],
    ["search", "ink"],
    ["search", "ink", "paper", "--limit", "3"],
    ["search", "--sort", "year", "ink", "--json", "paper"],
    ["list"],
    ["list", "--limit", "007"],
    ["list", "--group", "To read", "--sort", "title"],
    ["list", "--query", "tag:read", "--limit", "2", "-L", "work"],
    ["edit", "doe2024", "title=Of ink"],
    ["edit", "doe2024", "title=Of ink", "tags+=a", "--json"],
]

NOT_PLAIN = [
    [],
    ["--version"],
    ["--help"],
    ["show"],
    ["show", "--help"],
    ["show", "a", "b"],
    ["show", ""],
    ["show", "caf\udce9"],
    ["show", "--", "-a"],
    ["status", "doe2024"],
    ["status", "--limit", "3"],
    ["--limit", "3", "list"],
    ["list", "--limit=3"],
    ["list", "--limit", "0"],
    ["list", "--limit", "-1"],
    ["list", "--limit", "\u0663"],
    ["list", "--limit", "x"],
    ["list", "--limit"],
    ["list", "--limit", "1", "--limit", "2"],
    ["list", "--sort", "-year"],
    ["list", "--trash"],
    ["-Lwork", "list"],
    ["search", "ink", "-paper"],
    ["edit", "doe2024"],
    ["history", "doe2024"],
    ["import", "a.bib"],
]


class _Done(Exception):
    """What an action was called with."""


def _record(name: str) -> Any:
    def act(call: Invocation, *values: object, **options: object) -> None:
        plain = [list(one) if isinstance(one, list | tuple) else one for one in values]
        chosen = {key: value for key, value in options.items() if value not in (None, False)}
        raise _Done(name, call.library, call.output.json, plain, chosen)

    return act


@pytest.fixture(autouse=True, scope="module")
def _recorded() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        for verb, found in plain_calls._VERBS.items():
            name = found.act.__name__
            patch.setattr(actions, name, _record(name))
            patch.setitem(
                plain_calls._VERBS,
                verb,
                plain_calls._Verb(_record(name), found.words_min, found.words_max, found.options),
            )
        yield


def _by_typer(arguments: list[str]) -> tuple[object, ...]:
    with pytest.raises(_Done) as done:
        application(arguments)(args=arguments, prog_name="bifolio", standalone_mode=False)
    return done.value.args


def _plainly(arguments: list[str]) -> tuple[object, ...] | None:
    plain = plain_calls.read(arguments)
    if plain is None:
        return None
    with pytest.raises(_Done) as done:
        plain()
    return done.value.args


@pytest.mark.parametrize("arguments", PLAIN, ids=" ".join)
def test_a_plain_call_is_what_typer_makes_of_it(arguments: list[str]) -> None:
    found = _plainly(arguments)
    assert found is not None
    assert found == _by_typer(arguments)


@pytest.mark.parametrize("arguments", NOT_PLAIN, ids=repr)
def test_what_is_not_plain_is_left_to_typer(arguments: list[str]) -> None:
    assert _plainly(arguments) is None


_WORDS = st.sampled_from(
    "status show search list edit --json -L --library --limit --sort --group --query 1 2 year a=b "
    "x y z --trash - -- -x".split()
)


@given(verb=st.sampled_from(sorted(plain_calls._VERBS)), words=st.lists(_WORDS, max_size=6))
def test_no_call_is_read_differently(verb: str, words: list[str]) -> None:
    for arguments in ([verb, *words], [*words[:2], verb, *words[2:]]):
        found = _plainly(arguments)
        if found is not None:
            assert found == _by_typer(arguments)
