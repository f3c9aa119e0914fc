"""Pods that do not answer a worker are told to the control plane."""

from control_plane.workers.suspicion import AGAIN_SECONDS, Suspicion


class Counter:
    def __init__(self) -> None:
        self.counted: list[tuple[str, str]] = []

    def pod_error(self, pod: str, reason: str) -> None:
        self.counted.append((pod, reason))


def test_each_silence_is_counted_and_a_pod_told_of_once_a_second() -> None:
    counter, told, now = Counter(), list[str](), [0.0]
    suspicion = Suspicion(counter, told.append, lambda: now[0])

    for pod in ("Pod1", "Pod2", "Pod1"):
        suspicion.pod_error(pod, "answered 503")
    now[0] += AGAIN_SECONDS
    suspicion.of("Pod1")

    assert told == ["Pod1", "Pod2", "Pod1"]
    assert len(counter.counted) == 3
