"""Let a pod refuse a question in the words of its service."""

from http import HTTPStatus

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.refusal import PodRefusal, refusal_of
from control_plane.model.errors import PodUnreachable, Unreadable


async def in_own_words(cloud: Cloud, call: Call, refused: Unreadable) -> Exception:
    """Give a pod's refusal of the same question, or `refused` where it takes it or none answers."""
    for pod in call.able_pods:
        try:
            answer = await cloud.pods.ask(pod, call.to_pods(query=call.query))
        except PodUnreachable:
            continue
        refuses = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        return refusal_of(answer) if refuses else refused
    return refused


async def as_asked(cloud: Cloud, call: Call, refusal: PodRefusal) -> PodRefusal:
    """Give the refusal of the client's own list where the pod was asked for a longer form of it.

    Services have a rule for each, and say which they went by.
    """
    if not call.operation.source or refusal.status != HTTPStatus.FORBIDDEN:
        return refusal
    try:
        answer = await cloud.pods.ask(refusal.pod, call.to_pods(query=call.query))
    except PodUnreachable:
        return refusal
    return refusal_of(answer) if answer.status == HTTPStatus.FORBIDDEN else refusal
