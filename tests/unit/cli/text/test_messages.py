"""The list of all messages holds those that there are."""

from __future__ import annotations

import pytest

from bifolio_cli.text.messages import messages

LISTED = "\n".join(messages())


@pytest.mark.parametrize(
    "message",
    [
        "run-sync: Run 'bifolio sync'.",
        "# bifolio/errors/references.py",
        "The citation key '{key}' is pinned. Nothing was changed.",
        "there is no operator '{name}:'",
        "Choose another port with --port N; --port 0 picks a free one.",
        "On this computer only: not attached to a relay, and never bundled.",
        "Created the library '{made.name}' at {made.path}.",
    ],
)
def test_a_message_is_listed(message: str) -> None:
    assert message in LISTED


def test_what_is_no_message_is_not_listed() -> None:
    assert "SELECT" not in LISTED
    assert "``" not in LISTED
