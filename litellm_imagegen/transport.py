"""The only place that does HTTP. Calls in, replies or events out, everything else is an error of ours.

Strategy: one connection a call. The caller's deadline surrounds every wait, so a peer that drips bytes
cannot hold a request open. Identity encoding is asked for and sizes are counted as bytes are read. Keys
are added here and only for the endpoint's own origin; redirects are not followed. A POST is never repeated
here: the provider may have been paid.

aiohttp, LiteLLM's own transport, reads a large body with a third of the processor time that httpx takes.
"""

import asyncio
import io
import re
import ssl
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol, TypeVar

import aiohttp
import certifi
import orjson
import yarl

from litellm_imagegen.codec import Call, FormFile, Reply
from litellm_imagegen.errors import (
    AuthenticationFailed,
    BadReply,
    ConfigurationError,
    DeadEnd,
    DeadlineExceeded,
    ProviderUnavailable,
    quote,
)
from litellm_imagegen.lifting import IncomingJson
from litellm_imagegen.sse import EventSplitter, EventTooLarge

_CONNECT_SECONDS = 15.0
_ERROR_BODY_BYTES = 64 * 1024
_READ_BYTES = 512 * 1024
_HEADER_BYTES = 64 * 1024
_TRANSFER_ENCODINGS = ("chunked", "identity")
_INFLATED_CHUNK_BYTES = 256 * 1024
_UNFIT_FOR_HEADER = re.compile(r"[^\x20-\x7e]")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

Result = TypeVar("Result")


@dataclass(frozen=True)
class Endpoint:
    """Where calls go. `authentication` are headers that hold secrets: they go to `base_url`'s origin only.

    `hosts` are further hosts of the same provider, as `*.example.com`, that its replies may name. `query`
    goes with every call. `tls` tells how its certificate is looked at, False not at all, None as usual.
    """

    provider: str
    base_url: str
    authentication: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    hosts: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | bool | None = None

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

    @property
    def remaining_seconds(self) -> float:
        """Seconds that are left; below 0 when it has passed."""
        return self._end - time.monotonic()

    async def wait_for(self, awaitable: Awaitable[Result]) -> Result:
        """Await, at most until the deadline. Raises `DeadlineExceeded`."""
        try:
            async with asyncio.timeout(max(self._end - time.monotonic(), 0)) as limit:
                return await awaitable
        except TimeoutError as error:
            if not limit.expired():
                raise  # somebody else's
            raise DeadlineExceeded(self._provider, self._seconds) from error


class Opened:
    """A reply whose head has arrived: status, headers, and its body as it comes from `received`."""

    def __init__(
        self,
        call: Call,
        endpoint: Endpoint,
        deadline: Deadline,
        maximum_bytes: int,
        *,
        status: int,
        headers: Mapping[str, str],
        received: AsyncIterator[bytes],
    ) -> None:
        self.status = status
        self._call = call
        self.headers: Mapping[str, str] = MappingProxyType(
            {name.lower(): value for name, value in headers.items()}
        )
        self._endpoint = endpoint
        self._deadline = deadline
        self._maximum_bytes = maximum_bytes
        self._received = received

    async def read(self) -> Reply:
        """The whole reply; of an error only as much as anyone wants to see."""
        return await self._deadline.wait_for(self._read())

    async def _read(self) -> Reply:
        body = self._Body(self)
        collected = IncomingJson()
        try:
            async for received in self._received:
                for chunk in body.take(received):
                    collected.feed(chunk)
                if self.status >= 400 and body.length > _ERROR_BODY_BYTES:
                    break
        except (aiohttp.ClientError, OSError) as error:
            raise self._cut_off() from error
        return Reply(call=self._call, status=self.status, headers=self.headers, body=collected)

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
        body, splitter = self._Body(self), EventSplitter(self._maximum_bytes, IncomingJson)

        async def next_events() -> list[IncomingJson]:
            """What the next pieces complete; at the end what is left, then nothing."""
            async for received in self._received:
                events = [event for chunk in body.take(received) for event in splitter.feed(chunk)]
                if events:
                    return events
            return list(splitter.finish())

        try:
            # One wait for an event and not for each of its pieces, of which a picture has hundreds.
            while events := await self._deadline.wait_for(next_events()):
                for event in events:
                    yield event
        except (aiohttp.ClientError, OSError) as error:
            raise self._cut_off() from error
        except EventTooLarge as error:
            raise BadReply(self._endpoint.provider, error) from error


class Carrier(Protocol):
    """Whatever carries calls out: HTTP, or something in this process that answers as if it were."""

    def open(
        self, call: Call, endpoint: Endpoint, deadline: Deadline, maximum_bytes: int
    ) -> AbstractAsyncContextManager[Opened]:
        """Carry `call` out and hand over the reply once its head is there; leaving ends it."""
        ...


