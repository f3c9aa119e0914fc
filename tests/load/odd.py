"""A pod that answers, byte for byte, what a test says, and keeps what it was asked."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.bench import samples
from tests.envoy_process import free_port
from tests.load.ids import id_of, zone_of
from tests.load.pods import LISTED

#: Its number: the first of a zone of its own.
ODD = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    head: str
    body: bytes

    @property
    def known(self) -> str:
        """The id in the path."""
        return self.path.partition("/servers/")[2][:36]


#: Gives the bytes of an answer piece by piece; the connection is closed behind the last.
Behaviour = Callable[[Asked], Iterable[bytes]]


def answer(body: bytes, *lines: str, status: str = "200 OK") -> bytes:
    """Write an answer in good form."""
    head = [f"HTTP/1.1 {status}", "content-type: application/json", "connection: close", *lines]
    head.append(f"content-length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def head(*lines: str, status: str = "200 OK") -> bytes:
    """Write the head of an answer whose body is the test's own."""
    first = [f"HTTP/1.1 {status}", "content-type: application/json"]
    return "\r\n".join([*first, *lines, "", ""]).encode("latin-1")


def content(asked: Asked) -> bytes:
    """Give the body that a pod in its right mind would send."""
    path = asked.path.partition("?")[0]
    document: dict[str, Any] = {"server": _server(asked.known)}
    if path.endswith("/detail"):
        document = {"servers": [_server(id_of(ODD, number)) for number in range(LISTED)]}
    elif path.endswith("/ips"):
        document = {"addresses": {}}
    return json.dumps(document).encode()


def well(asked: Asked) -> Iterable[bytes]:
    """Answer as a pod in its right mind."""
    return [answer(content(asked))]


def _server(known: str) -> dict[str, Any]:
    return {
        "id": known,
        "name": "odd",
        "created": "2026-01-01T00:00:00Z",
        "metadata": {},
        "OS-EXT-AZ:availability_zone": "nova",
        "links": [],
    }


@dataclass(slots=True)
class Odd:
    """A compute service whose servers are a test's own; versions and health it tells well."""

    behaviour: Behaviour = well
    #: What was asked about servers.
    asked: list[Asked] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    _server: socketserver.ThreadingTCPServer | None = None

    @property
    def name(self) -> str:
        """As the gateway knows it."""
        return f"Pod{ODD}"

    @property
    def number(self) -> int:
        """As its ids name it."""
        return ODD

    @property
    def definition(self) -> dict[str, Any]:
        """Describe it in the operators' words."""
        return {
            "name": self.name,
            "availability_zone": zone_of(ODD),
            "pod_availability_zone": "nova",
            "endpoints": {"compute": f"http://127.0.0.1:{self.port}/v2.1"},
        }

    def start(self) -> None:
        """Begin to answer."""
        pod = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                try:
                    while (request := _read(self.rfile)) is not None:
                        for piece in pod.reply(request):
                            self.wfile.write(piece)
                        if "/servers" in request.path:
                            return
                except OSError:
                    # Who asked has left: it may be what a test is about.
                    return

        server = socketserver.ThreadingTCPServer(
            ("127.0.0.1", self.port), Handler, bind_and_activate=False
        )
        server.allow_reuse_address = server.daemon_threads = True
        server.request_queue_size = 128
        server.server_bind()
        server.server_activate()
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """End, whatever it is doing."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def reply(self, request: Asked) -> Iterable[bytes]:
        """Answer as the test says, or well where it says nothing."""
        if "/servers" in request.path:
            self.asked.append(request)
            return self.behaviour(request)
        body = samples.VERSIONS if request.path == "/" else samples.EMPTY
        length = f"content-length: {len(body)}\r\n"
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{length}\r\n"
        return [head.encode() + body]


def _read(stream: Any) -> Asked | None:
    """Read a request; None when the connection has ended."""
    lines: list[str] = []
    while (line := stream.readline()) not in (b"\r\n", b""):
        lines.append(line.decode("latin-1").rstrip("\r\n"))
    if not lines:
        return None
    method, path, _ = lines[0].split(" ")
    fields = dict(entry.lower().split(": ", 1) for entry in lines[1:])
    body = stream.read(int(fields.get("content-length", 0)))
    if fields.get("transfer-encoding") == "chunked":
        while size := int(stream.readline(), 16):
            body += stream.read(size + 2)[:-2]
        while stream.readline() not in (b"\r\n", b""):
            pass
    return Asked(method, path, "\n".join(lines), body)
