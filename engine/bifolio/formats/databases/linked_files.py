"""Files that a library of another program links to: only on request, and only a user's documents.

Such a path comes out of a database that anybody may have made, and names any file of this
computer. So nothing is looked at unless somebody asks for it, and then only what lies in the home
folder, in no hidden folder and none of a program's own. What a link leads to is what counts.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: Folders of programs that have no dot before their names, below the home folder, in lower case.
_PROGRAMS: Final = frozenset({"appdata", "library", "snap"})

#: Those of macOS inside ``Library`` that hold a user's documents: a cloud's, and iCloud's.
_DOCUMENTS: Final = frozenset({"cloudstorage", "mobile documents"})


@dataclass(frozen=True, slots=True)
class LinkedFiles:
    """Where linked files may be: a user's own folder, without what is ``closed`` in it."""

    folder: Path
    closed: tuple[Path, ...] = ()

    def find(self, written: str) -> tuple[Path, Path] | str:
        """(a file that a library links to, the folder that it is in), resolved; or why not.

        Nothing outside the folder is looked at, not even whether it exists.
        """
        path = Path(written)
        if not path.is_absolute() or "\x00" in written:
            return "the path that the library links to does not exist on this computer"
        try:
            root = self.folder.resolve(strict=True)
            if root == Path(root.anchor):
                return "this user has no home folder, so no file is known to be the user's"
            plain = Path(os.path.normpath(path))
            if not any(plain.is_relative_to(at) for at in (self.folder, root)):
                return self._refusal()
            whole = path.resolve(strict=True)
            if not self._is_document(path, root) or not self._is_document(whole, root):
                return self._refusal()
            found = whole.stat()
        except (OSError, ValueError, RuntimeError):
            return "it is not where the library links to"
        if not stat.S_ISREG(found.st_mode) or _is_hidden(found):
            return "it is not an ordinary file"
        return whole, root

    def holds(self, folder: Path) -> bool:
        """Whether a folder, wherever its path leads, is among the user's documents."""
        try:
            return self._is_document(folder.resolve(strict=True), self.folder.resolve(strict=True))
        except (OSError, RuntimeError):
            return False

    def _is_document(self, path: Path, root: Path) -> bool:
        at = next((one for one in (root, self.folder) if path.is_relative_to(one)), None)
        if at is None or any(path.is_relative_to(one) for one in self._closed()):
            return False
        parts = path.relative_to(at).parts
        return ".." not in parts and not _is_private(parts)

    def _closed(self) -> Sequence[Path]:
        return [*self.closed, *(one.resolve() for one in self.closed)]

    @staticmethod
    def _refusal() -> str:
        return (
            "it is not among your documents: linked files are taken from your home folder, and "
            "from no hidden folder in it"
        )


def _is_private(parts: Sequence[str]) -> bool:
    """Whether a path below the home folder is hidden or a program's own."""
    lower = [part.lower() for part in parts]
    if any(part.startswith(".") for part in lower):
        return True
    return bool(lower) and lower[0] in _PROGRAMS and lower[1:2] not in ([one] for one in _DOCUMENTS)


def _is_hidden(found: os.stat_result) -> bool:
    """Whether Windows hides a file, or keeps it for itself."""
    hidden = stat.FILE_ATTRIBUTE_HIDDEN | stat.FILE_ATTRIBUTE_SYSTEM
    return bool(getattr(found, "st_file_attributes", 0) & hidden)
