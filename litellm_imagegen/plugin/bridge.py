"""The transport to LiteLLM's own image functions, in this process.

The functions are called without what LiteLLM wraps around them: the request that we are part of is already
logged, counted, cached, hooked and tried again by its own wrapper. What they are given to log to hears
nothing. Nothing is sent twice either: HTTP clients of our own take the place of those that try again.

What LiteLLM does without `await` happens in threads of our own, so that it holds up neither the event loop
nor anybody else's work. Where that is HTTP, the call itself runs in the event loop, to end when we do.
"""

import asyncio
import contextvars
import io
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import lru_cache, partial
from inspect import unwrap
from typing import Any

import litellm
import orjson
from litellm.litellm_core_utils.litellm_logging import Logging

from litellm_imagegen.codec import Call, FormFile
from litellm_imagegen.errors import RequestError, quote
from litellm_imagegen.plugin.bridge_clients import is_blocking, once
from litellm_imagegen.plugin.bridge_deployment import belongs_to_deployment, parameters_for
from litellm_imagegen.plugin.bridge_errors import Failure, failure_of
from litellm_imagegen.plugin.bridge_support import serving
from litellm_imagegen.transport import Deadline, Endpoint, Opened
from litellm_imagegen.wires.litellm_images import EDIT, GENERATION, IMAGE, MASK

_WORKERS = 256
_SHORT_WORKERS = 4
_GRACE_SECONDS = 5.0  # for LiteLLM's own limit, so that it is our deadline that ends a call
_PICTURE_FIELDS = ("b64_json", "url", "revised_prompt")
_RESPONSE_FIELDS = ("created", "size", "quality", "background", "output_format")
_TOLD_ASIDE = ("seed", "has_nsfw_concepts")
# How LiteLLM is told that its caller awaits what it returns, by function.
_ASYNCHRONOUS: Mapping[str, Mapping[str, bool]] = {
    GENERATION: {"aimg_generation": True},
    EDIT: {"async_call": True},
}


class Bridge:
    """Carries calls out by calling LiteLLM. It holds nothing between them, as `transport.Transport`."""

    @asynccontextmanager
    async def open(
        self, call: Call, endpoint: Endpoint, deadline: Deadline, maximum_bytes: int
    ) -> AsyncIterator[Opened]:
        """Call LiteLLM, and hand over what came as a reply: an image response as JSON, or the vendor's error.

        Raises `RequestError` for what LiteLLM cannot do with this provider, before anything is sent,
        `ProviderUnavailable`, `AuthenticationFailed`, `BadReply` and `DeadlineExceeded`.
        """
        provider = serving(call.path, str((call.body or {})["model"]), endpoint)
        arguments = _arguments(call, endpoint, provider, deadline.remaining_seconds + _GRACE_SECONDS)
        told = await deadline.wait_for(_asked(call.path, provider, arguments, endpoint))
        status, headers, body = (200, {}, told) if isinstance(told, bytes) else told

        async def received() -> AsyncIterator[bytes]:
            yield body

        headers = {"content-type": "application/json", **headers}
        yield Opened(
            call, endpoint, deadline, maximum_bytes, status=status, headers=headers, received=received()
        )


class _Unheard(Logging):
    """LiteLLM's record of a call, which every function needs, without anybody who listens to it."""

    def __init__(self, function: str, arguments: Mapping[str, Any]) -> None:
        super().__init__(
            model=arguments["model"],
            messages=arguments["prompt"],
            stream=False,
            call_type=f"a{function}",
            start_time=datetime.now(UTC),
            litellm_call_id=str(uuid.uuid4()),
            function_id="",
            supports_correlation_logging=False,
        )

    def pre_call(self, *args: Any, **given: Any) -> None:
        return

    def post_call(self, *args: Any, **given: Any) -> None:
        return

    def success_handler(self, *args: Any, **given: Any) -> None:
        return

    def failure_handler(self, *args: Any, **given: Any) -> None:
        return

    async def async_success_handler(self, *args: Any, **given: Any) -> None:
        return

    async def async_failure_handler(self, *args: Any, **given: Any) -> None:
        return


