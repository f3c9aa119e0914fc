"""What each pod says to the caller's own question."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
import structlog

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.refusal import PodRefusal
from control_plane.handlers.translate import Translation
from control_plane.model.errors import NOT_JSON, Refused, unavailable
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Document:
    """One pod's answer, decoded, and what says it in the users' words."""

    pod: Pod
    body: Any
    translation: Translation


async def documents(cloud: Cloud, call: Call) -> tuple[list[Document], tuple[str, ...]]:
    """Ask all pods the caller's own question; their answers and the zones that gave none.

    A request that one pod refuses is wrong for all; its refusal is raised.
    """
    await cloud.identify(call)
    pods = call.view.with_service(call.service.name)
    answers, unreachable = await cloud.pods.ask_all(pods, call.to_pods(query=call.query))
    gone = {entry.pod for entry in unreachable}
    found = []
    for answer in answers:
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            gone.add(answer.pod.name)
        elif answer.status >= HTTPStatus.BAD_REQUEST:
            raise PodRefusal(answer)
        else:
            found.append(document(call, answer))
    if not found:
        raise silence()
    return found, zones_of([pod for pod in pods if pod.name in gone])


def document(call: Call, answer: PodAnswer) -> Document:
    """Decode an answer; Refused(502) when it is no object of JSON."""
    try:
        body = msgspec.json.decode(answer.body)
    except NOT_JSON:
        body = None
    if not isinstance(body, dict):
        log.warning("malformed_answer", pod=answer.pod.name, path=call.operation.path)
        message = "A part of the cloud gave an answer that could not be read."
        raise Refused(HTTPStatus.BAD_GATEWAY, message)
    translation = Translation(call.view, answer.pod, call.gateway, call.authority)
    return Document(answer.pod, body, translation)


def zones_of(pods: Sequence[Pod]) -> tuple[str, ...]:
    """Name the zones of pods, each once."""
    return tuple(sorted({pod.availability_zone for pod in pods}))


def silence() -> Refused:
    """Make the error of a question that no pod answers."""
    return unavailable("No part of the cloud answers now.")
