"""The transport against a peer on a loopback socket that says exactly what a test scripts."""

import asyncio
import contextlib
import gzip
import socket
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import orjson
import pytest

from litellm_imagegen import engine
from litellm_imagegen.canonical import ImageResult, Limits
from litellm_imagegen.codec import Call, Reply
from litellm_imagegen.errors import BadReply, DeadlineExceeded, ImagegenError, ProviderUnavailable
from litellm_imagegen.transport import Deadline, Endpoint, Opened, Transport
from tests.unit.helpers import GEMINI, KEY, plan_of

Script = Callable[[], AsyncIterator[bytes]]
Value = TypeVar("Value")
CALL = Call(path="models/m:generateContent", body={"contents": []})
STREAM = Call(path="models/m:streamGenerateContent", query={"alt": "sse"}, body={}, streams=True)
OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS = 100_000


@dataclass
class Peer:
    """What the scripted provider has seen."""

    url: str = ""
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def says(*pieces: bytes) -> Script:
    """Say this, piece by piece, and hang up."""

    async def script() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return script


def says_and_waits(*pieces: bytes) -> Script:
    """Say this, and keep the connection open for ever."""

    async def script() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
        await asyncio.Event().wait()

    return script


def drips(head: bytes) -> Script:
    """A byte every 50 ms, for ever: each single wait is short."""

    async def script() -> AsyncIterator[bytes]:
        yield head
        while True:
            await asyncio.sleep(0.05)
            yield b"x"

    return script


def repeats(head: bytes, piece: bytes) -> Script:
    async def script() -> AsyncIterator[bytes]:
        yield head
        for _ in range(ENDLESS):
            yield piece

    return script


