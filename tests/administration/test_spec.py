"""A pod as operators write it."""

from typing import Any

import pytest

from control_plane.administration.spec import SERVICE_NAMES, PodSpec, differences
from control_plane.model.errors import Invalid
from control_plane.model.pod import Pod, PodState
from control_plane.services.catalog import SERVICES

WRITTEN = {
    "name": "Pod1",
    "availability_zone": "az1",
    "pod_availability_zone": "nova",
    "data_center": "dc1",
    "state": "cordoned",
    "weight": 50,
    "labels": {"gpu": "true"},
    "endpoints": {"compute": "http://10.0.0.1:8774/v2.1"},
}


def test_the_services_are_those_of_the_tables() -> None:
    assert set(SERVICE_NAMES) == {service.name for service in SERVICES}


def test_every_field_is_read() -> None:
    spec = PodSpec.read(WRITTEN)
    spec.check()

    assert spec == PodSpec(**{**WRITTEN, "state": PodState.CORDONED})


def test_what_the_control_plane_tells_besides_is_let_through() -> None:
    spec = PodSpec.read({**WRITTEN, "id": "1", "created_at": "2026-01-01T00:00:00Z"})

    assert spec == PodSpec.read(WRITTEN)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"name": ""}, "name must not be empty"),
        ({"name": None}, "name must not be empty"),
        ({"name": "a/b"}, "name may hold"),
        ({"name": "a b"}, "name may hold"),
        ({"name": "a" * 256}, "name may hold"),
        ({"name": 7}, "name must be text"),
        ({"availability_zone": ""}, "availability_zone must not be empty"),
        ({"availability_zone": "a:b"}, "cannot be the name of a zone"),
        ({"availability_zone": " az"}, "cannot be the name of a zone"),
        ({"pod_availability_zone": "a\nb"}, "cannot be the name of a zone"),
        ({"data_center": "d" * 256}, "longer than"),
        ({"data_center": "a\0b"}, "data_center holds what cannot be printed"),
        ({"labels": {"gpu": "a\0b"}}, "labels holds what cannot be printed"),
        ({"endpoints": {"compute": "http://user:secret@h/v2.1"}}, "a host, a port and a path only"),
        ({"endpoints": {"compute": "http://h h/v2.1"}}, "a host, a port and a path only"),
        ({"endpoints": {"compute": "http://h/v2.1?a=b"}}, "a host, a port and a path only"),
        ({"state": "asleep"}, "state must be one of enabled, cordoned, disabled"),
        ({"weight": -1}, "weight must be from 0 to 1000"),
        ({"weight": 1001}, "weight must be from 0 to 1000"),
        ({"weight": "7"}, "weight must be a whole number"),
        ({"weight": True}, "weight must be a whole number"),
        ({"labels": {"gpu": True}}, "labels.gpu must be text; put it in quotes"),
        ({"labels": ["gpu"]}, "labels must be a mapping"),
        ({"endpoints": {"computer": "http://a"}}, "endpoints.computer is none of compute"),
        ({"endpoints": {"compute": "10.0.0.1:8774"}}, "endpoints.compute not an http"),
        ({"zone": "az1"}, "zone is no field of a pod"),
    ],
)
def test_what_cannot_be_is_named(changed: dict[str, Any], fault: str) -> None:
    with pytest.raises(Invalid) as caught:
        PodSpec.read({**WRITTEN, **changed}).check()

    assert fault in str(caught.value)


@pytest.mark.parametrize("written", [None, "Pod1", ["Pod1"]])
def test_what_is_no_mapping_is_refused(written: object) -> None:
    with pytest.raises(Invalid, match="a pod is a mapping"):
        PodSpec.read(written)


def test_a_state_that_is_left_out_stays() -> None:
    spec = PodSpec("Pod1", "az1")
    cordoned = Pod("1", "Pod1", "az1", state=PodState.CORDONED, weight=7)

    assert spec.over(None).state is PodState.ENABLED
    assert spec.over(cordoned) == Pod("1", "Pod1", "az1", state=PodState.CORDONED)


def test_a_pod_written_down_is_the_same_pod() -> None:
    pod = PodSpec.read(WRITTEN).over(None)

    assert PodSpec.of(pod).over(pod) == pod


def test_differences_are_named() -> None:
    pod = PodSpec.read(WRITTEN).over(None)
    other = PodSpec.read({**WRITTEN, "weight": 1, "labels": {}}).over(None)

    assert differences(pod, pod) == ()
    assert differences(pod, other) == ("weight", "labels")
