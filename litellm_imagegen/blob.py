"""Image bytes in the form they came in (raw or base64), converted only when someone needs the other form.

A provider sends base64 inside JSON and most clients want base64 inside JSON, so the common path never
decodes a picture to pass it on. Facts about it (hash, pixels) are worked out once, on demand.
"""

import hashlib
import io
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


class Blob:
    """One picture. Build it with `from_base64` or `from_raw`; it never changes afterwards.

    `ValueError` is raised by whatever needs the raw bytes when the base64 is not base64.
    """

    def __init__(
        self, *, raw: bytes | None = None, base64: str | None = None, mime: str | None = None
    ) -> None:
        if (raw is None) == (base64 is None):
            raise ValueError("a blob holds either raw bytes or base64")
        self._given_raw = raw
        self._given_base64 = base64
        self._declared_mime = mime

    @classmethod
    def from_raw(cls, raw: bytes, mime: str | None = None) -> "Blob":
        """A picture from its bytes; `mime` counts only where the bytes do not tell."""
        return cls(raw=raw, mime=mime)

    @classmethod
    def from_base64(cls, base64: str, mime: str | None = None) -> "Blob":
        """A picture from base64 text (standard or URL-safe alphabet, padding and line breaks optional)."""
        return cls(base64=base64, mime=mime)

    @property
    def raw(self) -> bytes:
        """The bytes."""
        return self._given_raw if self._given_raw is not None else self._decoded[0]

    @cached_property
    def base64(self) -> str:
        """Base64 in the standard alphabet, padded, on one line."""
        if self._given_base64 is not None and self._decoded[1]:
            return self._given_base64
        return pybase64.b64encode_as_string(self.raw)

    @cached_property
    def _decoded(self) -> tuple[bytes, bool]:
        """The bytes, and whether the base64 they came in was in the standard form."""
        given = self._given_base64 or ""
        try:
            return pybase64.b64decode(given, validate=True), True
        except ValueError:
            return _decode_forgivingly(given), False

    @cached_property
    def mime(self) -> str:
        """The media type that the bytes themselves tell, else the declared one."""
        head = self._given_raw[:24] if self._given_raw is not None else self._head_of_base64()
        for offset, signature, mime in _SIGNATURES:
            if head[offset : offset + len(signature)] == signature:
                return mime
        return self._declared_mime or "application/octet-stream"

    @cached_property
    def flaw(self) -> str | None:
        """What shows that these bytes are no whole picture, None if nothing does.

        Formats that are unknown here are taken on trust; a known one must begin and end as it should.
        """
        raw, mime = self.raw, self.mime
        if not any(known == mime for *_, known in _SIGNATURES):
            return None
        if not any(
            raw[at : at + len(signature)] == signature
            for at, signature, known in _SIGNATURES
            if known == mime
        ):
            return f"bytes that are no {mime}"
        match mime:
            case "image/png":
                whole = raw.rfind(b"IEND") >= 0
            case (
                "image/jpeg"
            ):  # an end after the last scan began; thumbnails before it have ends of their own
                whole = raw.rfind(b"\xff\xd9") > raw.rfind(b"\xff\xda") >= 0
            case "image/webp":
                whole = len(raw) >= int.from_bytes(raw[4:8], "little") + 8
            case _:
                whole = True
        return None if whole else f"a {mime} that is cut off"

    @property
    def data_url(self) -> str:
        """`data:<mime>;base64,<data>`"""
        return f"data:{self.mime};base64,{self.base64}"

    @cached_property
    def size(self) -> tuple[int, int] | None:
        """(width, height) in pixels, read from the header alone; None for bytes that Pillow cannot read."""
        try:
            with Image.open(io.BytesIO(self.raw), formats=_READABLE_FORMATS) as picture:
                return picture.size
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return None

    @cached_property
    def facts(self) -> PictureFacts:
        """Hash, pixels and length. Reads every byte: call it off the event loop for large pictures."""
        width, height = self.size or (None, None)
        return {
            "mime": self.mime,
            "width": width,
            "height": height,
            "bytes": len(self.raw),
            "sha256": hashlib.sha256(self.raw).hexdigest(),
        }

    def __repr__(self) -> str:
        form, given = (
            ("raw", self._given_raw) if self._given_raw is not None else ("base64", self._given_base64)
        )
        return f"<Blob {self.mime} {len(given or '')} {form}>"

    def _head_of_base64(self) -> bytes:
        try:
            given = (self._given_base64 or "")[: 8 * _SIGNATURE_CHARACTERS]
            return _decode_forgivingly("".join(given.split())[:_SIGNATURE_CHARACTERS])
        except ValueError:
            return b""


def _decode_forgivingly(text: str) -> bytes:
    """Forms seen on the wire beside the standard one: URL-safe alphabet, line breaks, missing padding."""
    standard = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    return pybase64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
