"""The list of all messages holds those that there are."""

from __future__ import annotations

from functools import cache

import pytest

from bifolio_cli.text.messages import messages

#: Where the messages below come from: the sources of all would take seconds to read.
_SOME = ("bifolio/errors/", "bifolio/search/", "bifolio_cli/", "bifolio_relay/next_steps")


@cache
def listed() -> str:
    """The list of some modules, as one text."""
    return "\n".join(messages(_SOME))


@pytest.mark.heavy
def test_the_whole_list_holds_every_module_and_no_statement() -> None:
    whole = "\n".join(messages())
    assert all(line in whole for line in listed().splitlines())
    assert "# bifolio_relay/" in whole
    assert "SELECT" not in whole
    assert "``" not in whole


def test_a_message_is_listed() -> None:
    for message in (
        "run-sync: Run 'bifolio sync'.",
        "# bifolio/errors/references.py",
        "The citation key '{key}' is pinned. Nothing was changed.",
        "there is no operator '{name}:'",
        "Choose another port with --port N; --port 0 picks a free one.",
        "On this computer only: not attached to a relay, and never bundled.",
        "Created the library '{made.name}' at {made.path}.",
    ):
        assert message in listed()


def test_what_is_no_message_is_not_listed() -> None:
    assert "SELECT" not in listed()
    assert "``" not in listed()
