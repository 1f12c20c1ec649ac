"""The only place that does HTTP. Calls in, replies or events out, everything else is an error of ours.

Strategy: one async client per event loop. The caller's deadline surrounds every wait, so a peer that
drips bytes cannot hold a request open. Identity encoding is asked for and sizes are counted as bytes are
read. Keys are added here and only for the endpoint's own origin; redirects are not followed.
A POST is never repeated here: the provider may have been paid.
"""

import asyncio
import re
import ssl
import time
import weakref
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TypeVar

import httpx
import orjson

from litellm_imagegen.codec import Call, Reply
from litellm_imagegen.errors import (
    AuthenticationFailed,
    BadReply,
    ConfigurationError,
    DeadlineExceeded,
    ProviderUnavailable,
    quote,
)
from litellm_imagegen.lifting import IncomingJson
from litellm_imagegen.sse import EventSplitter, EventTooLarge

_CONNECT_SECONDS = 15.0
_ERROR_BODY_BYTES = 64 * 1024
_INFLATED_CHUNK_BYTES = 256 * 1024
_UNFIT_FOR_HEADER = re.compile(r"[^\x20-\x7e]")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

Result = TypeVar("Result")


@dataclass(frozen=True)
class Endpoint:
    """Where calls go. `authentication` are headers that hold secrets: they go to `base_url`'s origin only."""

    provider: str
    base_url: str
    authentication: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never appear in a message."""
        return tuple(value.removeprefix("Bearer ") for value in self.authentication.values())


class Deadline:
    """A point in time that every wait of one request shares."""

    def __init__(self, provider: str, seconds: float) -> None:
        self._provider = provider
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    async def wait_for(self, awaitable: Awaitable[Result]) -> Result:
        """Await, at most until the deadline. Raises `DeadlineExceeded`."""
        try:
            async with asyncio.timeout(max(self._end - time.monotonic(), 0)):
                return await awaitable
        except TimeoutError as error:
            raise DeadlineExceeded(self._provider, self._seconds) from error


class Opened:
    """A reply whose head has arrived: status, headers, and its body as it comes."""

    def __init__(
        self, endpoint: Endpoint, response: httpx.Response, deadline: Deadline, maximum_bytes: int
    ) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = MappingProxyType(
            {k.lower(): v for k, v in response.headers.items()}
        )
        self._endpoint = endpoint
        self._response = response
        self._deadline = deadline
        self._maximum_bytes = maximum_bytes

    async def read(self) -> Reply:
        """The whole reply; of an error only as much as anyone wants to see."""
        return await self._deadline.wait_for(self._read())

    async def _read(self) -> Reply:
        body = self._Body(self)
        collected = IncomingJson()
        try:
            async for received in self._response.aiter_raw():
                for chunk in body.take(received):
                    collected.feed(chunk)
                if self.status >= 400 and body.length > _ERROR_BODY_BYTES:
                    break
        except httpx.HTTPError as error:
            raise self._cut_off() from error
        return Reply(status=self.status, headers=self.headers, body=collected)

    def _cut_off(self) -> BadReply:
        return BadReply(self._endpoint.provider, "the reply was cut off; the call may be charged")

    class _Body:
        """Inflates and counts what is received."""

        def __init__(self, opened: "Opened") -> None:
            self._provider = opened._endpoint.provider
            self._maximum_bytes = opened._maximum_bytes
            self._inflate = _inflater(opened.headers.get("content-encoding", ""), self._provider)
            self.length = 0

        def take(self, received: bytes) -> Iterator[bytes]:
            for chunk in self._inflate(received):
                self.length += len(chunk)
                if self.length > self._maximum_bytes:
                    raise BadReply(self._provider, f"a reply of more than {self._maximum_bytes} bytes")
                yield chunk

    async def events(self) -> AsyncGenerator[IncomingJson, None]:
        """The data of each server-sent event. Raises `BadReply` and `DeadlineExceeded`."""
        raw = self._response.aiter_raw()
        body, splitter = self._Body(self), EventSplitter(self._maximum_bytes, IncomingJson)

        async def next_events() -> list[IncomingJson]:
            """What the next pieces complete; at the end what is left, then nothing."""
            async for received in raw:
                events = [event for chunk in body.take(received) for event in splitter.feed(chunk)]
                if events:
                    return events
            return list(splitter.finish())

        try:
            # One wait for an event and not for each of its pieces, of which a picture has hundreds.
            while events := await self._deadline.wait_for(next_events()):
                for event in events:
                    yield event
        except httpx.HTTPError as error:
            raise self._cut_off() from error
        except EventTooLarge as error:
            raise BadReply(self._endpoint.provider, error) from error


class Transport:
    """Sends calls. One instance serves a process; clients are kept per event loop, connections are not.

    A connection ends with its call: what a peer sends beyond its reply must not become the next caller's
    answer, and nobody tells when an event loop ends. Beside a picture a handshake costs nothing.
    """

    def __init__(self) -> None:
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = (
            weakref.WeakKeyDictionary()
        )

    @asynccontextmanager
    async def open(
        self, call: Call, endpoint: Endpoint, deadline: Deadline, maximum_bytes: int
    ) -> AsyncIterator[Opened]:
        """Send `call` and hand over the reply once its head is there; leaving closes the connection.

        Raises `ProviderUnavailable` when the provider cannot be reached (nothing was sent then),
        `BadReply` when it hangs up before it answers, `DeadlineExceeded`.
        """
        client = self._client()
        request = _request(client, call, endpoint)
        async with AsyncExitStack() as stack:
            try:
                response = await deadline.wait_for(client.send(request, stream=True))
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
                raise ProviderUnavailable(
                    endpoint.provider, f"cannot be reached ({type(error).__name__})"
                ) from error
            except httpx.HTTPError as error:
                reason = f"hung up before it answered ({type(error).__name__}); the call may be charged"
                raise BadReply(endpoint.provider, reason) from error
            stack.push_async_callback(response.aclose)
            yield Opened(endpoint, response, deadline, maximum_bytes)

    def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None or client.is_closed:
            for ended in [known for known in self._clients if known.is_closed()]:
                del self._clients[ended]
            client = httpx.AsyncClient(
                timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
                follow_redirects=False,
                verify=_tls(),
            )
            self._clients[loop] = client
        return client

    async def aclose(self) -> None:
        """Close this event loop's connections."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """One context for all clients: reading the certificates takes tens of milliseconds."""
    return httpx.create_ssl_context()


