"""A provider's socket on loopback that says exactly the bytes of a script, and ends as it is told."""

import asyncio
import itertools
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto

_TLS_HANDSHAKE = 0x16
_WAIT_SECONDS = 30


class End(Enum):
    """What comes after the last byte."""

    CLOSE = auto()
    RESET = auto()
    SILENCE = auto()


@dataclass(frozen=True)
class Script:
    """What is said to a request: the pieces, the last of them `repeats` times, `pause` seconds apart."""

    pieces: tuple[bytes, ...] = ()
    end: End = End.CLOSE
    repeats: int = 1
    pause: float = 0

    def all_pieces(self) -> Iterator[bytes]:
        """Every piece in order."""
        yield from self.pieces
        for _ in range(self.repeats - 1):
            yield self.pieces[-1]


@dataclass
class Exchange:
    """The requests whose body holds `prompt`, and what became of them."""

    prompt: str
    script: Script
    requests: list[bytes] = field(default_factory=list)
    sent_bytes: int = 0
    connections: set["asyncio.Task[object]"] = field(default_factory=set)
    _arrived: threading.Event = field(default_factory=threading.Event)
    _hung_up: threading.Event = field(default_factory=threading.Event)

    def wait_until_arrived(self) -> None:
        """Until a request is there."""
        assert self._arrived.wait(_WAIT_SECONDS), "no request has come"

    def wait_until_hung_up(self) -> None:
        """Until the caller has closed the connection of a request."""
        assert self._hung_up.wait(_WAIT_SECONDS), "the connection is still open"


class FaultyUpstream:
    """Serves every exchange that is open, told apart by their prompts."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.port = 0
        self._exchanges: dict[bytes, Exchange] = {}
        self._numbers = itertools.count()
        self._idle: set[asyncio.Task[object]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def says(self, script: Script) -> Iterator[Exchange]:
        """Follow `script` for requests with the prompt of the exchange, as long as the block lasts.

        Then their connections are closed, so that no later request can go out on one of them.
        """
        exchange = Exchange(f"exchange number {next(self._numbers)}.", script)
        self._exchanges[exchange.prompt.encode()] = exchange
        try:
            yield exchange
        finally:
            del self._exchanges[exchange.prompt.encode()]
            asyncio.run_coroutine_threadsafe(_end(exchange.connections), self.loop).result(_WAIT_SECONDS)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request, one script."""
        task = asyncio.current_task()
        assert task is not None
        self._idle.add(task)
        try:
            beginning = await reader.readexactly(1)
            if beginning[0] == _TLS_HANDSHAKE:
                writer.write(b"HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\n\r\n")
                return
            request = beginning + await _request(reader)
            exchange = next((e for prompt, e in self._exchanges.items() if prompt in request), None)
            if exchange is not None:
                self._idle.discard(task)
                exchange.connections.add(task)
                await _follow(exchange, request, reader, writer)
        except (ConnectionError, EOFError):
            pass  # the caller has hung up
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._idle.discard(task)
            writer.close()

    async def end(self) -> None:
        """Close the connections that no request has come on."""
        await _end(self._idle)


async def _end(tasks: set["asyncio.Task[object]"]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    _, _, length = head.lower().partition(b"content-length: ")
    return head + await reader.readexactly(int(length.split()[0]) if length else 0)


async def _follow(
    exchange: Exchange, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    script = exchange.script
    exchange.requests.append(request)
    exchange._arrived.set()
    watch = asyncio.create_task(_watch(exchange, reader))
    try:
        for piece in script.all_pieces():
            writer.write(piece)
            await writer.drain()
            exchange.sent_bytes += len(piece)
            if script.pause:
                await asyncio.sleep(script.pause)
        if script.end is End.SILENCE:
            await watch
    except ConnectionError:
        exchange._hung_up.set()
    finally:
        watch.cancel()
        if script.end is End.RESET:
            plain: socket.socket = writer.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


async def _watch(exchange: Exchange, reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        await reader.read()
    exchange._hung_up.set()


@contextmanager
def running_faulty_upstream() -> Iterator[FaultyUpstream]:
    """Serve on loopback, from an event loop in a thread of its own, for as long as the block lasts."""
    loop = asyncio.new_event_loop()
    upstream = FaultyUpstream(loop)
    server = loop.run_until_complete(asyncio.start_server(upstream.talk, "127.0.0.1", 0))
    upstream.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield upstream
    finally:
        server.close()
        asyncio.run_coroutine_threadsafe(upstream.end(), loop).result(_WAIT_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_WAIT_SECONDS)
        loop.close()
