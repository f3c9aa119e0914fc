import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import structlog

from control_plane.workers.channel import Channel, ChannelClosed, Take


@asynccontextmanager
async def pair(here: Take, there: Take) -> AsyncIterator[tuple[Channel, Channel]]:
    ends = socket.socketpair()
    channels = [
        await Channel.over(end, take) for end, take in zip(ends, (here, there), strict=True)
    ]
    running = [asyncio.create_task(channel.run()) for channel in channels]
    try:
        yield channels[0], channels[1]
    finally:
        for channel in channels:
            channel.close()
        await asyncio.gather(*running)


async def silent(_: object) -> None:
    raise AssertionError("nothing is said to this side")


async def test_who_tells_waits_until_the_other_has_taken_it_in() -> None:
    taken: list[object] = []

    async def take(content: object) -> object:
        await asyncio.sleep(0)
        taken.append(content)
        return len(taken)

    async with pair(silent, take) as (channel, _):
        answers = [await channel.tell({"pods": 2}), await channel.tell("again")]

    assert taken == [{"pods": 2}, "again"]
    assert answers == [1, 2]


async def test_both_sides_may_tell_at_once_and_a_slow_answer_holds_up_nothing() -> None:
    told = asyncio.Event()

    async def slow(_: object) -> str:
        await told.wait()
        return "slow"

    async def quick(_: object) -> str:
        return "quick"

    async with pair(quick, slow) as (here, there):
        waiting = asyncio.create_task(here.tell(1))
        answer = await there.tell(2)
        told.set()

        assert (answer, await waiting) == ("quick", "slow")


async def test_what_cannot_be_taken_in_is_told() -> None:
    with structlog.testing.capture_logs() as logs:
        async with pair(silent, silent) as (channel, _):
            with pytest.raises(ChannelClosed):
                await channel.tell("unexpected")

    assert [entry["event"] for entry in logs] == ["notice_not_taken"]


async def test_who_waits_for_a_side_that_goes_is_told() -> None:
    async def never(_: object) -> None:
        await asyncio.Event().wait()

    async with pair(silent, never) as (channel, other):
        waiting = asyncio.create_task(channel.tell(1))
        await asyncio.sleep(0)
        other.close()

        with pytest.raises(ChannelClosed):
            await waiting
        with pytest.raises(ChannelClosed):
            await channel.tell(2)
