"""The verifier that creates and lists ask: a bounded cache before Keystone.

A token is kept under its SHA-256, so that a dump of the process holds no cache of usable tokens
beyond the requests under way.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Protocol

from control_plane.model.caller import Caller
from control_plane.model.errors import Refused

#: keystonemiddleware's token_cache_time: how long a revoked token may live on, seconds.
CACHE_SECONDS = 300.0
#: A token Keystone does not know is not asked about again for so long, seconds.
REFUSAL_SECONDS = 10.0
CACHE_SIZE = 20_000


class Validator(Protocol):
    """Asks Keystone."""

    auth_url: str

    async def validate(self, token: str) -> Caller | None:
        """Say who a token is, or None."""


@dataclass(frozen=True, slots=True)
class _Entry:
    caller: Caller | None
    until: float


class TokenVerifier:
    """Says who a token is, from memory where it can; one question to Keystone a token at a time."""

    def __init__(self, validator: Validator, clock: Callable[[], float] = time.time) -> None:
        """Start with an empty cache."""
        self._validator = validator
        self._clock = clock
        self._known: OrderedDict[bytes, _Entry] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[_Entry]] = {}

    async def verify(self, token: str) -> Caller:
        """Say who a token is; Refused(401) for a missing, unknown or expired one."""
        if not token:
            raise self._refusal()
        key = hashlib.sha256(token.encode()).digest()
        entry = self._known.get(key)
        if entry is None or entry.until <= self._clock():
            entry = await self._ask(key, token)
        else:
            self._known.move_to_end(key)
        caller = entry.caller
        if caller is None or caller.expires_at <= self._clock():
            raise self._refusal()
        return replace(caller, token=token)

    async def _ask(self, key: bytes, token: str) -> _Entry:
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._validate(key, token))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        # A caller that leaves must not cancel the question others wait for.
        return await asyncio.shield(task)

    async def _validate(self, key: bytes, token: str) -> _Entry:
        caller = await self._validator.validate(token)
        if caller is None:
            entry = _Entry(None, self._clock() + REFUSAL_SECONDS)
        else:
            until = min(self._clock() + CACHE_SECONDS, caller.expires_at)
            entry = _Entry(replace(caller, token=""), until)
        self._known[key] = entry
        self._known.move_to_end(key)
        if len(self._known) > CACHE_SIZE:
            self._known.popitem(last=False)
        return entry

    def _refusal(self) -> Refused:
        return Refused(
            HTTPStatus.UNAUTHORIZED,
            "The request you have made requires authentication.",
            {"www-authenticate": f'Keystone uri="{self._validator.auth_url}"'},
        )
