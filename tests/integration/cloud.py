"""A cloud as one project sees it: the gateway, or a pod asked directly to check the gateway."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tests.openstack.client import Answer, Client
from tests.openstack.pod import Pod
from tests.openstack.seed import IMAGES

#: The microversion of the tests where a test names none: the first with every field they use.
COMPUTE = "2.90"
IMAGE = IMAGES["cirros-lab"]
NANO = "42"

Found = TypeVar("Found")


def until(
    what: str, ask: Callable[[], Found], holds: Callable[[Found], bool], timeout: float = 90
) -> Found:
    """Ask until the answer is as wanted, and give it; AssertionError when time is up."""
    end = time.monotonic() + timeout
    while not holds(found := ask()):
        assert time.monotonic() < end, f"{what}: not within {timeout:.0f} s, but {found}"
        time.sleep(0.2)
    return found


class Cloud:
    """Requests of one project to one place, each with the path behind the service's version."""

    def __init__(self, client: Client, roots: Mapping[str, str]) -> None:
        """Keep the services' URLs, version included."""
        self.client = client
        self._roots = roots

    @classmethod
    def at_gateway(cls, client: Client, url: str) -> "Cloud":
        """Speak to the gateway."""
        roots = {
            "compute": f"{url}/compute/v2.1",
            "volume": f"{url}/volume/v3/{client.project_id}",
            "image": f"{url}/image/v2",
            "network": f"{url}/network/v2.0",
        }
        return cls(client, roots)

    @classmethod
    def in_pod(cls, client: Client, pod: Pod) -> "Cloud":
        """Speak to a pod, past the gateway."""
        roots = {
            "compute": f"{pod.url('nova')}/v2.1",
            "volume": f"{pod.url('cinder')}/v3/{client.project_id}",
            "image": f"{pod.url('glance')}/v2",
            "network": f"{pod.url('neutron')}/v2.0",
        }
        return cls(client, roots)

    def url(self, service: str, path: str = "") -> str:
        """Give a full URL."""
        return self._roots[service] + path

    def call(
        self,
        method: str,
        service: str,
        path: str,
        body: object = None,
        *,
        version: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make a request; `version` is a microversion, by default one with every field."""
        if service == "compute":
            version = version or COMPUTE
        named = {"OpenStack-API-Version": f"{service} {version}"} if version else {}
        return self.client.call(method, self.url(service, path), body, {**named, **(headers or {})})

    def get(self, service: str, path: str, **options: Any) -> Answer:
        """Make a GET."""
        return self.call("GET", service, path, **options)

    def post(self, service: str, path: str, body: object, **options: Any) -> Answer:
        """Make a POST."""
        return self.call("POST", service, path, body, **options)

    def put(self, service: str, path: str, body: object, **options: Any) -> Answer:
        """Make a PUT."""
        return self.call("PUT", service, path, body, **options)

    def delete(self, service: str, path: str, **options: Any) -> Answer:
        """Make a DELETE."""
        return self.call("DELETE", service, path, **options)

    def read(self, service: str, path: str, **options: Any) -> Any:
        """Make a GET that must succeed and give its JSON."""
        answer = self.get(service, path, **options)
        assert answer.status == 200, f"GET {path}: {answer.status} {answer.text}"
        return answer.json

    def has(self, service: str, path: str) -> bool:
        """Tell whether a path is there (200) or not (404)."""
        answer = self.get(service, path)
        assert answer.status in (200, 404), f"GET {path}: {answer.status} {answer.text}"
        return answer.status == 200

    def create_server(self, name: str, zone: str = "", **fields: Any) -> str:
        """Ask for a small server; the answer's id."""
        body: dict[str, Any] = {"name": name, "flavorRef": NANO, "networks": "auto", **fields}
        if "block_device_mapping_v2" not in body:
            body.setdefault("imageRef", IMAGE)
        if zone:
            body["availability_zone"] = zone
        answer = self.post("compute", "/servers", {"server": body})
        assert answer.status == 202, f"{answer.status} {answer.text}"
        return str(answer.json["server"]["id"])

    def create_volume(self, name: str, zone: str = "", **fields: Any) -> str:
        """Ask for a volume of one GiB; the answer's id."""
        body = {"name": name, "size": 1, **({"availability_zone": zone} if zone else {}), **fields}
        answer = self.post("volume", "/volumes", {"volume": body})
        assert answer.status == 202, f"{answer.status} {answer.text}"
        return str(answer.json["volume"]["id"])

    def wait_for_server(self, server: str, status: str = "ACTIVE") -> Any:
        """Wait until a server has a status and give it."""
        return self._wait("compute", f"/servers/{server}", status)

    def wait_for_volume(self, volume: str, status: str = "available") -> Any:
        """Wait until a volume has a status and give it."""
        return self._wait("volume", f"/volumes/{volume}", status)

    def _wait(self, service: str, path: str, status: str) -> Any:
        def ask() -> Any:
            [item] = self.read(service, path).values()
            reached = item["status"] == status
            failed = item["status"].lower().startswith("error")
            assert reached or not failed, f"{path} is in {item['status']}: {item.get('fault')}"
            return item

        return until(f"{path} {status}", ask, lambda item: bool(item["status"] == status))
