"""Copies: a write for each copy of what the path names, in the pods that have one.

A copy that one pod alone has is that pod's affair. Of several the first decides: what it refuses
is done nowhere. What another one refuses or does not answer is told to the client, who may try
again.
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

from control_plane.handlers.broadcast import shown
from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Reply
from control_plane.handlers.refusal import PodRefusal
from control_plane.handlers.route import route
from control_plane.model.errors import unavailable
from control_plane.model.pod import Pod
from control_plane.pods.client import PodAnswer


async def copies(cloud: Cloud, call: Call) -> Decision:
    """Forward to the only pod that has a copy, or carry the write out in all that have."""
    resource, resource_id = next(iter(call.match.params.items()))
    question = await cloud.question(call, resource, resource_id)
    if question is None:
        return await route(cloud, call)
    found = await cloud.holders.of(question, call.able_pods)
    pods = [pod for pod in call.able_pods if pod.name in found.holders]
    if len(pods) < 2:  # noqa: PLR2004
        return await route(cloud, call)
    # Shielded: a client that goes away must not leave copies that differ.
    answer = await asyncio.shield(asyncio.create_task(_carry_out(cloud, call, pods)))
    content_type = answer.headers.get("content-type", "application/json")
    return Reply(answer.status, shown(call, answer), {}, (), content_type, "copies")


async def _carry_out(cloud: Cloud, call: Call, pods: Sequence[Pod]) -> PodAnswer:
    """Give the answer of the first pod that has what is written; raises what is refused."""
    request = call.to_pods(query=call.query)
    told: list[PodAnswer] = []
    lost: list[PodAnswer] = []
    for pod in pods:
        answer = await cloud.pods.ask(pod, request)
        if answer.status == HTTPStatus.NOT_FOUND:
            lost.append(answer)
            continue
        told.append(answer)
        break
    if call.method == "DELETE":
        await cloud.holders.forget(*next(iter(call.match.params.items())))
    if not told:
        raise PodRefusal(lost[0])
    if told[0].status < HTTPStatus.BAD_REQUEST:
        others = pods[len(lost) + 1 :]
        answers, silent = await cloud.pods.ask_all(others, request)
        told += [answer for answer in answers if answer.status != HTTPStatus.NOT_FOUND]
        if silent:
            message = "A part of the cloud did not answer; try again."
            raise unavailable(message)
    for answer in told:
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise PodRefusal(answer)
    return told[0]
