"""The arguments of ``bifolio relay``."""

from __future__ import annotations

import pytest
from tests.support.cases import each

from bifolio.errors import UsageError
from bifolio_cli.commands.relay import _parse_days


@each(("text", "days"), [("30d", 30), ("2w", 14), ("1Y", 365), (" 5 ", 5)])
def test_when_a_token_expires(text: str, days: int) -> None:
    assert _parse_days(text) == days


@each("text", ["", "0d", "-3d", "tomorrow", "99999y", "3 d", "1m"])
def test_what_is_no_such_time_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="30d, 2w or 1y"):
        _parse_days(text)
