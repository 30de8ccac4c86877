"""Moments as a user writes them: a date, a date and a time, with a zone or of this computer."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bifolio.errors import InvalidValueError

_DATE = re.compile(r"\d{4}-\d\d-\d\d")

#: The way to write a moment, for messages and helps.
FORM = "a date 2024-05-31, or a date and a time 2024-05-31 14:30, with a zone or without"


def parse_moment(text: str, *, option: str, whole_day: bool = False) -> datetime:
    """The moment that is meant; without a zone it is of this computer.

    Args:
        text: in ISO 8601; a blank may stand for its T.
        option: what it was given for.
        whole_day: a date means its end, not its beginning.

    Raises:
        InvalidValueError.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        if whole_day and _DATE.fullmatch(text.strip()):
            moment += timedelta(days=1, milliseconds=-1)
        return moment.astimezone()
    except (ValueError, OverflowError, OSError):
        raise InvalidValueError(option, expected=FORM, got=f"'{text}'") from None
