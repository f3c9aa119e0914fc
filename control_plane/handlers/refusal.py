"""Pass a pod's own refusal on to the client."""

from http import HTTPStatus

from control_plane.model.errors import Trio2oError
from control_plane.pods.client import PodAnswer

#: Headers of a pod's refusal that belong to the refusal.
_KEPT = ("www-authenticate", "retry-after", "content-type")


class PodRefusal(Trio2oError):
    """A pod answered 4xx; its status, body and headers go to the client.

    Only what the body says of the pod itself is said in the users' words (`Translation.fault`).
    """

    def __init__(self, answer: PodAnswer) -> None:
        """Keep the pod's answer."""
        super().__init__(f"pod {answer.pod.name} answered {answer.status}")
        self.pod = answer.pod
        self.status = HTTPStatus(answer.status)
        self.body = answer.body
        self.headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}


def refusal_of(answer: PodAnswer) -> PodRefusal:
    """Make the error that carries a pod's refusal to the client."""
    return PodRefusal(answer)
