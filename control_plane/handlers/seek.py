"""Seek: a read of something of which nothing says the pod and that no list shows."""

from http import HTTPStatus

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Reply
from control_plane.handlers.refusal import PodRefusal
from control_plane.handlers.translate import Translation
from control_plane.model.errors import unavailable


async def seek(cloud: Cloud, call: Call) -> Decision:
    """Answer with the first pod's yes; with a no when every pod said it."""
    await cloud.identify(call)
    answers, gone = await cloud.pods.ask_all(call.able_pods, call.to_pods(query=call.query))
    for answer in answers:
        if answer.status < HTTPStatus.BAD_REQUEST:
            translation = Translation(call.view, answer.pod, call.gateway, call.authority)
            resource = call.service.resources.get(call.operation.answer)
            body = translation.body(answer.body, resource) if resource else answer.body
            return Reply(answer.status, body, reason="found")
    failed = [entry for entry in answers if entry.status >= HTTPStatus.INTERNAL_SERVER_ERROR]
    refused = [entry for entry in answers if entry not in failed]
    unknown = [entry for entry in refused if entry.status != HTTPStatus.NOT_FOUND]
    if unknown:
        raise PodRefusal(unknown[0])
    if gone or not answers:
        message = "It could not be looked for everywhere; try again."
        raise unavailable(message)
    raise PodRefusal((failed or refused)[0])
