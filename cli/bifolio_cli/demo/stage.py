"""What the demo needs and clears away: a folder, a relay process and two computers in it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from bifolio_cli.demo import script
from bifolio_cli.demo.computers import Computer, RelayProcess
from bifolio_cli.demo.narration import Narrator
from bifolio_cli.demo.outcome import Outcome
from bifolio_cli.demo.processes import Processes


@dataclass(frozen=True, slots=True)
class Stage:
    """The two computers, the relay, who tells the story and what comes out of it."""

    folder: Path
    narrator: Narrator
    relay: RelayProcess
    office: Computer
    laptop: Computer
    outcome: Outcome

    @property
    def computers(self) -> tuple[Computer, Computer]:
        """Both computers."""
        return self.office, self.laptop


@contextmanager
def build_stage(narrator: Narrator, *, keep: bool) -> Iterator[Stage]:
    """A stage in a temporary folder; whatever ends the story, its processes end with it.

    Args:
        narrator: tells what the computers do.
        keep: leave the folder where it is.
    """
    processes = Processes()
    with ExitStack() as stack:
        stack.enter_context(processes)
        with processes.undisturbed():
            folder = Path(tempfile.mkdtemp(prefix="bifolio-demo-"))
            if not keep:
                stack.callback(shutil.rmtree, folder)
            # The last one in is the first to be done: no process writes into a folder that goes.
            stack.callback(processes.end_all)
        office, laptop = (
            _computer(folder / name, bibliography, processes, narrator)
            for name, bibliography in (
                ("office", script.TYPOGRAPHY),
                ("laptop", script.PRINTING_HISTORY),
            )
        )
        relay = RelayProcess(folder, processes, narrator)
        yield Stage(folder, narrator, relay, office, laptop, Outcome())


def _computer(home: Path, bibliography: str, processes: Processes, narrator: Narrator) -> Computer:
    """A computer with an empty home, except for the file that its user is going to import."""
    home.mkdir()
    with as_file(files("bifolio_cli.demo") / "libraries" / bibliography) as source:
        shutil.copyfile(source, home / bibliography)
    return Computer(home.name, home, processes, narrator)
