"""The workload of ``bifolio bench`` as files that every contestant reads: one JSON object a line.

``library.jsonl``   {"id", "fields": {name: text}}
``edits0.jsonl``    {"op": "set" | "append" | "new" | "remove", "ref", ...}: what one replica types
``library.json``    the same references as CSL-JSON, for Bifolio
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bifolio.records.edits import Act, Edit
from bifolio_cli.bench import workload


class Recorder:
    """Takes the calls that a ``Typist`` makes of a library, and keeps them."""

    def __init__(self, replica: int) -> None:
        self.edits: list[dict[str, Any]] = []
        self._replica = replica

    def add(self, values: Mapping[str, Any]) -> None:
        """A new reference."""
        ref = f"new {self._replica} {len(self.edits)}"
        self.edits.append({"op": "new", "ref": ref, "fields": _fields(values)})

    def delete(self, refs: Sequence[str]) -> None:
        """A deletion."""
        self.edits += ({"op": "remove", "ref": one} for one in refs)

    def edit(self, ref: str, edits: Sequence[Edit]) -> None:
        """A field that is set, or a note that grows."""
        for one in edits:
            if one.act is Act.ADD:
                self.edits.append({"op": "append", "ref": ref, "text": f"{one.values[0]}\n"})
            else:
                value = one.values[0]
                self.edits.append({"op": "set", "ref": ref, "field": one.field, "value": value})


def write(folder: Path, references: int, edits: int, replicas: int = 2) -> None:
    """Write the files for so many references, and so many edits of each replica."""
    items = list(workload.references(0, references))
    (folder / "library.json").write_text(json.dumps(items), "utf-8")
    _write_lines(
        folder / "library.jsonl", [{"id": one["id"], "fields": _fields(one)} for one in items]
    )
    ids = sorted(one["id"] for one in items)
    for replica in range(replicas):
        typist = workload.Typist(replica, replicas, ids)
        recorder = Recorder(replica)
        for _ in range(edits):
            typist.edit(recorder)
        _write_lines(folder / f"edits{replica}.jsonl", recorder.edits)


def _fields(item: Mapping[str, Any]) -> dict[str, str]:
    """Every value as text: what a map of a document holds."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for name, value in item.items()
        if name != "id"
    }


def _write_lines(path: Path, objects: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(one) + "\n" for one in objects), "utf-8")
