"""What Envoy's ext_proc filter calls: conversations, and exchanges of one message.

Envoy's routes choose by the row of a request how much of an exchange has to be seen. Where the
first message is the only one (`first_word.py`), the call goes to a place of its own (`words.py`),
all else to that of the conversations (`streams.py`).
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from types import MappingProxyType
from typing import Self

from control_plane.handlers import Cloud
from control_plane.observability.metrics import Metrics
from control_plane.pb import ext_proc_pb2 as pb
from control_plane.processor.conversation import Conversation
from control_plane.processor.exchange import Pods
from control_plane.processor.first_word import FirstWord
from control_plane.processor.learn import Teacher
from control_plane.services.catalog import SERVICES
from control_plane.services.table import Table


class Processor:
    """Starts a conversation for each HTTP exchange."""

    def __init__(self, pods: Pods, cloud: Cloud, metrics: Metrics) -> None:
        """Compile the tables once."""
        self._pods = pods
        self._cloud = cloud
        self._metrics = metrics
        self._teacher = Teacher()
        self._tables = MappingProxyType({entry.name: Table(entry) for entry in SERVICES})

    async def hold(self, requests: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Serve one stream, which is one HTTP exchange."""
        conversation = Conversation(
            self._pods, self._cloud, self._tables, self._metrics, self._teacher
        )
        async with aclosing(conversation.run(_Requests(requests))) as replies:
            async for reply in replies:
                yield reply if isinstance(reply, bytes) else reply.SerializeToString()

    async def say(self, data: bytes) -> bytes:
        """Serve an exchange that is one message."""
        word = FirstWord(self._pods, self._cloud, self._tables, self._metrics, self._teacher)
        return await word.say(data)


class _Requests:
    """Reads Envoy's messages as they come."""

    def __init__(self, messages: AsyncIterator[bytes]) -> None:
        self._messages = messages

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> pb.ProcessingRequest:
        return pb.ProcessingRequest.FromString(await anext(self._messages))
