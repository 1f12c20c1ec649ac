"""Image bytes in the form they came in (raw or base64), converted only when someone needs the other form.

A provider sends base64 inside JSON and most clients want base64 inside JSON, so the common path passes on
the very bytes that came. They are decoded once, to look at the picture, and the decoded form is let go.
"""

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict

import pybase64
from PIL import Image

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
    """What one look at all bytes has shown."""

    facts: PictureFacts
    flaw: str | None
    is_standard: bool


class Blob:
    """One picture. Build it with `from_base64` or `from_raw`; it never changes afterwards.

    `ValueError` is raised by whatever needs the raw bytes when the base64 is not base64. The first use
    of `facts`, `flaw` or `base64` reads every byte: let it happen off the event loop for large pictures.
    """

    def __init__(self, raw: bytes | None, base64: bytes | None, mime: str | None) -> None:
        self._given_raw = raw
        self._given_base64 = base64 or b""
        self._declared_mime = mime

    @classmethod
    def from_raw(cls, raw: bytes, mime: str | None = None) -> "Blob":
        """A picture from its bytes; `mime` counts only where the bytes do not tell."""
        return cls(raw, None, mime)

    @classmethod
    def from_base64(cls, base64: bytes | str, mime: str | None = None) -> "Blob":
        """A picture from base64 (standard or URL-safe alphabet, padding and line breaks optional).

        Raises `ValueError` for text that is not ASCII.
        """
        return cls(None, base64.encode("ascii") if isinstance(base64, str) else base64, mime)

    @property
    def raw(self) -> bytes:
        """The bytes, decoded anew at each use where they came as base64."""
        return self._given_raw if self._given_raw is not None else _decode(self._given_base64)[0]

    @cached_property
    def base64(self) -> bytes:
        """Base64 in the standard alphabet, padded, on one line."""
        if self._given_raw is None and self._inspection.is_standard:
            return self._given_base64
        return pybase64.b64encode(self.raw)

    @cached_property
    def mime(self) -> str:
        """The media type that the bytes themselves tell, else the declared one."""
        head = self._given_raw[:24] if self._given_raw is not None else self._head_of_base64()
        return _signed_mime(head) or self._declared_mime or "application/octet-stream"

    @property
    def data_url_head(self) -> str:
        """`data:<mime>;base64,`"""
        return f"data:{self.mime};base64,"

    @property
    def data_url(self) -> str:
        """`data:<mime>;base64,<data>`"""
        return self.data_url_head + self.base64.decode()

    @property
    def held_bytes(self) -> int:
        """Bytes in the form they came in."""
        return len(self._given_base64 if self._given_raw is None else self._given_raw)

    @property
    def facts(self) -> PictureFacts:
        """Hash, pixels (from the header alone) and length."""
        return self._inspection.facts

    @property
    def flaw(self) -> str | None:
        """What shows that these bytes are no whole picture, None if nothing does.

        Formats that are unknown here are taken on trust; a known one must begin and end as it should.
        """
        return self._inspection.flaw

    def __repr__(self) -> str:
        return f"<Blob {self.mime} {self.held_bytes} {'base64' if self._given_raw is None else 'raw'}>"

    @cached_property
    def _inspection(self) -> _Inspection:
        raw, is_standard = (
            (self._given_raw, True) if self._given_raw is not None else _decode(self._given_base64)
        )
        width, height = _pixels(raw)
        facts: PictureFacts = {
            "mime": self.mime,
            "width": width,
            "height": height,
            "bytes": len(raw),
            "sha256": hashlib.sha256(raw).hexdigest(),
        }
        return _Inspection(facts, _flaw(raw, self.mime), is_standard)

    def _head_of_base64(self) -> bytes:
        head = b"".join(self._given_base64[: 8 * _SIGNATURE_CHARACTERS].split())[:_SIGNATURE_CHARACTERS]
        try:
            return _decode_forgivingly(head)
        except ValueError:
            return b""


def _signed_mime(head: bytes) -> str | None:
    for offset, signature, mime in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            return mime
    return None


def _pixels(raw: bytes) -> tuple[int | None, int | None]:
    try:
        with Image.open(io.BytesIO(raw), formats=_READABLE_FORMATS) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None, None


def _flaw(raw: bytes, mime: str) -> str | None:
    if not any(known == mime for *_, known in _SIGNATURES):
        return None
    if _signed_mime(raw[:24]) != mime:
        return f"bytes that are no {mime}"
    match mime:
        case "image/png":
            is_whole = raw.rfind(b"IEND") >= 0
        case "image/jpeg":
            # An end after the last scan began: thumbnails before it have ends of their own.
            is_whole = raw.rfind(b"\xff\xd9") > raw.rfind(b"\xff\xda") >= 0
        case "image/webp":
            is_whole = len(raw) >= int.from_bytes(raw[4:8], "little") + 8
        case _:
            is_whole = True
    return None if is_whole else f"a {mime} that is cut off"


def _decode(text: bytes) -> tuple[bytes, bool]:
    """The bytes, and whether the base64 they came in was in the standard form."""
    try:
        return pybase64.b64decode(text, validate=True), True
    except ValueError:
        return _decode_forgivingly(text), False


def _decode_forgivingly(text: bytes) -> bytes:
    """Forms seen on the wire beside the standard one: URL-safe alphabet, line breaks, missing padding."""
    standard = b"".join(text.split()).replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
    return pybase64.b64decode(standard + b"=" * (-len(standard) % 4), validate=True)
