"""Image bytes in the form they came in (raw or base64), converted only when someone needs the other form.

A provider sends base64 inside JSON and most clients want base64 inside JSON, so the common path passes on
the very bytes that came. They are decoded once, to look at the picture, and the decoded form is let go.
"""

import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict

import pybase64
from PIL import Image

Bytes = bytes | memoryview

# Only formats that image models return or take; Pillow's other decoders stay closed to foreign bytes.
_READABLE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
)
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+-]{1,60}")
_SLICE_CHARACTERS = 1024 * 1024  # a multiple of 4
_ENDING_BYTES = 64 * 1024
_HEAD_BYTES = 24  # covers the longest signature
_SIGNATURE_CHARACTERS = 32  # base64 characters that cover the longest signature, a multiple of 4


class PictureFacts(TypedDict):
    """What may be said of a picture in a log or in metadata; pixels are None where they cannot be read."""

    mime: str
    width: int | None
    height: int | None
    bytes: int
    sha256: str


@dataclass(frozen=True)
class _Inspection:
    """What one look at all bytes has shown; `is_standard` tells whether their base64 can be passed on."""

    facts: PictureFacts
    beginning: bytes
    ending: bytes
    is_standard: bool


class Blob:
    """One picture. Build it with `from_base64` or `from_raw`; it never changes afterwards.

    `ValueError` is raised by whatever needs the raw bytes when the base64 is not base64. The first use
    of `facts`, `flaw` or `base64` reads every byte: let it happen off the event loop for large pictures.
    """

    def __init__(self, raw: bytes | None, base64: Bytes | None, mime: str | None) -> None:
        self._given_raw = raw
        self._given_base64 = base64 or b""
        self._declared_mime = mime

    @classmethod
    def from_raw(cls, raw: bytes, mime: str | None = None) -> "Blob":
        """A picture from its bytes; `mime` counts only where the bytes do not tell."""
        return cls(raw, None, mime)

    @classmethod
    def from_base64(cls, base64: Bytes | str, mime: str | None = None) -> "Blob":
        """A picture from base64 (standard or URL-safe alphabet, padding and line breaks optional).

        Raises `ValueError` for text that is not ASCII.
        """
        return cls(None, base64.encode("ascii") if isinstance(base64, str) else base64, mime)

    @property
    def raw(self) -> bytes:
        """The bytes, decoded anew at each use where they came as base64."""
        return self._given_raw if self._given_raw is not None else _decode(self._given_base64)[0]

    @cached_property
    def base64(self) -> Bytes:
        """Base64 in the standard alphabet, padded, on one line."""
        if self._given_raw is None and self._inspection.is_standard:
            return self._given_base64
        return pybase64.b64encode(self.raw)

    @cached_property
    def mime(self) -> str:
        """The media type that the bytes themselves tell, else the declared one."""
        head = self._given_raw[:_HEAD_BYTES] if self._given_raw is not None else self._head_of_base64()
        declared = self._declared_mime or ""
        return _signed_mime(head) or (
            declared if _MEDIA_TYPE.fullmatch(declared) else "application/octet-stream"
        )

    @property
    def data_url_head(self) -> str:
        """`data:<mime>;base64,`"""
        return f"data:{self.mime};base64,"

    @property
    def data_url(self) -> str:
        """`data:<mime>;base64,<data>`"""
        return self.data_url_head + str(self.base64, "ascii")

    @property
    def held_bytes(self) -> int:
        """Bytes in the form they came in."""
        return len(self._given_base64 if self._given_raw is None else self._given_raw)

    @property
    def facts(self) -> PictureFacts:
        """Hash, pixels (from the header alone) and length."""
        return self._inspection.facts

    @cached_property
    def flaw(self) -> str | None:
        """What shows that these bytes are no whole picture, None if nothing does.

        Formats that are unknown here are taken on trust; a known one must begin and end as it should.
        """
        seen, mime = self._inspection, self.mime
        if not any(known == mime for *_, known in _SIGNATURES):
            return None
        if _signed_mime(seen.beginning) != mime:
            return f"bytes that are no {mime}"
        if mime == "image/webp":
            is_whole = seen.facts["bytes"] >= int.from_bytes(seen.beginning[4:8], "little") + 8
        else:  # the end stands last, but for what some programs append to it
            is_whole = _has_end(seen.ending, mime) or _has_end(self.raw, mime)
        return None if is_whole else f"a {mime} that is cut off"

    def __repr__(self) -> str:
        return f"<Blob {self.mime} {self.held_bytes} {'base64' if self._given_raw is None else 'raw'}>"

    @cached_property
    def _inspection(self) -> _Inspection:
        if self._given_raw is not None:
            return _inspected([self._given_raw], self.mime, is_standard=True)
        try:
            return _inspected(_decoded_slices(self._given_base64), self.mime, is_standard=True)
        except ValueError:  # another form of base64, or none
            raw = _decode_forgivingly(bytes(self._given_base64))
            return _inspected([raw], self.mime, is_standard=False)

    def _head_of_base64(self) -> bytes:
        beginning = bytes(self._given_base64[: 8 * _SIGNATURE_CHARACTERS])
        head = b"".join(beginning.split())[:_SIGNATURE_CHARACTERS]
        try:
            return _decode_forgivingly(head)
        except ValueError:
            return b""


def _signed_mime(head: bytes) -> str | None:
    for offset, signature, mime in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            return mime
    return None


def _decoded_slices(text: Bytes) -> Iterator[bytes]:
    """A megabyte at a time: a whole copy of a large picture costs more than all that is done with it."""
    for position in range(0, len(text), _SLICE_CHARACTERS):
        yield pybase64.b64decode(text[position : position + _SLICE_CHARACTERS], validate=True)


def _inspected(slices: Iterable[bytes], mime: str, *, is_standard: bool) -> _Inspection:
    digest, length = hashlib.sha256(), 0
    beginning = ending = b""
    for piece in slices:
        if not length:
            beginning = piece
        digest.update(piece)
        length += len(piece)
        ending = (ending + piece if len(piece) < _ENDING_BYTES else piece)[-_ENDING_BYTES:]
    width, height = _pixels(beginning)
    facts: PictureFacts = {
        "mime": mime,
        "width": width,
        "height": height,
        "bytes": length,
        "sha256": digest.hexdigest(),
    }
    return _Inspection(facts, beginning[:_HEAD_BYTES], ending, is_standard)


def _has_end(text: bytes, mime: str) -> bool:
    """Whether `text`, a whole picture or the last part of one, holds the mark that its kind ends with."""
    match mime:
        case "image/png":
            return text.rfind(b"IEND") >= 0
        case "image/jpeg":
            # An end after the last scan began: thumbnails before it have ends of their own.
            ending = text.rfind(b"\xff\xd9")
            return ending >= 0 and text.find(b"\xff\xda", ending) < 0
    return True


def _pixels(beginning: bytes) -> tuple[int | None, int | None]:
    try:
        with Image.open(io.BytesIO(beginning), formats=_READABLE_FORMATS) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None, None


def _decode(text: Bytes) -> tuple[bytes, bool]:
    """The bytes, and whether the base64 they came in was in the standard form."""
    try:
        return pybase64.b64decode(text, validate=True), True
    except ValueError:
        return _decode_forgivingly(bytes(text)), False


def _decode_forgivingly(text: bytes) -> bytes:
    """Forms seen on the wire beside the standard one: URL-safe alphabet, line breaks, missing padding."""
    standard = b"".join(text.split()).replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
    return pybase64.b64decode(standard + b"=" * (-len(standard) % 4), validate=True)
