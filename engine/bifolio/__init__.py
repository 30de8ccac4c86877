"""Bifolio: one reference library on every computer that holds it.

Everything public is loaded when it is first asked for, so that ``import bifolio.wire`` loads
neither pycrdt nor SQLite.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifolio.errors import BifolioError as BifolioError
    from bifolio.library.library import Library as Library

__version__ = "0.1.0"

__all__ = ["BifolioError", "Library", "__version__"]

_HOMES = {"Library": "bifolio.library.library", "BifolioError": "bifolio.errors"}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'bifolio' has no attribute '{name}'")
    return getattr(import_module(home), name)
