"""All checks of one library, in the order in which one explains the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bifolio.crypto import key_condition as conditions
from bifolio.crypto.key_condition import KeyCondition
from bifolio.crypto.keys import DeviceKeys
from bifolio.doctor import computer, content
from bifolio.errors import (
    DATA_FAULTS,
    BifolioError,
    DamagedLibraryError,
    KeyFileError,
    MembershipError,
)
from bifolio.home import Home
from bifolio.library import status
from bifolio.replica import folder
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica, Runtime
from bifolio.results import Progress
from bifolio.results.doctor import CheckVerdict, Diagnosis, Finding


def examine(
    path: Path,
    home: Home,
    *,
    files: bool = False,
    deep: bool = False,
    offline: bool = False,
    progress: Progress | None = None,
) -> Diagnosis:
    """Check a library and what it needs on this computer; nothing is changed.

    Args:
        path: the library's folder.
        home: this device's home.
        files: whether every attached file is read and hashed.
        deep: whether every byte of the library's file is checked, and every attached file.
        offline: whether the relay is left alone.
        progress: told of the checks that take long.
    """
    # First, because opening a library may put a key file's rights right.
    key = conditions.examine(home.path, name=home.device_name, use_keyring=home.use_keyring)
    findings = [*computer.place(path, home), computer.key(key)]
    findings += content.leftovers_of(path, home)
    files = files or deep
    if deep:
        findings += content.deep(path, key.keys)
    attached = False
    try:
        database = folder.open_database(path)
    except BifolioError as error:
        findings.append(Finding("library", CheckVerdict.ATTENTION, error.message, error.next_step))
    else:
        replica = Replica(path, database, lambda: _load_keys(key), Runtime())
        try:
            for one in _check_opened(replica, key, files=files, offline=offline, progress=progress):
                findings.append(one)
            attached = bool(replica.meta.relay_url)
        except (
            DamagedLibraryError,
            MembershipError,
        ) as error:  # what was found before it stays found
            findings.append(
                Finding("library", CheckVerdict.ATTENTION, error.message, error.next_step)
            )
        except DATA_FAULTS as error:
            reason = f"a value in it cannot be read ({type(error).__name__})"
            damaged = DamagedLibraryError(path, reason=reason)
            findings.append(
                Finding("library", CheckVerdict.ATTENTION, damaged.message, damaged.next_step)
            )
        finally:
            database.close()
    findings.append(computer.autosync(path, home, attached=attached))
    return Diagnosis.of(path, tuple(findings))


def _check_opened(
    replica: Replica,
    key: KeyCondition,
    *,
    files: bool,
    offline: bool,
    progress: Progress | None,
) -> Iterator[Finding]:
    integrity = content.integrity(replica)
    yield integrity
    if integrity.verdict is CheckVerdict.WELL:
        yield from _contents(replica, files=files, progress=progress)
    member_log = LibraryMembership(replica)
    relay_s = None
    if key.keys is not None:
        yield computer.membership(member_log, replica)
        if not offline:
            finding, relay_s = computer.relay(replica, member_log)
            yield finding
    if key.keys is None or offline:
        yield Finding("relay", CheckVerdict.UNKNOWN, "The relay was not asked.")
    yield from computer.clock(replica, relay_s)
    meta = replica.meta
    name, replica_id = meta.name, meta.replica_id.hex()
    yield from computer.check_pending(status.status(replica, name=name, replica_id=replica_id))


def _contents(replica: Replica, *, files: bool, progress: Progress | None) -> Iterator[Finding]:
    """What the file holds; an index is derived from records, so those come first."""
    try:
        records = content.records(replica, progress)
        yield records
        if records.verdict is CheckVerdict.WELL:
            yield content.index(replica)
        yield content.files(replica, progress) if files else content.files_not_read(replica)
    except DamagedLibraryError as error:
        yield Finding("records", CheckVerdict.ATTENTION, error.message, error.next_step)


def _load_keys(key: KeyCondition) -> DeviceKeys:
    if key.keys is None:
        raise KeyFileError(key.path, reason="it cannot be read")
    return key.keys
