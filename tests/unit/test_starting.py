"""What is waited for before LiteLLM is given anything, and how it ends when the client hangs up."""

import asyncio
import gc
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from litellm_imagegen.errors import ClientGone
from litellm_imagegen.plugin.sending import Receiver
from litellm_imagegen.plugin.starting import begun, while_connected
from litellm_imagegen.plugin.vault import Message, Vault


class Chunks:
    """Three numbers, after `begins` is set; what has become of them."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.begins = asyncio.Event()
        self.asked = asyncio.Event()
        self.ended = asyncio.Event()
        self._failure = failure

    async def stream(self) -> AsyncGenerator[int, None]:
        try:
            self.asked.set()
            await self.begins.wait()
            if self._failure is not None:
                raise self._failure
            for number in range(3):
                yield number
        finally:
            self.ended.set()


class Client:
    """A client that has sent its whole request, and hangs up; `readers` is how many wait for that at once."""

    def __init__(self) -> None:
        self.hangs_up = asyncio.Event()
        self.readers = 0
        self._messages: list[Message] = [{"type": "http.request", "body": b"{}", "more_body": False}]

    async def receive(self) -> Message:
        if self._messages:
            return self._messages.pop()
        self.readers += 1
        assert self.readers == 1, "a server may tell one reader alone"
        await self.hangs_up.wait()
        self.readers -= 1
        return {"type": "http.disconnect"}


async def in_time(work: Any) -> Any:
    return await asyncio.wait_for(work, 10)


@pytest.mark.parametrize("in_proxy", [False, True])
def test_a_stream_that_has_begun_gives_all_its_chunks(in_proxy: bool) -> None:
    async def check() -> None:
        chunks = Chunks()
        starting = asyncio.create_task(begun(chunks.stream(), Vault() if in_proxy else None))
        await in_time(chunks.asked.wait())
        assert not starting.done(), "it has not begun"
        chunks.begins.set()
        stream = await in_time(starting)
        assert [chunk async for chunk in stream] == [0, 1, 2]
        assert chunks.ended.is_set()

    asyncio.run(check())


@pytest.mark.parametrize("read", [0, 1, 2])
def test_a_stream_that_is_closed_ends_however_far_it_was_read(read: int) -> None:
    async def check() -> None:
        chunks = Chunks()
        chunks.begins.set()
        stream = await begun(chunks.stream(), None)
        for _ in range(read):
            await anext(stream)
        await stream.aclose()
        assert chunks.ended.is_set()
        assert [chunk async for chunk in stream] == []

    asyncio.run(check())


def test_a_stream_that_nobody_takes_ends() -> None:
    async def check() -> None:
        chunks = Chunks()
        chunks.begins.set()
        await begun(chunks.stream(), None)
        gc.collect()
        await in_time(chunks.ended.wait())

    asyncio.run(check())


def test_what_fails_before_the_first_chunk_is_raised() -> None:
    async def check() -> None:
        chunks = Chunks(ValueError("no"))
        chunks.begins.set()
        with pytest.raises(ValueError, match="no"):
            await begun(chunks.stream(), Vault())

    asyncio.run(check())


def test_a_start_ends_when_the_client_hangs_up() -> None:
    async def check() -> None:
        vault, client, chunks = Vault(), Client(), Chunks()
        receiver = Receiver(vault, client.receive)
        assert (await receiver())["type"] == "http.request"
        starting = asyncio.create_task(begun(chunks.stream(), vault))
        await in_time(chunks.asked.wait())
        client.hangs_up.set()
        with pytest.raises(ClientGone):
            await in_time(starting)
        assert chunks.ended.is_set()
        again = Chunks()
        with pytest.raises(ClientGone):
            await begun(again.stream(), vault)
        assert not again.asked.is_set(), "nobody is asked for who has gone"

    asyncio.run(check())


def test_a_start_ends_when_its_task_does() -> None:
    async def check() -> None:
        chunks = Chunks()
        starting = asyncio.create_task(begun(chunks.stream(), Vault()))
        await in_time(chunks.asked.wait())
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await in_time(starting)
        assert chunks.ended.is_set()

    asyncio.run(check())


def test_a_client_that_is_watched_is_read_once_for_all() -> None:
    async def check() -> None:
        vault, client = Vault(), Client()
        receiver = Receiver(vault, client.receive)
        await receiver()
        assert await while_connected(asyncio.sleep(0, "done"), vault) == "done"
        readers = [asyncio.create_task(receiver()) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(reader.done() for reader in readers)
        client.hangs_up.set()
        assert await in_time(asyncio.gather(*readers)) == [{"type": "http.disconnect"}] * 2
        assert await receiver() == {"type": "http.disconnect"}
        receiver.close()

    asyncio.run(check())
