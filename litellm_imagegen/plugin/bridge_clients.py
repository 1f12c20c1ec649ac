"""HTTP clients for LiteLLM's image functions that send a call once and end with it.

LiteLLM's own are kept for long, follow redirects with the key, and send a call again where the connection
broke; OpenAI's sends it up to three times. A picture may have been paid for by then.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any

import httpx
import litellm
from litellm.constants import openai_compatible_providers
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler, HTTPHandler
from openai import AsyncOpenAI

from litellm_imagegen.transport import tls_context
from litellm_imagegen.wires.litellm_images import EDIT

# Providers that LiteLLM calls without `await`, whoever calls it.
_BLOCKING = frozenset(
    {
        *("recraft", "aiml", "gemini", "fal_ai", "stability", "runwayml", "vertex_ai", "openrouter"),
        *("dashscope", "qwencloud", "qwen_ai_platform", "edenai"),
    }
)
_AWAITED = frozenset({"bedrock", "black_forest_labs"})
_WITHOUT_CLIENT = frozenset({"azure", "azure_ai"})  # LiteLLM takes none for them
_NO_KEY = "none"


class _Once(AsyncHTTPHandler):
    """LiteLLM's client, without its second try."""

    async def single_connection_post_request(self, *args: Any, **given: Any) -> Any:
        """Where LiteLLM tries again, while it handles the error of the first try."""
        raise sys.exc_info()[1] or ConnectionError("the connection broke")


class _FromThread(HTTPHandler):
    """For LiteLLM's functions that block: the call runs in the event loop, and ends when it is told to."""

    def __init__(self, client: _Once, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(client=httpx.Client(verify=tls_context(), trust_env=False))
        self._awaited, self._loop = client, loop
        self._running: set[Future[httpx.Response]] = set()
        self._has_ended = False

    def post(self, *args: Any, **given: Any) -> httpx.Response:
        """As the base class's. Raises `ConnectionError` where nobody waits for the answer any more."""
        self._check()
        running = asyncio.run_coroutine_threadsafe(self._sent(*args, **given), self._loop)
        self._running.add(running)
        return running.result()

    async def _sent(self, *args: Any, **given: Any) -> httpx.Response:
        self._check()  # in the event loop, where it may have ended meanwhile
        response: httpx.Response = await self._awaited.post(*args, **given)
        return response

    def _check(self) -> None:
        if self._has_ended:
            raise ConnectionError("the caller has gone")

    def end(self) -> None:
        """End what is running, and send nothing from now on. It is for the event loop to call."""
        self._has_ended = True
        for running in tuple(self._running):
            running.cancel()
        self.client.close()


class _OpenAiOnce(AsyncOpenAI):
    """OpenAI's client, which LiteLLM sets to two further tries, whatever it was made with."""

    @property
    def max_retries(self) -> int:
        return 0

    @max_retries.setter
    def max_retries(self, number: int) -> None:
        return


def is_blocking(function: str, provider: str) -> bool:
    """Whether LiteLLM's function does all of its work before it gives anything back."""
    return function != EDIT and provider in _BLOCKING


@asynccontextmanager
async def once(
    function: str, provider: str, arguments: Mapping[str, Any], headers: Mapping[str, str]
) -> AsyncIterator[dict[str, Any]]:
    """LiteLLM's argument for the client of a call, which sends `headers` too; leaving closes the client.

    LiteLLM sends an argument of headers on in the body of some. Where it insists on a client of its own the
    headers are the argument.
    """
    held = _Once(timeout=arguments["timeout"], ssl_verify=arguments.get("ssl_verify"), follow_redirects=False)
    held.client.headers.update(headers)
    from_thread: _FromThread | None = None
    try:
        if function == EDIT or provider in _AWAITED:
            yield {"client": held}
        elif is_blocking(function, provider):
            from_thread = _FromThread(held, asyncio.get_running_loop())
            yield {"client": from_thread}
        elif provider in _WITHOUT_CLIENT or provider not in _speaking_openais():
            yield {"headers": dict(headers)} if headers else {}
        else:
            yield {"client": _openai_client(held, provider, arguments)}
    finally:
        if from_thread is not None:
            from_thread.end()
        await held.client.aclose()


def _speaking_openais() -> frozenset[str]:
    return frozenset({"openai", "litellm_proxy", *openai_compatible_providers})


def _openai_client(held: _Once, provider: str, arguments: Mapping[str, Any]) -> AsyncOpenAI:
    """As LiteLLM makes it. Raises `openai.OpenAIError` without a key of OpenAI's.

    The environment's key of OpenAI's, which its client looks for, is for nobody else.
    """
    _, _, key, base = litellm.get_llm_provider(
        model=arguments["model"],
        custom_llm_provider=arguments.get("custom_llm_provider"),
        api_base=arguments.get("api_base"),
        api_key=arguments.get("api_key"),
    )
    key = arguments.get("api_key") or key
    return _OpenAiOnce(
        api_key=key if key or provider == "openai" else _NO_KEY,
        base_url=base or arguments.get("api_base"),
        organization=arguments.get("organization"),
        timeout=arguments["timeout"],
        http_client=held.client,
    )
