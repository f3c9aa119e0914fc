"""Steps with volumes: creates, attachments, snapshots, booting from one."""

from tests.demo.cloud import PREFIX, Cloud
from tests.demo.servers import name_in

BOOTED = f"{PREFIX}booted"
SNAPSHOT = f"{PREFIX}snapshot"


def volume_in(zone: str) -> str:
    """Name the demo's volume in a zone."""
    return f"{PREFIX}volume-{zone}"


def creates(cloud: Cloud) -> dict[str, str]:
    """One volume a zone; its id by zone."""
    made = {}
    for pod in cloud.pods:
        with cloud.walk.step(f"A volume in {pod.zone}"):
            words = ["volume", "create", "--size", "1", "--availability-zone", pod.zone]
            volume = cloud.openstack.json(*words, volume_in(pod.zone))
            made[pod.zone] = volume["id"]
            cloud.volume_is(pod, volume["id"], "available")
            absent = [
                cloud.volume_in(other, volume["id"]) is None for other in cloud.pods if other != pod
            ]
            cloud.walk.prove(f"{pod.name} itself has it, the other pod has not", holds=all(absent))
            zone = volume["availability_zone"]
            cloud.walk.prove(f"its zone is shown as {pod.zone}", holds=zone == pod.zone, found=zone)
    return made


def attachments(cloud: Cloud, volumes: dict[str, str]) -> None:
    """Attach within a zone, be refused across zones, detach."""
    pod, other = cloud.pods
    server, volume = name_in(pod.zone), volumes[pod.zone]
    with cloud.walk.step("A volume is attached within its zone"):
        cloud.openstack.run("server", "add", "volume", server, volume_in(pod.zone))
        cloud.volume_is(pod, volume, "in-use")
        cloud.walk.prove(f"{pod.name} says that it is in use", holds=True)
    with cloud.walk.step("A volume of another zone is refused"):
        outcome = cloud.openstack.attempt("server", "add", "volume", server, volume_in(other.zone))
        told = outcome.status != 0 and "400" in outcome.error
        cloud.walk.prove("the client is told 400", holds=told, found=outcome.error)
        named = all(zone in outcome.error for zone in cloud.zones)
        cloud.walk.prove("the message names both zones", holds=named, found=outcome.error)
        hidden = not any(pod.name in outcome.error for pod in cloud.pods)
        cloud.walk.prove("and no pod", holds=hidden, found=outcome.error)
    with cloud.walk.step("The volume is detached"):
        cloud.openstack.run("server", "remove", "volume", server, volume_in(pod.zone))
        cloud.volume_is(pod, volume, "available")
        cloud.walk.prove(f"{pod.name} says that it is available", holds=True)


def snapshot(cloud: Cloud, volumes: dict[str, str]) -> None:
    """Snapshot the volume of the second zone."""
    pod = cloud.pods[1]
    with cloud.walk.step(f"A snapshot of the volume in {pod.zone}"):
        words = ["volume", "snapshot", "create", "--volume", volume_in(pod.zone), SNAPSHOT]
        made = cloud.openstack.json(*words)
        names = cloud.openstack.column("Name", ["volume", "snapshot", "list"])
        cloud.walk.prove("the list over both pods has it", holds=SNAPSHOT in names, found=names)
        url = f"{pod.url('cinder')}/v3/{cloud.user.project_id}/snapshots/{made['id']}"
        answer = cloud.user.call("GET", url)
        holds = answer.status == 200 and answer.json["snapshot"]["volume_id"] == volumes[pod.zone]
        cloud.walk.prove(f"{pod.name} itself has it", holds=holds, found=answer.text[:200])
        cloud.until(
            "snapshot available",
            lambda: cloud.user.ask("GET", url)["snapshot"]["status"] == "available",
        )


def boot(cloud: Cloud) -> None:
    """Boot from the second zone's volume without naming a zone."""
    pod = cloud.pods[1]
    with cloud.walk.step(f"A server boots from a volume of {pod.zone}; no zone is named"):
        words = ["volume", "create", "--size", "1", "--availability-zone", pod.zone]
        words += ["--image", "cirros-lab", f"{PREFIX}root"]
        root = cloud.openstack.json(*words)["id"]
        cloud.volume_is(pod, root, "available")
        server = cloud.openstack.json(
            "server", "create", "--volume", f"{PREFIX}root", "--flavor", "m1.nano", "--wait", BOOTED
        )["id"]
        found = cloud.server_in(pod, server)
        cloud.walk.prove(f"it is in {pod.name}, where the volume is", holds=bool(found))
        disks = [disk["id"] for disk in found["os-extended-volumes:volumes_attached"]]
        cloud.walk.prove("and runs from that volume", holds=disks == [root], found=disks)


def delete_all(cloud: Cloud) -> None:
    """Delete the snapshot and every volume of the demo."""
    with cloud.walk.step("Snapshot and volumes are deleted"):
        cloud.openstack.run("volume", "snapshot", "delete", SNAPSHOT)

        def rows(*words: str) -> list[str]:
            return [name for name in cloud.openstack.column("Name", words) if _ours(name)]

        cloud.until("snapshot gone", lambda: not rows("volume", "snapshot", "list"))
        names = rows("volume", "list")
        cloud.openstack.run("volume", "delete", *names)
        cloud.until("volumes gone", lambda: not rows("volume", "list"))
        cloud.walk.prove(f"{len(names)} volumes and the snapshot are gone", holds=len(names) > 0)


def _ours(name: str) -> bool:
    return name.startswith(PREFIX)
