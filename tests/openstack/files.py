"""Files for those who use the bed: clouds.yaml, openrc, and the pods as Trio2o wants them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from tests.openstack.pod import Pod
from tests.openstack.settings import PASSWORD, Settings

USERS = ("admin", "demo", "alt")


class PodRecord(TypedDict):
    """A pod as `pods.json` remembers it."""

    number: int
    name: str
    zone: str
    inner_zones: list[str]


def pods_file(settings: Settings) -> Path:
    """Give the file with the pods in the form that `trio2o apply` reads."""
    return settings.run / "pods.yaml"


def clouds_file(settings: Settings) -> Path:
    """Give the file for the clients of OpenStack."""
    return settings.run / "clouds.yaml"


def records(settings: Settings) -> list[PodRecord]:
    """Give the pods that were ever started."""
    file = settings.run / "pods.json"
    if not file.exists():
        return []
    found: list[PodRecord] = json.loads(file.read_text())
    return found


def write(settings: Settings, pods: Sequence[Pod]) -> None:
    """Write all of them."""
    kept = {record["number"]: record for record in records(settings)}
    for pod in pods:
        kept[pod.number] = PodRecord(
            number=pod.number, name=pod.name, zone=pod.zone, inner_zones=pod.inner_zones
        )
    (settings.run / "pods.json").write_text(json.dumps(list(kept.values()), indent=1) + "\n")
    pods_file(settings).write_text("---\n".join(map(_pod, pods)))
    clouds_file(settings).write_text(_clouds(settings, pods))
    for user in USERS:
        (settings.run / f"openrc-{user}").write_text(_openrc(settings, user))


def _pod(pod: Pod) -> str:
    return (
        f"name: {pod.name}\n"
        f"availability_zone: {pod.zone}\n"
        f"pod_availability_zone: {pod.inner_zones[0]}\n"
    )


def _clouds(settings: Settings, pods: Sequence[Pod]) -> str:
    lines = ["clouds:"]
    regions = {"": settings.user_region, **{f"-{pod.key}": pod.name for pod in pods}}
    for user in USERS:
        for suffix, region in regions.items():
            lines += [
                f"  lab-{user}{suffix}:",
                "    auth:",
                f"      auth_url: {settings.keystone}",
                f"      username: {user}",
                f"      password: {PASSWORD}",
                f"      project_name: {user}",
                "      user_domain_id: default",
                "      project_domain_id: default",
                f"    region_name: {region}",
                "    identity_api_version: 3",
            ]
    return "\n".join(lines) + "\n"


def _openrc(settings: Settings, user: str) -> str:
    variables = {
        "AUTH_URL": settings.keystone,
        "USERNAME": user,
        "PASSWORD": PASSWORD,
        "PROJECT_NAME": user,
        "USER_DOMAIN_ID": "default",
        "PROJECT_DOMAIN_ID": "default",
        "IDENTITY_API_VERSION": "3",
        "REGION_NAME": f'"${{1:-{settings.user_region}}}"',
    }
    head = f"# source openrc-{user} [region]   (default: {settings.user_region})\n"
    return head + "".join(f"export OS_{key}={value}\n" for key, value in variables.items())