def whole(body: bytes, *headers: bytes) -> bytes:
    lines = [OK.rstrip(), *headers, b"Content-Length: %d" % len(body), b"", body]
    return b"\r\n".join(lines)


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[Peer]:
    peer = Peer()
    tasks: set[asyncio.Task[object]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            tasks.add(task)
        try:
            await _listen(reader, peer)
            tasks.add(asyncio.create_task(_watch(reader, peer)))
            async for piece in script():
                writer.write(piece)
                await writer.drain()
        except (ConnectionError, EOFError, asyncio.CancelledError):
            pass  # the test is over, or the caller has hung up
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1beta"
    try:
        yield peer
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _listen(reader: asyncio.StreamReader, peer: Peer) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    _, _, length = head.lower().partition(b"content-length: ")
    peer.bodies.append(await reader.readexactly(int(length.split()[0]) if length else 0))
    peer.heads.append(head)


async def _watch(reader: asyncio.StreamReader, peer: Peer) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read()
    peer.hung_up.set()


async def read(opened: Opened) -> Reply:
    return await opened.read()


async def events(opened: Opened) -> list[bytes]:
    return [event.text async for event in opened.events()]


def exchange(
    script: Script,
    use: Callable[[Opened], Awaitable[Value]],
    *,
    call: Call = CALL,
    deadline: float = 20,
    maximum_bytes: int = 1_000_000,
    key: str = KEY,
) -> tuple[Value, Peer]:
    """Send one call to a peer that follows `script`, and do `use` with the reply."""

    async def talk() -> tuple[Value, Peer]:
        async with serving(script) as peer:
            transport = Transport()
            endpoint = Endpoint("gemini", peer.url, {"x-goog-api-key": key}, {"X-Own": "1"})
            async with transport.open(call, endpoint, Deadline("gemini", deadline), maximum_bytes) as opened:
                return await use(opened), peer

    return asyncio.run(talk())


def test_a_call_goes_out_as_the_codec_spelled_it() -> None:
    reply, peer = exchange(says(whole(b'{"a": 1}', b"X-Request-Id: 7")), read)
    assert (reply.status, reply.body.text, reply.headers["x-request-id"]) == (200, b'{"a": 1}', "7")
    request_line, *headers = peer.heads[0].decode().lower().strip().split("\r\n")
    assert request_line == "post /v1beta/models/m:generatecontent http/1.1"
    assert orjson.loads(peer.bodies[0]) == {"contents": []}
    assert {
        "accept-encoding: identity",
        "accept: application/json",
        "content-type: application/json",
        f"x-goog-api-key: {KEY}",
        "x-own: 1",
    } <= set(headers)


def test_a_stream_is_asked_for_as_one() -> None:
    seen, peer = exchange(says(OK + b"\r\ndata: a\n\nda", b"ta: b\r", b"\n\r\n"), events, call=STREAM)
    assert seen == [b"a", b"b"]
    head = peer.heads[0].decode().lower()
    assert "post /v1beta/models/m:streamgeneratecontent?alt=sse http/1.1" in head
    assert "accept: text/event-stream" in head


@pytest.mark.parametrize(
    "path", ["//elsewhere.example/x", "/models/m", "models/..%2f..%2fx", "https://elsewhere.example/x"]
)
def test_a_call_never_leaves_the_endpoint(path: str) -> None:
    _, peer = exchange(says(whole(b"{}")), read, call=Call(path=path, body={}))
    assert peer.heads[0].startswith(b"POST /v1beta/")
    assert b"host: 127.0.0.1" in peer.heads[0].lower()


def carry_out(
    script: Script, *, streams: bool = False, limits: Limits | None = None, seconds: float = 20
) -> ImageResult:
    """The same through the engine, which turns statuses into errors."""

    async def talk() -> ImageResult:
        async with serving(script) as peer:
            transport = Transport()
            plan = plan_of({"stream": streams}, deadline_seconds=seconds)
            endpoint = Endpoint("gemini", peer.url, {"x-goog-api-key": KEY})
            job = engine.Job(plan=plan, provider=GEMINI, endpoint=endpoint, limits=limits or Limits())
            return await engine.run(job, transport)

    return asyncio.run(talk())


@pytest.mark.parametrize(
    "status", [b"301 Moved", b"302 Found", b"307 Temporary Redirect", b"308 Permanent Redirect"]
)
def test_a_redirect_is_not_followed_and_the_key_not_shown_to_its_target(status: bytes) -> None:
    async def talk() -> tuple[Peer, str]:
        async with serving(says(whole(b"{}"))) as target:
            location = b"Location: " + target.url.encode()
            moved = b"HTTP/1.1 " + status + b"\r\n" + location + b"\r\nContent-Length: 0\r\n\r\n"
            async with serving(says(moved)) as peer:
                transport = Transport()
                endpoint = Endpoint("gemini", peer.url, {"x-goog-api-key": KEY})
                job = engine.Job(plan=plan_of(), provider=GEMINI, endpoint=endpoint, limits=Limits())
                with pytest.raises(BadReply) as caught:
                    await engine.run(job, transport)
                return target, caught.value.message

    target, message = asyncio.run(talk())
    assert target.heads == []
    assert status.split()[0].decode() in message


@pytest.mark.parametrize(
    ("encoding", "squeeze"),
    [
        (b"gzip", gzip.compress),
        (b"x-gzip", gzip.compress),
        (b"deflate", zlib.compress),
        (b"GZIP ", gzip.compress),
    ],
)
def test_a_reply_that_is_compressed_all_the_same_is_inflated(
    encoding: bytes, squeeze: Callable[[bytes], bytes]
) -> None:
    body = bytes(range(256)) * 3_000
    squeezed = squeeze(body)
    pieces = [squeezed[start : start + 700] for start in range(0, len(squeezed), 700)]
    head = OK + b"Content-Encoding: " + encoding + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    reply, _ = exchange(says(head, *(chunked(piece) for piece in pieces), b"0\r\n\r\n"), read)
    assert reply.body.text == body


def test_a_compressed_stream_gives_its_events() -> None:
    squeezed = gzip.compress(b"data: a\n\ndata: b\n\n")
    seen, _ = exchange(says(whole(squeezed, b"Content-Encoding: gzip")), events, call=STREAM)
    assert seen == [b"a", b"b"]


def test_a_compression_bomb_is_stopped_at_the_bound_without_unfolding() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    tracemalloc.start()
    try:
        with pytest.raises(BadReply, match="more than 1000000 bytes"):
            exchange(says(whole(bomb, b"Content-Encoding: gzip")), read)
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", [b"br", b"zstd", b"gzip, gzip", b"unheard-of"])
def test_an_encoding_that_was_never_asked_for_is_a_bad_reply(encoding: bytes) -> None:
    with pytest.raises(BadReply, match="Content-Encoding"):
        exchange(says(whole(b"xxxx", b"Content-Encoding: " + encoding)), read)


def test_a_reply_that_only_claims_to_be_compressed_is_a_bad_reply() -> None:
    with pytest.raises(BadReply, match="cannot be read"):
        exchange(says(whole(b"not gzip at all", b"Content-Encoding: gzip")), read)


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"HTTP/1.1 2"],
        [OK],
        [OK + b"Content-Length: 100\r\n\r\n"],
        [OK + b"Content-Length: 100\r\n\r\n", b'{"candidates": ['],
        [OK + b"Transfer-Encoding: chunked\r\n\r\n", b"64\r\nxx"],
        [OK + b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\nxx\r\n"],
        [OK + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\nxx\r\n"],
    ],
    ids=["before it answers", "in the status", "in the head", "after the head", "in the middle", "in a chunk",
         "between chunks", "by a chunk of odd size"],
)  # fmt: skip
@pytest.mark.parametrize("use", [read, events])
def test_a_reply_that_is_cut_off_may_have_been_charged(
    pieces: Sequence[bytes], use: Callable[[Opened], Awaitable[object]]
) -> None:
    with pytest.raises(BadReply, match="may be charged"):
        exchange(says(*pieces), use)


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\0" * 200,
        OK + b"Content-Length: -5\r\n\r\n{}",
        OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        OK + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        OK + b"".join(b"X-%d: %s\r\n" % (number, b"y" * 40) for number in range(10_000)) + b"\r\n",
    ],
    ids=["ssh", "nulls", "negative length", "two lengths", "a huge header", "ten thousand headers"],
)
def test_a_peer_that_speaks_no_proper_http_is_a_bad_reply(reply: bytes) -> None:
    with pytest.raises(BadReply):
        exchange(says(reply), read)


