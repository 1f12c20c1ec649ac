"""Image bytes in the form they came in (raw or base64), converted only when someone needs the other form.

A provider sends base64 inside JSON and most clients want base64 inside JSON, so the common path passes on
the very bytes that came. They are decoded once, to look at the picture, and the decoded form is let go.
"""

import re
from functools import cached_property
from typing import TypedDict

import pybase64

from litellm_imagegen.base64_text import Base64Text, decoded_forgivingly
from litellm_imagegen.inspection import (
    SIGNATURE_BYTES,
    Inspection,
    Inspector,
    has_end,
    is_known,
    signed_mime,
)

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+-]{1,60}")
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

    `ValueError` is raised by whatever needs the raw bytes when the base64 is not base64. The first use
    of `facts`, `flaw` or `base64_pieces` may read every byte: let it happen off the event loop for large
    pictures.
    """

    def __init__(self, raw: bytes | None, text: Base64Text, mime: str | None) -> None:
        self._given_raw = raw
        self._given_text = text
        self._declared_mime = mime

    @classmethod
    def from_raw(cls, raw: bytes, mime: str | None = None) -> "Blob":
        """A picture from its bytes; `mime` counts only where the bytes do not tell."""
        return cls(raw, Base64Text(), mime)

    @classmethod
    def from_base64(cls, base64: Base64Text | bytes | str, mime: str | None = None) -> "Blob":
        """A picture from base64 (standard or URL-safe alphabet, padding and line breaks optional).

        Raises `ValueError` for text that is not ASCII.
        """
        if isinstance(base64, str):
            base64 = base64.encode("ascii")
        return cls(None, Base64Text(base64) if isinstance(base64, bytes) else base64, mime)

    @property
    def raw(self) -> bytes:
        """The bytes, decoded anew at each use where they came as base64."""
        return self._given_raw if self._given_raw is not None else self._given_text.decoded()

    @cached_property
    def base64_pieces(self) -> tuple[bytes, ...]:
        """Base64 in the standard alphabet, padded, without line breaks; in pieces to be joined."""
        if self._given_raw is None and self._inspected_text is not None:
            return self._given_text.pieces
        return (pybase64.b64encode(self.raw),)

    @property
    def base64(self) -> bytes:
        """The same in one piece, joined anew at each use."""
        return b"".join(self.base64_pieces)

    @property
    def base64_length(self) -> int:
        """Characters of base64."""
        return sum(map(len, self.base64_pieces))

    @cached_property
    def mime(self) -> str:
        """The media type that the bytes themselves tell, else the declared one."""
        head = self._given_raw[:SIGNATURE_BYTES] if self._given_raw is not None else self._head_of_base64()
        declared = self._declared_mime or ""
        return signed_mime(head) or (
            declared if _MEDIA_TYPE.fullmatch(declared) else "application/octet-stream"
        )

    @property
    def data_url_head(self) -> str:
        """`data:<mime>;base64,`"""
        return f"data:{self.mime};base64,"

    @property
    def data_url(self) -> str:
        """`data:<mime>;base64,<data>`"""
        return self.data_url_head + self.base64.decode("ascii")

    @property
    def held_bytes(self) -> int:
        """Bytes in the form they came in."""
        return len(self._given_text if self._given_raw is None else self._given_raw)

    def compact(self) -> "Blob":
        """The same in the form that it came in alone, for whoever keeps it for long."""
        if self._given_raw is None or "base64_pieces" not in self.__dict__:
            return self
        twin = type(self)(self._given_raw, self._given_text, self._declared_mime)
        for known in ("mime", "facts", "flaw"):
            twin.__dict__[known] = getattr(self, known)
        return twin

    @cached_property
    def facts(self) -> PictureFacts:
        """Hash, pixels (from the header alone) and length."""
        seen = self._inspection
        return {
            "mime": self.mime,
            "width": seen.width,
            "height": seen.height,
            "bytes": seen.length,
            "sha256": seen.sha256,
        }

    @cached_property
    def flaw(self) -> str | None:
        """What shows that these bytes are no whole picture, None if nothing does.

        Formats that are unknown here are taken on trust; a known one must begin and end as it should.
        """
        seen, mime = self._inspection, self.mime
        if not is_known(mime):
            return None
        if signed_mime(seen.beginning) != mime:
            return f"bytes that are no {mime}"
        if mime == "image/webp":
            is_whole = seen.length >= int.from_bytes(seen.beginning[4:8], "little") + 8
        else:  # the end stands last, but for what some programs append to it
            is_whole = has_end(seen.ending, mime) or has_end(self.raw, mime)
        return None if is_whole else f"a {mime} that is cut off"

    def __repr__(self) -> str:
        return f"<Blob {self.mime} {self.held_bytes} {'base64' if self._given_raw is None else 'raw'}>"

    @cached_property
    def _inspected_text(self) -> Inspection | None:
        """What base64 in the standard form shows, None for other forms."""
        return self._given_text.inspection()

    @cached_property
    def _inspection(self) -> Inspection:
        if self._given_raw is None and self._inspected_text is not None:
            return self._inspected_text
        inspector = Inspector()
        inspector.feed(self.raw)
        return inspector.result()

    def _head_of_base64(self) -> bytes:
        beginning = b""
        for piece in self._given_text.pieces:
            beginning += piece[: 8 * _SIGNATURE_CHARACTERS]
            if len(beginning) >= 8 * _SIGNATURE_CHARACTERS:
                break
        head = b"".join(beginning.split())[:_SIGNATURE_CHARACTERS]
        try:
            return decoded_forgivingly(head)
        except ValueError:
            return b""
