"""The token cache before Keystone."""

import asyncio
from http import HTTPStatus

import pytest

from control_plane.identity.tokens import CACHE_SECONDS, TokenVerifier
from control_plane.model.caller import Caller
from control_plane.model.errors import Refused


class Clock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Keystone:
    """Knows one token and counts the questions."""

    auth_url = "http://keystone:5000/v3"

    def __init__(self, expires_at: float = 10_000.0) -> None:
        self.questions = 0
        self.expires_at = expires_at

    async def validate(self, token: str) -> Caller | None:
        self.questions += 1
        await asyncio.sleep(0)
        if token != "good":
            return None
        return Caller("u", "p", frozenset({"member"}), token, self.expires_at)


async def test_a_known_token_is_asked_about_once_by_many_at_a_time() -> None:
    keystone = Keystone()
    verifier = TokenVerifier(keystone, Clock())

    callers = await asyncio.gather(*(verifier.verify("good") for _ in range(50)))

    assert {caller.project_id for caller in callers} == {"p"}
    assert keystone.questions == 1


async def test_a_token_is_asked_about_again_when_the_cache_is_stale() -> None:
    keystone, clock = Keystone(), Clock()
    verifier = TokenVerifier(keystone, clock)

    await verifier.verify("good")
    clock.now += CACHE_SECONDS + 1
    await verifier.verify("good")

    assert keystone.questions == 2


async def test_a_token_does_not_outlive_its_expiry_in_the_cache() -> None:
    clock = Clock()
    verifier = TokenVerifier(Keystone(expires_at=clock.now + 5), clock)

    await verifier.verify("good")
    clock.now += 6

    with pytest.raises(Refused):
        await verifier.verify("good")


@pytest.mark.parametrize("token", ["", "bad"])
async def test_a_missing_or_unknown_token_is_401_with_the_way_to_keystone(token: str) -> None:
    verifier = TokenVerifier(Keystone(), Clock())

    with pytest.raises(Refused) as refused:
        await verifier.verify(token)

    assert refused.value.status == HTTPStatus.UNAUTHORIZED
    assert refused.value.headers == {"www-authenticate": 'Keystone uri="http://keystone:5000/v3"'}


async def test_no_token_is_kept_or_shown() -> None:
    verifier = TokenVerifier(Keystone(), Clock())
    caller = await verifier.verify("good")

    assert caller.token == "good"
    assert "good" not in repr(caller)
    assert "good" not in repr(vars(verifier))