def test_what_follows_the_promised_length_is_not_read() -> None:
    # Told as an error where it comes with the reply itself, and never seen where it comes later.
    with contextlib.suppress(BadReply):
        reply, _ = exchange(says(OK + b"Content-Length: 2\r\n\r\n{} and more"), read)
        assert reply.body.text == b"{}"


@pytest.mark.parametrize("said", [b"x" * 100, b"HTTP/1.1 twohundred OK\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"])
def test_an_answer_that_is_no_http_is_told(said: bytes) -> None:
    with pytest.raises(BadReply, match="gemini: an answer that is no HTTP; the call may be charged"):
        exchange(says_and_waits(said), read)


def test_a_provider_that_cannot_be_reached_is_unavailable_and_nothing_was_charged() -> None:
    with socket.socket() as held:  # bound and not listening: nobody else can answer there
        held.bind(("127.0.0.1", 0))
        endpoint = Endpoint("gemini", f"http://127.0.0.1:{held.getsockname()[1]}")

        async def call() -> None:
            transport = Transport()
            async with transport.open(CALL, endpoint, Deadline("gemini", 20), 100):
                pass

        with pytest.raises(ProviderUnavailable, match="gemini: cannot be reached") as caught:
            asyncio.run(call())
    assert "charged" not in caught.value.message


HEAD = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("script", "use"),
    [
        (says_and_waits(), read),
        (says_and_waits(OK), read),
        (says_and_waits(HEAD), read),
        (says_and_waits(HEAD + chunked(b"data: a\n\n")), events),
        (drips(b"HTTP/1.1 200 "), read),
        (drips(OK + b"X: "), read),
        (drips(OK + b"Content-Length: 1000000\r\n\r\n"), read),
        (drips(OK + b"\r\ndata: "), events),
    ],
    ids=["silent", "silent in the head", "silent after the head", "silent after an event",
         "drips from the start", "drips in the head", "drips in the body", "drips in an event"],
)  # fmt: skip
def test_the_deadline_is_for_the_whole_call(
    script: Script, use: Callable[[Opened], Awaitable[object]]
) -> None:
    with pytest.raises(DeadlineExceeded, match=r"gemini: .* 0\.2 s"):
        exchange(script, use, deadline=0.2)


def test_a_deadline_through_the_engine_is_a_408() -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        carry_out(says_and_waits(HEAD), streams=True, seconds=0.2)
    assert caught.value.status == 408


