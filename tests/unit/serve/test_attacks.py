"""What a web page, or another program at fault, cannot do to a library that is served: one test
for each way of trying. docs/security.md has a paragraph for each."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path

import pytest
from tests.support.cases import each
from tests.support.serving import Serving, serving

from bifolio import Library, limits
from bifolio.home import Home
from bifolio.serve.application import ENDPOINTS
from bifolio.serve.running import HOST
from bifolio.serve.server import PortTakenError, listen

ITEMS = "/api/users/0/items"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("served")
    home = Home(folder / "home")
    with Library.create(folder / "A.bifolio", home=home) as library:
        one = library.add({"title": "Secret plans", "type": "book", "note": "A note"})
        (folder / "plan.txt").write_text("words of a plan")
        library.files.add(one.id, [folder / "plan.txt"])
    with serving(folder / "A.bifolio", home) as running:
        yield running


def is_closed_out(served: Serving, method: str = "GET", path: str = ITEMS, **headers: str) -> bool:
    """Whether a request gets no answer at all."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = b"[]" if method == "POST" else None
    try:
        served.ask(method, path, headers=named, body=body)
    except (RemoteDisconnected, ConnectionResetError, BrokenPipeError):
        return True
    return False


def test_a_program_of_this_computer_is_answered(served: Serving) -> None:
    answer = served.get("items/top")
    assert answer.status == 200
    assert answer.json[0]["data"]["title"] == "Secret plans"


@each(
    "host",
    ["evil.example", "evil.example:23119", "127.0.0.1.evil.example", "localhost.evil.example", ""],
)
def test_a_name_that_was_made_to_mean_this_computer_is_refused(served: Serving, host: str) -> None:
    answer = served.ask("GET", ITEMS, headers={"Host": host})
    assert answer.status == 400
    assert b"Secret" not in answer.body


def test_a_rebound_page_learns_nothing_even_with_a_program_s_header(served: Serving) -> None:
    headers = {
        "Host": "evil.example:23119",
        "User-Agent": "Mozilla/5.0",
        "Zotero-Allowed-Request": "1",
    }
    answer = served.ask("GET", ITEMS, headers=headers)
    assert (answer.status, answer.body) == (400, b"Invalid host")


def test_a_cross_origin_get_is_closed_out(served: Serving) -> None:
    assert is_closed_out(served, Origin="https://evil.example", User_Agent="Mozilla/5.0")


def test_a_cross_origin_post_is_closed_out(served: Serving) -> None:
    assert is_closed_out(served, "POST", Origin="https://evil.example", Content_Type="text/plain")


def test_a_no_cors_probe_cannot_tell_that_something_listens(served: Serving) -> None:
    assert is_closed_out(served, path="/connector/ping", User_Agent="Mozilla/5.0 (X11)")
    assert is_closed_out(served, path="/connector/ping", Sec_Fetch_Mode="no-cors")
    assert is_closed_out(served, path="/", Origin="null")


def test_no_endpoint_answers_a_web_page(served: Serving) -> None:
    """Every endpoint there is, by each of its methods: whoever adds one adds it here too."""
    opened = []
    for one in ENDPOINTS:
        path = one.path.replace("{library}", "/api/users/0").replace("{key}", "ABCDEFG2")
        path = path.replace("{kind:str}", "users").replace("{number:int}", "0")
        for method in one.methods.split():
            if not is_closed_out(
                served, method, path, Origin="https://evil.example", User_Agent="Mozilla/5.0"
            ):
                opened.append((method, path))
    assert opened == []


def test_a_page_s_question_whether_it_may_ask_is_closed_out(served: Serving) -> None:
    assert is_closed_out(
        served,
        "OPTIONS",
        Origin="https://evil.example",
        User_Agent="Mozilla/5.0",
        Access_Control_Request_Headers="zotero-allowed-request",
        Access_Control_Request_Private_Network="true",
    )


def test_no_answer_allows_another_origin(served: Serving) -> None:
    connector = {"User-Agent": "Mozilla/5.0", "X-Zotero-Connector-API-Version": "3"}
    for headers in ({}, connector, connector | {"Origin": "chrome-extension://abc"}):
        for path in (ITEMS, "/api/", "/nowhere"):
            answer = served.ask("GET", path, headers=headers)
            assert not [one for one in answer.headers if one.startswith("access-control")]


def test_it_listens_to_programs_of_this_computer_alone(served: Serving) -> None:
    with served.connect() as connected:
        assert connected.getpeername()[0] == "127.0.0.1"
    with listen(0) as listening:
        assert listening.getsockname()[0] == HOST == "127.0.0.1"


