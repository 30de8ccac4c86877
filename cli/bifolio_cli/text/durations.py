"""How long something lasts, as a user writes it: a number and a unit, or for ever."""

from __future__ import annotations

import re

from bifolio.errors import InvalidValueError

_FORM = re.compile(r"(\d{1,6})\s*(m|h|d|w)", re.IGNORECASE)
_UNITS_S = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_EVER = "never"


def parse_duration(text: str, *, option: str) -> float | None:
    """Seconds; None for what never ends.

    Raises:
        InvalidValueError: it is no time.
    """
    written = text.strip()
    if written.casefold() == _EVER:
        return None
    found = _FORM.fullmatch(written)
    if found is None or not int(found[1]):
        expected = "a time such as 30m, 12h, 7d or 2w, or never"
        raise InvalidValueError(option, expected=expected, got=f"'{text}'")
    return float(int(found[1]) * _UNITS_S[found[2].lower()])
