"""What Python raises for values in a record of another form than a reader expects."""

from __future__ import annotations

from typing import Final

UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
