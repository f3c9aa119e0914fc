"""What every pod is given: aggregates with its zones, flavors, images, networks, volume types."""

from collections.abc import Mapping
from typing import Any

from tests.openstack.client import Client
from tests.openstack.pod import Pod
from tests.openstack.processes import Processes
from tests.openstack.services import nova

#: The same ids in every pod, as an operator of several clouds would have it.
IMAGES = {
    "cirros-lab": "11111111-0000-4000-8000-000000000001",
    "cirros-lab-alt": "11111111-0000-4000-8000-000000000002",
}
#: Id, name, MiB of memory, CPUs, GiB of disk.
FLAVORS = (
    ("1", "m1.tiny", 512, 1, 1),
    ("2", "m1.small", 2048, 1, 20),
    ("3", "m1.medium", 4096, 2, 40),
    ("42", "m1.nano", 128, 1, 1),
    ("84", "m1.micro", 192, 1, 1),
)
VOLUME_TYPES: dict[str, dict[str, str]] = {
    "lab": {},
    "lab2": {},
    "lab-multi": {"multiattach": "<is> True"},
}


def seed(pod: Pod, processes: Processes) -> None:
    """Give a pod what it lacks; nothing is asked of a pod that has been seeded before."""
    mark = pod.data / f".seeded-{len(pod.computes)}"
    if mark.exists():
        return
    nova.discover_hosts(pod, processes)
    client = Client(pod.settings.keystone)
    _seed_zones(pod, client)
    _seed_flavors(pod, client)
    seed_images(pod, client, IMAGES)
    _seed_networks(pod, client)
    _seed_volume_types(pod, client)
    mark.touch()


def _seed_zones(pod: Pod, client: Client) -> None:
    url = f"{pod.url('nova')}/v2.1/os-aggregates"
    known = {entry["name"]: entry for entry in client.ask("GET", url)["aggregates"]}
    for number, host in enumerate(pod.computes):
        zone = pod.inner_zones[number % len(pod.inner_zones)]
        name = f"agg-{zone}"
        if name not in known:
            body = {"aggregate": {"name": name, "availability_zone": zone}}
            known[name] = client.ask("POST", url, body)["aggregate"]
        if host not in known[name].get("hosts", []):
            action = f"{url}/{known[name]['id']}/action"
            client.ask("POST", action, {"add_host": {"host": host}})


def _seed_flavors(pod: Pod, client: Client) -> None:
    url = f"{pod.url('nova')}/v2.1/flavors"
    known = {flavor["id"] for flavor in client.ask("GET", f"{url}?is_public=none")["flavors"]}
    for identity, name, memory, cpus, disk in FLAVORS:
        if identity not in known:
            flavor = {"id": identity, "name": name, "ram": memory, "vcpus": cpus, "disk": disk}
            client.ask("POST", url, {"flavor": flavor})


def seed_images(pod: Pod, client: Client, images: Mapping[str, str]) -> None:
    """Give a pod the images, by name and id, that it lacks."""
    url = f"{pod.url('glance')}/v2/images"
    known = {image["id"]: image["status"] for image in client.ask("GET", url)["images"]}
    for name, identity in images.items():
        if identity not in known:
            image = {
                "id": identity,
                "name": name,
                "disk_format": "raw",
                "container_format": "bare",
                "visibility": "public",
                "min_disk": 0,
                "min_ram": 0,
                "hw_rng_model": "virtio",
            }
            client.ask("POST", url, image)
        if known.get(identity) != "active":
            data = f"lab image {name}\n".encode() * 64
            kind = "application/octet-stream"
            client.ask("PUT", f"{url}/{identity}/file", data, Content_Type=kind)


def _seed_networks(pod: Pod, client: Client) -> None:
    root = f"{pod.url('neutron')}/v2.0"

    def ensure(kind: str, item: dict[str, Any]) -> str:
        found = client.ask("GET", f"{root}/{kind}s?name={item['name']}")[f"{kind}s"]
        made = found[0] if found else client.ask("POST", f"{root}/{kind}s", {kind: item})[kind]
        return str(made["id"])

    inside = ensure("network", {"name": "lab-net", "shared": True})
    subnet = {"name": "lab-subnet", "network_id": inside, "ip_version": 4, "enable_dhcp": True}
    inside_subnet = ensure("subnet", {**subnet, "cidr": f"10.{100 + pod.number}.0.0/16"})
    outside = ensure(
        "network",
        {
            "name": "public",
            "router:external": True,
            "provider:network_type": "flat",
            "provider:physical_network": "public",
        },
    )
    prefix = f"172.24.{pod.number}"
    subnet = {"name": "public-subnet", "network_id": outside, "ip_version": 4, "enable_dhcp": False}
    ensure("subnet", {**subnet, "cidr": f"{prefix}.0/24", "gateway_ip": f"{prefix}.1"})
    # Floating addresses need a (database-only) way from lab-net to public.
    if not client.ask("GET", f"{root}/routers?name=lab-router")["routers"]:
        gateway = {"network_id": outside}
        router = ensure("router", {"name": "lab-router", "external_gateway_info": gateway})
        client.ask(
            "PUT", f"{root}/routers/{router}/add_router_interface", {"subnet_id": inside_subnet}
        )


def _seed_volume_types(pod: Pod, client: Client) -> None:
    url = f"{pod.url('cinder')}/v3/types"
    known = {kind["name"] for kind in client.ask("GET", url)["volume_types"]}
    for name, specs in VOLUME_TYPES.items():
        if name not in known:
            extra = {"volume_backend_name": "lab", **specs}
            client.ask("POST", url, {"volume_type": {"name": name, "extra_specs": extra}})
