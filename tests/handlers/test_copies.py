"""Writes of what several pods have a copy of, under one id."""

from http import HTTPStatus

import pytest

from control_plane.model.pod import Pod
from control_plane.pods.client import PodRequest
from tests.processor.envoy import Envoy

IMAGE = "5a3e9d0c-6c2b-4a57-9f3e-00000000000a"
PATH = f"/image/v2/images/{IMAGE}"
PATCH = [{"op": "replace", "path": "/name", "value": "new"}]


class Glances:
    """Pods that have an image until it is deleted, and what they say to writes."""

    def __init__(self, *pods: str, **answers: int | None) -> None:
        self.having = set(pods)
        self.answers = answers
        self.written: list[tuple[str, str, str]] = []

    def __call__(self, pod: Pod, request: PodRequest) -> tuple[int, object] | None:
        if pod.name not in self.having:
            return 404, {}
        if request.method == "GET":
            return 200, {"id": IMAGE}
        status = self.answers.get(pod.name, 200)
        if status is None:
            return None
        self.written.append((pod.name, request.method, request.path))
        if request.method == "DELETE" and status < HTTPStatus.BAD_REQUEST:
            self.having.remove(pod.name)
        return status, {"id": IMAGE, "name": "new"}


@pytest.mark.parametrize(
    ("method", "below", "body"),
    [
        ("PATCH", "", PATCH),
        ("DELETE", "", None),
        ("POST", "/actions/deactivate", None),
        ("PUT", "/tags/blue", None),
        ("POST", "/members", {"member": "other"}),
    ],
)
async def test_a_write_reaches_every_copy(method: str, below: str, body: object) -> None:
    glances = Glances("Pod1", "Pod2")

    said = await Envoy(glances).exchange(method, f"{PATH}{below}", body)

    assert said.status == 200
    written = f"/v2/images/{IMAGE}{below}"
    assert glances.written == [("Pod1", method, written), ("Pod2", method, written)]


async def test_an_image_that_was_deleted_is_nowhere() -> None:
    glances = Glances("Pod1", "Pod2")
    envoy = Envoy(glances)
    await envoy.exchange("GET", PATH)

    await envoy.exchange("DELETE", PATH)
    said = await envoy.exchange("DELETE", PATH)

    assert glances.having == set()
    assert said.cluster == "Pod1/image"  # for its 404


async def test_a_copy_that_is_alone_is_its_pods() -> None:
    glances = Glances("Pod2")

    said = await Envoy(glances).exchange("PATCH", PATH, PATCH)

    assert said.cluster == "Pod2/image"
    assert said.sent is None
    assert glances.written == []


async def test_what_the_first_pod_refuses_is_done_nowhere() -> None:
    glances = Glances("Pod1", "Pod2", Pod1=403)

    said = await Envoy(glances).exchange("DELETE", PATH)

    assert said.status == 403
    assert glances.having == {"Pod1", "Pod2"}


@pytest.mark.parametrize(("answer", "status"), [(409, 409), (None, 503)])
async def test_what_another_pod_refuses_is_told_and_can_be_tried_again(
    answer: int | None, status: int
) -> None:
    glances = Glances("Pod1", "Pod2", Pod2=answer)
    envoy = Envoy(glances)

    said = await envoy.exchange("DELETE", PATH)
    glances.answers.clear()
    again = await envoy.exchange("DELETE", PATH)

    assert said.status == status
    assert again.cluster == "Pod2/image"


async def test_data_go_to_one_copy() -> None:
    glances = Glances("Pod1", "Pod2")

    said = await Envoy(glances).exchange("PUT", f"{PATH}/file", {"any": "data"})

    assert said.cluster == "Pod1/image"
    assert glances.written == []