@pytest.mark.parametrize("use", [read, events])
@pytest.mark.parametrize(
    "script",
    [
        says(whole(b"data: " + b"x" * 200_000)),
        repeats(OK + b"\r\n", b"data: " + b"x" * 9_000),
        repeats(HEAD, chunked(b"data: x\n" * 500)),
        repeats(HEAD, chunked(b": x\n\n" * 500)),
    ],
    ids=["one", "an endless line", "an endless event", "endless comments"],
)
def test_a_body_over_the_bound_is_a_bad_reply(
    script: Script, use: Callable[[Opened], Awaitable[object]]
) -> None:
    with pytest.raises(BadReply, match="more than 100000 bytes"):
        exchange(script, use, maximum_bytes=100_000)


def test_of_an_endless_error_page_only_the_start_is_read() -> None:
    page = repeats(b"HTTP/1.1 500 Oops\r\n\r\n", b"<p>sorry</p>" * 1_000)
    reply, _ = exchange(page, read, maximum_bytes=100_000_000)
    assert (reply.status, reply.body.text[:12]) == (500, b"<p>sorry</p>")
    assert reply.body.length < 1_000_000


async def _leave(opened: Opened) -> None:
    return None


async def _leave_after_the_first_event(opened: Opened) -> None:
    async with aclosing(opened.events()) as coming:
        assert (await anext(coming)).text == b"a"


@pytest.mark.parametrize("use", [_leave, _leave_after_the_first_event])
@pytest.mark.parametrize("fails", [False, True])
def test_leaving_closes_the_connection(use: Callable[[Opened], Awaitable[None]], fails: bool) -> None:
    async def talk() -> None:
        async with serving(says_and_waits(HEAD + chunked(b"data: a\n\n"))) as peer:
            transport = Transport()
            deadline = Deadline("gemini", 20)
            with pytest.raises(ValueError, match="mine") if fails else contextlib.nullcontext():
                async with transport.open(STREAM, Endpoint("gemini", peer.url), deadline, 1_000) as opened:
                    await use(opened)
                    if fails:
                        raise ValueError("mine")
            await asyncio.wait_for(peer.hung_up.wait(), 20)

    asyncio.run(talk())


def test_a_caller_that_is_cancelled_closes_the_connection() -> None:
    async def talk() -> None:
        async with serving(says_and_waits(HEAD)) as peer:
            transport = Transport()
            endpoint = Endpoint("gemini", peer.url)
            arrived = asyncio.Event()

            async def wait() -> None:
                async with transport.open(CALL, endpoint, Deadline("gemini", 20), 1_000) as opened:
                    arrived.set()
                    await opened.read()

            waiting = asyncio.create_task(wait())
            await asyncio.wait_for(arrived.wait(), 20)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await asyncio.wait_for(peer.hung_up.wait(), 20)

    asyncio.run(talk())


@pytest.mark.parametrize(
    "key", ["sesame\n", "sesame\r\nX-Evil: 1", "schl\u00fcssel", "\u201cquoted\u201d", "sesame\x00"]
)
def test_a_key_that_no_header_can_carry_is_told_without_showing_it(key: str) -> None:
    with pytest.raises(ImagegenError) as caught:
        exchange(says(whole(b"{}")), read, key=key)
    assert key.strip() not in f"{caught.value} {caught.value!r}"
    assert "charged" not in caught.value.message


@pytest.mark.parametrize("base", ["not a url", "ftp://provider.example", "http://[::1", "", "http://"])
def test_an_api_base_that_is_no_address_is_told_and_nothing_was_charged(base: str) -> None:
    async def call() -> None:
        transport = Transport()
        async with transport.open(CALL, Endpoint("gemini", base), Deadline("gemini", 5), 100):
            pass

    with pytest.raises(ImagegenError) as caught:
        asyncio.run(call())
    assert "charged" not in caught.value.message


def test_one_transport_serves_one_event_loop_after_another() -> None:
    transport = Transport()

    async def talk() -> bytes:
        async with (
            serving(says(whole(b"{}"))) as peer,
            transport.open(CALL, Endpoint("gemini", peer.url), Deadline("gemini", 20), 100) as opened,
        ):
            return (await opened.read()).body.text

    assert [asyncio.run(talk()) for _ in range(3)] == [b"{}"] * 3
