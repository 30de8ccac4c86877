"""``python -m conformance``: the report on the terminal, or as JSON.

Ends with 0 where every record was read or its loss has a reason and every way back was whole,
with 1 where not, with 2 where the folders are not there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence

from conformance.families import FAMILIES
from conformance.folders import Folders
from conformance.report import json_object, text, write_sameness_json, write_sameness_text
from conformance.running import SAMPLE, run, tasks
from conformance.sameness import compare_tools, holds_tools


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments name and print it."""
    options = _parser().parse_args(arguments)
    folders = Folders.from_environment()
    if absence := folders.absence():
        print(absence, file=sys.stderr)
        return 2
    started = time.monotonic()
    chosen = tasks(
        folders,
        options.format or list(FAMILIES),
        size_bytes_max=options.largest,
        sample=options.sample,
    )
    figures = run(chosen, processes=options.processes)
    tools = compare_tools(folders.corpora) if holds_tools(folders.corpora) else None
    sound = all(one.is_sound() for one in figures.values())
    if options.json:
        whole_report = json_object(figures) | (
            {"same_records": write_sameness_json(tools)} if tools else {}
        )
        print(json.dumps(whole_report, indent=2, ensure_ascii=False))
    else:
        print(text(figures, verbose=options.verbose))
        if tools:
            print(write_sameness_text(tools))
        whole = "whole" if sound else "NOT whole: see --verbose"
        print(f"\n{whole}, {time.monotonic() - started:.0f} s in {options.processes} processes")
    return 0 if sound else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument(
        "--format", action="append", choices=list(FAMILIES), help="only this one; may be repeated"
    )
    parser.add_argument("--verbose", action="store_true", help="list every difference and fault")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--processes", type=int, default=max(1, min(4, os.cpu_count() or 1)), metavar="N"
    )
    parser.add_argument(
        "--sample", type=int, default=SAMPLE, metavar="N",
        help="references of one file that are edited and sent through other formats",
    )  # fmt: skip
    parser.add_argument(
        "--largest", type=int, default=0, metavar="BYTES", help="leave out larger files"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
