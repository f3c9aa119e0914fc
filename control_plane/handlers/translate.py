"""What a pod's answer says in the pod's words, said in the users'.

Zones are replaced field by field in the items of the answer, so that a user's own metadata of the
same name stays as it is; the pod's URLs wherever they stand.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from control_plane.model.pod import Pod
from control_plane.pods.registry import View
from control_plane.services.catalog import SERVICES
from control_plane.services.operation import Resource


def _zone_to_user(value: Any, zone: str) -> Any:
    if isinstance(value, str) and value:
        return zone
    if isinstance(value, list):
        return [zone] if value else value
    return value


def _link_changes(view: View, pod: Pod, gateway: str, authority: str) -> list[tuple[bytes, bytes]]:
    changes = []
    for service in SERVICES:
        endpoint = view.endpoint(pod.name, service.name)
        if endpoint is None:
            continue
        ours = f"{gateway}{service.prefix}/".encode()
        changes.append((f"{endpoint.url}/".encode(), ours))
        if endpoint.path and endpoint.path != service.prefix:
            # The pod wrote the client's Host before its own path.
            changes.extend(
                (f"{scheme}://{authority}{endpoint.path}/".encode(), ours)
                for scheme in ("http", "https")
            )
    return changes


class Translation:
    """Rewrites the answers of one pod for one request; make one a request and pod."""

    def __init__(self, view: View, pod: Pod, gateway: str, authority: str) -> None:
        """Collect what must be replaced."""
        self._zone = pod.availability_zone
        self._links = _link_changes(view, pod, gateway, authority)

    def links(self, raw: bytes) -> bytes:
        """Let the URLs in a text lead to the gateway."""
        for theirs, ours in self._links:
            if theirs in raw:
                raw = raw.replace(theirs, ours)
        return raw

    def item(self, raw: bytes, resource: Resource) -> bytes:
        """Translate one item of a list, given as JSON."""
        if resource.zones:
            fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
            if self._translate_zones(fields, resource, msgspec.json.decode, _encode_raw):
                raw = msgspec.json.encode(fields)
        return self.links(raw)

    def body(self, raw: bytes, resource: Resource) -> bytes:
        """Translate an answer that holds one item, or a list of items, under its key."""
        if resource.zones:
            raw = self._zones_of_body(raw, resource)
        return self.links(raw)

    def _zones_of_body(self, raw: bytes, resource: Resource) -> bytes:
        try:
            document = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            return raw
        if not isinstance(document, dict):
            return raw
        one, many = document.get(resource.key), document.get(resource.plural)
        items = [one] if isinstance(one, dict) else many if isinstance(many, list) else []
        changed = [
            self._translate_zones(item, resource, _same, _same)
            for item in items
            if isinstance(item, dict)
        ]
        return msgspec.json.encode(document) if any(changed) else raw

    def _translate_zones(
        self,
        fields: dict[str, Any],
        resource: Resource,
        decode: Callable[[Any], Any],
        encode: Callable[[Any], Any],
    ) -> bool:
        changed = False
        for name in resource.zones:
            if name in fields:
                value = decode(fields[name])
                ours = _zone_to_user(value, self._zone)
                if ours != value:
                    fields[name] = encode(ours)
                    changed = True
        return changed


def _same(value: Any) -> Any:
    return value


def _encode_raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
