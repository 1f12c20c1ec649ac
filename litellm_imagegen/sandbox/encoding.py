"""Turns a painted picture into the bytes of its file, on wish with padding that every decoder skips.

Padding is part of the file's own format, so that a large payload is still a valid picture: a private
ancillary chunk in PNG (https://www.w3.org/TR/png-3/#5Chunk-layout), comment segments before the end
marker in JPEG (ITU-T T.81 B.2.4).
"""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

_PNG_END_LENGTH = 12
_JPEG_END = b"\xff\xd9"
_JPEG_SEGMENT_DATA = 65_533
_JPEG_QUALITY = 88


def encode(
    picture: Image.Image, *, mime_type: str, padding_bytes: int = 0, quality: int | None = None
) -> bytes:
    """The picture as image/png or image/jpeg, at least `padding_bytes` larger than needed.

    `quality` is that of a JPEG, 0 to 100. Raises ValueError for another mime type.
    """
    file = io.BytesIO()
    if mime_type == "image/png":
        picture.save(file, "PNG", compress_level=1)
        return _padded_png(file.getvalue(), padding_bytes)
    if mime_type == "image/jpeg":
        picture.save(file, "JPEG", quality=_JPEG_QUALITY if quality is None else max(1, quality))
        return _padded_jpeg(file.getvalue(), padding_bytes)
    raise ValueError(f"the sandbox writes no {mime_type}")


def _padded_png(data: bytes, padding_bytes: int) -> bytes:
    if not padding_bytes:
        return data
    # Second letter lower: private; first lower: ancillary; last lower: safe to copy.
    name_and_content = b"paDd" + bytes(padding_bytes)
    chunk = (
        struct.pack(">I", padding_bytes) + name_and_content + struct.pack(">I", zlib.crc32(name_and_content))
    )
    return data[:-_PNG_END_LENGTH] + chunk + data[-_PNG_END_LENGTH:]


def _padded_jpeg(data: bytes, padding_bytes: int) -> bytes:
    if not padding_bytes:
        return data
    segment = b"\xff\xfe" + struct.pack(">H", _JPEG_SEGMENT_DATA + 2) + bytes(_JPEG_SEGMENT_DATA)
    count = -(-padding_bytes // _JPEG_SEGMENT_DATA)
    return data[: -len(_JPEG_END)] + segment * count + _JPEG_END
