"""A thousand servers and some hundred volumes in pods of different size, and all of them in one.

The pods are light ones (`tests/openstack/light.py`): real APIs of Nova and Cinder over real
databases. One more, the *whole*, has the rows of all, written as users see them through the gateway
(its hosts are named with their pods, its zones as users know them), and gives longer pages than
any: what it lists is what one cloud would list.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from tests.integration.cloud import Cloud
from tests.openstack import crowd, databases, light
from tests.openstack.crowd import Row
from tests.openstack.pod import Pod
from tests.openstack.processes import Processes
from tests.openstack.settings import Settings

#: `TRIO2O_THOUSAND=part`: more lists than a test run has time for, in part; `all`: every list to
#: its end, and pods as large as they can be.
ALL = os.environ.get("TRIO2O_THOUSAND") == "all"
PART = ALL or os.environ.get("TRIO2O_THOUSAND") == "part"
#: Light pods by number, and how many servers and volumes are in each.
SIZES = {6: (1040 if ALL else 710, 400), 7: (300, 150), 8: (13, 7)}
#: What a pod puts on a page: the first one has more servers.
PAGE = 1000 if ALL else 300
WHOLE = 9
#: More than there is: the whole gives any list as one page.
MOST = 100_000
#: Servers of each pod that were deleted, and those of another project.
DELETED = 5
OTHERS = 20

_EPOCH = datetime(2025, 3, 1, 12, tzinfo=UTC)
_NAMES = ("web", "Web", "web_1", "webmaster", "db", "DB-2", "cache", "été", "Zoë", "a b", "10")


@dataclass(frozen=True)
class Thousand:
    """The pods and the whole, and the rows that were put into them."""

    pods: list[Pod]
    whole: Pod
    servers: list[Row]
    volumes: list[Row]


def start(
    settings: Settings, home: Pod, owner: Cloud, server: str, volume: str, other: str
) -> Thousand:
    """Start the pods and fill them with copies of a server and a volume of the pod `home`.

    `owner` is who has them, `other` the id of a project that has some of them.
    """
    dumps = databases.templates(Processes(settings))
    whole = light.start(settings, WHOLE, dumps, most=MOST)
    pods = [light.start(settings, number, dumps, most=PAGE) for number in SIZES]
    # The same things in each run.
    random = Random(29)
    made: list[Row] = []
    volumes: list[Row] = []
    project = owner.client.project_id
    for pod in pods:
        many, some = SIZES[pod.number]
        own = servers(random, pod, project, many)
        for place, row in enumerate(own[:: many // DELETED][:DELETED]):
            own[own.index(row)] = _gone(row, place)
        own += servers(random, pod, other, min(OTHERS, many))
        kept: list[Row] = [_volume(random, pod, project, number) for number in range(some)]
        crowd.servers(home, server, pod, [_inside(row, pod) for row in own])
        crowd.volumes(home, volume, pod, [_inside(row, pod) for row in kept])
        made += own
        volumes += kept
    crowd.servers(home, server, whole, made)
    crowd.volumes(home, volume, whole, volumes)
    for pod in [*pods, whole]:
        light.wait(pod)
    return Thousand(pods, whole, made, volumes)


def stop(thousand: Thousand) -> None:
    """Stop the pods and drop what they had."""
    for pod in [*thousand.pods, thousand.whole]:
        light.stop(pod)


def definitions(pods: Sequence[Pod]) -> dict[str, Mapping[str, str]]:
    """Give the pods' endpoints, of which Keystone has none."""
    return {pod.name: light.endpoints(pod) for pod in pods}


def servers(random: Random, pod: Pod, project: str, count: int) -> list[Row]:
    """Make servers of a pod, with hosts and zone as users see them."""
    return [_server(random, pod, project, number) for number in range(count)]


def _moment(random: Random, choices: int) -> datetime:
    return _EPOCH + timedelta(seconds=random.randrange(choices) * 3601)


def _uuid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def _server(random: Random, pod: Pod, project: str, number: int) -> dict[str, Any]:
    """Make a server: hundreds have the same value of each key, and some of most keys none."""
    choose = random.choice
    host = choose([f"{pod.name}~host{count}" for count in range(3)])
    vm_state = choose(["active"] * 6 + ["stopped"] * 2 + ["paused", "error"])
    lost, locked = vm_state == "error", choose([None, None, "owner", "admin"])
    return {
        "uuid": _uuid(random),
        "project_id": project,
        "created_at": _moment(random, 6),
        "updated_at": _moment(random, 4),
        "display_name": f"one-{number}" if number % 10 == 9 else choose(_NAMES),
        "display_description": choose([None, None, "", "of hundreds", "Zwölf"]),
        "hostname": choose(["web", "db"]),
        "vm_state": vm_state,
        "task_state": choose([None] * 5 + ["rebooting", "powering-off"]),
        "power_state": None if lost else 4 if vm_state == "stopped" else 1,
        "launched_at": None if lost else choose([None, _moment(random, 5), _moment(random, 5)]),
        "terminated_at": choose([None, None, None, _moment(random, 2)]),
        "host": None if lost else host,
        "node": None if lost else host,
        "availability_zone": None if lost else pod.zone,
        "image_ref": choose(["", "11111111-0000-4000-8000-000000000001"]),
        "key_name": choose([None, "laptop", "Desk"]),
        "access_ip_v4": choose([None, None, "10.0.0.7", "192.0.2.1"]),
        "access_ip_v6": choose([None, None, "2001:db8::1"]),
        "auto_disk_config": choose([False, True]),
        "config_drive": choose(["", "True"]),
        "progress": choose([0, 0, 0, 50]),
        "launch_index": choose([0, 0, 1, 2]),
        "locked": locked is not None,
        "locked_by": locked,
        "kernel_id": choose(["", "", "kernel"]),
        "ramdisk_id": choose(["", "", "ramdisk"]),
        "root_device_name": choose([None, "/dev/vda", "/dev/sda"]),
        "instance_type_id": choose([1, 2, 3]),
        "deleted_at": None,
    }


def _gone(row: Row, place: int) -> Row:
    """Say what a delete changes; where the row sorts stays as it was."""
    deleted = _EPOCH + timedelta(days=200, seconds=place)
    return {**row, "deleted_at": deleted, "vm_state": "deleted", "task_state": None}


def _volume(random: Random, pod: Pod, project: str, number: int) -> dict[str, Any]:
    """Make a volume in the same way."""
    choose = random.choice
    return {
        "uuid": _uuid(random),
        "project_id": project,
        "created_at": _moment(random, 6),
        "updated_at": choose([None, _moment(random, 4)]),
        "display_name": choose([None, f"one-{number}", *_NAMES]),
        "display_description": choose([None, "of hundreds"]),
        "size": choose([1, 1, 2, 100]),
        "status": choose(["available", "available", "in-use", "error"]),
        "bootable": choose([False, True]),
        "availability_zone": pod.zone,
        "host": f"{pod.name}~vol@lab#lab",
        # No service runs that could be named.
        "service_uuid": None,
        "deleted_at": None,
    }


def _inside(row: Row, pod: Pod) -> Row:
    """Write a row as its pod has it, with the pod's own names of hosts and of the zone."""
    own = {name: row[name] for name in ("host", "node") if isinstance(row.get(name), str)}
    named = {name: str(value).partition("~")[2] for name, value in own.items()}
    zone = row["availability_zone"] and pod.inner_zones[0]
    return {**row, **named, "availability_zone": zone}
