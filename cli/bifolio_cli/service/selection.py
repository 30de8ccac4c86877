"""Which kind of service this computer has."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bifolio_cli.environment import Environment
from bifolio_cli.service.launchd import Launchd
from bifolio_cli.service.process import PlainProcess
from bifolio_cli.service.service import Program, Service
from bifolio_cli.service.systemd import Systemd


def list_services(environment: Environment) -> Sequence[Service]:
    """The kinds of this platform, the best first; the last one is always available."""
    program = Program.of(
        environment.home_path(), environment.of_bifolio(), is_default=not environment.home
    )
    plain = PlainProcess(
        program,
        environment.configuration_folder(),
        environment.whole(),
        has_autostart=sys.platform not in ("darwin", "win32"),
    )
    if sys.platform == "darwin":
        return (Launchd(program, environment.user_folder()), plain)
    if sys.platform == "win32":
        return (plain,)
    return (Systemd(program, environment.configuration_folder()), plain)


def choose_service(environment: Environment, *, plain: bool) -> Service:
    """The kind to set up: the one that is set up already, otherwise the best that is available."""
    *better, last = list_services(environment)
    if plain:
        return last
    for kind in better:
        if kind.is_installed() or kind.is_available():
            return kind
    return last


def find_installed(environment: Environment) -> Service | None:
    """The kind that is set up here."""
    return next((kind for kind in list_services(environment) if kind.is_installed()), None)