class Transport:
    """Sends calls. It holds nothing between them, so one instance serves every event loop of a process.

    A connection ends with its call: what a peer sends beyond its reply must not become the next caller's
    answer. Beside a picture a handshake costs nothing.
    """

    @asynccontextmanager
    async def open(
        self, call: Call, endpoint: Endpoint, deadline: Deadline, maximum_bytes: int
    ) -> AsyncIterator[Opened]:
        """Send `call` and hand over the reply once its head is there; leaving closes the connection.

        Raises `ProviderUnavailable` when the provider cannot be reached (nothing was sent then),
        `BadReply` when it hangs up before it answers, `DeadlineExceeded`.
        """
        url, headers = _url(call, endpoint), _headers(endpoint, call)
        content = _content(call)
        async with _session(endpoint) as session:
            try:
                response = await deadline.wait_for(
                    session.request(call.method, url, headers=headers, data=content, allow_redirects=False)
                )
            except (
                aiohttp.ClientConnectorError,
                aiohttp.ServerTimeoutError,
                aiohttp.ClientHttpProxyError,
            ) as error:
                raise ProviderUnavailable(
                    endpoint.provider, f"cannot be reached ({type(error).__name__})"
                ) from error
            except aiohttp.ClientResponseError as error:
                reason = "an answer that is no HTTP; the call may be charged"
                raise BadReply(endpoint.provider, reason) from error
            except (aiohttp.ClientError, OSError) as error:
                reason = f"hung up before it answered ({type(error).__name__}); the call may be charged"
                raise BadReply(endpoint.provider, reason) from error
            async with response:
                known = response.headers
                joined = {name: ", ".join(known.getall(name)) for name in known}
                if (coding := joined.get("Transfer-Encoding", "chunked").lower()) not in _TRANSFER_ENCODINGS:
                    raise BadReply(endpoint.provider, f"a reply in Transfer-Encoding {coding!r}")
                yield Opened(
                    call,
                    endpoint,
                    deadline,
                    maximum_bytes,
                    status=response.status,
                    headers=joined,
                    received=response.content.iter_any(),
                )


def _session(endpoint: Endpoint) -> aiohttp.ClientSession:
    tls = tls_context() if endpoint.tls is None else endpoint.tls
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True, use_dns_cache=False, ssl=tls),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=True,
        read_bufsize=_READ_BYTES,
        max_line_size=_HEADER_BYTES,
        max_field_size=_HEADER_BYTES,
    )


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """One context for all calls: reading the certificates takes tens of milliseconds."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())  # where the system has no certificates of its own
    return context


def _url(call: Call, endpoint: Endpoint) -> yarl.URL:
    """Where a call goes. Raises `ConfigurationError`, and `BadReply` for an address that no key goes to."""
    try:
        base = yarl.URL(endpoint.base_url)
        if call.url is not None:
            return _trusted(call.url, base, endpoint)
        if base.scheme in ("http", "https") and base.host:
            path = base.raw_path.rstrip("/") + "/" + call.path.lstrip("/")
            # The codec has quoted its path: a second pass would undo what it did.
            return base.with_path(path, encoded=True).with_query({**endpoint.query, **call.query} or None)
    except ValueError:
        pass
    shown = quote(endpoint.base_url)
    raise ConfigurationError(f"{endpoint.provider}: api_base {shown!r} is no http or https address")


def _trusted(named: str, base: yarl.URL, endpoint: Endpoint) -> yarl.URL:
    """An address out of a reply: the key goes with it, so it must be one of the provider's own."""
    try:
        address = yarl.URL(named)
        is_own = address.origin() == base.origin()
    except ValueError as error:
        raise DeadEnd(endpoint.provider, "a reply that names no address to go on at") from error
    host = (address.raw_host or "").lower()
    is_known = address.scheme == "https" and any(
        host.endswith(known.removeprefix("*")) for known in endpoint.hosts
    )
    if not (is_own or is_known):
        raise DeadEnd(endpoint.provider, f"a reply that goes on at {quote(host)}, which is none of its hosts")
    return address


def _content(call: Call) -> bytes | aiohttp.FormData | None:
    if call.form is None:
        return None if call.body is None else orjson.dumps(call.body)
    form = aiohttp.FormData(quote_fields=False)
    for name, value in call.form:
        if isinstance(value, FormFile):
            form.add_field(name, io.BytesIO(value.content), filename=value.name, content_type=value.mime)
        else:
            form.add_field(name, value)
    return form


def _headers(endpoint: Endpoint, call: Call) -> dict[str, str]:
    """The headers, checked before anything is sent. Raises `ConfigurationError`, `AuthenticationFailed`."""
    if any(_UNFIT_FOR_HEADER.search(value) for value in endpoint.authentication.values()):
        reason = "the key holds characters that no header can carry"
        raise AuthenticationFailed(endpoint.provider, reason)
    for name, value in endpoint.headers.items():
        if not _HEADER_NAME.fullmatch(name) or _UNFIT_FOR_HEADER.search(value):
            shown = quote(name)
            raise ConfigurationError(
                f"{endpoint.provider}: the extra header {shown!r} cannot be sent as it is"
            )
    headers = {name.lower(): value for name, value in endpoint.headers.items()}
    headers["accept-encoding"] = "identity"
    if call.body is not None:
        headers["content-type"] = "application/json"
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
