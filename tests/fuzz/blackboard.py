"""What a fuzzing process writes where another one sees it, also after a crash: a mapped file."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

_FIGURES = struct.Struct("<QQQQQQ64s")
#: Longer inputs are not tried.
LENGTH_MAX = 1024 * 1024


@dataclass(frozen=True)
class Figures:
    """What was tried of the target that runs now, and the length of its last input.

    ``is_trying`` is 1 while an input is tried; ``milliseconds`` is the time since the first.
    """

    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    length: int = 0
    is_trying: int = 0
    milliseconds: int = 0
    target: str = ""


class Blackboard:
    """The mapped file; one process writes, and its parent reads."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(_FIGURES.size + LENGTH_MAX)  # sparse
        self._file = path.open("r+b")
        self._map = mmap.mmap(self._file.fileno(), 0)

    def close(self) -> None:
        """Let the file go."""
        self._map.close()
        self._file.close()

    def write(self, figures: Figures) -> None:
        """Replace the figures."""
        _FIGURES.pack_into(
            self._map,
            0,
            figures.inputs,
            figures.accepted,
            figures.refused,
            figures.length,
            figures.is_trying,
            figures.milliseconds,
            figures.target.encode(),
        )

    def write_input(self, raw: bytes) -> None:
        """Replace the input."""
        self._map[_FIGURES.size : _FIGURES.size + len(raw)] = raw

    def read(self) -> Figures:
        """The figures as they are now."""
        inputs, accepted, refused, length, is_trying, milliseconds, target = _FIGURES.unpack_from(
            self._map
        )
        name = target.rstrip(b"\0").decode()
        return Figures(inputs, accepted, refused, length, is_trying, milliseconds, name)

    def read_input(self) -> bytes:
        """The last input, whole."""
        return bytes(self._map[_FIGURES.size : _FIGURES.size + self.read().length])
