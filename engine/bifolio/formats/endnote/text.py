"""Text of EndNote XML: the inside of one element, its runs of style, and rich text.

The raw value of a tag is the element's inside in one spelling: runs of text in ``<style>``
elements or bare, escaped, line breaks of EndNote as ``&#xD;``. Rich text is ours: ``<i> <b> <sub>
<sup> <u>``. May know EndNote's styles, not its elements.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import escape, unescape

_RUN: Final = re.compile(r"<style((?: [^<>]*)?)>([^<]*)</style>|([^<]+)")
_FACE: Final = re.compile(r' face="([^"]*)"')
_RICH: Final = re.compile(r"<(/?)(i|b|sub|sup|u)>")

#: EndNote's faces and the tags of rich text, in the order in which tags are opened.
_TAGS: Final = {"bold": "b", "italic": "i", "underline": "u", "subscript": "sub",
                "superscript": "sup"}  # fmt: skip
_FACES: Final = {tag: face for face, tag in _TAGS.items()}

#: What XML 1.0 has no place for.
ILLEGAL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

#: What is not written as it is.
_SPECIAL: Final = re.compile(r"[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

#: EndNote's own words for text without any style.
_PLAIN_STYLE: Final = ' face="normal" font="default" size="100%"'


@dataclass(frozen=True, slots=True)
class Run:
    """Text in one style; ``style`` is the attributes as written, None for bare text."""

    text: str
    style: str | None = _PLAIN_STYLE

    @property
    def faces(self) -> frozenset[str]:
        """The faces that rich text has tags for."""
        return _faces(self.style or "")


@lru_cache(maxsize=4096)
def _faces(style: str) -> frozenset[str]:
    found = _FACE.search(style)
    return frozenset(found.group(1).split()) & _TAGS.keys() if found else frozenset()


def read_raw(raw: str) -> list[Run]:
    """The runs of a raw value; what is not in its spelling is left out."""
    runs: list[Run] = []
    for style, styled, bare in _RUN.findall(raw):
        text = _unescape(bare or styled)
        if text:
            runs.append(Run(text, None if bare else style))
    return runs


def write_raw(runs: list[Run]) -> str:
    """The raw value of these runs."""
    return "".join(
        _escape(run.text) if run.style is None else f"<style{run.style}>{_escape(run.text)}</style>"
        for run in runs
        if run.text
    )


def attributes(pairs: Sequence[tuple[str, str]]) -> str:
    """Attributes as they stand in a start tag."""
    return _attributes(tuple(pairs))


@lru_cache(maxsize=4096)
def _attributes(pairs: tuple[tuple[str, str], ...]) -> str:
    quoted = {'"': "&quot;", "\r": "&#xD;", "\n": "&#xA;", "\t": "&#x9;"}
    return "".join(f' {name}="{escape(value, quoted)}"' for name, value in pairs)


def plain_text(runs: list[Run]) -> str:
    """The text without styles; EndNote's line breaks as ours."""
    return "".join(run.text for run in runs).replace("\r\n", "\n").replace("\r", "\n")


def rich_text(runs: list[Run]) -> str:
    """The text with the styles that rich text has; a tag never spans a line."""
    parts: list[str] = []
    open_faces: list[str] = []

    def close(kept: frozenset[str]) -> None:
        while not kept.issuperset(open_faces):
            parts.append(f"</{_TAGS[open_faces.pop()]}>")

    for run in runs:
        close(run.faces)
        for face in _TAGS:
            if face in run.faces and face not in open_faces:
                parts.append(f"<{_TAGS[face]}>")
                open_faces.append(face)
        parts.append(run.text)
    close(frozenset())
    return "".join(parts).replace("\r\n", "\n").replace("\r", "\n")


def runs_of_rich_text(text: str) -> list[Run]:
    """The runs that say a rich text; tags that do not pair stay as they are."""
    runs: list[Run] = []
    faces: list[str] = []
    start = 0
    for found in _RICH.finditer(text):
        face = _FACES[found.group(2)]
        closing = bool(found.group(1))
        paired = face in faces if closing else f"</{found.group(2)}>" in text[found.end() :]
        if not paired or (not closing and face in faces):
            continue
        runs.append(_run(text[start : found.start()], faces))
        start = found.end()
        if closing:
            faces.remove(face)
        else:
            faces.append(face)
    runs.append(_run(text[start:], faces))
    return [run for run in runs if run.text]


def runs_of_plain_text(text: str) -> list[Run]:
    """One run without any style."""
    run = _run(text, [])
    return [run] if run.text else []


def _run(text: str, faces: list[str]) -> Run:
    legal = ILLEGAL.sub("", text).replace("\n", "\r")
    if not faces:
        return Run(legal)
    named = " ".join(face for face in _TAGS if face in faces)
    return Run(legal, f' face="{named}" font="default" size="100%"')


def _escape(text: str) -> str:
    if not _SPECIAL.search(text):
        return text
    return escape(ILLEGAL.sub("", text), {"\r": "&#xD;"})


def _unescape(text: str) -> str:
    return unescape(text, {"&#xD;": "\r"}) if "&" in text else text
