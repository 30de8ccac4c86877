"""A second process of this program, that is given work and answers each piece, in order.

It opens no library and sees no key. What it is asked for could be done here too: so it may fail,
end or be late without harm. A process and not a pool of ``multiprocessing``, which would run the
script of the program that embeds Bifolio once more.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO

_LENGTH_BYTES = 8

#: What a pipe to the process holds, where that can be chosen: whole pieces of work, so that giving
#: one takes no time.
_PIPE_BYTES = 1024 * 1024


def has_processors() -> bool:
    """Whether a second process would have a processor of its own, and Python can be started."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (count or 1) > 1 and bool(sys.executable) and not hasattr(sys, "frozen")


def command_of(module: str) -> Sequence[str]:
    """How a process is started that runs a module, as this one was."""
    # -P: the folder that somebody happens to be in is no place to import from.
    return (sys.executable, "-P", "-m", module)


class WorkerProcess:
    """The process, seen from here. To be closed, and it ends."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it.

        Raises:
            OSError: it cannot be started.
        """
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pipesize=_PIPE_BYTES,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._answers: SimpleQueue[bytes | None] = SimpleQueue()
        self._listener = Thread(
            target=_listen, args=(self.process.stdout, self._answers), daemon=True
        )
        self._listener.start()

    def give(self, body: bytes) -> bool:
        """Give a piece of work; False where the process has ended."""
        assert self.process.stdin is not None
        try:
            send(self.process.stdin, body)
        except OSError:
            return False
        return True

    def answer(self, *, wait: bool) -> bytes | None:
        """The next answer; None where the process has ended.

        Raises:
            Empty: it has not come.
        """
        return self._answers.get(block=wait)

    def close(self) -> None:
        """End the process, whatever it is at."""
        self.process.kill()
        self.process.wait()
        self._listener.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what was still on its way to the process
                pipe.close()


def serve(work: Callable[[bytes], bytes]) -> None:
    """In the process: answer each piece of work, until there is no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it, not the keyboard
    gc.freeze()  # what is loaded stays: no search for garbage has to go through it
    with suppress(BrokenPipeError):
        while (body := receive(sys.stdin.buffer)) is not None:
            send(sys.stdout.buffer, work(body))


def send(pipe: IO[bytes], body: bytes) -> None:
    """Write one message."""
    pipe.write(len(body).to_bytes(_LENGTH_BYTES, "big"))
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """Read one message; None where the other side has ended."""
    head = pipe.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "big")
    body = pipe.read(length)
    return body if len(body) == length else None


def _listen(pipe: IO[bytes], answers: SimpleQueue[bytes | None]) -> None:
    """Take in answers as they come, in a thread: the process must never wait to give one."""
    while True:
        body = receive(pipe)
        answers.put(body)
        if body is None:
            return


__all__ = ["Empty", "WorkerProcess", "command_of", "has_processors", "receive", "send", "serve"]
