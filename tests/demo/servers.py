"""Steps with servers: zones, creates, lists, the life of a server."""

import base64
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.demo.cloud import PREFIX, Cloud
from tests.demo.openstack import TAGS
from tests.openstack.pod import Pod

_USER_DATA = "#!/bin/sh\necho hello from the demo\n"
_SMALL = ("--image", "cirros-lab", "--flavor", "m1.nano")
KEY = f"{PREFIX}key"


def name_in(zone: str) -> str:
    """Name the demo's server in a zone."""
    return f"{PREFIX}{zone}"


def zones(cloud: Cloud) -> None:
    """One cloud with two zones."""
    with cloud.walk.step("One region, two zones"):
        rows = cloud.openstack.json("availability", "zone", "list", "--compute")
        names = [row["Zone Name"] for row in rows]
        cloud.walk.prove(
            f"the zones are {' and '.join(cloud.zones)}, each once, and nothing else",
            holds=sorted(names) == sorted(set(cloud.zones)),
            found=names,
        )


def keypair(cloud: Cloud) -> None:
    """Make a key pair once and find it in every pod."""
    with cloud.walk.step("A key pair is made once and can be used in every zone"):
        with TemporaryDirectory() as folder:
            private = str(Path(folder) / "key")
            cloud.openstack.run("keypair", "create", "--private-key", private, KEY)
        shown = cloud.openstack.json("keypair", "show", KEY)
        found = [_fingerprint(cloud, pod) for pod in cloud.pods]
        cloud.walk.prove(
            "both pods have the same public key",
            holds=found == [shown["fingerprint"]] * len(found),
            found=found,
        )


def creates(cloud: Cloud) -> dict[str, str]:
    """One server a zone, with everything a user may set; its id by zone."""
    made = {}
    for pod in cloud.pods:
        with cloud.walk.step(f"A server in {pod.zone}"), TemporaryDirectory() as folder:
            file = Path(folder) / "user-data"
            file.write_text(_USER_DATA)
            words = ["server", "create", *_SMALL, "--availability-zone", pod.zone]
            words += ["--key-name", KEY, "--user-data", str(file), "--property", "purpose=demo"]
            words += ["--tag", "blue", "--wait", name_in(pod.zone)]
            made[pod.zone] = cloud.openstack.json(*TAGS, *words)["id"]
            _prove_created(cloud, pod, made[pod.zone])
    return made


def lists(cloud: Cloud, servers: dict[str, str]) -> None:
    """One list over both pods, in nova's own order."""
    with cloud.walk.step("One list of all servers, the newest first"):
        names = cloud.openstack.column("Name", ["server", "list"])
        wanted = [name_in(zone) for zone in reversed(cloud.zones)]
        cloud.walk.prove(
            "both servers, each once, newest first", holds=names == wanted, found=names
        )
        path = "/compute/v2.1/servers?sort_key=display_name&sort_dir=asc"
        names = [server["name"] for server in cloud.gateway("GET", path).json["servers"]]
        wanted = sorted(name_in(zone) for zone in cloud.zones)
        cloud.walk.prove("another order over both pods", holds=names == wanted, found=names)
        first = cloud.gateway("GET", "/compute/v2.1/servers?limit=1").json
        link = first["servers_links"][0]["href"]
        cloud.walk.ran(f"curl {link}")
        second = cloud.user.ask("GET", link)
        found = {item["id"] for item in first["servers"] + second["servers"]}
        cloud.walk.prove(
            "pages of one go on from pod to pod, by links that lead back to the gateway",
            holds=found == set(servers.values()) and link.startswith(cloud.settings.gateway),
            found=link,
        )


def life(cloud: Cloud, servers: dict[str, str]) -> None:
    """Show, stop, start and read the console of the server in the second zone."""
    pod = cloud.pods[1]
    name, server = name_in(pod.zone), servers[pod.zone]
    with cloud.walk.step(f"The life of a server in {pod.zone}: show, stop, start, console"):
        shown = cloud.openstack.json("server", "show", name)
        zone = shown["OS-EXT-AZ:availability_zone"]
        cloud.walk.prove(f"its zone is shown as {pod.zone}", holds=zone == pod.zone, found=zone)
        cloud.openstack.run("server", "stop", name)
        cloud.server_is(pod, server, "SHUTOFF")
        cloud.walk.prove("it stopped in its pod", holds=True)
        cloud.openstack.run("server", "start", name)
        cloud.server_is(pod, server, "ACTIVE")
        cloud.walk.prove("it runs again", holds=True)
        log = cloud.openstack.run("console", "log", "show", name)
        cloud.walk.prove("the console log is that server's", holds=server in log, found=log[:80])


def two_at_once(cloud: Cloud) -> None:
    """Two servers with one command."""
    zone = cloud.zones[0]
    with cloud.walk.step("Two servers with one command"):
        words = ["server", "create", *_SMALL, "--availability-zone", zone]
        cloud.openstack.run(*words, "--min", "2", "--max", "2", "--wait", f"{PREFIX}twin")
        twins = [
            row["ID"] for row in cloud.openstack.json("server", "list", "--name", f"{PREFIX}twin")
        ]
        cloud.walk.prove("there are two", holds=len(set(twins)) == 2, found=twins)
        here = [cloud.server_in(cloud.pods[0], twin) for twin in twins]
        there = [cloud.server_in(cloud.pods[1], twin) for twin in twins]
        cloud.walk.prove(f"both are in the pod of {zone}", holds=all(here) and not any(there))


def delete_all(cloud: Cloud) -> None:
    """Delete every server of the demo, then the key pair."""
    with cloud.walk.step("All servers are deleted"):
        servers = cloud.openstack.column("ID", ["server", "list", "--name", PREFIX])
        cloud.openstack.run("server", "delete", "--wait", *servers)
        cloud.openstack.run("keypair", "delete", KEY)
        left = [server for server in servers for pod in cloud.pods if cloud.server_in(pod, server)]
        cloud.walk.prove("no pod has any of them any more", holds=not left, found=left)
        keys = [_fingerprint(cloud, pod) for pod in cloud.pods]
        cloud.walk.prove("no pod has the key pair any more", holds=not any(keys), found=keys)


def _fingerprint(cloud: Cloud, pod: Pod) -> str:
    answer = cloud.user.call("GET", f"{pod.url('nova')}/v2.1/os-keypairs/{KEY}")
    return answer.json["keypair"]["fingerprint"] if answer.status == 200 else ""


def _prove_created(cloud: Cloud, pod: Pod, server: str) -> None:
    found = cloud.server_in(pod, server, as_admin=True)
    elsewhere = [other.name for other in cloud.pods if other != pod]
    absent = not any(cloud.server_in(other, server) for other in cloud.pods if other != pod)
    cloud.walk.prove(
        f"{pod.name} itself has the server, {' and '.join(elsewhere)} has not",
        holds=bool(found) and absent,
    )
    zone = found["OS-EXT-AZ:availability_zone"]
    cloud.walk.prove(
        f"inside {pod.name} its zone is {pod.inner_zones[0]}",
        holds=zone == pod.inner_zones[0],
        found=zone,
    )
    data = base64.b64decode(found["OS-EXT-SRV-ATTR:user_data"] or "").decode()
    arrived = {
        "key": found["key_name"],
        "user data": data,
        "properties": found["metadata"],
        "tags": found["tags"],
    }
    sent = {
        "key": KEY,
        "user data": _USER_DATA,
        "properties": {"purpose": "demo"},
        "tags": ["blue"],
    }
    cloud.walk.prove(
        "key, user data, property and tag arrived unchanged", holds=arrived == sent, found=arrived
    )
