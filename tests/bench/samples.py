"""What pods answer: documents of Nova's shape and true size."""

import json
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 1, 1, tzinfo=UTC)


def server(pod: int, number: int) -> dict[str, object]:
    """Make a server as a detail list of microversion 2.90 shows it to its user: 1.9 KB."""
    found = f"{number:08x}-{pod:04x}-4000-8000-{number * 1000 + pod:012x}"
    # Pods' servers lie between each other in time, so that a merge takes from all in turn.
    made = (_START + timedelta(seconds=number * 1000 + pod)).strftime("%Y-%m-%dT%H:%M:%SZ")
    base = "http://trio2o/v2.1/servers"
    mac = f"fa:16:3e:{pod % 256:02x}:{number // 256 % 256:02x}:{number % 256:02x}"
    return {
        "id": found,
        "name": f"worker-{pod}-{number}.example.org",
        "status": "ACTIVE",
        "tenant_id": "0123456789abcdef0123456789abcdef",
        "user_id": "fedcba9876543210fedcba9876543210",
        "metadata": {"role": "worker", "cluster": "production", "owner": "team-storage"},
        "hostId": f"{number * 7919 + pod:056x}",
        "image": {
            "id": "11111111-0000-4000-8000-000000000001",
            "links": [{"rel": "bookmark", "href": "http://trio2o/images/11111111-0000-4000-8000"}],
        },
        "flavor": {
            "vcpus": 4,
            "ram": 8192,
            "disk": 40,
            "ephemeral": 0,
            "swap": 0,
            "original_name": "m1.large",
            "extra_specs": {"hw:cpu_policy": "shared"},
        },
        "created": made,
        "updated": made,
        "addresses": {
            "private": [
                {
                    "version": 4,
                    "addr": f"10.{pod}.{number // 256}.{number % 256}",
                    "OS-EXT-IPS:type": "fixed",
                    "OS-EXT-IPS-MAC:mac_addr": mac,
                },
                {
                    "version": 6,
                    "addr": f"2001:db8::{pod:x}:{number:x}",
                    "OS-EXT-IPS:type": "fixed",
                    "OS-EXT-IPS-MAC:mac_addr": mac,
                },
            ]
        },
        "accessIPv4": "",
        "accessIPv6": "",
        "links": [
            {"rel": "self", "href": f"{base}/{found}"},
            {"rel": "bookmark", "href": f"http://trio2o/servers/{found}"},
        ],
        "OS-DCF:diskConfig": "MANUAL",
        "progress": 0,
        "OS-EXT-AZ:availability_zone": "nova",
        "config_drive": "",
        "key_name": "operations",
        "OS-SRV-USG:launched_at": "2026-01-01T00:00:10.000000",
        "OS-SRV-USG:terminated_at": None,
        "security_groups": [{"name": "default"}, {"name": "internal"}],
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:power_state": 1,
        "os-extended-volumes:volumes_attached": [
            {"id": f"{number:08x}-1111-4000-8000-{pod:012x}", "delete_on_termination": False}
        ],
        "host_status": "UP",
        "locked": False,
        "locked_reason": None,
        "description": "A worker of the production cluster",
        "tags": [],
        "trusted_image_certificates": None,
        "server_groups": [],
    }


def page(pod: int, count: int, limit: int | None = None) -> bytes:
    """Make a page of servers, newest first, as Nova sorts; one that is cut names the next."""
    numbers = range(count, 0, -1)[:limit]
    document: dict[str, object] = {"servers": [server(pod, number) for number in numbers]}
    if len(numbers) < count:
        document["servers_links"] = [{"rel": "next", "href": "http://trio2o/v2.1/servers/detail"}]
    return json.dumps(document).encode()


def show() -> bytes:
    """Make the answer to a show: 2 KB with a metadata entry longer than in the list."""
    shown = server(1, 1)
    shown["metadata"] = {"note": "x" * 250}
    return json.dumps({"server": shown}).encode()


#: Every list a control plane may ask a pod for beside servers, empty.
EMPTY = json.dumps(
    {
        "servers": [],
        "flavors": [],
        "keypairs": [],
        "images": [],
        "namespaces": [],
        "volume_types": [],
        "qos_specs": [],
        "group_types": [],
        "aggregates": [],
        "networks": [],
        "quota_set": {},
        # What a create names is there.
        "flavor": {"id": "42", "name": "m1.large"},
        "extra_specs": {},
        "links": [],
    }
).encode()

VERSIONS = json.dumps(
    {
        "versions": [
            {
                "id": "v2.1",
                "status": "CURRENT",
                "version": "2.96",
                "min_version": "2.1",
                "links": [],
                "updated": "2013-07-23T11:33:21Z",
            }
        ]
    }
).encode()
