"""Changes that come together go out together."""

import asyncio

import pytest

from control_plane.xds.publication import Publication


async def test_a_change_goes_out_and_those_that_follow_it_at_once_go_together() -> None:
    changes: list[int] = []
    published: list[int] = []
    publication = Publication(lambda: published.append(len(changes)))

    async def change(number: int) -> None:
        changes.append(number)
        await publication.wanted()

    await change(0)
    await asyncio.gather(*(change(number) for number in range(1, 30)))

    assert published == [1, 30]


async def test_who_waits_for_a_publication_is_told_that_it_failed() -> None:
    def fail() -> None:
        message = "refused"
        raise RuntimeError(message)

    publication = Publication(fail)

    with pytest.raises(RuntimeError, match="refused"):
        await publication.wanted()
    with pytest.raises(RuntimeError, match="refused"):
        await publication.wanted()


async def test_one_who_gives_up_does_not_take_the_publication_from_the_others() -> None:
    published: list[str] = []
    publication = Publication(lambda: published.append("all"))
    await publication.wanted()
    impatient = asyncio.create_task(publication.wanted())
    patient = asyncio.create_task(publication.wanted())
    await asyncio.sleep(0)

    impatient.cancel()
    await patient

    assert published == ["all", "all"]
