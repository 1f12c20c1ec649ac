"""How a reply leaves the sandbox, with the faults that belong to the connection and not to a wire.

Strategy: a wire hands over an `Outgoing` (status, headers, the body in pieces); `Delivery` is the ASGI
response that sends it. Waiting always listens for the client at the same time, so that no handler
outlives its caller. A body that ends early is left unfinished: the server then closes the connection,
which is what a dying upstream looks like.
"""

from __future__ import annotations

import asyncio
import itertools
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .faults import Wishes

_HTML_PAGE = """<!DOCTYPE html>
<html><head><title>Error {status}</title></head>
<body><h1>{status}</h1><hr><p>The edge server before this service could not answer. (sandbox)</p>
</body></html>
"""


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A reply as it should go out. `streamed`: in chunks, one per piece; otherwise with a content-length."""

    status: int = 200
    content_type: str = "application/json; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Sequence[bytes] = ()
    streamed: bool = False


class ClientGoneError(Exception):
    """The client closed the connection before the reply was complete."""


def page(wishes: Wishes) -> Outgoing | None:
    """The reply of something in front of the provider (`html N`, `status N`), if it was wished for."""
    if wishes.page_status is None:
        return None
    bodyless = not wishes.page_is_html or wishes.page_status in (204, 304)
    text = "" if bodyless else _HTML_PAGE.format(status=wishes.page_status)
    return Outgoing(
        status=wishes.page_status, content_type="text/html; charset=utf-8", pieces=[text.encode()]
    )


async def wait(seconds: float | None, receive: Receive) -> None:
    """Wait so many seconds, or for ever if None. Raises ClientGoneError as soon as the client goes away."""

    async def until_gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        async with asyncio.timeout(seconds):
            await until_gone()
    except TimeoutError:
        return
    raise ClientGoneError


class Delivery(Response):
    """The ASGI response which sends an `Outgoing` with the wished faults of the connection."""

    def __init__(self, outgoing: Outgoing, wishes: Wishes | None = None) -> None:
        super().__init__(status_code=outgoing.status)
        self._outgoing = outgoing
        self._wishes = wishes or Wishes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; returns early, without an error, when the client goes away."""
        try:
            if self._wishes.never:
                await wait(None, receive)
            if self._wishes.slow:
                await wait(self._wishes.slow, receive)
            await self._send(receive, send)
        except ClientGoneError:
            return

    async def _send(self, receive: Receive, send: Send) -> None:
        pieces = list(self._outgoing.pieces)
        if self._wishes.gzip:
            pieces = _gzipped(pieces)
        total = sum(len(piece) for piece in pieces)
        await send(
            {"type": "http.response.start", "status": self._outgoing.status, "headers": self._head(total)}
        )
        stall_after = len(pieces[0]) if self._outgoing.streamed and pieces else total // 2
        cut_at = _middle_of_largest(pieces) if self._wishes.cut_off else None
        marks = {stall_after} if self._wishes.stall else set()
        marks |= set() if cut_at is None else {cut_at}
        sent = 0
        for part in _split_at(pieces, sorted(marks)):
            await send({"type": "http.response.body", "body": part, "more_body": True})
            sent += len(part)
            if self._wishes.stall and sent == stall_after:
                await wait(self._wishes.stall, receive)
            if sent == cut_at:
                # Returning with an unfinished body makes the server close the socket.
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _head(self, total: int) -> list[tuple[bytes, bytes]]:
        headers = {"content-type": self._outgoing.content_type, **self._outgoing.headers}
        if self._wishes.gzip:
            headers["content-encoding"] = "gzip"
        if not self._outgoing.streamed:
            headers["content-length"] = str(total)
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _gzipped(pieces: Sequence[bytes]) -> list[bytes]:
    """The pieces as one gzip stream, flushed after each, so that a reader still sees each at once."""
    packer = zlib.compressobj(level=1, wbits=31)
    packed = [packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]
    return [*packed, packer.flush()]


def _middle_of_largest(pieces: Sequence[bytes]) -> int:
    """The offset of the middle of the largest piece, which holds the picture."""
    largest = max(range(len(pieces)), key=lambda index: len(pieces[index]), default=0)
    return sum(len(piece) for piece in pieces[:largest]) + len(pieces[largest]) // 2 if pieces else 0


def _split_at(pieces: Sequence[bytes], marks: Sequence[int]) -> list[bytes]:
    """The same bytes, with a boundary at each mark as well."""
    result: list[bytes] = []
    start = 0
    for piece in pieces:
        edges = [0, *(mark - start for mark in marks if start < mark < start + len(piece)), len(piece)]
        result += [piece[low:high] for low, high in itertools.pairwise(edges)]
        start += len(piece)
    return result
