"""How long does a program wait for what a library serves, in a small library and in a large one?

A process ``bifolio serve --zotero`` is asked over HTTP, on one connection that stays open, as
programs do; next to it a bare Starlette application with the same server is asked for an empty
answer. Times are medians of what a program waits; memory is the server's, when it has warmed up and
many requests. Each kind has so many seconds: on a busy machine fewer are asked. The first search in
each order is a figure of its own; the others are of a server that knows the orders.

In pieces, one library at a time, each imported once and kept (``--keep``)::

    python benchmarks/bench_serve.py --references 10000 --keep FOLDER
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlparse

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.bibliography import words_of_titles, write_bibliography
from benchmarks.support.processes import Computer
from benchmarks.support.report import Benchmark, Computed, Measured, progress

from bifolio.home import Home
from bifolio.serve.permissions import Permissions

_PROGRAM = "Benchmark"
#: Calls before those that are timed.
_WARMING = 10
#: How long one kind of request is asked at most, and all those of the run for the memory.
_KIND_S = 30.0
_MANY_S = 1800.0
_BARE = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

async def answer(request):
    return Response(b"{}", media_type="application/json")

app = Starlette(routes=[Route("/", answer)])
config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", http="h11")
server = uvicorn.Server(config)
import asyncio, socket
listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listening.bind(("127.0.0.1", 0))
listening.listen()
print("http://127.0.0.1:%d/" % listening.getsockname()[1], flush=True)
asyncio.run(server.serve(sockets=[listening]))
"""


@dataclass(frozen=True, slots=True)
class Size:
    """References in the two libraries, requests of each kind, and of the run for the memory."""

    small: int
    large: int
    requests: int
    many: int


