"""A TCP relay that can be cut: one service of a pod lost, without touching the pod."""

import contextlib
import socket
import threading
from typing import Self

from tests.openstack.pod import Pod


class Relay:
    """Carries bytes from a port of its own to a target, until it is cut."""

    def __init__(self, host: str, port: int) -> None:
        """Listen on a free port; `port` stays the same when it is mended."""
        self._target = (host, port)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._held = threading.Event()
        self._held.set()
        #: Octets of answers that are still carried before the way is lost; None: all.
        self._left: int | None = None
        self._hangs = False
        self._asked = b""
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._serve()

    @classmethod
    def to(cls, pod: Pod, service: str) -> Self:
        """Lead to a service of a pod."""
        return cls(pod.settings.address, pod.port(service))

    def __enter__(self) -> Self:
        """Lead there for as long as the block runs."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of what is held, and close."""
        self._held.set()
        self.cut()

    def cut(self) -> None:
        """Close every connection and refuse new ones."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._shut()

    def _shut(self) -> None:
        with self._lock:
            doomed = list(self._open)
        for connection in doomed:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def hold(self) -> None:
        """Take connections and carry nothing, as a service that hangs; what came then is lost."""
        self._held.clear()
        self._shut()

    def lose_within(self, octets: int, asked: bytes, *, hangs: bool = False) -> None:
        """Carry so much of the answers to requests that begin so; then cut the way, or hang."""
        self._hangs, self._asked, self._left = hangs, asked, octets

    @property
    def is_lost(self) -> bool:
        """Whether an answer has come to the place where the way was to be lost."""
        return self._left is not None and self._left <= 0

    def mend(self) -> None:
        """Carry on; listen again."""
        self._left = None
        self._held.set()
        if self._listener.fileno() >= 0:
            return
        self._listener = self._listen(self.port)
        self._serve()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), backlog=128)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return listener

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        if not self._held.is_set():
            self._held.wait()
            client.close()
            return
        try:
            server = socket.create_connection(self._target, 10)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        with client, server:
            with self._lock:
                self._open |= {client, server}
            meant = threading.Event()
            back = threading.Thread(target=self._answer, args=(server, client, meant), daemon=True)
            back.start()
            self._ask(client, server, meant)
            back.join()
            with self._lock:
                self._open -= {client, server}

    def _ask(self, client: socket.socket, server: socket.socket, meant: threading.Event) -> None:
        """Carry requests, and note whether one is meant to lose its answer."""
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self._left is not None and data.startswith(self._asked):
                    meant.set()
                server.sendall(data)
        _close(client, server)

    def _answer(self, server: socket.socket, client: socket.socket, meant: threading.Event) -> None:
        """Carry answers, as far as they are to come."""
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                left = self._left if meant.is_set() else None
                client.sendall(data if left is None else data[: max(left, 0)])
                if left is None:
                    continue
                self._left = left - len(data)
                if left <= len(data):
                    self._lose()
                    break
        _close(server, client)

    def _lose(self) -> None:
        if self._hangs:
            self._held.clear()
            self._held.wait()
        else:
            self.cut()


def _close(*ends: socket.socket) -> None:
    # Half-closed on one side means done on both: HTTP has no use for more.
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
