"""Single: a read of something that is the same in every pod that has it."""

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.decision import Decision, Forward
from control_plane.handlers.record import watcher


async def single(cloud: Cloud, call: Call) -> Decision:
    """Forward to a pod that has the thing the path names, or to any when it names none."""
    named = next(iter(call.match.params.items()), None)
    question = await cloud.question(call, *named) if named else None
    if question is None:
        return Forward(call.any_pod(), "any")
    pod = await cloud.holders.first(question, call.able_pods)
    if pod is None:
        return Forward(call.any_pod(), "nowhere")
    return Forward(pod, "holder", watch=watcher(cloud, call, pod))
