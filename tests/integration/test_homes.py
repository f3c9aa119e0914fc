"""A project that comes into a second pod: its lists show that at once, whoever answered before."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from tests.integration.cloud import Cloud, until
from tests.integration.gateway import Gateway
from tests.integration.tenant import Tenant

pytestmark = pytest.mark.openstack

_ROUTED = "vhost.ingress.route.seen.upstream_rq_total"


class Lists:
    """Volumes as lists showed them, with the moments at which those were asked for."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._seen: list[tuple[float, frozenset[str]]] = []

    def since(self, moment: float) -> list[frozenset[str]]:
        return [shown for asked, shown in self._seen if asked >= moment]

    @contextmanager
    def asked_again_and_again(self) -> Iterator[None]:
        end = Event()

        def ask() -> None:
            while not end.is_set():
                moment = time.monotonic()
                volumes = self._cloud.read("volume", "/volumes")["volumes"]
                self._seen.append((moment, frozenset(volume["id"] for volume in volumes)))

        thread = Thread(target=ask)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()


def test_what_is_made_in_a_second_pod_is_in_every_list_from_then_on(
    tenant: Tenant, zones: tuple[str, str], gateway: Gateway
) -> None:
    cloud = tenant.cloud
    lists = Lists(cloud)
    first = cloud.create_volume("first", zones[0])
    cloud.wait_for_volume(first)
    routed = gateway.statistic(_ROUTED)

    with lists.asked_again_and_again():
        until(
            "lists routed by Envoy",
            lambda: gateway.statistic(_ROUTED) - routed,
            lambda count: count > 5,
        )
        second = cloud.create_volume("second", zones[1])
        moment = time.monotonic()
        until("lists afterwards", lambda: len(lists.since(moment)), lambda count: count > 20)

    assert all(shown == {first, second} for shown in lists.since(moment))
    cloud.wait_for_volume(second)
