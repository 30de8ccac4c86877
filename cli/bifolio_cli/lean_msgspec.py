"""Loads msgspec without ``typing_extensions``, which it asks for and can do without.

That loads ``inspect``, ``ast`` and ``tokenize``: a tenth of what a command that reads takes.
msgspec takes from it what the ``typing`` of Python 3.11 has as well. Only for the command, which
has one thread when it starts, and before everything that defines a struct.
"""

from __future__ import annotations

import sys
from typing import Final

_LEFT_OUT: Final = "typing_extensions"

if "msgspec" not in sys.modules and _LEFT_OUT not in sys.modules:
    sys.modules[_LEFT_OUT] = None  # type: ignore[assignment]
    try:
        import msgspec  # noqa: F401 (this is what it is for)
    finally:
        del sys.modules[_LEFT_OUT]
