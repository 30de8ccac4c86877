"""How long does a program wait for what a library serves, in a small library and in a large one?

A process ``bifolio serve --zotero`` is asked over HTTP, on one connection that stays open, as
programs do; next to it a bare Starlette application with the same server is asked for an empty
answer. Times are medians of what a program waits; memory is the server's, when it has warmed up and
many requests. Each kind has so many seconds: on a busy machine fewer are asked.

Searches with new words are the same questions in both libraries, of words that fill a page in the
small one too, so that the same work is compared: how many rows were shown, and how many of them for
the first time, is in the figures. They are asked of a server that has come to rest after it was
asked for each order once, and (``search_at_once``) of one that was just started and gets no pause.

One library, or both in turns, each imported once and kept (``--keep``)::

    python benchmarks/bench_serve.py --references 10000 --keep FOLDER
    python benchmarks/bench_serve.py --in-turns --keep FOLDER
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlparse

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.bibliography import (
    mixed,
    pairs_of_titles,
    words_of_titles,
    write_bibliography,
)
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
    """References in the two libraries, requests of each kind, and of the run for the memory; and
    how many references one page of a search has."""

    small: int
    large: int
    requests: int
    many: int
    page: int


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


#: What is asked, in this order: writes last, for each of them makes the orders a little older.
_KINDS = (
    "ping",
    "item",
    "search",
    "search_new",
    "search_common",
    "window",
    "write",
    "search_written",
)
#: The orders that searches ask for, and a word that many references have.
_ORDERS = ("", "&sort=title", "&sort=creator", "&sort=date&direction=asc", "&sort=dateAdded")
_COMMON = "the"
#: So many of the most frequent words are asked for in turns: more than a server keeps results of.
_FREQUENT = 40
#: A server is at rest when it used less of a core than this for so long; and how long it is waited
#: for at most.
_IDLE_S = 0.01
_REST_S = 0.5
_RESTING_S = 120.0


class Questions:
    """What is asked of the libraries, the same of each, of words drawn by how often titles have
    them: in each order of Zotero's, in titles and names or in everything, one word, the beginning
    of one, or two that many titles have both of."""

    def __init__(self, size: Size) -> None:
        words = mixed(words_of_titles(size.small, least=size.page))
        pairs = mixed(pairs_of_titles(size.small, least=size.page))[: len(words)]
        #: Each fills a page in the small library.
        self.new = [
            self._question(size, number, text)
            for number, text in enumerate(
                one
                for word, pair in itertools.zip_longest(words, pairs)
                for one in (word, word[:5], pair)
                if one
            )
        ]
        frequent = words_of_titles(size.small)[:_FREQUENT]
        self.common = [self._question(size, *one) for one in enumerate(frequent)]

    def _question(self, size: Size, number: int, text: str) -> str:
        mode = "&qmode=everything" if number % 2 else ""
        return f"limit={size.page}&q={quote(text)}{mode}{_ORDERS[number // 2 % len(_ORDERS)]}"


class Asked:
    """One server that is asked, and what it took."""

    def __init__(self, process: subprocess.Popen[str], address: str, questions: Questions) -> None:
        self._process = process
        self._client = Client(address)
        self.figures: dict[str, float | int] = {}
        began = time.monotonic()
        window, headers = self._client.ask("GET", "/api/users/0/items/top?limit=100&sort=title")
        self.figures["first_s"] = time.monotonic() - began
        server = {"Zotero-Server-ID": headers["zotero-server-id"]}
        answer, _ = self._client.ask("POST", "/api/local/authorize", {"appName": _PROGRAM}, server)
        self._leave = server | {"Zotero-API-Key": answer["key"]}
        self._keys = [one["key"] for one in window]
        self.titles = [one["data"]["title"] for one in window]
        self._turn = itertools.count()
        self._questions = {
            "search_new": itertools.cycle(questions.new),
            "search_common": itertools.cycle(questions.common),
            # From the other end: those that were not asked yet, unless there are few.
            "search_written": itertools.cycle(questions.new[::-1]),
        }
        self._times: list[float] = []
        self._cpu_times: list[float] = []
        self._rows: list[int] = []
        self._seen: set[str] = set()
        self._first = 0

    def search_each_order(self) -> None:
        """Search for what many references have, in one order after the other; then let the server
        do what it does for the next ones, until it does nothing any more."""
        times = []
        for order in _ORDERS:
            began = time.perf_counter()
            self._client.ask("GET", f"/api/users/0/items/top?limit=25&q={_COMMON}{order}")
            times.append(time.perf_counter() - began)
        self.figures["search_first_ms"] = 1000 * statistics.median(times)
        until = time.monotonic() + _RESTING_S
        before = -1.0
        while (now := _cpu_s(self._process.pid)) - before > _IDLE_S and time.monotonic() < until:
            before = now
            time.sleep(_REST_S)

    def begin(self) -> None:
        """What follows is of one kind."""
        self._times, self._cpu_times, self._rows, self._first = [], [], [], 0

    def ask(self, kind: str) -> None:
        """Ask once."""
        if kind == "search_written":
            self._write()
        act = getattr(self, f"_{kind}", None)
        question = None if act else next(self._questions[kind])
        cpu_s, began = _cpu_s(self._process.pid), time.perf_counter()
        if act is not None:
            found = act()
        else:
            found, _ = self._client.ask("GET", f"/api/users/0/items/top?{question}")
        self._times.append(time.perf_counter() - began)
        self._cpu_times.append(_cpu_s(self._process.pid) - cpu_s)
        if isinstance(found, list):
            keys = [one["key"] for one in found]
            self._rows.append(len(keys))
            self._first += len(set(keys) - self._seen)
            self._seen.update(keys)

    def end(self, kind: str) -> None:
        """What one of this kind took."""
        for name, times in (("ms", self._times), ("cpu_ms", self._cpu_times)):
            median_s = statistics.median(times[_WARMING:] or times)
            self.figures[f"{kind}_{name}"] = 1000 * median_s
        if kind in self._questions:
            self.figures[f"{kind}_rows"] = statistics.mean(self._rows)
            self.figures[f"{kind}_rows_first"] = self._first / len(self._rows)

    def ask_many(self, count: int) -> None:
        """What the server holds when it has warmed up, and after so many requests, or as many as
        fit into the time."""
        until = time.monotonic() + _MANY_S
        self.figures["warm_mb"], asked = _memory_mb(self._process.pid), 0
        while asked < count and time.monotonic() < until:
            self.ask(("item", "search")[asked % 2])
            asked += 1
        self.figures |= {"after_many_mb": _memory_mb(self._process.pid), "many": asked}

    # --- kinds of requests --------------------------------------------------------------------

    def _ping(self) -> None:
        self._client.ask("POST", "/connector/ping", {})

    def _item(self) -> None:
        self._client.ask("GET", f"/api/users/0/items/{self._next(self._keys)}")

    def _search(self) -> None:
        words = self._next(("printing", "knuth", "history type", "1985"))
        self._client.ask("GET", f"/api/users/0/items/top?limit=25&q={quote(words)}")

    def _window(self) -> None:
        sort = self._next(("title", "creator", "date", "dateModified"))
        self._client.ask("GET", f"/api/users/0/items/top?limit=100&start=300&sort={sort}")

    def _write(self) -> None:
        number = next(self._turn)
        change = {"abstractNote": f"Written {number}", "version": 10**9}
        path = f"/api/users/0/items/{self._keys[number % len(self._keys)]}"
        self._client.ask("PATCH", path, change, self._leave)

    def _next(self, among: Sequence[str]) -> str:
        return among[next(self._turn) % len(among)]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def measure(size: Size, folder: Path) -> Measured:
    """Ask a bare application, and two libraries in turns."""
    figures, titles = _measure_libraries({"small_": size.small, "large_": size.large}, size, folder)
    ratios = _over_bare(figures, "small_") | _growth(figures)
    return Measured(figures, ratios, Computed.of_json(titles))


def measure_kept(counts: dict[str, int], size: Size, folder: Path) -> dict[str, Any]:
    """Ask a bare application and libraries, which are kept in the folder for the next time."""
    figures, _ = _measure_libraries(counts, size, folder)
    ratios = _over_bare(figures, next(iter(counts)))
    if len(counts) == 2:
        ratios |= _growth(figures)
    return {
        "benchmark": "serve",
        "figures": {name: float(f"{value:.4g}") for name, value in figures.items()},
        "ratios": {name: float(f"{value:.4g}") for name, value in ratios.items()},
    }


def _over_bare(figures: dict[str, float | int], prefix: str) -> dict[str, float]:
    ratios = {
        f"{kind}{unit}_over_bare": float(figures[f"{prefix}{kind}{unit}_ms"])
        / (float(figures[f"bare{unit}_ms"]) or 1)
        for unit in ("", "_cpu")
        for kind in _KINDS
    }
    many, warm = figures[f"{prefix}after_many_mb"], figures[f"{prefix}warm_mb"]
    return ratios | {"memory_after_many": float(many) / float(warm)}


def _growth(figures: dict[str, float | int]) -> dict[str, float]:
    """What the large library takes over the small one."""
    kinds = [f"{kind}{cpu}" for cpu in ("", "_cpu") for kind in (*_KINDS, "search_at_once")]
    return {
        f"{kind}_large_over_small": float(figures[f"large_{kind}_ms"])
        / (float(figures[f"small_{kind}_ms"]) or 1)
        for kind in kinds
    }


def _measure_libraries(
    counts: dict[str, int], size: Size, folder: Path
) -> tuple[dict[str, float | int], list[str]]:
    """Figures of libraries of so many references, imported unless they are there from before."""
    figures = _measure_bare(size.requests)
    questions = Questions(size)
    computers: dict[str, Computer] = {}
    for name, count in counts.items():
        computers[name] = _library(count, folder / str(count))
        figures[f"{name}references"] = json.loads(_kept(computers[name].home).read_text())
    with _serving(computers, questions) as servers:
        progress("asking servers that were just started")
        _ask_in_turns(servers, "search_new", size.requests)
        for name, server in servers.items():
            for unit in ("ms", "cpu_ms"):
                figures[f"{name}search_at_once_{unit}"] = server.figures[f"search_new_{unit}"]
    with _serving(computers, questions) as servers:
        for server in servers.values():
            server.search_each_order()
        for kind in _KINDS:
            progress(f"asking: {kind}")
            _ask_in_turns(servers, kind, size.requests)
        for name, server in servers.items():
            progress(f"asking {size.many:,} times")
            server.ask_many(size.many)
            figures |= {f"{name}{kind}": value for kind, value in server.figures.items()}
        return figures, [title for server in servers.values() for title in server.titles]


def _ask_in_turns(servers: dict[str, Asked], kind: str, count: int) -> None:
    """Ask each server as often, one after the other."""
    for server in servers.values():
        server.begin()
    until = time.monotonic() + _KIND_S * len(servers)
    for asked in range(count + _WARMING):
        if time.monotonic() > until and asked > _WARMING + 5:
            break
        for server in servers.values():
            server.ask(kind)
    for server in servers.values():
        server.end(kind)


def _measure_bare(requests: int) -> dict[str, float | int]:
    with _running([sys.executable, "-c", _BARE], {}) as (process, address):
        client = Client(address)
        times, cpu_times = [], []
        for _ in range(requests + _WARMING):
            cpu_s, began = _cpu_s(process.pid), time.perf_counter()
            client.ask("GET", "/")
            times.append(time.perf_counter() - began)
            cpu_times.append(_cpu_s(process.pid) - cpu_s)
        client.close()
    return {
        "bare_ms": 1000 * statistics.median(times[_WARMING:]),
        "bare_cpu_ms": 1000 * statistics.median(cpu_times[_WARMING:]),
    }


def _library(count: int, home: Path) -> Computer:
    computer = Computer(home)
    if not _kept(home).is_file():
        progress(f"importing {count:,} references")
        file = home.with_suffix(".bib")
        file.parent.mkdir(parents=True, exist_ok=True)
        write_bibliography(file, count)
        _kept(home).write_text(json.dumps(computer.new_library(file)))
    Permissions(Home(computer.home)).allow(_PROGRAM)
    return computer


def _kept(home: Path) -> Path:
    return home / "references.json"


@contextmanager
def _serving(computers: dict[str, Computer], questions: Questions) -> Iterator[dict[str, Asked]]:
    """A server of each library."""
    command = [sys.executable, "-m", "bifolio_cli.main", "serve", "--zotero", "--port", "0"]
    with ExitStack() as stack:
        servers: dict[str, Asked] = {}
        for name, computer in computers.items():
            running = stack.enter_context(_running([*command, "--json"], computer.environment))
            servers[name] = Asked(*running, questions)
            stack.callback(servers[name].close)
        yield servers


def main() -> int:
    """Measure both libraries, or those that are kept."""
    parser = argparse.ArgumentParser(description=BENCHMARK.question, add_help=False)
    parser.add_argument("--references", type=int)
    parser.add_argument("--in-turns", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--many", type=int, default=BENCHMARK.full.many)
    parser.add_argument("--requests", type=int, default=BENCHMARK.full.requests)
    given, rest = parser.parse_known_args()
    if given.keep is None or not (given.references or given.in_turns):
        return BENCHMARK.main(rest)
    size = replace(BENCHMARK.full, many=given.many, requests=given.requests)
    both = {"small_": size.small, "large_": size.large}
    counts = both if given.in_turns else {"": given.references}
    print(json.dumps(measure_kept(counts, size, given.keep.absolute()), indent=2))
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
    """For how long a process kept a core busy so far, to the microsecond (Linux; elsewhere 0):
    other programs share the machine."""
    try:
        threads = [*Path(f"/proc/{pid}/task").iterdir()]
        return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e9
    except FileNotFoundError:
        return 0.0


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
    smoke=Size(small=60, large=120, requests=5, many=20, page=3),
    full=Size(small=10_000, large=100_000, requests=200, many=20_000, page=25),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(main())
