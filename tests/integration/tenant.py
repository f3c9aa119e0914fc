"""A project of its own for a group of tests, so that nobody else's things are in its lists."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from tests.integration.cloud import Cloud, until
from tests.openstack.client import Client
from tests.openstack.pod import Pod
from tests.openstack.settings import PASSWORD, Settings


@dataclass(frozen=True)
class Tenant:
    """A user in a project: seen through the gateway, and in each pod past it."""

    cloud: Cloud
    #: By the zone users see.
    direct: dict[str, Cloud]
    #: The same project, asked by an administrator.
    direct_admin: dict[str, Cloud]
    admin: Cloud
    name: str

    def home(self, service: str, path: str) -> list[str]:
        """Give the zones whose pod has a path; one for a placed resource."""
        return [zone for zone, pod in self.direct.items() if pod.has(service, path)]


@contextmanager
def lent(settings: Settings, pods: Sequence[Pod], gateway: str) -> Iterator[Tenant]:
    """Make a project for as long as a block runs, and remove it with everything it has."""
    tenant = make(settings, pods, gateway)
    try:
        yield tenant
    finally:
        remove(settings, tenant)


def make(settings: Settings, pods: Sequence[Pod], gateway: str) -> Tenant:
    """Make a project and a user with the member role."""
    admin = Client(settings.keystone)
    name = f"test-{uuid4().hex[:8]}"
    keystone, here = settings.keystone, {"domain_id": "default"}
    project = admin.ask("POST", f"{keystone}/projects", {"project": {"name": name, **here}})
    user = {"name": name, "password": PASSWORD, **here}
    made = admin.ask("POST", f"{keystone}/users", {"user": user})
    roles = {role["name"]: role["id"] for role in admin.ask("GET", f"{keystone}/roles")["roles"]}
    [root] = admin.ask("GET", f"{keystone}/users?name=admin")["users"]
    place = f"{keystone}/projects/{project['project']['id']}/users"
    admin.ask("PUT", f"{place}/{made['user']['id']}/roles/{roles['member']}")
    admin.ask("PUT", f"{place}/{root['id']}/roles/{roles['admin']}")
    member, master = Client(keystone, name, name), Client(keystone, "admin", name)
    return _seen(name, member, master, pods, gateway)


def elsewhere(tenant: Tenant, pods: Sequence[Pod], gateway: str) -> Tenant:
    """Look at a project through another gateway and in other pods."""
    return _seen(tenant.name, tenant.cloud.client, tenant.admin.client, pods, gateway)


def _seen(name: str, member: Client, master: Client, pods: Sequence[Pod], gateway: str) -> Tenant:
    return Tenant(
        cloud=Cloud.at_gateway(member, gateway),
        direct={pod.zone: Cloud.in_pod(member, pod) for pod in pods},
        direct_admin={pod.zone: Cloud.in_pod(master, pod) for pod in pods},
        admin=Cloud.at_gateway(master, gateway),
        name=name,
    )


def remove(settings: Settings, tenant: Tenant) -> None:
    """Delete everything the project has, past the gateway, then the project and the user."""
    for pod in tenant.direct.values():
        _empty(pod, "compute", "/servers", "servers")
        _empty(pod, "volume", "/backups", "backups")
        _empty(pod, "volume", "/snapshots", "snapshots")
        _empty(pod, "volume", "/volumes", "volumes")
        for entry in pod.read("compute", "/os-keypairs")["keypairs"]:
            pod.delete("compute", f"/os-keypairs/{entry['keypair']['name']}")
    admin = Client(settings.keystone)
    for kind in ("users", "projects"):
        for entry in admin.ask("GET", f"{settings.keystone}/{kind}?name={tenant.name}")[kind]:
            admin.ask("DELETE", f"{settings.keystone}/{kind}/{entry['id']}")


def _empty(pod: Cloud, service: str, path: str, plural: str) -> None:
    def ids() -> list[str]:
        return [item["id"] for item in pod.read(service, path)[plural]]

    for identity in ids():
        pod.delete(service, f"{path}/{identity}")
    until(f"{plural} gone", ids, lambda left: not left)
