"""A ticket's passphrase, as it is typed: never an argument, which other users can see."""

from __future__ import annotations

import sys

import typer

from bifolio.errors import UsageError

_CHARACTERS_MIN = 8


def read_passphrase(*, is_new: bool) -> str:
    """The passphrase that somebody types, twice where it is new; without a terminal the first line
    of stdin.

    Raises:
        UsageError: there is none, or a new one is too short.
    """
    if sys.stdin.isatty():
        text: str = typer.prompt(
            "Passphrase of the ticket", hide_input=True, confirmation_prompt=is_new, err=True
        )
    else:
        text = sys.stdin.readline()
    text = text.strip()
    if not text:
        raise UsageError(
            "The ticket has a passphrase, and none was given."
            if not is_new
            else "No passphrase was given.",
            next_step="Type it when it is asked for; without a terminal it is the first line of "
            "stdin, and the ticket is an argument or in a file.",
        )
    if is_new and len(text) < _CHARACTERS_MIN:
        raise UsageError(
            f"A passphrase of less than {_CHARACTERS_MIN} characters is guessed too soon.",
            next_step="Take four words, for example.",
        )
    return text
