"""The relay as a process: listens, announces where, shuts down cleanly.

``serve`` runs until it is told to stop, ``run`` does so for a whole process, ``main`` is the
command ``bifolio-relay``. What the connections do is the business of ``hub``.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from websockets.asyncio.server import Server
from websockets.asyncio.server import serve as listen

from bifolio import __version__, limits
from bifolio.errors import BifolioError, Next, PortInUseError, RelayError
from bifolio_relay import descriptors
from bifolio_relay.config import (
    DATA,
    HOST,
    NAME,
    PORT,
    PROCESSES,
    QUOTA,
    REQUIRE_TOKEN,
    SHARED,
    TRUSTED_PROXY,
    UNUSED_DAYS,
    Config,
    make_config,
)
from bifolio_relay.front import Front, FrontSocket
from bifolio_relay.hub import Hub
from bifolio_relay.lifetime import end_committer, finish, serve_until, signals, socket_logger
from bifolio_relay.metered_socket import MeteredSocket
from bifolio_relay.next_steps import word
from bifolio_relay.storage.sqlite import SqliteLogStorage
from bifolio_relay.supervisor import supervise


async def serve(
    config: Config,
    ready: Callable[[str], None],
    *,
    stop: asyncio.Event | None = None,
    logger: logging.Logger | None = None,
) -> None:
    """Run a relay until SIGTERM or SIGINT, or until ``stop`` is set.

    Arguments:
        config: where to listen and to keep data.
        ready: called once with the relay's address when it listens.
        stop: for who has no signals.
        logger: what is written never holds content or secrets.

    Raises:
        PortInUseError: another program listens there.
        RelayError: the address is not one of this computer.
        RelayStorageError: the data cannot be used, or another relay uses it.
    """
    stop = stop or asyncio.Event()
    allowed = descriptors.connections_max(config.connections_max)
    config = replace(config, connections_max=allowed)
    logger = logger or logging.getLogger("bifolio_relay")

    def tell(server: Server) -> None:
        url = _address(server, config.host)
        logger.info("listening on %s, data in %s", url, config.data)
        ready(url)

    if config.processes > 1:
        with signals(stop):
            await supervise(config, partial(_listen_in_front, config, logger), tell, stop, logger)
        return
    storage = SqliteLogStorage(config.data, shared=config.shared)
    try:
        hub = Hub(storage, config, logger)
        try:
            await _serve(hub, config, tell, stop, logger)
        finally:
            await hub.close()
    finally:
        await storage.close()


def run(config: Config) -> None:
    """Run a relay as this process: prints where it listens, logs to stderr; see ``serve``."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    asyncio.run(serve(config, lambda url: print(f"listening on {url}", flush=True)))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command ``bifolio-relay``; gives the exit code."""
    try:
        run(make_config(os.environ, **vars(argument_parser().parse_args(arguments))))
    except BifolioError as error:
        print(f"bifolio-relay: {error.message}\n{word(error.next_step)}", file=sys.stderr)
        return error.exit_code
    return 0


def argument_parser() -> argparse.ArgumentParser:
    """What reads the command line of ``bifolio-relay``."""
    parser = argparse.ArgumentParser(
        prog="bifolio-relay",
        description="Store the changes of Bifolio libraries and pass them on, unable to read them.",
    )
    for option, given in (
        (HOST, {"default": Config.host}),
        (PORT, {"default": Config.port, "type": int}),
        (DATA, {"type": Path}),
        (QUOTA, {"default": ""}),
        (UNUSED_DAYS, {"default": Config.unused_days, "type": int}),
        (TRUSTED_PROXY, {"default": ""}),
        (NAME, {"default": ""}),
        (PROCESSES, {"default": Config.processes, "type": int}),
    ):
        parser.add_argument(option.flag, metavar=option.metavar, help=option.help, **given)
    for flag in (SHARED, REQUIRE_TOKEN):
        parser.add_argument(flag.flag, action="store_true", help=flag.help)
    parser.add_argument("--version", action="version", version=f"bifolio-relay {__version__}")
    return parser


async def _serve(
    hub: Hub,
    config: Config,
    tell: Callable[[Server], None],
    stop: asyncio.Event,
    logger: logging.Logger,
) -> None:
    server = await _listen(hub, MeteredSocket, config, logger)
    with signals(stop):
        tell(server)
        committer = await serve_until(stop, hub, is_caretaker=True)
        try:
            logger.info("closing")
            server.close(close_connections=False)
            await finish(hub, committer, server.all_connections)
            await server.wait_closed()
        finally:
            await end_committer(committer)


async def _listen_in_front(config: Config, logger: logging.Logger, front: Front) -> Server:
    return await _listen(front, FrontSocket, config, logger)


async def _listen(
    hub: Hub | Front, socket: type[MeteredSocket], config: Config, logger: logging.Logger
) -> Server:
    try:
        return await listen(
            hub.serve_connection,
            config.host,
            config.port,
            process_request=hub.answer_request,
            create_connection=partial(socket, hub=hub),  # type: ignore[arg-type]
            # No page of a browser speaks this protocol: one that tries is somebody's trap.
            origins=[None],
            # Sealed bytes do not compress.
            compression=None,
            # Raised for a member's connection (peer).
            max_size=limits.HANDSHAKE_MESSAGE_BYTES_MAX,
            max_queue=2,
            open_timeout=limits.HANDSHAKE_TIMEOUT_S,
            close_timeout=limits.SHUTDOWN_GRACE_S,
            ping_interval=limits.PING_INTERVAL_S,
            ping_timeout=limits.PING_TIMEOUT_S,
            server_header=None,
            logger=socket_logger(logger),
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(host=config.host, port=config.port) from error
        raise RelayError(
            f"The relay cannot listen on {config.host} port {config.port}: {error.strerror}.",
            next_step=Next.CHOOSE_ADDRESS,
        ) from error


def _address(server: Server, host: str) -> str:
    port = server.sockets[0].getsockname()[1]
    return f"ws://[{host}]:{port}" if ":" in host else f"ws://{host}:{port}"


if __name__ == "__main__":
    sys.exit(main())
