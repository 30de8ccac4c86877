"""Where the real files and the cases of other projects are, and what the manifest counts."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SHARED: Final = Path(__file__).parents[2] / "shared"


@dataclass(frozen=True, slots=True)
class Folders:
    """The two folders that a run reads."""

    #: Real files, with their ``MANIFEST.tsv``.
    corpora: Path
    #: One folder for each project whose cases are compared.
    cases: Path

    @classmethod
    def from_environment(cls) -> Folders:
        """The folders named by ``BIFOLIO_CORPORA`` and ``BIFOLIO_CONFORMANCE``.

        Without the first they lie in ``../shared``; without the second the cases lie beside the
        corpora.
        """
        corpora = Path(os.environ.get("BIFOLIO_CORPORA") or _SHARED / "corpora").resolve()
        named = os.environ.get("BIFOLIO_CONFORMANCE")
        return cls(corpora, Path(named).resolve() if named else corpora.parent / "conformance")

    def absence(self) -> str:
        """What is missing and how to name it; empty where both folders are there."""
        for folder, mark, variable in (
            (self.corpora, "MANIFEST.tsv", "BIFOLIO_CORPORA"),
            (self.cases, "", "BIFOLIO_CONFORMANCE"),
        ):
            if not (folder / mark).exists():
                return f"There is no {folder / mark}; set {variable} to the folder that holds it."
        return ""


@dataclass(frozen=True, slots=True)
class RealFile:
    """A file of the corpora."""

    #: Below the folder of the corpora.
    path: str
    #: What the manifest counts; None where it counts nothing.
    records: int | None
    size_bytes: int


def real_files(corpora: Path) -> list[RealFile]:
    """All files that the manifest lists and the folder holds."""
    with (corpora / "MANIFEST.tsv").open(encoding="utf-8", newline="") as manifest:
        rows = list(csv.DictReader(manifest, delimiter="\t"))
    return [
        RealFile(
            row["path"],
            int(row["records"]) if row["records"] else None,
            (corpora / row["path"]).stat().st_size,
        )
        for row in rows
        if (corpora / row["path"]).is_file()
    ]
