"""The same bytes applied by pycrdt and by Yjs, the original, give the same content."""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import sys
from pathlib import Path

from pycrdt import Doc, Map
from tests.differential.histories import causal_order, history

HISTORIES = 60
HERE = Path(__file__).parent


def test_yjs_and_pycrdt_read_the_same_content_from_the_same_bytes() -> None:
    histories = []
    for seed in range(HISTORIES):
        updates = history(seed)
        order = causal_order(updates, random.Random(seed))
        histories.append([updates[one].raw for one in order])
    ours = [json.loads(json.dumps(content(updates))) for updates in histories]
    assert in_yjs(histories) == ours


def test_yjs_reads_a_saved_state_as_pycrdt_does() -> None:
    states = []
    for seed in range(HISTORIES):
        document: Doc[Map[object]] = Doc()
        for update in history(seed):
            document.apply_update(update.raw)
        states.append([document.get_update()])
    assert in_yjs(states) == [json.loads(json.dumps(content(state))) for state in states]


def content(updates: list[bytes]) -> dict[str, object]:
    """What pycrdt makes of updates applied in this order."""
    document: Doc[Map[object]] = Doc()
    for update in updates:
        document.apply_update(update)
    return document.get("r", type=Map).to_py() or {}


def in_yjs(histories: list[list[bytes]]) -> list[dict[str, object]]:
    """What Yjs makes of them; ``make test`` installs it beside this file."""
    lines = [
        json.dumps([base64.b64encode(update).decode() for update in updates])
        for updates in histories
    ]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    done = subprocess.run(
        ["node", "apply.mjs"],
        cwd=HERE,
        input="\n".join(lines),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env={**os.environ, "PATH": path},
    )
    hint = "run `make test`, which installs Yjs with npm"
    assert done.returncode == 0, f"{hint}:\n{done.stderr}"
    found: list[dict[str, object]] = [json.loads(line) for line in done.stdout.splitlines()]
    return found
