"""Calls that are plain: read here, without Typer, which takes longer to load than they to be done.

A call is plain where its verb is in ``_VERBS``, each option is written out with its value behind
it, and no other word begins with ``-``. Any other call, and any that is wrong, is Typer's: it
reads a plain one in the same way (a test compares them) and says what is wrong with the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import Final

from msgspec import Struct

from bifolio_cli import actions
from bifolio_cli.call import Invocation
from bifolio_cli.environment import Environment
from bifolio_cli.output import Output


class _Verb(Struct, frozen=True):
    """A verb: what it does, how many words it takes, and its options by their names there."""

    act: Callable[..., None]
    words_min: int
    words_max: float
    options: dict[str, str] = {}


_VERBS: Final = {
    "show": _Verb(actions.show, 1, 1),
    "status": _Verb(actions.status, 0, 0),
    "search": _Verb(actions.search, 1, inf, {"--sort": "sort", "--limit": "limit"}),
    "list": _Verb(
        actions.list_,
        0,
        0,
        {"--group": "group", "--query": "query", "--sort": "sort", "--limit": "limit"},
    ),
    "edit": _Verb(actions.edit, 2, inf),
}
_LIBRARY: Final = ("-L", "--library")
_JSON: Final = "--json"


def read(arguments: Sequence[str]) -> Callable[[], None] | None:
    """What the call does; None where it is not plain."""
    verb: _Verb | None = None
    words: list[str] = []
    given: dict[str, str] = {}
    json = False
    rest = iter(arguments)
    for argument in rest:
        if argument == _JSON:
            json = True
        elif argument.startswith("-"):
            name = "library" if argument in _LIBRARY else verb and verb.options.get(argument)
            value = next(rest, "")
            if not name or name in given or not value or value.startswith("-"):
                return None
            given[name] = value
        elif verb is None:
            verb = _VERBS.get(argument)
            if verb is None:
                return None
        else:
            words.append(argument)
    if verb is None or not _is_text([*words, *given.values()]):
        return None
    if not verb.words_min <= len(words) <= verb.words_max:
        return None
    return _bound(verb, words, given, json=json)


def _bound(
    verb: _Verb, words: list[str], given: dict[str, str], *, json: bool
) -> Callable[[], None] | None:
    call = Invocation(
        environment=Environment.of_process(),
        library=given.pop("library", None),
        output=Output(json=json),
    )
    options: dict[str, str | int] = dict(given)
    if "limit" in given:
        number = given["limit"]
        if not (number.isascii() and number.isdigit() and len(number) < 10 and int(number)):
            return None
        options["limit"] = int(number)
    values: list[object] = list(words)
    if verb.words_max == inf:  # the last value is all words that are left
        values = [*words[: verb.words_min - 1], words[verb.words_min - 1 :]]
    return partial(verb.act, call, *values, **options)


def _is_text(words: Sequence[str]) -> bool:
    """Whether each word says something, in characters only."""
    return all(words) and all(one < "\ud800" or one > "\udfff" for word in words for one in word)
