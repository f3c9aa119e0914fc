"""Documents of pods, the awkward ones among them."""

import random
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from control_plane.model.microversion import Microversion, MicroversionRange

#: What the services of all pods have.
RANGES = MappingProxyType(
    {
        "compute": MicroversionRange(Microversion(2, 1), Microversion(2, 96)),
        "volume": MicroversionRange(Microversion(3, 0), Microversion(3, 70)),
    }
)
_HOST_ID = "0123456789abcdef" * 3 + "01234567"
_SEED = 7
_KEYS = (
    "hostId",
    "OS-EXT-AZ:availability_zone",
    "OS-EXT-SRV-ATTR:host",
    "availability_zone",
    "host_name",
    "a}b",
    'a"b',
    "a\\",
    "links",
    "metadata",
    "scheduler_hints",
    'x"hostId',
    "a, ",
    "}, ",
    "1, ",
)
_VALUES = (
    *("nova", "", 'x"y', "{", "}", '"hostId": "x"', "inner1", _HOST_ID, "\\", "é", "[", "]"),
    *("a, ", "}, ", '}, "hostId": "', ', "metadata": {', "http://10.0.0.1:8774/v2.1/", "\\\\"),
)


def server(known: str, url: str) -> dict[str, Any]:
    """Make a server as Nova shows it to its user."""
    return {
        "id": known,
        "name": "one",
        "status": "ACTIVE",
        "metadata": {},
        "hostId": _HOST_ID,
        "flavor": {"vcpus": 1, "extra_specs": {"hw:cpu_policy": "shared"}},
        "addresses": {"private": [{"version": 4, "addr": "10.0.0.1"}]},
        "links": [{"rel": "self", "href": f"{url}/v2.1/servers/{known}"}],
        "OS-EXT-AZ:availability_zone": "inner1",
        "tags": [],
        "server_groups": [],
    }


def servers(known: str, url: str) -> Iterator[dict[str, Any]]:
    """Make servers whose users named things after fields."""
    chance = random.Random(_SEED)
    for _ in range(150):
        found = server(known, url)
        found["hostId"] = chance.choice((_HOST_ID, "", "short", _HOST_ID.upper(), "z" * 56))
        found["OS-EXT-AZ:availability_zone"] = chance.choice(("nova", "", "internal", "az1", "é"))
        if chance.random() < 0.5:
            found["OS-EXT-SRV-ATTR:host"] = chance.choice((None, "", "compute1", 'odd"name'))
            found["OS-EXT-SRV-ATTR:hypervisor_hostname"] = chance.choice((None, "node1"))
        if chance.random() < 0.3:
            del found["hostId"]
        found["metadata"] = _own(chance)
        found["description"] = chance.choice(_VALUES)
        yield _shuffled(chance, found)


def volume(known: str, url: str) -> Iterator[dict[str, Any]]:
    """Make volumes as Cinder shows them, attached ones too."""
    chance = random.Random(_SEED)
    for _ in range(150):
        found = {
            "id": known,
            "name": chance.choice(_VALUES),
            "availability_zone": chance.choice(("nova", "az9")),
            "links": [{"rel": "self", "href": f"{url}/v3/volumes/{known}"}],
            "metadata": _own(chance),
            "attachments": [
                {"host_name": chance.choice((None, "compute1")), "device": "/dev/vdb"}
                for _ in range(chance.randrange(3))
            ],
            "volume_image_metadata": _own(chance),
        }
        if chance.random() < 0.5:
            found["os-vol-host-attr:host"] = "host@lvm#pool"
        yield _shuffled(chance, found)


def _own(chance: random.Random) -> dict[str, str]:
    """Make what a user wrote."""
    if chance.random() < 0.3:
        return {}
    return {chance.choice(_KEYS): chance.choice(_VALUES) for _ in range(chance.randrange(1, 4))}


def _shuffled(chance: random.Random, document: dict[str, Any]) -> dict[str, Any]:
    entries = list(document.items())
    chance.shuffle(entries)
    return dict(entries)


def snapshot(known: str, url: str) -> Iterator[dict[str, Any]]:
    """Make snapshots; of their fields none needs to be changed, and no link leads to one."""
    chance = random.Random(_SEED)
    for _ in range(20):
        yield _shuffled(chance, {"id": known, "metadata": _own(chance), "description": url})


def listed_servers(url: str) -> list[dict[str, Any]]:
    """Make a list of servers whose hints and images have keys of users, too."""
    chance = random.Random(_SEED)
    found = []
    for number, item in enumerate(servers("x", url)):
        item["id"] = f"00000000-0000-4000-8000-{number:012x}"
        if chance.random() < 0.5:
            item["scheduler_hints"] = {
                "query": [">=", "$free_ram_mb", 1],
                chance.choice(_KEYS): chance.choice(_VALUES),
                "inner": {chance.choice(_KEYS): chance.choice(_VALUES), "n": 1},
                "hostId": _HOST_ID,
            }
        if chance.random() < 0.5:
            item["image"] = {"id": "i", "properties": {"min": 1, **_own(chance)}, "links": []}
        if chance.random() < 0.3:
            item["addresses"] = {chance.choice(_KEYS): [{"addr": "10.0.0.1", "version": 4}]}
        found.append(_shuffled(chance, item))
    return found
