"""Errors about formatted citations."""

from __future__ import annotations

from bifolio.errors.base import BifolioError


class CitationsMissingError(BifolioError):
    """The packages that format citations are not installed."""

    def __init__(self) -> None:
        super().__init__(
            "Formatted citations need packages that are not installed.",
            next_step="Install them with: python3 -m pip install 'bifolio[cite]'",
        )


class StyleNotFoundError(BifolioError):
    """No citation style has this name, and no file is there."""

    def __init__(self, style: str, *, near: tuple[str, ...]) -> None:
        self.style = style
        self.near = near
        advice = f"Did you mean {' or '.join(near)}? " if near else ""
        super().__init__(
            f"There is no citation style '{style}'.",
            next_step=f"{advice}See the names with 'bifolio cite --styles WORD', or name a .csl "
            "file.",
        )


class StyleError(BifolioError):
    """A citation style that cannot be used."""

    def __init__(self, style: str, *, reason: str) -> None:
        self.style = style
        self.reason = reason
        super().__init__(
            f"The citation style '{style}' cannot be used: {reason}.",
            next_step="Choose another one; 'bifolio cite --styles WORD' lists them.",
        )
