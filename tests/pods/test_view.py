"""What follows from a view is worked out once, and anew for another view."""

from dataclasses import replace

from control_plane.model.fleet import Fleet
from control_plane.model.microversion import Microversion, MicroversionRange
from control_plane.model.pod import Pod, PodState
from control_plane.pods.facts import PodFacts
from control_plane.pods.view import View
from tests.processor.envoy import POD1, POD2, VIEW, facts


def _range(lowest: int, highest: int) -> MicroversionRange:
    return MicroversionRange(Microversion(2, lowest), Microversion(2, highest))


def test_a_view_that_is_asked_twice_says_the_same() -> None:
    for _ in range(2):
        assert VIEW.with_service("compute") == (POD1, POD2)
        assert VIEW.having("compute") == {"Pod1", "Pod2"}
        assert VIEW.with_service("nothing") == ()
        assert VIEW.version_range("compute") == _range(1, 96)
        assert VIEW.version_range("image") is None


def test_what_is_replaced_in_a_view_is_seen_after_it_was_asked() -> None:
    view = replace(VIEW)
    assert view.unready("compute") == view.arriving == frozenset()
    assert view.answering == {"Pod1", "Pod2"}

    behind = replace(view, behind=frozenset({("Pod1", "compute")}))
    assert behind.unready("compute") == {"Pod1"}
    assert behind.unready("volume") == frozenset()

    silent: dict[str, PodFacts] = {
        "Pod1": replace(facts(1), misses=9, ready=False, versions={"compute": _range(1, 90)}),
        "Pod2": facts(2),
    }
    other = replace(view, facts=silent)
    assert other.answering == {"Pod2"}
    assert other.arriving == other.unready("image") == {"Pod1"}
    assert other.version_range("compute") == _range(1, 90)


def test_a_disabled_pod_has_no_service() -> None:
    off = Pod("id-3", "Pod3", "az3", state=PodState.DISABLED)
    view = View(Fleet.of([POD1, off]), {"Pod1": facts(1), "Pod3": facts(3)})

    assert view.having("compute") == {"Pod1"}
