"""Baselines in a process of their own, run as a script: one JSON object on stdout.

``parse FILE``      read a file and map its records, without a library
``apply LIBRARY``   apply each record's whole state of a library to a bare pycrdt document
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from pycrdt import Doc

from bifolio.formats import read
from bifolio.records.reference import ImportedReference
from bifolio.replica.folder import open_database
from bifolio.storage.records import Records


def parse(path: Path) -> dict[str, float | int]:
    """Read a file and throw away what it says."""
    began = time.process_time()
    count = sum(isinstance(item, ImportedReference) for item in read(path))
    return {"cpu_s": time.process_time() - began, "count": count}


def apply(library: Path) -> dict[str, float | int]:
    """Apply the updates of a first sync: what no replica can do without."""
    database = open_database(library)
    states = [record.state for record in Records(database).of_kind("reference")]
    database.close()
    began = time.process_time()
    for state in states:
        document: Doc[Any] = Doc()
        document.apply_update(state)
    return {
        "cpu_s": time.process_time() - began,
        "count": len(states),
        "bytes": sum(map(len, states)),
    }


if __name__ == "__main__":
    _, name, argument = sys.argv
    print(json.dumps({"parse": parse, "apply": apply}[name](Path(argument))))
