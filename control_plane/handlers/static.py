"""Static: answers that need no pod: version documents and endpoints that are gone."""

from http import HTTPStatus

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Reply
from control_plane.handlers.translate import Translation
from control_plane.model.errors import NOT_JSON, PodUnreachable, Refused, unavailable


async def gone(cloud: Cloud, call: Call) -> Decision:  # noqa: ARG001
    """Refuse an API that OpenStack itself has removed."""
    message = "This resource is no longer available. No forwarding address is given."
    raise Refused(HTTPStatus.GONE, message)


async def versions(cloud: Cloud, call: Call) -> Decision:
    """Answer a version document: a pod's own, with the gateway's links and the shared range."""
    request = call.to_pods()
    for pod in call.able_pods:
        try:
            answer = await cloud.pods.ask(pod, request)
        except PodUnreachable:
            continue
        body = Translation(call.view, pod, call.gateway, call.authority).links(answer.body)
        endpoint = call.view.endpoint(pod.name, call.service.name)
        own = f"{call.gateway}{endpoint.path if endpoint else ''}/".encode()
        ours = f"{call.gateway}{call.service.prefix}/".encode()
        if own != ours:
            body = body.replace(ours, own).replace(own, ours)
        headers = {
            name: answer.headers[name] for name in ("www-authenticate",) if name in answer.headers
        }
        return Reply(
            answer.status,
            _with_range(call, body),
            headers,
            content_type=answer.headers.get("content-type", "application/json"),
        )
    message = "No part of the cloud answers now."
    raise unavailable(message)


def _with_range(call: Call, body: bytes) -> bytes:
    """Put the range all pods share into a version document."""
    shared = call.view.version_range(call.service.name)
    try:
        document = msgspec.json.decode(body)
    except NOT_JSON:
        return body
    if shared is None or not isinstance(document, dict):
        return body
    entries = document.get("versions") or [document.get("version")]
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("min_version"):
            entry["min_version"] = str(shared.minimum)
            entry["max_version" if "max_version" in entry else "version"] = str(shared.maximum)
    return msgspec.json.encode(document)
