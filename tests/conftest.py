"""What all tests run in: temporary folders in memory, new libraries copied, and workers that do not
search their code.

Temporary folders lie on the tmpfs of the system where there is a roomy one: what a test writes
is read back by the same rules there, and a call of ``fsync`` costs nothing instead of some
milliseconds. No test pulls the plug; that ``fsync`` is called where it must be is tested by
name. Whoever sets ``TMPDIR`` or gives ``--basetemp`` decides himself.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings
from tests.support.empty_databases import copy_new_databases
from tests.support.examples import examples

#: How long an example takes says what else the computer does; pytest's timeout bounds a test.
settings.register_profile("bifolio", deadline=None, max_examples=examples(100))
settings.load_profile("bifolio")
copy_new_databases()

gc.disable()  # while the tests are loaded: see pytest_collection_finish

_IN_MEMORY = Path("/dev/shm")
#: What a whole run may need at once; the folder of a test that passed is removed (pyproject.toml).
_ROOM_BYTES = 2_000_000_000


def pytest_configure(config: pytest.Config) -> None:
    """Put temporary folders into memory; the workers of a run get theirs from the first process."""
    if "TMPDIR" in os.environ or config.getoption("basetemp") or not _is_roomy(_IN_MEMORY):
        return
    os.environ["TMPDIR"] = str(_IN_MEMORY)
    tempfile.tempdir = None  # asked again


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """In a new checkout the first worker compiles the tests and the others wait for that: otherwise
    each compiles all of them, and Hypothesis looks through all of the code in each."""
    root = session.config.rootpath
    if "PYTEST_XDIST_WORKER" not in os.environ or sys.dont_write_bytecode or _is_compiled(root):
        return (yield)
    lock = root / ".hypothesis" / "collecting.lock"
    lock.parent.mkdir(exist_ok=True)
    with FileLock(lock):
        if not _is_compiled(root):
            return (yield)
    return (yield)


def _is_compiled(root: Path) -> bool:
    """Whether earlier runs have left what loading the tests takes most of its time for."""
    ending = f"{sys.implementation.cache_tag}-pytest-{pytest.__version__}.pyc"
    files = list((root / "tests").rglob("test_*.py"))
    compiled = [one.parent / "__pycache__" / f"{one.stem}.{ending}" for one in files]
    is_known = (root / ".hypothesis" / "constants").is_dir()
    return is_known and sum(one.exists() for one in compiled) > len(files) * 0.9


def pytest_collection_finish() -> None:
    """Half a million objects of code and tests stay to the end: no collection looks at them, and
    the little garbage among them is not worth looking for."""
    gc.freeze()
    gc.enable()


def _is_roomy(folder: Path) -> bool:
    return (
        folder.is_dir()
        and os.access(folder, os.W_OK)
        and shutil.disk_usage(folder).free > _ROOM_BYTES
    )
