"""The files of exported references, copied into a folder: one folder a reference, by its key."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bifolio.attachments import attachments
from bifolio.disk import pieces
from bifolio.ids import content_hasher
from bifolio.records.file_names import safe_file_name
from bifolio.records.reference import LostValue
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.storage.derived import ReferenceRow

#: What a name may not hold where a format parts fields by it.
_BREAKING: Final = re.compile(r"[{}%\\;:]")
_NOT_HERE: Final = "its content is not on this computer; fetch it, and export again"


@dataclass(slots=True)
class CopiedFiles:
    """Copies of the files of references, each below ``folder``, named as seen from ``beside``.

    ``beside`` is the folder of the export; without one, paths are absolute.
    """

    replica: Replica
    folder: Path
    beside: Path | None = None
    lost: list[LostValue] = field(default_factory=list)
    copied: int = 0

    def copy(self, row: ReferenceRow) -> tuple[str, ...]:
        """Copy the files of a reference; the paths of the copies, as the export names them."""
        paths = []
        own: Path | None = None
        taken: set[str] = set()
        for file in attachments.list_files(self.replica, row.id):
            name = _BREAKING.sub("_", safe_file_name(file.name))
            if not self.replica.contents.has(file.hash):
                self._lose(row, f"the file '{file.name}': {_NOT_HERE}")
                continue
            stem, dot, suffix = name.rpartition(".")
            number = 2
            while name.lower() in taken:
                name = f"{stem} {number}.{suffix}" if dot else f"{name} {number}"
                number += 1
            taken.add(name.lower())
            if own is None:
                own = self.folder / _BREAKING.sub("_", safe_file_name(lookup.shown_key(row)))
            try:
                own.mkdir(parents=True, exist_ok=True)
                if not self._copy(file.hash, own / name):
                    self._lose(row, f"the file '{file.name}': its content here is damaged")
                    continue
            except OSError as error:
                self._lose(row, f"the file '{file.name}': {error.strerror or error}")
                continue
            self.copied += 1
            paths.append(self._shown(own / name))
        return tuple(paths)

    def _copy(self, hash: str, target: Path) -> bool:
        """Whether the content was whole, and is there now."""
        hasher = content_hasher()
        with self.replica.contents.path(hash).open("rb") as reading, target.open("wb") as writing:
            for piece in pieces(reading):
                hasher.update(piece)
                writing.write(piece)
        if hasher.hexdigest() == hash:
            return True
        target.unlink()
        return False

    def _lose(self, row: ReferenceRow, reason: str) -> None:
        self.lost.append(LostValue(row.id, "file", reason, lookup.shown_key(row)))

    def _shown(self, path: Path) -> str:
        whole = path.resolve()
        if self.beside is not None:
            beside = self.beside.resolve()
            if whole.is_relative_to(beside):
                return whole.relative_to(beside).as_posix()
        return Path(os.path.normpath(whole)).as_posix()
