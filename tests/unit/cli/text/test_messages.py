"""The list of all messages holds those that there are."""

from __future__ import annotations

from functools import cache

from bifolio_cli.text.messages import messages


@cache
def listed() -> str:
    """The list, as one text."""
    return "\n".join(messages())


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
