"""Which folder a command works on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bifolio.home import Home
from bifolio_cli.environment import Environment, existing_library_path, new_library_path


def _library(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "library.sqlite").touch()
    return path


def test_the_option_goes_before_the_variable_and_that_before_the_default(tmp_path: Path) -> None:
    environment = Environment(home=str(tmp_path / "home"), library=str(tmp_path / "b.bifolio"))
    assert environment.library_path(str(tmp_path / "a.bifolio")) == tmp_path / "a.bifolio"
    assert environment.library_path(None) == tmp_path / "b.bifolio"
    alone = Environment(home=str(tmp_path / "home"))
    assert alone.library_path(None) == tmp_path / "home" / "Library.bifolio"
    assert alone.new_library_path(None) == tmp_path / "home" / "Library.bifolio"


def test_the_keyring_is_used_only_in_the_platforms_own_home(tmp_path: Path) -> None:
    named = Environment(home=str(tmp_path)).device_home()
    assert (named.path, named.use_keyring) == (tmp_path, False)
    default = Environment().device_home()
    assert default.use_keyring
    assert "bifolio" in default.path.parts


def test_a_device_is_called_as_its_variable_says_else_as_its_computer(tmp_path: Path) -> None:
    named = Environment(home=str(tmp_path), device="laptop").device_home()
    assert named == Home(tmp_path, device_name="laptop")
    assert Environment(home=str(tmp_path)).device_home() == Home(tmp_path)


def test_a_variable_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BIFOLIO_HOME", "BIFOLIO_LIBRARY", "BIFOLIO_DEVICE", "BIFOLIO_TRACEBACK"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("XDG_CONFIG_HOME", "")
    assert Environment.of_process() == Environment()


def test_a_process_of_its_own_is_told_the_home_and_device_that_were_named(tmp_path: Path) -> None:
    assert Environment().of_bifolio() == {}
    named = Environment(home=str(tmp_path / "x" / ".." / "home"), device="laptop", library="Work")
    assert named.of_bifolio() == {
        "BIFOLIO_HOME": str(named.home_path()),
        "BIFOLIO_DEVICE": "laptop",
    }


def test_services_are_configured_where_the_desktop_says_if_that_is_a_whole_path(
    tmp_path: Path,
) -> None:
    assert Environment(configuration=str(tmp_path)).configuration_folder() == tmp_path
    for relative in ("", "config"):
        found = Environment(configuration=relative).configuration_folder()
        assert found == Path.home() / ".config"


def test_a_new_library_gets_the_suffix(tmp_path: Path) -> None:
    assert new_library_path(str(tmp_path / "Work")) == tmp_path / "Work.bifolio"
    assert new_library_path(str(tmp_path / "Doe et al. 2")) == tmp_path / "Doe et al. 2.bifolio"
    assert new_library_path(str(tmp_path / "Work.bifolio")) == tmp_path / "Work.bifolio"


def test_a_folder_that_exists_is_taken_as_named_so_that_a_full_one_is_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "Work").mkdir()
    assert new_library_path(str(tmp_path / "Work")) == tmp_path / "Work"


def test_an_existing_library_is_found_without_its_suffix(tmp_path: Path) -> None:
    library = _library(tmp_path / "Work.bifolio")
    assert existing_library_path(str(tmp_path / "Work")) == library
    assert existing_library_path(str(library)) == library
    assert existing_library_path(str(library / "library.sqlite")) == library


def test_a_library_with_exactly_that_name_goes_before_the_one_with_the_suffix(
    tmp_path: Path,
) -> None:
    _library(tmp_path / "Work.bifolio")
    exact = _library(tmp_path / "Work")
    assert existing_library_path(str(exact)) == exact


def test_where_there_is_no_library_the_path_stays_as_named(tmp_path: Path) -> None:
    assert existing_library_path(str(tmp_path / "none")) == tmp_path / "none"


def test_a_path_from_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert new_library_path("~/Work") == tmp_path / "Work.bifolio"


def test_a_computer_s_name_that_is_no_text_is_made_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIFOLIO_DEVICE", "caf\udce9")
    assert Environment.of_process().device == "caf?"
