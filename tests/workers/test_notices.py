"""What of a view is told."""

from itertools import pairwise

from control_plane.model.endpoint import Endpoint
from control_plane.model.fleet import Fleet
from control_plane.model.pod import Pod, PodState
from control_plane.pods.facts import PodFacts
from control_plane.pods.view import View
from control_plane.workers.mirror import Mirror
from control_plane.workers.notices import Shown

ONE, TWO, THREE = (Pod(str(number), f"Pod{number}", "az1") for number in (1, 2, 3))
AT = PodFacts({"compute": Endpoint("http", "10.0.0.1", 8774)})
ELSEWHERE = PodFacts({"compute": Endpoint("http", "10.0.0.9", 8774)})


def shown(*pods: Pod, behind: frozenset[tuple[str, str]] = frozenset(), **facts: PodFacts) -> Shown:
    return Shown.of(View(Fleet.of(pods), facts, behind))


def test_only_what_is_new_is_told() -> None:
    cordoned = Pod("2", "Pod2", "az1", state=PodState.CORDONED)
    before = shown(ONE, TWO, Pod1=AT, Pod2=AT)
    now = shown(ONE, cordoned, THREE, Pod1=ELSEWHERE, Pod2=AT, Pod3=AT)

    changed = now.since(before)

    assert changed.pods == (cordoned, THREE)
    assert changed.gone == ()
    assert dict(changed.facts) == {"Pod1": ELSEWHERE, "Pod3": AT}
    assert before.after(changed) == now


def test_pods_that_are_gone_are_told_by_name() -> None:
    before = shown(ONE, TWO, Pod1=AT, Pod2=AT, behind=frozenset({("Pod2", "compute")}))
    now = shown(ONE, Pod1=AT)

    changed = now.since(before)

    assert (changed.pods, changed.gone, dict(changed.facts)) == ((), ("Pod2",), {})
    assert before.after(changed) == now


def test_a_mirror_follows_the_changes() -> None:
    mirror, steps = (
        Mirror(),
        [
            shown(ONE, Pod1=AT),
            shown(ONE, TWO, Pod1=AT, Pod2=ELSEWHERE),
            shown(TWO, Pod2=AT, behind=frozenset({("Pod2", "volume")})),
        ],
    )
    mirror.show(steps[0])

    for before, now in pairwise(steps):
        mirror.change(now.since(before))

    view = mirror.view
    assert (view.fleet, dict(view.facts), view.behind) == (
        steps[-1].fleet,
        dict(steps[-1].facts),
        steps[-1].behind,
    )
