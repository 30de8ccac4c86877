"""The server of pycrdt-websocket on a free port of 127.0.0.1; prints the port. Keeps nothing."""

from __future__ import annotations

import asyncio
import socket

import uvicorn
from pycrdt.websocket import ASGIServer, WebsocketServer


async def main() -> None:
    """Serve until ended."""
    rooms = WebsocketServer(auto_clean_rooms=False)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(ASGIServer(rooms), log_level="error")
        async with rooms:
            print(listener.getsockname()[1], flush=True)
            await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    asyncio.run(main())
