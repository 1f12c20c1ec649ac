"""Base64 in the pieces it came in, looked at while it comes.

A picture of many megabytes takes longer to arrive than to decode and to hash. So both are done beside its
arrival, in worker threads and a megabyte at a time, and are nearly over when its last byte is there.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache

import pybase64

from litellm_imagegen.inspection import Inspection, Inspector

BATCH_BYTES = 1024 * 1024


class Base64Text:
    """Base64, complete or still coming. One thread feeds it and asks for what is in it afterwards."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)
        self._length = sum(map(len, pieces))
        self._looked_at = 0  # how many of the pieces
        self._waiting = self._length
        self._inspector = _Base64Inspector()
        self._lock = threading.Lock()
        self._work: Future[None] | None = None
        self._is_working = False

    def __len__(self) -> int:
        return self._length

    def feed(self, piece: bytes) -> None:
        """Take what comes next, and have it looked at once it is enough to be worth the while."""
        with self._lock:
            self._pieces.append(piece)
            self._length += len(piece)
            self._waiting += len(piece)
            if self._is_working or self._waiting < BATCH_BYTES:
                return
            self._is_working = True
        self._work = _workers().submit(self._look)

    @property
    def pieces(self) -> tuple[bytes, ...]:
        """The text as it came."""
        return tuple(self._pieces)

    def inspection(self) -> Inspection | None:
        """What the picture shows, once all is there; None where this is no base64 in the standard form.

        Waits for the workers and does what they have left: not for the event loop.
        """
        if self._work is not None:
            self._work.result()
        self._inspector.feed(self._take())
        return self._inspector.result()

    def decoded(self) -> bytes:
        """The raw bytes. Raises `ValueError` for what is no base64 in any form known on the wire."""
        text = b"".join(self._pieces)
        try:
            return pybase64.b64decode(text, validate=True)
        except ValueError:
            return decoded_forgivingly(text)

    def _look(self) -> None:
        while True:
            with self._lock:
                if self._waiting < BATCH_BYTES:
                    self._is_working = False
                    return
            self._inspector.feed(self._take())

    def _take(self) -> list[bytes]:
        with self._lock:
            taken = self._pieces[self._looked_at :]
            self._looked_at = len(self._pieces)
            self._waiting = 0
        return taken


class _Base64Inspector:
    """Decodes piece by piece for an `Inspector`, as long as it is base64 in the standard form."""

    def __init__(self) -> None:
        self._inspector = Inspector()
        self._rest = b""
        self._is_standard = True
        self._has_ended = False

    def feed(self, pieces: Iterable[bytes]) -> None:
        for batch in in_batches(pieces):
            if not self._is_standard:
                return
            self._rest = self._decode(self._rest + batch if self._rest else batch)

    def _decode(self, batch: bytes) -> bytes:
        """Decode what is complete of it; the rest."""
        whole = len(batch) - len(batch) % 4
        try:
            raw = pybase64.b64decode(batch if whole == len(batch) else batch[:whole], validate=True)
        except ValueError:
            self._is_standard = False
            return b""
        # Padding ends the text: nothing may follow it.
        self._is_standard = not (self._has_ended and batch)
        self._has_ended = self._has_ended or len(raw) < whole // 4 * 3
        if raw:
            self._inspector.feed(raw)
        return batch[whole:]

    def result(self) -> Inspection | None:
        return self._inspector.result() if self._is_standard and not self._rest else None


def in_batches(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes up to a megabyte at a time: small pieces are joined, large ones cut, others kept."""
    held: list[bytes] = []
    length = 0
    for piece in pieces:
        for start in range(0, len(piece), BATCH_BYTES):
            held.append(piece[start : start + BATCH_BYTES])
            length += len(held[-1])
            if length >= BATCH_BYTES // 4:
                yield b"".join(held)
                held, length = [], 0
    if length:
        yield b"".join(held)


def decoded_forgivingly(text: bytes) -> bytes:
    """Forms seen on the wire beside the standard one: URL-safe alphabet, line breaks, missing padding."""
    standard = b"".join(text.split()).replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
    return pybase64.b64decode(standard + b"=" * (-len(standard) % 4), validate=True)


@lru_cache(maxsize=1)
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="imagegen-inspection")
