"""What the bytes of a picture tell: what kind it is, how large, whether it is whole, and its hash."""

import hashlib
import io
from dataclasses import dataclass

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
SIGNATURE_BYTES = 24  # covers the longest signature
_ENDING_BYTES = 64 * 1024


def signed_mime(beginning: bytes) -> str | None:
    """The media type that a picture's first `SIGNATURE_BYTES` tell."""
    for offset, signature, mime in _SIGNATURES:
        if beginning[offset : offset + len(signature)] == signature:
            return mime
    return None


def is_known(mime: str) -> bool:
    """Whether pictures of this type are told by their first bytes."""
    return any(known == mime for *_, known in _SIGNATURES)


def has_end(text: bytes, mime: str) -> bool:
    """Whether `text`, a whole picture or the last part of one, holds the mark that its kind ends with."""
    match mime:
        case "image/png":
            return text.rfind(b"IEND") >= 0
        case "image/jpeg":
            # An end after the last scan began: thumbnails before it have ends of their own.
            ending = text.rfind(b"\xff\xd9")
            return ending >= 0 and text.find(b"\xff\xda", ending) < 0
    return True


@dataclass(frozen=True)
class Inspection:
    """What one look at all bytes has shown; pixels are None where they cannot be read."""

    length: int
    sha256: str
    width: int | None
    height: int | None
    beginning: bytes
    ending: bytes


class Inspector:
    """Looks at a picture slice by slice; a slice is let go once it was looked at."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._length = 0
        self._beginning = self._ending = b""

    def feed(self, piece: bytes) -> None:
        """Look at the next slice. The first is to hold the picture's head."""
        if not self._length:
            self._beginning = piece
        self._digest.update(piece)
        self._length += len(piece)
        known_ending = b"" if len(piece) >= _ENDING_BYTES else self._ending
        self._ending = (known_ending + piece)[-_ENDING_BYTES:]

    def result(self) -> Inspection:
        """What was seen."""
        width, height = _pixels(self._beginning)
        return Inspection(
            length=self._length,
            sha256=self._digest.hexdigest(),
            width=width,
            height=height,
            beginning=self._beginning[:SIGNATURE_BYTES],
            ending=self._ending,
        )


def _pixels(beginning: bytes) -> tuple[int | None, int | None]:
    try:
        with Image.open(io.BytesIO(beginning), formats=_READABLE_FORMATS) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None, None
