"""Asynchronous objects for tests that are not: each call is run to its end in one event loop."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import Coroutine
from typing import Any


class InLoop:
    """The same methods as those of the given objects, to be called without ``await``.

    Of several objects that claim to be the same thing, each call goes to the next one.
    """

    def __init__(self, runner: asyncio.Runner, *objects: object) -> None:
        self._runner = runner
        self._turns = itertools.cycle(objects)

    def __getattr__(self, name: str) -> Any:
        value = getattr(next(self._turns), name)
        if not inspect.iscoroutinefunction(value):
            return value

        def call(*arguments: object, **named: object) -> Any:
            coroutine: Coroutine[Any, Any, Any] = value(*arguments, **named)
            return self._runner.run(coroutine)

        return call
