"""What Keystone knows of the bed: regions, services, endpoints, projects, users, roles."""

from collections.abc import Mapping, Sequence

from tests.openstack.client import Client
from tests.openstack.pod import Pod
from tests.openstack.settings import PASSWORD, Settings

_NAMES = {
    "compute": "nova",
    "volumev3": "cinderv3",
    "image": "glance",
    "network": "neutron",
    "placement": "placement",
}
_BOTH = ("admin", "service")
#: User, project, roles. `gateway` is the product's own account.
ACCOUNTS = (
    *((user, "service", _BOTH) for user in ("nova", "neutron", "cinder", "glance", "placement")),
    ("gateway", "service", _BOTH),
    ("demo", "demo", ("member",)),
    ("alt", "alt", ("member",)),
    ("admin", "demo", ("admin",)),
)


def user_endpoints(settings: Settings) -> dict[str, str]:
    """Give the user region's catalog: the gateway, and no placement."""
    gateway, first = settings.gateway, Pod(settings, 1)
    images, networks = f"{gateway}/image", f"{gateway}/network"
    return {
        "compute": f"{gateway}/compute/v2.1",
        "volumev3": f"{gateway}/volume{settings.volume_path}",
        "image": images if settings.image == "gateway" else first.url("glance"),
        "network": networks if settings.network == "gateway" else first.url("neutron"),
        "identity": settings.keystone,
    }


def seed(settings: Settings, pods: Sequence[Pod]) -> None:
    """Make everything that is missing and set the endpoints right."""
    client = Client(settings.keystone)
    regions = {settings.user_region: user_endpoints(settings)}
    regions |= {pod.name: pod.endpoints() for pod in pods}
    set_endpoints(client, regions)
    _seed_accounts(client)


def set_endpoints(client: Client, regions: Mapping[str, Mapping[str, str]]) -> None:
    """Make regions, services and endpoints, and change URLs that differ."""
    keystone = client.keystone
    known = {region["id"] for region in client.ask("GET", f"{keystone}/regions")["regions"]}
    for region in regions:
        if region not in known:
            client.ask("POST", f"{keystone}/regions", {"region": {"id": region}})
    found = client.ask("GET", f"{keystone}/services")["services"]
    services = {service["type"]: service["id"] for service in found}
    for kind, name in _NAMES.items():
        if kind not in services:
            service = {"service": {"type": kind, "name": name}}
            services[kind] = client.ask("POST", f"{keystone}/services", service)["service"]["id"]
    endpoints = {
        (endpoint["region_id"], endpoint["service_id"], endpoint["interface"]): endpoint
        for endpoint in client.ask("GET", f"{keystone}/endpoints")["endpoints"]
    }
    for region, urls in regions.items():
        for kind, url in urls.items():
            for interface in ("public", "internal", "admin"):
                endpoint = endpoints.get((region, services[kind], interface))
                wanted = {"service_id": services[kind], "interface": interface, "url": url}
                if endpoint is None:
                    body = {"endpoint": {**wanted, "region_id": region}}
                    client.ask("POST", f"{keystone}/endpoints", body)
                elif endpoint["url"] != url:
                    body = {"endpoint": {"url": url}}
                    client.ask("PATCH", f"{keystone}/endpoints/{endpoint['id']}", body)


def _seed_accounts(client: Client) -> None:
    roles = _names(client, "role", {})
    for name in ("admin", "member", "reader", "service"):
        _ensure(client, "role", roles, {"name": name})
    here = {"domain_id": "default"}
    projects, users = _names(client, "project", here), _names(client, "user", here)
    for user, project, granted in ACCOUNTS:
        _ensure(client, "project", projects, {"name": project, **here})
        _ensure(client, "user", users, {"name": user, "password": PASSWORD, **here})
        place = f"{client.keystone}/projects/{projects[project]}/users/{users[user]}/roles"
        for role in granted:
            client.ask("PUT", f"{place}/{roles[role]}")


def _names(client: Client, kind: str, query: Mapping[str, str]) -> dict[str, str]:
    text = "&".join(f"{key}={value}" for key, value in query.items())
    items = client.ask("GET", f"{client.keystone}/{kind}s?{text}")[f"{kind}s"]
    return {item["name"]: item["id"] for item in items}


def _ensure(client: Client, kind: str, known: dict[str, str], item: Mapping[str, str]) -> None:
    if item["name"] not in known:
        made = client.ask("POST", f"{client.keystone}/{kind}s", {kind: dict(item)})
        known[item["name"]] = made[kind]["id"]
