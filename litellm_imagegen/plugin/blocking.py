"""Lets synchronous callers use the one asynchronous engine: an event loop on a thread of its own.

The thread is started on first use, is a daemon, and is started anew in a forked process.
"""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import Any, TypeVar

Result = TypeVar("Result")


class _Background:
    """The loop and the process it runs in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                self._loop = asyncio.new_event_loop()
                self._process = os.getpid()
                threading.Thread(target=self._loop.run_forever, name="litellm-imagegen", daemon=True).start()
            return self._loop


_background = _Background()


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end and return the result. An interrupt cancels what runs."""
    future = asyncio.run_coroutine_threadsafe(coroutine, _background.loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def iterate(generator: AsyncGenerator[Result, None]) -> Iterator[Result]:
    """Iterate in step with the caller; leaving the loop early closes the generator.

    Closing is not waited for: the caller may be the garbage collector, on any thread, or the end of the
    interpreter, when the loop's thread is gone.
    """
    one_at_a_time = asyncio.Lock()

    async def step() -> tuple[Result] | None:
        async with one_at_a_time:
            try:
                return (await anext(generator),)
            except StopAsyncIteration:
                return None

    async def close() -> None:
        async with one_at_a_time:  # a step that was interrupted ends first
            await generator.aclose()

    try:
        while (item := run(step())) is not None:
            yield item[0]
    finally:
        if not sys.is_finalizing():
            asyncio.run_coroutine_threadsafe(close(), _background.loop())