class Client:
    """One connection to a server."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(urlparse(address).netloc, timeout=900)

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[Any, dict[str, str]]:
        """The JSON document of an answer, and its headers."""
        sent = json.dumps(body) if body is not None else None
        self._connection.request(method, path, body=sent, headers=headers or {})
        answer = self._connection.getresponse()
        raw = answer.read()
        assert answer.status < 300, (path, answer.status, raw[:200])
        return (json.loads(raw) if raw[:1] in (b"{", b"[") else None), {
            name.lower(): value for name, value in answer.getheaders()
        }

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def measure(size: Size, folder: Path) -> Measured:
    """Ask a bare application and two libraries."""
    figures: dict[str, float | int] = {"bare_ms": _measure_bare(size.requests)}
    titles: list[str] = []
    for name, count in (("small", size.small), ("large", size.large)):
        found, own = _measure_of(count, folder / name, size, many=name == "small")
        figures |= {f"{name}_{kind}": value for kind, value in found.items()}
        titles += own
    ratios = _over_bare(figures, "small_")
    for kind in _KINDS:
        large, small = figures[f"large_{kind}_ms"], figures[f"small_{kind}_ms"]
        ratios[f"{kind}_large_over_small"] = float(large) / float(small)
    return Measured(figures, ratios, Computed.of_json(titles))


def measure_one(count: int, size: Size, folder: Path) -> dict[str, Any]:
    """Ask a bare application and one library, which is kept in the folder for the next time."""
    figures: dict[str, float | int] = {"bare_ms": _measure_bare(size.requests)}
    found, _ = _measure_of(count, folder / str(count), size, many=True)
    figures |= found
    rounded = {name: float(f"{value:.4g}") for name, value in figures.items()}
    ratios = {name: float(f"{value:.4g}") for name, value in _over_bare(figures, "").items()}
    return {"benchmark": "serve", "figures": rounded, "ratios": ratios}


_KINDS = ("ping", "item", "search", "search_new", "window", "write")
#: The orders that searches ask for, and a word that many references have.
_ORDERS = ("", "&sort=title", "&sort=creator", "&sort=date&direction=asc", "&sort=dateAdded")
_COMMON = "the"
#: How long a server is left alone after the first search in each order: what sorts the next ones
#: is made between requests.
_SETTLING_S = 3.0


def _over_bare(figures: dict[str, float | int], prefix: str) -> dict[str, float]:
    ratios = {
        f"{kind}_over_bare": float(figures[f"{prefix}{kind}_ms"]) / float(figures["bare_ms"])
        for kind in _KINDS
    }
    many, warm = figures[f"{prefix}after_many_mb"], figures[f"{prefix}warm_mb"]
    return ratios | {"memory_after_many": float(many) / float(warm)}


def _measure_bare(requests: int) -> float:
    with _running([sys.executable, "-c", _BARE], {}) as (_, address):
        client = Client(address)
        bare_ms = _median(requests, lambda: client.ask("GET", "/"))
        client.close()
    return bare_ms


def _measure_of(
    count: int, home: Path, size: Size, *, many: bool
) -> tuple[dict[str, float | int], list[str]]:
    """Figures of a library of so many references, imported unless it is there from before."""
    computer = Computer(home)
    kept = home / "references.json"
    if not kept.is_file():
        progress(f"importing {count:,} references")
        file = home.with_suffix(".bib")
        file.parent.mkdir(parents=True, exist_ok=True)
        write_bibliography(file, count)
        kept.write_text(json.dumps(computer.new_library(file)))
    figures: dict[str, float | int] = {"references": json.loads(kept.read_text())}
    times, titles = _measure_library(computer, size, many=many)
    return figures | times, titles


def _measure_library(
    computer: Computer, size: Size, *, many: bool
) -> tuple[dict[str, float], list[str]]:
    Permissions(Home(computer.home)).allow(_PROGRAM)
    command = [sys.executable, "-m", "bifolio_cli.main", "serve", "--zotero", "--port", "0"]
    with _running([*command, "--json"], computer.environment) as (process, address):
        client = Client(address)
        began = time.monotonic()
        window, headers = client.ask("GET", "/api/users/0/items/top?limit=100&sort=title")
        first_s = time.monotonic() - began
        server = {"Zotero-Server-ID": headers["zotero-server-id"]}
        answer, _ = client.ask("POST", "/api/local/authorize", {"appName": _PROGRAM}, server)
        leave = server | {"Zotero-API-Key": answer["key"]}
        keys = [one["key"] for one in window]
        turn = iter(range(10**9))

        def item() -> None:
            client.ask("GET", f"/api/users/0/items/{keys[next(turn) % len(keys)]}")

        def search() -> None:
            words = ("printing", "knuth", "history type", "1985")[next(turn) % 4]
            client.ask("GET", f"/api/users/0/items/top?limit=25&q={quote(words)}")

        asked = iter(_new_questions(words_of_titles()))

        def search_first() -> None:
            client.ask("GET", f"/api/users/0/items/top?limit=25&q={_COMMON}{next(orders)}")

        def search_new() -> None:
            client.ask("GET", f"/api/users/0/items/top?{next(asked)}")

        def windowed() -> None:
            sort = ("title", "creator", "date", "dateModified")[next(turn) % 4]
            client.ask("GET", f"/api/users/0/items/top?limit=100&start=300&sort={sort}")

        def write() -> None:
            number = next(turn)
            change = {"abstractNote": f"Written {number}", "version": 10**9}
            path = f"/api/users/0/items/{keys[number % len(keys)]}"
            client.ask("PATCH", path, change, leave)

        times = {"first_s": first_s}
        progress("asking: the first search in each order")
        orders = iter(_ORDERS)
        times["search_first_ms"] = _median(len(_ORDERS), search_first, warming=0)
        time.sleep(_SETTLING_S)
        for name, act in (
            ("ping", lambda: client.ask("POST", "/connector/ping", {})),
            ("item", item),
            ("search", search),
            ("search_new", search_new),
            ("window", windowed),
            ("write", write),
        ):
            progress(f"asking: {name}")
            before = _cpu_s(process.pid)
            before_turn = next(turn)
            times[f"{name}_ms"] = _median(size.requests, act)
            calls = next(turn) - before_turn - 1 or size.requests + _WARMING
            times[f"{name}_cpu_ms"] = 1000 * (_cpu_s(process.pid) - before) / max(calls, 1)
        if many:
            progress(f"asking {size.many:,} times")
            times |= _measure_memory(process.pid, size.many, (item, search))
        client.close()
    return times, [one["data"]["title"] for one in window]


def _new_questions(words: Sequence[str]) -> Iterator[str]:
    """Searches, each with a word that none had before: of titles and names or of everything, one
    word, the beginning of one, or two; in each order of Zotero's, one page of 25 or of 100."""
    for number in itertools.count():
        word = words[number % len(words)]
        asked = (word, word[:3] + "*", f"{word} {words[(7 * number + 1) % len(words)]}", word)
        limit = 100 if number % 5 == 0 else 25
        mode = "&qmode=everything" if number % 2 else ""
        sort = _ORDERS[number // 4 % len(_ORDERS)]
        yield f"limit={limit}&q={quote(asked[number % 4])}{mode}{sort}"


def _measure_memory(pid: int, count: int, acts: Sequence[Callable[[], object]]) -> dict[str, float]:
    """What a server holds when it has warmed up, and after so many requests, or as many as fit
    into the time."""
    until = time.monotonic() + _MANY_S
    warm_mb, asked = _memory_mb(pid), 0
    for number in range(count):
        if time.monotonic() > until:
            break
        acts[number % len(acts)]()
        asked += 1
    return {"warm_mb": warm_mb, "after_many_mb": _memory_mb(pid), "many": asked}


def _median(count: int, act: Callable[[], object], *, warming: int = _WARMING) -> float:
    """The median of what a call takes, in milliseconds, after some that warm up."""
    for _ in range(min(count, warming)):
        act()
    times: list[float] = []
    until = time.monotonic() + _KIND_S
    while len(times) < count and (time.monotonic() < until or len(times) < 5):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)


def main() -> int:
    """Measure both libraries, or one of them in a run of its own."""
    parser = argparse.ArgumentParser(description=BENCHMARK.question, add_help=False)
    parser.add_argument("--references", type=int)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--many", type=int, default=BENCHMARK.full.many)
    given, rest = parser.parse_known_args()
    if given.references is None or given.keep is None:
        return BENCHMARK.main(rest)
    full = BENCHMARK.full
    size = Size(full.small, full.large, full.requests, given.many)
    print(json.dumps(measure_one(given.references, size, given.keep.absolute()), indent=2))
    return 0


@contextmanager
def _running(
    command: list[str], environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server that said where it is: an address, or a document that holds it."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment or None
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if line.startswith("{"):
                while not line.rstrip().endswith("}"):
                    line += process.stdout.readline()
                yield process, json.loads(line)["address"]
            else:
                yield process, line.strip()
        finally:
            process.terminate()
            process.wait(30)


def _cpu_s(pid: int) -> float:
    """For how long a process kept a core busy so far (Linux; elsewhere 0): other programs share
    the machine."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> float:
    """What a process holds in memory now (Linux; elsewhere 1)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 1.0
    line = next(one for one in status.splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


BENCHMARK = Benchmark(
    name="serve",
    question="How long does a program wait for what a library serves?",
    baseline="an empty answer of a bare Starlette application; the small library for the large one",
    result="the titles of the first window of each library",
    smoke=Size(small=60, large=120, requests=5, many=20),
    full=Size(small=10_000, large=100_000, requests=200, many=20_000),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(main())
