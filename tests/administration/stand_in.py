"""An administration over a real database, with stand-ins for Keystone, the pods and Envoy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus

import grpc

from control_plane.administration.grpc import administration_handler
from control_plane.administration.service import Administration, Located
from control_plane.database import Store
from control_plane.model.caller import Caller
from control_plane.model.errors import Refused
from control_plane.model.owner import Owner
from control_plane.xds.nodes import NodeStatus, SyncState, TypeStatus

ADMIN = "admin-token"
MEMBER = "member-token"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROLES = {ADMIN: frozenset({"admin", "member"}), MEMBER: frozenset({"member"})}


async def verify(token: str) -> Caller:
    """Know two tokens."""
    if token not in ROLES:
        raise Refused(HTTPStatus.UNAUTHORIZED, "The request requires authentication.")
    return Caller("user", "project", ROLES[token], token)


async def locate(resource_id: str) -> Located | None:
    """Know one server."""
    if resource_id != "server-1":
        return None
    owner = Owner(resource_id, "server", "Pod1", "project", MOMENT)
    return Located(owner, "az1", "database")


class StandIn:
    """The parts of an administration that a test looks at and changes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.changes = 0
        self.changed = asyncio.Event()
        self.nodes: list[NodeStatus] = [node(SyncState.SYNCED)]
        self.administration = Administration(
            store,
            on_change=self._changed,
            locate=locate,
            verify=verify,
            nodes=lambda: self.nodes,
        )

    async def _changed(self) -> None:
        self.changes += 1
        self.changed.set()


def node(state: SyncState, reason: str = "") -> NodeStatus:
    """An Envoy that has one type of resource."""
    url = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
    return NodeStatus(
        id="gateway-1",
        cluster="trio2o",
        variant="delta",
        connected_at=MOMENT,
        types=(TypeStatus(url, state, "2", "1", reason, MOMENT),),
    )


@asynccontextmanager
async def grpc_server(administration: Administration) -> AsyncIterator[str]:
    """Serve on a free port and give its address."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((administration_handler(administration),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(0)
