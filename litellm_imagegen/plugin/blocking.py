"""Lets synchronous callers use the one asynchronous engine: an event loop on a thread of its own.

The thread is started on first use, is a daemon, and is started anew in a forked process.
"""

import asyncio
import os
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
    """Iterate in step with the caller; leaving the loop early closes the generator."""

    async def step() -> tuple[Result] | None:
        try:
            return (await anext(generator),)
        except StopAsyncIteration:
            return None

    try:
        while (item := run(step())) is not None:
            yield item[0]
    finally:
        run(generator.aclose())
