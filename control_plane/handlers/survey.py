"""Find the pod of a name by the pods' lists, where no path answers for the name alone."""

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import quote

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.model.errors import NOT_JSON, Refused, unavailable
from control_plane.model.host import parse_host, shown_host
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer, PodRequest
from control_plane.services.operation import Resource, Survey


async def holder(cloud: Cloud, call: Call, resource: Resource, word: str) -> Pod | None:
    """Find the pod of a name, which may begin with it; None when no pod has the name.

    Raises Refused(400) for a name that several pods have, with the names that say which.
    """
    named, name = parse_host(call.view.fleet, word)
    if named is not None or resource.survey is None:
        return named
    # A pool of a back end is no service of its own.
    name = name.partition("#")[0]
    found = await _surveyed(cloud, call, resource.survey, name)
    if len(found) > 1:
        shown = " or ".join(shown_host(pod.name, word) for pod in found)
        message = f"Several parts of the cloud have {word}; write {shown}."
        raise Refused(HTTPStatus.BAD_REQUEST, message)
    return found[0] if found else None


async def _surveyed(cloud: Cloud, call: Call, survey: Survey, name: str) -> list[Pod]:
    path = call.sibling(survey.path.format(id=quote(name, safe="")))
    headers = {key: text for key, text in call.carried.items() if key != "content-type"}
    request = PodRequest(call.service.name, "GET", path, headers, authority=call.authority)
    answers, gone = await cloud.pods.ask_all(call.able_pods, request)
    found = [answer.pod for answer in answers if name in _names(answer, survey)]
    if not found and (gone or any(_failed(answers))):
        message = f"{name} could not be looked up everywhere; try again."
        raise unavailable(message)
    return found


def _failed(answers: Iterable[PodAnswer]) -> Iterable[bool]:
    return (answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR for answer in answers)


def _names(answer: PodAnswer, survey: Survey) -> frozenset[str]:
    """Read the names in a list; none where the pod refuses to show it."""
    if answer.status >= HTTPStatus.BAD_REQUEST:
        return frozenset()
    try:
        items = msgspec.json.decode(answer.body)[survey.key]
        return frozenset(item[survey.field] for item in items)
    except (*NOT_JSON, KeyError, TypeError):
        return frozenset()
