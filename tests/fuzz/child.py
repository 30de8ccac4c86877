"""The process in which targets run: an input may end it, and its parent then knows which.

``python -m tests.fuzz.child BOARD FOLDER TABLE ENGINE SEED SECONDS WATCHED TARGET ...``; with
``short`` for the seconds each target gets the inputs of its short run. ``WATCHED`` are packages,
joined by commas, whose code is loaded under the eyes of atheris.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

from tests.fuzz.blackboard import Blackboard
from tests.fuzz.engines import run_atheris, run_hypothesis
from tests.fuzz.judging import Judge, Target

#: Inputs that once showed a fault, by target.
CORPUS = Path(__file__).parent / "corpus"


def main(arguments: list[str]) -> None:
    """Run the targets one after the other."""
    board, folder, table, engine, first, seconds, watched, *names = arguments
    loading = (
        import_module("atheris").instrument_imports(include=watched.split(","))
        if engine == "atheris"
        else nullcontext()
    )
    with loading:
        targets: dict[str, Target] = import_module(table).TARGETS
    shown = Blackboard(Path(board))
    for name in names:
        target = targets[name]
        if target.prepare is not None:
            target.prepare()
        seeds = list(target.seeds())
        judge = Judge(target, shown, Path(folder))
        for raw in (*seeds, *(path.read_bytes() for path in sorted(CORPUS.glob(f"{name}/*")))):
            judge.check_and_write(raw)
        if engine == "atheris":
            run_atheris(judge, seeds, first=int(first), seconds=float(seconds))
        elif seconds == "short":
            run_hypothesis(judge, seeds, first=int(first), seconds=0, inputs=target.inputs)
        else:
            run_hypothesis(judge, seeds, first=int(first), seconds=float(seconds))
        print("figures", name, *judge.counts, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
