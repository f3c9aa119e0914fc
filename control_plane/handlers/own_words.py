"""Let a pod refuse a question that cannot be read, in the words of its service."""

from http import HTTPStatus

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.refusal import refusal_of
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
