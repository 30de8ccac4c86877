"""References as a citation style writes them."""

from __future__ import annotations

from bifolio.results.base import Result


class FormattedCitation(Result, frozen=True):
    """What a style makes of some references.

    ``citation`` is for the running text, ``bibliography`` has an entry for each reference in
    the style's order, ``failed`` are the keys of those that could not be formatted. HTML is
    escaped and has no tags but ``i b sub sup span`` and the like.
    """

    style: str
    form: str
    citation: str
    bibliography: tuple[str, ...]
    failed: tuple[str, ...] = ()
