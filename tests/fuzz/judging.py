"""One input tried: accepted, refused as documented, or a finding."""

from __future__ import annotations

import hashlib
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.blackboard import Blackboard, Figures
from tests.fuzz.mutations import Mutation
from tests.support.examples import IS_FULL

if sys.platform != "win32":
    import resource

_STATUS = Path("/proc/self/status")

_UNIT_BYTES = 64 * 1024

#: Findings of one target beyond these are not written: they are of few kinds as a rule.
FINDINGS_MAX = 25


@dataclass(frozen=True)
class Target:
    """What is tried.

    ``seconds_max`` is processor time for an input of up to 64 KiB, and for each 64 KiB of a longer
    one; ``memory_max`` the bytes by which the peak of the process may grow in one.
    """

    name: str
    seeds: Callable[[], Sequence[bytes]]
    run: Callable[[bytes], object]
    refuses: tuple[type[Exception], ...]
    mutation: Mutation
    seconds_max: float = 2.0
    memory_max: int = 192 * 1024 * 1024
    #: Longer inputs are passed over: they would take the time of many short ones.
    length_max: int = 24 * 1024
    #: The packages whose branches atheris counts: to load them for that takes seconds.
    watched: tuple[str, ...] = ()
    #: Inputs of the short run.
    short: int = 40
    #: Called once in the process that tries it.
    prepare: Callable[[], None] | None = None

    @property
    def inputs(self) -> int:
        """Inputs of the short run, of which `make test` draws a part."""
        return self.short if IS_FULL else max(4, self.short // 3)


class Counts(NamedTuple):
    """What was tried of one target."""

    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    milliseconds: int = 0


class FoundError(Exception):
    """An input showed a fault; ``signature`` is the same for the same fault.

    ``is_cost`` where it took too much time or memory, which differs from run to run.
    """

    def __init__(self, signature: str, account: str, *, is_cost: bool = False) -> None:
        super().__init__(signature)
        self.signature = signature
        self.account = account
        self.is_cost = is_cost


class Judge:
    """Tries inputs of one target, counts on the blackboard and writes findings to a folder."""

    def __init__(self, target: Target, board: Blackboard, folder: Path) -> None:
        self.target = target
        self._board = board
        self._folder = folder
        self._begun = time.monotonic()
        self._figures = Figures(target=target.name)
        self.known = {
            path.read_text("utf-8").split("\n")[0] for path in folder.glob(f"{target.name}-*.txt")
        }

    @property
    def counts(self) -> Counts:
        """What was tried so far."""
        now = self._figures
        return Counts(now.inputs, now.accepted, now.refused, now.milliseconds)

    def check(self, raw: bytes) -> None:
        """Try an input.

        Raises:
            FoundError: a fault that is not known yet.
        """
        if len(raw) > self.target.length_max:
            return
        now = self._figures
        self._board.write_input(raw)
        self._board.write(replace(now, length=len(raw), is_trying=1))
        accepted, found = self._try(raw)
        self._figures = replace(
            now,
            inputs=now.inputs + 1,
            accepted=now.accepted + accepted,
            refused=now.refused + (not accepted and found is None),
            length=len(raw),
            milliseconds=round((time.monotonic() - self._begun) * 1000),
        )
        self._board.write(self._figures)
        if found is not None and found.signature not in self.known:
            raise found

    def check_and_write(self, raw: bytes) -> None:
        """Try an input, and write it down where it shows a fault."""
        try:
            self.check(raw)
        except FoundError as found:
            self.write(raw, found)

    def write(self, raw: bytes, found: FoundError) -> None:
        """Write a finding down: its input and what happened."""
        self.known.add(found.signature)
        if len(self.known) <= FINDINGS_MAX:
            write_finding(self._folder, self.target.name, raw, found.signature, found.account)

    def _try(self, raw: bytes) -> tuple[bool, FoundError | None]:
        peak, begun = _peak(), time.process_time()
        try:
            self.target.run(raw)
            accepted = True
        except self.target.refuses:
            accepted = False
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - pycrdt's panic is no Exception
            return False, FoundError(_signature(error), traceback.format_exc())
        took, grown = time.process_time() - begun, _peak() - peak
        if took > self.target.seconds_max * max(1, len(raw) / _UNIT_BYTES):
            account = f"{took:.1f} s of {len(raw)} bytes"
            return accepted, FoundError("too long", account, is_cost=True)
        if grown > self.target.memory_max:
            account = f"{grown // 2**20} MiB of {len(raw)} bytes"
            return accepted, FoundError("too much memory", account, is_cost=True)
        return accepted, None


def write_finding(folder: Path, target: str, raw: bytes, signature: str, account: str) -> None:
    """Write an input and what it did: ``TARGET-HASH.bin`` and ``.txt``."""
    stem = f"{target}-{hashlib.blake2b(raw, digest_size=6).hexdigest()}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.bin").write_bytes(raw)
    (folder / f"{stem}.txt").write_text(f"{signature}\n\n{account}\n", "utf-8", "replace")


def _signature(error: BaseException) -> str:
    """The error's type, and the last line of our own code on its way."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if "bifolio" in Path(one.filename).parts]
    last = (ours or list(frames))[-1]
    return f"{type(error).__name__} in {Path(last.filename).name} {last.name}: {last.line}"


def _peak() -> int:
    """The most memory that this process ever had, in bytes; 0 on Windows.

    Linux counts the parent's into ``ru_maxrss``.
    """
    if sys.platform == "linux":
        status = _STATUS.read_bytes()
        return int(status[status.index(b"VmHWM:") + 6 :].split(maxsplit=1)[0]) * 1024
    elif sys.platform == "win32":  # noqa: RET505 - mypy looks at one platform
        return 0
    else:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
