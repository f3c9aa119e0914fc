"""Broadcast: a write that every pod gets.

The first pod answers for all: its answer goes to the client and, for a create, what it made up
(`copied` fields, such as a generated public key) is sent to the others. A pod that refuses ends
the write: what others made is deleted again and the refusal is the answer.
"""

from http import HTTPStatus
from urllib.parse import quote

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Reply
from control_plane.handlers.refusal import PodRefusal
from control_plane.model.errors import PodUnreachable, unavailable
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.services.reference import references

_KEPT = ("content-type", "location")


async def broadcast(cloud: Cloud, call: Call) -> Decision:
    """Carry a write out in all pods."""
    await cloud.identify(call)
    pods = call.able_pods
    if call.method == "DELETE":
        return await _delete(cloud, call, pods)
    home, missing = await _first(cloud, pods, call.to_pods(query=call.query))
    if home.status >= HTTPStatus.BAD_REQUEST:
        raise PodRefusal(home)
    others = [pod for pod in pods if pod.name != home.pod.name and pod not in missing]
    request = _for_others(call, home)
    answers, unreachable = await cloud.pods.ask_all(others, request)
    refused = [answer for answer in answers if answer.status >= HTTPStatus.BAD_REQUEST]
    if refused:
        made = [home, *(answer for answer in answers if answer not in refused)]
        await _take_back(cloud, call, [answer.pod for answer in made])
        raise PodRefusal(refused[0])
    gone = {entry.pod for entry in unreachable}
    missing += [pod for pod in others if pod.name in gone]
    return _reply(home, missing)


async def _first(
    cloud: Cloud, pods: tuple[Pod, ...], request: PodRequest
) -> tuple[PodAnswer, list[Pod]]:
    """Ask pods in order until one answers; a write that got no answer is not repeated there."""
    missing: list[Pod] = []
    for pod in pods:
        try:
            return await cloud.pods.ask(pod, request), missing
        except PodUnreachable:
            missing.append(pod)
    message = "No part of the cloud answers now."
    raise unavailable(message)


def _for_others(call: Call, home: PodAnswer) -> PodRequest:
    """Put what the first pod made up into the body for the others."""
    request = call.to_pods(query=call.query)
    copied = call.operation.copied
    if not copied or not isinstance(call.json, dict):
        return request
    answer = msgspec.json.decode(home.body)
    body = msgspec.json.decode(call.body)
    for path in copied:
        value = next(iter(references(answer, path)), None)
        parent, _, name = path.rpartition(".")
        target = body
        for part in parent.split("."):
            target = target[part]
        if value is not None:
            target[name] = value
    return PodRequest(
        request.service,
        request.method,
        request.path,
        request.headers,
        msgspec.json.encode(body),
        request.authority,
    )


async def _take_back(cloud: Cloud, call: Call, pods: list[Pod]) -> None:
    """Delete what a broken-off create made."""
    resource = call.service.resources[call.operation.answer]
    identity = f"{resource.key}.{resource.merge_by}"
    name = next(iter(references(call.json, identity)), None)
    if name is None or not resource.probe:
        return
    path = call.sibling(resource.probe.format(id=quote(str(name), safe="")))
    await cloud.pods.ask_all(pods, call.to_pods("DELETE", path))


async def _delete(cloud: Cloud, call: Call, pods: tuple[Pod, ...]) -> Decision:
    """Delete everywhere; a pod that does not have it counts as done if another had it."""
    answers, unreachable = await cloud.pods.ask_all(pods, call.to_pods(query=call.query))
    if not answers:
        message = "No part of the cloud answers now."
        raise unavailable(message)
    for resource, resource_id in call.match.params.items():
        cloud.holders.forget(resource, resource_id)
    done = [answer for answer in answers if answer.status < HTTPStatus.BAD_REQUEST]
    refused = [
        answer
        for answer in answers
        if answer.status >= HTTPStatus.BAD_REQUEST and answer.status != HTTPStatus.NOT_FOUND
    ]
    if refused:
        raise PodRefusal(refused[0])
    if not done:
        raise PodRefusal(answers[0])
    gone = {entry.pod for entry in unreachable}
    return _reply(done[0], [pod for pod in pods if pod.name in gone])


def _reply(answer: PodAnswer, missing: list[Pod]) -> Reply:
    headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
    zones = tuple(sorted({pod.availability_zone for pod in missing}))
    content_type = headers.pop("content-type", "application/json")
    return Reply(answer.status, answer.body, headers, zones, content_type, "broadcast")
