"""What every endpoint is made of: its place in the table, and the libraries that it asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum

from starlette.requests import Request
from starlette.responses import Response

from bifolio.serve.connector import Sessions
from bifolio.serve.item_objects import Objects
from bifolio.serve.libraries import Libraries, LibraryThread
from bifolio.serve.parameters import Parameters, read_parameters
from bifolio.serve.permissions import Ask, Permissions
from bifolio.serve.served_library import ServedLibrary
from bifolio.serve.uploads import Uploads

Handler = Callable[["Api", Request], Awaitable[Response]]


class State(Enum):
    """How much of what Zotero's own endpoint does this one does."""

    WHOLE = "whole"
    PART = "in part"
    #: There is nothing of it here, and the answer says so.
    NONE = "says why not"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: its methods, its path (``{library}`` is ``users/0`` or ``groups/NUMBER``),
    what it answers, and how much it does."""

    methods: str
    path: str
    handler: Handler
    says: str
    state: State = State.WHOLE


@dataclass(slots=True)
class Api:
    """The endpoints' common ground: the libraries, who may write, and what is on its way."""

    libraries: Libraries
    permissions: Permissions
    uploads: Uploads
    ask: Ask
    server_id: str
    #: What clicks of a browser's button saved.
    sessions: Sessions = field(default_factory=Sessions)
    #: Who reads the text of a file; one at a time, because that takes a core.
    reading_texts: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    def library_of(self, request: Request) -> LibraryThread:
        """The library that a request's path names."""
        kind, number = request.path_params["kind"], int(request.path_params["number"])
        return self.libraries.of(kind, number)

    async def read(
        self,
        request: Request,
        act: Callable[[ServedLibrary, Objects, Parameters], Response],
        *,
        writing: bool = False,
    ) -> Response:
        """Answer a request about one library; ``writing``: files are copied for it."""
        wanted = read_parameters(request.query_params.multi_items())
        given = request.headers.get("if-modified-since-version")
        base = base_of(request)

        def answer(served: ServedLibrary) -> Response:
            served.check_version(given)
            return act(served, Objects(served, base), wanted)

        return await self.library_of(request).run(answer, writing=writing)


def base_of(request: Request) -> str:
    """The address of the interface, as the request has it; its host was checked."""
    return f"http://{request.headers['host']}/api"


def objects_of(served: ServedLibrary, request: Request) -> Objects:
    """What makes the objects of an answer."""
    return Objects(served, base_of(request))