def _request(client: httpx.AsyncClient, call: Call, endpoint: Endpoint) -> httpx.Request:
    """The request, checked before anything is sent. Raises `ConfigurationError`, `AuthenticationFailed`."""
    if any(_UNFIT_FOR_HEADER.search(value) for value in endpoint.authentication.values()):
        reason = "the key holds characters that no header can carry"
        raise AuthenticationFailed(endpoint.provider, reason)
    for name, value in endpoint.headers.items():
        if not _HEADER_NAME.fullmatch(name) or _UNFIT_FOR_HEADER.search(value):
            shown = quote(name)
            raise ConfigurationError(
                f"{endpoint.provider}: the extra header {shown!r} cannot be sent as it is"
            )
    try:
        url = httpx.URL(
            endpoint.base_url.rstrip("/") + "/" + call.path.lstrip("/"), params=call.query or None
        )
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        shown = quote(endpoint.base_url)
        raise ConfigurationError(f"{endpoint.provider}: api_base {shown!r} is no http or https address")
    content = None if call.body is None else orjson.dumps(call.body)
    return client.build_request(call.method, url, headers=_headers(endpoint, call), content=content)


def _headers(endpoint: Endpoint, call: Call) -> dict[str, str]:
    headers = {name.lower(): value for name, value in endpoint.headers.items()}
    headers |= {"accept-encoding": "identity", "content-type": "application/json"}
    headers["accept"] = "text/event-stream" if call.streams else "application/json"
    return headers | {name.lower(): value for name, value in endpoint.authentication.items()}


def _inflater(encoding: str, provider: str) -> Callable[[bytes], Iterable[bytes]]:
    """How to undo a Content-Encoding piece by piece, so that a bomb is counted before it is large."""
    match encoding.strip().lower():
        case "" | "identity":
            return lambda chunk: (chunk,)
        case "gzip" | "x-gzip" | "deflate":
            decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)

            def inflate(chunk: bytes) -> Iterator[bytes]:
                try:
                    while piece := decompressor.decompress(chunk, _INFLATED_CHUNK_BYTES):
                        yield piece
                        chunk = decompressor.unconsumed_tail
                except zlib.error as error:
                    raise BadReply(provider, "a compressed reply that cannot be read") from error

            return inflate
    raise BadReply(provider, f"a reply in Content-Encoding {encoding!r}, though identity was asked for")
