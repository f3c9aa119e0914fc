"""The client that asks a pod, or many at once."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from control_plane.model.address import AnyAddress, SocketPath
from control_plane.model.endpoint import cluster_name
from control_plane.model.errors import EgressClosed, PodUnreachable
from control_plane.model.headers import CLUSTER
from control_plane.model.pod import Pod

#: Statuses that Envoy, or a proxy inside the pod, answers for a service that is not there.
GONE = frozenset({502, 503, 504})

_READ_BUFFER = 1 << 20
#: The largest answer that is read, unpacked, octets. An answer is held whole, by many requests at
#: once: what is larger must not take the control plane down with the pod. A page of 1,000 servers
#: of ordinary size has two million, and Neutron's list of 50,000 ports some fifty.
LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class PodRequest:
    """One request to one service of a pod; `path` starts with the version and holds the query.

    `authority` becomes the Host header: pods build the links in their answers from it.
    """

    service: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None = None
    authority: str = "trio2o"


@dataclass(frozen=True, slots=True)
class PodAnswer:
    """What a pod answered."""

    pod: Pod
    status: int
    headers: CIMultiDictProxy[str] | CIMultiDict[str]
    body: bytes


class Paths(Protocol):
    """Knows what stands before the version in a pod's URLs."""

    def path_prefix(self, pod: str, service: str) -> str | None:
        """Give the path of a service's root in a pod; None when the pod lacks the service."""


class Observer(Protocol):
    """Counts failures."""

    def pod_error(self, pod: str, reason: str) -> None:
        """Count one request a pod did not answer."""


class PodClient:
    """Sends requests to pods through the egress listener."""

    def __init__(
        self, egress: AnyAddress, paths: Paths, timeout: float, observer: Observer
    ) -> None:
        """Take where the listener is; `timeout` in seconds."""
        self._observer = observer
        self._egress = egress
        self._paths = paths
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        connector: aiohttp.BaseConnector
        if isinstance(self._egress, SocketPath):
            connector = aiohttp.UnixConnector(path=self._egress.path, limit=0)
        else:
            connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=5),
            read_bufsize=_READ_BUFFER,
            skip_auto_headers=("Accept-Encoding", "User-Agent", "Content-Type"),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()

    async def ask(self, pod: Pod, request: PodRequest) -> PodAnswer:
        """Send one request; PodUnreachable when the pod did not answer it itself."""
        try:
            return await self._ask(pod, request)
        except EgressClosed:
            # No fault of the pod: nobody could ask it.
            raise
        except PodUnreachable as error:
            self._observer.pod_error(error.pod, error.reason)
            raise

    async def _ask(self, pod: Pod, request: PodRequest) -> PodAnswer:
        prefix = self._paths.path_prefix(pod.name, request.service)
        if prefix is None:
            reason = f"has no {request.service} service"
            raise PodUnreachable(pod.name, reason)
        if self._session is None:
            reason = "the client is not open"
            raise PodUnreachable(pod.name, reason)
        host = "localhost" if isinstance(self._egress, SocketPath) else str(self._egress)
        headers = {
            **request.headers,
            "host": request.authority,
            CLUSTER: cluster_name(pod.name, request.service),
        }
        # encoded=True: the path is the client's, byte for byte.
        url = URL(f"http://{host}{prefix}{request.path}", encoded=True)
        try:
            async with self._session.request(
                request.method, url, headers=headers, data=request.body, allow_redirects=False
            ) as answer:
                body = await _whole(answer)
        except aiohttp.ClientConnectorError as error:
            # Envoy itself: a pod that cannot be connected to is a 503 of Envoy's.
            reason = type(error).__name__
            raise EgressClosed(pod.name, reason) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = type(error).__name__
            raise PodUnreachable(pod.name, reason) from error
        if body is None:
            reason = f"answered more than {LARGEST >> 20} MiB"
            raise PodUnreachable(pod.name, reason)
        if answer.status in GONE:
            reason = f"answered {answer.status}"
            raise PodUnreachable(pod.name, reason)
        return PodAnswer(pod, answer.status, answer.headers, body)

    async def ask_all(
        self, pods: Iterable[Pod], request: PodRequest
    ) -> tuple[list[PodAnswer], list[PodUnreachable]]:
        """Ask several pods at once; answers in the order of the pods, and who did not answer."""
        results = await asyncio.gather(
            *(self.ask(pod, request) for pod in pods), return_exceptions=True
        )
        answers: list[PodAnswer] = []
        missing: list[PodUnreachable] = []
        for result in results:
            if isinstance(result, PodAnswer):
                answers.append(result)
            elif isinstance(result, PodUnreachable):
                missing.append(result)
            else:
                raise result
        return answers, missing


async def _whole(answer: aiohttp.ClientResponse) -> bytes | None:
    """Read a body to its end, unpacked if it came packed; None when it is larger than `LARGEST`.

    What follows is left unread then: the connection is closed rather than used again.
    """
    if (answer.content_length or 0) > LARGEST:
        return None
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.content.iter_any():
        size += len(piece)
        if size > LARGEST:
            return None
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
