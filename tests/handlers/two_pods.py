"""Two pods with numbers that answer by path, for tests of what the handlers make of answers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from control_plane.handlers.translate import Translation
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod
from control_plane.pods.client import PodRequest
from control_plane.pods.view import View
from tests.processor.envoy import POD1, POD2, Envoy, facts

ONE, TWO = replace(POD1, number=1), replace(POD2, number=2)
VIEW = View(Fleet.of([ONE, TWO]), {"Pod1": facts(1), "Pod2": facts(2)})

Answer = tuple[int, Any] | None


def envoy(script: Callable[[Pod, PodRequest], Answer]) -> Envoy:
    """Make an Envoy before pods that answer by a function."""
    return Envoy(script, VIEW)


def saying(one: Answer | Any, two: Answer | Any) -> Envoy:
    """Make an Envoy before pods that each say one thing whatever is asked, 200 if it is a body."""
    said = {"Pod1": one, "Pod2": two}

    def script(pod: Pod, _: PodRequest) -> Answer:
        answer = said[pod.name]
        return answer if answer is None or isinstance(answer, tuple) else (200, answer)

    return envoy(script)


def translation(pod: Pod = ONE) -> Translation:
    """Make what translates a pod's answers."""
    return Translation(VIEW, pod, "http://gateway:8080", "gateway:8080")


def asked(envoy: Envoy, pod: str) -> list[tuple[str, str]]:
    """Tell which methods and paths a pod was asked."""
    return [(request.method, request.path) for name, request in envoy.pods.asked if name == pod]


def sent(envoy: Envoy) -> Mapping[str, Any]:
    """Tell the bodies that the pods were sent last, by pod."""
    return {name: json.loads(request.body) for name, request in envoy.pods.asked if request.body}
