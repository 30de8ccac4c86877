"""How many examples Hypothesis draws: all of them in `make test-all`, a part in `make test`.

What one run does not draw the next may: `make test` draws anew each time where a test does not say
otherwise. A test that is marked heavy has its own number.
"""

from __future__ import annotations

import os
from typing import Final

#: Of so many examples `make test` draws one.
_PART: Final = 12

#: Set by `make test-all`.
IS_FULL: Final = bool(os.environ.get("BIFOLIO_TEST_FULL"))


def examples(number: int) -> int:
    """The number to draw in this run, at least two."""
    return number if IS_FULL else max(2, number // _PART)
