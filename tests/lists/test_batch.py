"""How many items pods are asked for."""

from random import Random

import pytest

from control_plane.lists.batch import BATCH, further, share


@pytest.mark.parametrize("wanted", [1, 20, 100, 1000])
@pytest.mark.parametrize("pods", [1, 2, 5, 20, 100])
def test_a_list_that_is_dealt_by_chance_rarely_needs_a_second_question(
    wanted: int, pods: int
) -> None:
    random = Random(11)
    asked = share(wanted, pods)

    short = 0
    for _ in range(100):
        held = [0] * pods
        for _ in range(wanted):
            held[random.randrange(pods)] += 1
        short += max(held) > asked

    assert short <= 3


@pytest.mark.parametrize("wanted", [0, 1, 1000, 5000])
def test_no_pod_is_asked_for_more_than_the_page_or_than_a_batch(wanted: int) -> None:
    assert share(wanted, 1) == min(wanted, BATCH)
    assert all(share(wanted, pods) <= min(wanted, BATCH) for pods in (2, 20, 1000))


def test_a_pod_that_has_more_than_its_share_gives_a_page_in_few_questions() -> None:
    asked, questions, missing = share(1000, 100), 1, 1000
    missing -= asked
    while missing > 0:
        asked = further(asked, missing)
        missing -= asked
        questions += 1

    assert questions <= 4


def test_no_more_is_asked_for_than_is_missing_unless_that_is_not_known() -> None:
    assert further(100, 7) == 7
    assert further(100, 0) == 400
    assert further(BATCH, 5000) == BATCH
