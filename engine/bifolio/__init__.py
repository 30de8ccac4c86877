"""Bifolio: one reference library on every computer that holds it."""

from __future__ import annotations

__version__ = "0.1.0"
