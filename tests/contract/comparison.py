"""What every comparison of an answer with a pod's own looks at."""

from collections.abc import Iterator, Sequence

from tests.contract.shape import Shape, differences
from tests.openstack.client import Answer

#: Headers that say how an answer is to be read; they must be as a pod sends them.
_HEADERS = (
    "openstack-api-version",
    "x-openstack-nova-api-version",
    "vary",
    "content-type",
)
_IDS = ("x-openstack-request-id", "x-compute-request-id")
_NAMES = (*_IDS, "location", "etag", "retry-after")


def compare(found: Answer, pods: Sequence[Answer]) -> list[str]:
    """Tell where an answer differs from the first pod's, and its shape from all pods' together."""
    first = pods[0]
    if found.status != first.status:
        return [f"status {found.status}, not {first.status}: {found.text[:300]}"]
    told = [*_headers(found, first)]
    if found.status >= 400:
        return told + _keys(found, first)
    wanted = Shape()
    for pod in pods:
        if pod.status == first.status and pod.content:
            wanted.add(pod.json)
    shape = Shape().add(found.json) if found.content else Shape()
    if bool(found.content) != bool(first.content):
        told.append(f"a body of {len(found.content)} bytes, not {len(first.content)}")
    return told + list(differences(shape, wanted))


def _headers(found: Answer, pod: Answer) -> Iterator[str]:
    for name in _HEADERS:
        here, there = _value(found, name), _value(pod, name)
        if here != there:
            yield f"{name}: {here}, not {there}"
    for name in _NAMES:
        # More names for the request than the pod's do no harm.
        if name in _IDS and found.headers.get(name):
            continue
        if bool(found.headers.get(name)) != bool(pod.headers.get(name)):
            yield f"{name}: {found.headers.get(name)}, not {pod.headers.get(name)}"


def _value(answer: Answer, name: str) -> str:
    """Join a repeated header: `Vary` twice is `Vary` once with a comma."""
    words = ",".join(answer.headers.get_all(name) or ()).split(",")
    return ", ".join(word.strip().lower() for word in words)


def _keys(found: Answer, pod: Answer) -> list[str]:
    """Compare faults: the name, and the keys inside; messages are for people."""
    shape, wanted = Shape().add(found.json), Shape().add(pod.json)
    return list(differences(shape, wanted))
