"""Positions in an ordered list: strings between which there is always another one.

A position is a fraction in base 64, the writer's slot and a counter: no two writers make equal
ones, and what one writer adds in a row stays together (DESIGN §4). Knows nothing of what is
ordered.
"""

from __future__ import annotations

from bifolio.ids import SLOT_LENGTH, TAG_LENGTH
from bifolio.lazy import pattern

#: The digits in the order of their code points: base64url's alphabet.
DIGITS = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_VALUE = {digit: value for value, digit in enumerate(DIGITS)}

#: The last digit is none of the smallest, or something might not fit before.
_POSITION = pattern(r"[-0-9A-Z_a-z]*[0-9A-Z_a-z]")

#: Digits of a counter: without the zero of ``DIGITS``, so that something always fits before.
_COUNTER = DIGITS[1:]
_COUNTER_LENGTH = 3

#: A position ends in its writer's slot and a counter.
_TAIL_LENGTH = SLOT_LENGTH + _COUNTER_LENGTH

#: A device goes on right behind its own last element until the position is this long: 200 names
#: added one by one would otherwise end in positions of 2,000 characters.
_BEHIND_LENGTH_MAX = 4 * _TAIL_LENGTH

#: A run that one device goes on with, command after command, grows by a tail each time; past
#: this it begins again next to itself.
_RUN_LENGTH_MAX = 10 * _TAIL_LENGTH


def read_position(stored: str | None) -> str:
    """A position as it was stored; empty where it is none.

    One that a foreign or damaged program wrote may have other characters or end in the zero:
    there is nothing between ``V`` and ``V-``.
    """
    return stored if stored and _POSITION.fullmatch(stored) else ""


def between(low: str, high: str | None) -> str:
    """A string strictly between two positions, and no beginning of the higher one.

    ``low`` may be empty (the very beginning), ``high`` None (the very end), as is one that is no
    position above the lower one.
    """
    if high is not None and (high <= low or not read_position(high)):
        high = None
    made = ""
    place = 0
    while True:
        lower = _VALUE.get(low[place], 0) if place < len(low) else 0
        upper = len(DIGITS)
        if high is not None:
            upper = _VALUE.get(high[place], 0) if place < len(high) else 0
        room = upper - lower
        if high is not None and room > 1:
            return made + DIGITS[lower + room // 2]
        if high is None and room > 2:
            # Towards the open end in small steps, and never to the last digit: behind that one
            # each further position would be longer by all that a slot of last digits has.
            step = room // 2 if lower < len(DIGITS) // 2 else max(1, room // 8)
            return made + DIGITS[lower + step]
        made += DIGITS[lower]
        if upper > lower:
            high = None
        place += 1


def run(low: str, high: str | None, *, slot: str, count: int) -> list[str]:
    """``count`` ascending positions of one writer between two others.

    A device that goes on after its own last element stays right behind it, so that two lists
    extended at the same time do not interleave.
    """
    own = low[-_TAIL_LENGTH:][:TAG_LENGTH] == slot[:TAG_LENGTH] and len(low) >= _TAIL_LENGTH
    free = len(low) < _RUN_LENGTH_MAX and (high is None or not high.startswith(low))
    behind = own and free and len(low) < _BEHIND_LENGTH_MAX
    start = (low if behind else between(low, high)) + slot
    return [start + _counter(number) for number in range(count)]


def _counter(number: int) -> str:
    digits = ""
    for _ in range(_COUNTER_LENGTH):
        number, digit = divmod(number, len(_COUNTER))
        digits = _COUNTER[digit] + digits
    return digits
