"""Single: a read of something that is the same in every pod that has it."""

from http import HTTPStatus

from control_plane.handlers.broadcast import shown, write_of
from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Forward, Reply
from control_plane.handlers.record import watcher
from control_plane.handlers.refusal import PodRefusal
from control_plane.model.errors import PodUnreachable, unavailable
from control_plane.pods.client import PodAnswer
from control_plane.replication.copies import Unresolved
from control_plane.replication.write import is_mapped


async def single(cloud: Cloud, call: Call) -> Decision:
    """Forward to a pod that has the thing the path names, or to any when it names none.

    Definitions are read here: any pod will do, each with the id it has there, and one that does
    not answer is passed over.
    """
    resource = call.service.resources.get(next(iter(call.match.params), ""))
    answer = call.service.resources.get(call.operation.answer)
    if (resource is not None and resource.definition is not None) or (answer and answer.ids):
        return await _read(cloud, call)
    named = next(iter(call.match.params.items()), None)
    question = await cloud.question(call, *named) if named else None
    if question is None:
        return Forward(call.any_pod(), "any")
    pod = await cloud.holders.first(question, call.able_pods)
    if pod is None:
        return Forward(call.any_pod(), "nowhere")
    return Forward(pod, "holder", watch=watcher(cloud, call, pod))


async def _read(cloud: Cloud, call: Call) -> Reply:
    write = write_of(call)
    for name, value in call.match.params.items():
        if is_mapped(call.service, name):
            await cloud.copies.resolve(name, value)
    lost: PodAnswer | None = None
    silent = False
    for pod in call.able_pods:
        try:
            answer = await cloud.pods.ask(pod, write.to_pod(pod, cloud.copies))
        except PodUnreachable:
            silent = True
            continue
        except Unresolved:
            continue
        if answer.status == HTTPStatus.NOT_FOUND:
            lost = lost or answer
            continue
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise PodRefusal(answer)
        resource = call.service.resources.get(call.operation.answer)
        if resource is not None:
            await cloud.copies.learn(resource, pod, answer.body)
        headers = {name: answer.headers[name] for name in ("etag",) if name in answer.headers}
        content_type = answer.headers.get("content-type", "application/json")
        return Reply(answer.status, shown(call, answer), headers, (), content_type, "copy")
    if lost is not None and not silent:
        raise PodRefusal(lost)
    message = "This could not be looked up everywhere; try again."
    raise unavailable(message)
