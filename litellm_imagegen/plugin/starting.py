"""What is waited for before LiteLLM is given anything, while the client is there: a start, or an outcome."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from typing import Any, Generic, TypeVar

from litellm_imagegen.errors import ClientGone
from litellm_imagegen.plugin.vault import Vault

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")


class BegunStream(AsyncIterator[Chunk], Generic[Chunk]):
    """A stream whose first chunk is there."""

    def __init__(self, first: Chunk, rest: AsyncGenerator[Chunk, None]) -> None:
        self._first = [first]
        self._rest = rest

    async def __anext__(self) -> Chunk:
        return self._first.pop() if self._first else await anext(self._rest)

    async def aclose(self) -> None:
        """End what still goes on, also where nobody has read anything."""
        self._first.clear()
        await self._rest.aclose()


async def begun(chunks: AsyncGenerator[Chunk, None], vault: Vault | None) -> BegunStream[Chunk]:
    """A stream once its first chunk is there. Raises what fails before that, `ClientGone` at a hang-up."""
    work = _first_of(chunks)
    return BegunStream(await (work if vault is None else while_connected(work, vault)), chunks)


async def _first_of(chunks: AsyncGenerator[Chunk, None]) -> Chunk:
    return await anext(chunks)


async def while_connected(work: Coroutine[Any, Any, Result], vault: Vault) -> Result:
    """The outcome of some work, which ends when the client hangs up. Raises `ClientGone` then."""
    if vault.client_gone.is_set():  # LiteLLM tries once more
        work.close()
        raise ClientGone
    if vault.watch_client is not None:
        vault.watch_client()
    working, gone = asyncio.create_task(work), asyncio.create_task(vault.client_gone.wait())
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        for task in (working, gone):
            task.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)
