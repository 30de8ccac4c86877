"""The relay as a process: listens, announces where, shuts down cleanly.

``serve`` runs until it is told to stop, ``run`` does so for a whole process, ``main`` is the
command ``bifolio-relay``. What the connections do is the business of ``hub``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
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
    QUOTA,
    REQUIRE_TOKEN,
    SHARED,
    TRUSTED_PROXY,
    UNUSED_DAYS,
    Config,
    make_config,
)
from bifolio_relay.hub import Hub
from bifolio_relay.metered_socket import MeteredSocket
from bifolio_relay.next_steps import word
from bifolio_relay.storage.sqlite import SqliteLogStorage


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
    storage = SqliteLogStorage(config.data, shared=config.shared)
    try:
        hub = Hub(storage, config, logger)
        try:
            await _serve(hub, config, ready, stop, logger)
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
    ):
        parser.add_argument(option.flag, metavar=option.metavar, help=option.help, **given)
    for flag in (SHARED, REQUIRE_TOKEN):
        parser.add_argument(flag.flag, action="store_true", help=flag.help)
    parser.add_argument("--version", action="version", version=f"bifolio-relay {__version__}")
    return parser


async def _serve(
    hub: Hub,
    config: Config,
    ready: Callable[[str], None],
    stop: asyncio.Event,
    logger: logging.Logger,
) -> None:
    server = await _listen(hub, config, logger)
    committer = asyncio.create_task(hub.commit_forever())
    others = [
        asyncio.create_task(hub.sweep_forever()),
        asyncio.create_task(hub.expire_forever()),
        asyncio.create_task(hub.care.check_forever()),
    ]
    stopped = asyncio.create_task(stop.wait())
    try:
        with _signals(stop):
            url = _address(server, config.host)
            logger.info("listening on %s, data in %s", url, config.data)
            ready(url)
            await asyncio.wait({committer, *others, stopped}, return_when=asyncio.FIRST_COMPLETED)
            logger.info("closing")
            await _shut_down(hub, server, committer)
    finally:
        stopped.cancel()
        committer.cancel()
        for task in others:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            # A committer that failed ends the process with its error.
            await committer
        for task in others:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _listen(hub: Hub, config: Config, logger: logging.Logger) -> Server:
    try:
        return await listen(
            hub.serve_connection,
            config.host,
            config.port,
            process_request=hub.answer_request,
            create_connection=partial(MeteredSocket, hub=hub),  # type: ignore[arg-type]
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
            logger=_socket_logger(logger),
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(host=config.host, port=config.port) from error
        raise RelayError(
            f"The relay cannot listen on {config.host} port {config.port}: {error.strerror}.",
            next_step=Next.CHOOSE_ADDRESS,
        ) from error


async def _shut_down(hub: Hub, server: Server, committer: asyncio.Task[None]) -> None:
    """Stop accepting, finish what is queued, say BYE; cut off who takes too long."""
    server.close(close_connections=False)
    hub.stop_reading()
    if not committer.done():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hub.finish(), limits.SHUTDOWN_GRACE_S)
    for connection in tuple(server.all_connections):
        connection.transport.abort()
    await server.wait_closed()


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    caught: list[signal.Signals] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # Only the main thread of a Unix process can; others stop by the event.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
            caught.append(number)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


def _address(server: Server, host: str) -> str:
    port = server.sockets[0].getsockname()[1]
    return f"ws://[{host}]:{port}" if ":" in host else f"ws://{host}:{port}"


def _socket_logger(logger: logging.Logger) -> logging.Logger:
    """What websockets itself reports: faults of ours, not every stranger's failed greeting."""
    socket_logger = logger.getChild("socket")
    socket_logger.setLevel(logging.ERROR)
    socket_logger.addFilter(_not_a_strangers_fault)
    return socket_logger


def _not_a_strangers_fault(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("opening handshake failed")


if __name__ == "__main__":
    sys.exit(main())
