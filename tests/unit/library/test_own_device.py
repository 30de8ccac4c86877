"""New keys for a computer whose keys are in a keyring, killed wherever it asks the keyring."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import file_keyring

from bifolio import Library
from bifolio.home import Home
from bifolio.library import own_device

PROGRAM = """
import json, sys
from pathlib import Path
from bifolio import Library
from bifolio.errors import BifolioError
from bifolio.home import Home
from bifolio.library import own_device
from bifolio.replica.membership import LibraryMembership
home = Home(Path(sys.argv[1]), device_name="desk", use_keyring=True)
path = home.path / "Own.bifolio"
act = sys.argv[2]
try:
    if act == "create":
        Library.create(path, home=home).close()
    elif act == "rotate":
        own_device.rotate(home)
    with Library.open(path, home=home) as library:
        library.add({"title": act})
        members = LibraryMembership(library._replica).membership().members
        said = {
            "key": library._replica.keys.sign_public.hex(),
            "members": [one.device.hex() for one in members],
            "references": library.status().references,
            "device": own_device.show(home).fingerprint,
        }
except BifolioError as error:
    said = {"error": error.message}
print(json.dumps(said))
"""


class Desk:
    """A computer whose keys are in a keyring."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.ring = folder / "keyring.json"

    def act(self, what: str, **environment: str) -> dict[str, object] | None:
        """What a process of it says at last; None where it was killed."""
        own = os.environ | {
            "PYTHON_KEYRING_BACKEND": "tests.support.file_keyring.FileKeyring",
            file_keyring.FILE: str(self.ring),
        }
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(self.home), what],
            env=own | environment,
            capture_output=True,
            check=False,
        )
        if ended.returncode < 0:
            return None
        assert ended.returncode == 0, ended.stderr.decode()
        found: dict[str, object] = json.loads(ended.stdout)
        return found

    @property
    def entries(self) -> list[str]:
        """The public keys of what the keyring holds."""
        return [name.split()[-1] for name in json.loads(self.ring.read_text())]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def check_rotated(desk: Desk, old: object) -> None:
    """One more call at most, and the library and the keyring know the new key alone."""
    done = desk.act("edit")
    assert done is not None
    assert done["members"] == [done["key"]]
    assert done["key"] != old
    assert done["key"] in desk.entries
    assert old not in desk.entries


@pytest.mark.heavy
def test_a_computer_takes_new_keys_in_its_keyring(desk: Desk) -> None:
    created = desk.act("create")
    assert created is not None
    assert desk.entries == [created["key"]]
    rotated = desk.act("rotate")
    assert rotated is not None
    assert desk.entries == rotated["members"] == [rotated["key"]]
    check_rotated(desk, created["key"])


@pytest.mark.heavy
def test_with_a_locked_keyring_it_takes_none_and_loses_none(desk: Desk) -> None:
    created = desk.act("create")
    assert created is not None
    locked = desk.act("rotate", **{file_keyring.LOCKED: "1"})
    assert locked is not None
    assert "does not open" in str(locked["error"])
    edited = desk.act("edit")
    assert edited is not None
    assert edited["members"] == [edited["key"]] == [created["key"]]


@pytest.mark.heavy
def test_it_is_killed_at_each_of_its_questions_to_the_keyring_and_goes_on(tmp_path: Path) -> None:
    kills = 0
    for number in range(1, 40):
        (folder := tmp_path / str(number)).mkdir()
        desk = Desk(folder)
        created = desk.act("create")
        assert created is not None
        if desk.act("rotate", **{file_keyring.KILL_AT: str(number)}) is not None:
            break
        kills += 1
        between = desk.act("edit")
        assert between is not None, number
        assert between["members"] == [between["key"]], number
        assert desk.act("rotate") is not None, number
        check_rotated(desk, created["key"])
    assert kills > 5


def test_what_was_done_under_earlier_keys_is_not_another_computer_s(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", device_name="desk")
    with Library.create(tmp_path / "T.bifolio", home=home) as library:
        library.add({"title": "Before"})
    assert own_device.rotate(home).is_done
    with Library.open(tmp_path / "T.bifolio", home=home) as library:
        assert library.history.log(others=True) == []
        assert len(library.history.log(device="desk")) == len(library.history.log())
