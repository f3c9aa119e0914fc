"""Together: a command for the services of all pods, whose answers are put together."""

from http import HTTPStatus
from typing import Any

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Reply
from control_plane.handlers.host import host_pins, write_hosts
from control_plane.handlers.refusal import PodRefusal
from control_plane.handlers.translate import Translation
from control_plane.model.errors import unavailable
from control_plane.pods.client import PodAnswer


async def together(cloud: Cloud, call: Call) -> Decision:
    """Ask all pods, or the one that a host's name says.

    A pod that does not know what is named counts only if no other does.
    """
    await cloud.identify(call)
    pods = call.view.with_service(call.service.name)
    named = {pin.pod for pin in host_pins(call, call.operation.hosts)} if call.body else set()
    if named:
        pods = tuple(pod for pod in pods if pod.name in named)
        write_hosts(call, call.operation.hosts)
        call.body = msgspec.json.encode(call.json)
    answers, unreachable = await cloud.pods.ask_all(pods, call.to_pods(query=call.query))
    done = [answer for answer in answers if answer.status < HTTPStatus.BAD_REQUEST]
    if not done:
        if answers:
            raise PodRefusal(answers[0])
        message = "No part of the cloud answers now."
        raise unavailable(message)
    gone = {entry.pod for entry in unreachable}
    return Reply(
        done[0].status,
        _joined(call, done),
        missing=tuple(sorted({pod.availability_zone for pod in pods if pod.name in gone})),
        reason="together",
    )


def _joined(call: Call, answers: list[PodAnswer]) -> bytes:
    """Put the lists of the answers together, each entry in the users' words."""
    if not call.operation.joined or not answers[0].body:
        return answers[0].body
    resource = call.service.resources.get(call.operation.answer)
    whole: dict[str, list[Any]] = {name: [] for name in call.operation.joined}
    for answer in answers:
        translation = Translation(call.view, answer.pod, call.gateway, call.authority)
        document = msgspec.json.decode(answer.body)
        for name, items in whole.items():
            for item in document.get(name, ()):
                raw = msgspec.json.encode(item)
                text = translation.item(raw, resource) if resource else raw
                items.append(msgspec.json.decode(text))
    return msgspec.json.encode(whole)
