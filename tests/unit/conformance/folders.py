"""Small corpora and cases, made on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conformance.folders import Folders

ENW = """%0 Journal Article
%A Lovelace, Ada
%T On the Engine
%J Annals
%D 1843
%V 3
%P 666-731
%K engines

%0 Book
%A Babbage, Charles
%T Passages
%D 1864
%1 7
"""


def small_folders(
    folder: Path, *, files: dict[str, tuple[str, int]], items: list[dict[str, Any]]
) -> Folders:
    """Corpora of these files with their counts, and one case of enw."""
    corpora, cases = folder / "corpora", folder / "conformance"
    corpora.mkdir()
    rows = ["path\trecords"]
    for path, (content, records) in files.items():
        (corpora / path).parent.mkdir(parents=True, exist_ok=True)
        (corpora / path).write_text(content, encoding="utf-8")
        rows.append(f"{path}\t{records}")
    (corpora / "MANIFEST.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (cases / "zotero").mkdir(parents=True)
    stored = [{"input": ENW, "items": items}]
    (cases / "zotero" / "refer_enw.json").write_text(json.dumps(stored), encoding="utf-8")
    return Folders(corpora, cases)