@each(
    "path",
    [
        "/api/users/0/items/../../../etc/passwd",
        "/api/users/0/items/..%2f..%2f..%2fetc%2fpasswd",
        "/api/users/0/items/%2e%2e/%2e%2e/file",
        "/api/users/0/items/..%5c..%5cfile",
        "/api/users/0/items/ABCD%00EFG",
        "/api/users/0/items/ABCDEFGH/file/../../../../etc/passwd",
        "//etc/passwd",
    ],
)
def test_a_path_leads_to_nothing_but_an_endpoint(served: Serving, path: str) -> None:
    answer = served.ask("GET", path)
    assert answer.status in (400, 404)
    assert b"root:" not in answer.body


@each(
    "style", ["/etc/passwd", "../../secret.csl", "file:///etc/passwd", "a.csl", "apa%00", "a" * 200]
)
def test_a_style_is_a_name_and_never_a_path(served: Serving, style: str) -> None:
    assert served.get(f"items/top?format=bib&style={style}").status == 400


def test_a_file_s_copy_lies_in_the_library_s_folder(served: Serving) -> None:
    key = served.get("items?itemType=attachment&format=keys").text.strip()
    answer = served.get(f"items/{key}/file")
    where = Path(answer.headers["location"].removeprefix("file://localhost"))
    assert answer.status == 302
    assert where.read_text() == "words of a plan"
    assert where.parent.parent.name == "opened"


def test_a_body_that_says_it_has_2_gb_is_refused_unread(served: Serving) -> None:
    with served.connect() as connected:
        connected.sendall(
            b"POST /api/users/0/items HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: 2147483648\r\n\r\n"
        )
        assert connected.recv(100).startswith(b"HTTP/1.1 413")


def test_an_endless_body_is_cut_off(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SERVE_BODY_BYTES_MAX", 100_000)
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with served.connect() as connected:
        connected.sendall(
            b"POST /api/users/0/items HTTP/1.1\r\nHost: localhost\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        sent = 0
        with suppress(BrokenPipeError, ConnectionResetError):
            while sent < 200_000_000:
                connected.sendall(piece)
                sent += len(piece)
        assert sent < 200_000_000


def test_a_body_that_does_not_come_is_not_waited_for(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SERVE_BODY_S", 0.2)
    with served.connect() as connected:
        connected.sendall(
            b"POST /api/users/0/items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n["
        )
        begun = time.monotonic()
        answer = connected.recv(100)
        assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501"))
        assert time.monotonic() - begun < 5


def test_a_request_that_does_not_come_is_not_waited_for(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SERVE_IDLE_S", 0.2)
    with served.connect() as connected:
        connected.sendall(b"GET /api/users/0/items HTTP/1.1\r\nHost: local")
        assert connected.recv(100) == b""


def test_a_line_without_end_is_refused(served: Serving) -> None:
    with served.connect() as connected:
        connected.sendall(b"GET /" + b"a" * 200_000)
        assert connected.recv(100).startswith((b"HTTP/1.1 4", b""))
    assert served.get("items/top").status == 200


def test_a_thousand_connections_keep_nobody_out(served: Serving) -> None:
    opened: list[socket.socket] = []
    try:
        for _ in range(1000):
            opened.append(served.connect())
        assert served.get("items/top").status == 200
        assert len(served.server.connections) <= limits.SERVE_CONNECTIONS_MAX
    finally:
        for one in opened:
            one.close()


def test_a_body_that_nobody_wants_costs_no_connection(served: Serving) -> None:
    asking = HTTPConnection(HOST, served.port, timeout=20)
    asking.connect()
    first = asking.sock
    for _ in range(3):
        asking.request("POST", "/connector/ping", body=b"{}")
        answer = asking.getresponse()
        assert (answer.status, answer.read()[:1]) == (200, b"{")
        assert asking.sock is first
    asking.close()


def test_two_hosts_or_two_lengths_are_no_request(served: Serving) -> None:
    for lines in (
        b"Host: localhost\r\nHost: evil.example\r\n",
        b"Host: localhost\r\nContent-Length: 0\r\nContent-Length: 5\r\n",
    ):
        with served.connect() as connected:
            connected.sendall(b"GET /api/users/0/items HTTP/1.1\r\n" + lines + b"\r\n")
            assert connected.recv(100).startswith(b"HTTP/1.1 400")


def test_a_port_that_is_taken_is_said_and_not_fought_over(served: Serving) -> None:
    with pytest.raises(PortTakenError, match="another 'bifolio serve'"):
        listen(served.port)
    with socket.create_server((HOST, 0)) as other, pytest.raises(PortTakenError) as raised:
        listen(other.getsockname()[1])
    assert raised.value.message.count(".") == 1
    assert served.get("items/top").status == 200


@pytest.mark.parametrize("raw", [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00"])
def test_what_is_no_http_harms_nothing(served: Serving, raw: bytes) -> None:
    with served.connect() as connected:
        connected.sendall(raw)
        connected.shutdown(socket.SHUT_WR)
        assert b"Secret" not in connected.recv(1000)
    assert json.loads(served.get("items/top").body)