def _arguments(call: Call, endpoint: Endpoint, provider: str, timeout: float) -> dict[str, Any]:
    """What LiteLLM is called with. Raises `RequestError` for an option that is the deployment's."""
    body = dict(call.body or {})
    for option in body["options"]:
        if belongs_to_deployment(option):
            raise RequestError(f"provider options: {quote(option)} belongs to operators", quote(option))
    arguments = {**body["arguments"], **body["options"], **parameters_for(provider, endpoint)}
    files = [(name, file) for name, file in call.form or () if isinstance(file, FormFile)]
    if images := [_file(file) for name, file in files if name == IMAGE]:
        arguments["image"] = images
    for name, file in files:
        if name == MASK:
            arguments["mask"] = _file(file)
    return {**arguments, "model": body["model"], "prompt": body["prompt"], "timeout": timeout}


def _file(file: FormFile) -> io.BytesIO:
    """In the one form that all of LiteLLM's providers read."""
    held = io.BytesIO(file.content)
    held.name = file.name
    return held


async def _asked(
    function: str, provider: str, arguments: Mapping[str, Any], endpoint: Endpoint
) -> bytes | Failure:
    """LiteLLM's answer, as JSON, or the vendor's error. Raises `ProviderError`."""
    heard = _Unheard(function, arguments)
    try:
        async with once(function, provider, arguments, endpoint.headers) as client:
            given = {**arguments, **_ASYNCHRONOUS[function], "litellm_logging_obj": heard, **client}
            workers = _workers() if is_blocking(function, provider) else None
            response = await _called(unwrap(getattr(litellm, function)), given, workers)
    except Exception as error:  # noqa: BLE001  # whatever LiteLLM and its vendors raise
        return failure_of(error, endpoint.provider)
    body: bytes = await _in_a_thread(lambda: orjson.dumps(_told(response, _cost(heard, response))))
    return body


async def _called(
    function: Callable[..., Any], arguments: Mapping[str, Any], workers: ThreadPoolExecutor | None
) -> Any:
    """What a function of LiteLLM's gives. It may do all of its work, or leave the rest to be awaited.

    `workers` are the threads for what takes long there.
    """
    begun = await _in_a_thread(partial(function, **arguments), workers)
    return await begun if asyncio.iscoroutine(begun) else begun


async def _in_a_thread(work: Callable[[], Any], workers: ThreadPoolExecutor | None = None) -> Any:
    """The outcome of some work. A thread cannot be ended: what it comes to when nobody waits is let go."""
    running = (workers or _short_workers()).submit(contextvars.copy_context().run, work)
    try:
        return await asyncio.wrap_future(running)
    except asyncio.CancelledError:
        running.add_done_callback(_let_go)
        raise


def _let_go(ended: Future[Any]) -> None:
    if not ended.cancelled() and ended.exception() is None and isinstance(ended.result(), Coroutine):
        ended.result().close()


@lru_cache(maxsize=1)
def _workers() -> ThreadPoolExecutor:
    """Threads of our own: those that everybody shares are few, and a picture takes long."""
    return ThreadPoolExecutor(_WORKERS, thread_name_prefix="imagegen-litellm")


@lru_cache(maxsize=1)
def _short_workers() -> ThreadPoolExecutor:
    """For what takes no time, and is not to wait for pictures."""
    return ThreadPoolExecutor(_SHORT_WORKERS, thread_name_prefix="imagegen-litellm-short")


def _cost(heard: _Unheard, response: Any) -> float | None:
    """USD as LiteLLM would have booked it; None where it knows no price."""
    try:
        return heard.response_cost_calculator(result=response)
    except Exception:  # noqa: BLE001  # LiteLLM tells an unknown price by errors of several types
        return None


def _told(response: Any, cost: float | None) -> dict[str, Any]:
    """An image response in OpenAI's shape, with LiteLLM's price and what it keeps beside the response."""
    data = [
        {field: getattr(picture, field, None) for field in _PICTURE_FIELDS}
        for picture in response.data or ()
        if picture is not None
    ]
    told = {field: getattr(response, field, None) for field in _RESPONSE_FIELDS}
    aside = getattr(response, "_hidden_params", None) or {}
    usage = response.usage.model_dump() if response.usage is not None else None
    return {
        **told,
        **{field: aside[field] for field in _TOLD_ASIDE if field in aside},
        "data": data,
        "usage": usage,
        "cost": cost,
    }
