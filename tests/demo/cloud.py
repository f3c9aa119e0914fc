"""Both sides of the gateway for the demo's user: the gateway itself, and each pod past it."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.demo.openstack import OpenStack
from tests.demo.walk import NotProved, Walk
from tests.openstack.client import Answer, Client
from tests.openstack.pod import Pod
from tests.openstack.processes import Processes
from tests.openstack.settings import Settings

#: The beginning of the name of everything the demo makes.
PREFIX = "demo-"


class Cloud:
    """What the steps work with."""

    def __init__(self, settings: Settings, pods: Sequence[Pod], walk: Walk) -> None:
        """Take the first two pods; nothing is sent yet."""
        self.settings = settings
        self.pods = list(pods[:2])
        self.walk = walk
        self.openstack = OpenStack(settings, walk)
        self.processes = Processes(settings)
        self.user = Client(settings.keystone, "demo", "demo")
        self.admin = Client(settings.keystone, "admin", "demo")

    @property
    def zones(self) -> list[str]:
        """The zones users see."""
        return [pod.zone for pod in self.pods]

    def gateway(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Make a request of the gateway and show it."""
        self.walk.ran(f"curl -X {method} {self.settings.gateway}{path}")
        named = {key.replace("_", "-"): text for key, text in headers.items()}
        return self.user.call(method, f"{self.settings.gateway}{path}", body, named)

    def server_in(self, pod: Pod, server: str, *, as_admin: bool = False) -> Any:
        """Look for a server past the gateway, in the pod itself; None when it is not there."""
        client = self.admin if as_admin else self.user
        url = f"{pod.url('nova')}/v2.1/servers/{server}"
        return _found(client.call("GET", url, headers={"OpenStack-API-Version": "compute 2.90"}))

    def volume_in(self, pod: Pod, volume: str) -> Any:
        """Look for a volume past the gateway, in the pod itself; None when it is not there."""
        url = f"{pod.url('cinder')}/v3/{self.user.project_id}/volumes/{volume}"
        return _found(self.user.call("GET", url))

    def until(self, what: str, holds: Callable[[], bool], timeout: float = 90) -> None:
        """Ask again until something holds; NotProved when it does not in time."""
        end = time.monotonic() + timeout
        while not holds():
            if time.monotonic() > end:
                message = f"{what}: not within {timeout:.0f} s"
                raise NotProved(message)
            time.sleep(0.3)

    def volume_is(self, pod: Pod, volume: str, status: str) -> None:
        """Wait until a volume has a status."""

        def holds() -> bool:
            found = self.volume_in(pod, volume)
            if found and found["status"].startswith("error"):
                message = f"volume {volume} is in {found['status']}"
                raise NotProved(message)
            return bool(found) and bool(found["status"] == status)

        self.until(f"volume {volume} {status}", holds)

    def server_is(self, pod: Pod, server: str, status: str) -> None:
        """Wait until a server has a status."""

        def holds() -> bool:
            found = self.server_in(pod, server)
            if found and found["status"] == "ERROR" != status:
                message = f"server {server} is in ERROR"
                raise NotProved(message)
            return bool(found) and bool(found["status"] == status)

        self.until(f"server {server} {status}", holds)

    def sweep(self) -> None:
        """Delete what an earlier walk left, past the gateway."""
        for pod in self.pods:
            compute = f"{pod.url('nova')}/v2.1"
            volume = f"{pod.url('cinder')}/v3/{self.user.project_id}"
            self._sweep(f"{compute}/servers", "servers")
            self._sweep(f"{volume}/snapshots", "snapshots")
            self._sweep(f"{volume}/volumes", "volumes")
            for entry in self.user.ask("GET", f"{compute}/os-keypairs")["keypairs"]:
                name = entry["keypair"]["name"]
                if name.startswith(PREFIX):
                    self.user.call("DELETE", f"{compute}/os-keypairs/{name}")

    def _sweep(self, url: str, plural: str) -> None:
        def left() -> list[str]:
            items = self.user.ask("GET", url)[plural]
            return [item["id"] for item in items if (item["name"] or "").startswith(PREFIX)]

        for identity in left():
            self.user.call("DELETE", f"{url}/{identity}")
        self.until(f"old {plural} gone", lambda: not left())


def _found(answer: Answer) -> Any:
    if answer.status == 404:
        return None
    if answer.status != 200:
        message = f"a pod answered {answer.status}: {answer.text[:200]}"
        raise NotProved(message)
    [item] = answer.json.values()
    return item
