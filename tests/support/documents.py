"""What commands print with --json, checked against the schema of their results.

``Computer.run`` checks every document of every end-to-end test; ``seen`` says which commands were.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import jsonschema

from bifolio.results.schema import describe
from bifolio_cli.application import VERBS
from bifolio_cli.json_documents import COMMANDS
from bifolio_cli.json_failures import Failure

#: The commands whose documents were checked in this process.
seen: set[str] = set()

#: Members of a list that are checked: they are all of one kind.
_CHECKED_MAX = 20

#: Options and arguments that make another document of a command.
_VARIANTS = ("--watch", "--all", "--emptied", "--ignore", "--styles", "--bundle", "--at")


def check_document(arguments: Sequence[str], document: object) -> None:
    """Raise unless a document is a failure, or what this call is said to print."""
    if isinstance(document, dict) and "error" in document:
        _validator("").validate(document)
        return
    call = call_of(arguments)
    seen.add(call)
    _validator(call).validate(document[:_CHECKED_MAX] if isinstance(document, list) else document)


def call_of(arguments: Sequence[str]) -> str:
    """The key of ``COMMANDS`` for the words of a call."""
    if "--version" in arguments:
        return "--version"
    place = next(place for place, word in enumerate(arguments) if word in VERBS)
    verb, *rest = arguments[place:]
    if verb == "attach":
        return (
            "attach TICKET"
            if any(one.startswith("bifolio:") or one == "-" for one in rest)
            else ("attach RELAY_URL")
        )
    words = [one for one in rest if not one.startswith("-")]
    if " ".join([verb, *words[:2]]) in COMMANDS and len(words) > 1:
        return " ".join([verb, *words[:2]])
    under = next((one for one in rest if f"{verb} {one}" in COMMANDS), None)
    call = f"{verb} {under}" if under is not None and not under.startswith("-") else verb
    variant = next((f"{call} {one}" for one in _VARIANTS if one in rest), call)
    return variant if variant in COMMANDS else call


@cache
def _validator(call: str) -> jsonschema.Draft202012Validator:
    (schema,), definitions = describe([COMMANDS[call] if call else Failure])
    return jsonschema.Draft202012Validator({**schema, "$defs": definitions})
