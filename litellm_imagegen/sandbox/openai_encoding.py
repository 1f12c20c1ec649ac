"""Turns a painted picture into a file of any format that OpenAI's image models give, on wish with padding
that every decoder skips.

Strategy: padding is part of each format, so that a large payload is still a valid picture: a private chunk
in PNG, comment segments in JPEG, metadata in WebP, a comment in GIF and in SVG. An animation is one
painting with a bar that grows from frame to frame, so that 64 frames cost little more than one.

Source: https://www.w3.org/Graphics/GIF/spec-gif89a.txt, https://www.w3.org/TR/SVG2/
"""

from __future__ import annotations

import html
import io
import struct
from collections.abc import Iterator

from PIL import Image, ImageDraw

from .encoding import encode as encode_plainly
from .lettering import fit

_DEFAULT_COMPRESSION = 90
_JPEG_START = b"\xff\xd8"
_JPEG_SEGMENT_DATA = 65_533
_BAR_COLOUR = 255


def encode(
    picture: Image.Image, *, output_format: str, compression: int | None, padding_bytes: int = 0
) -> bytes:
    """The picture as png, jpeg or webp; `compression` is 0 to 100, more keeps more.

    Raises ValueError for another format.
    """
    quality = _DEFAULT_COMPRESSION if compression is None else compression
    file = io.BytesIO()
    if output_format == "png":
        return encode_plainly(picture, mime_type="image/png", padding_bytes=padding_bytes)
    if output_format == "jpeg":
        picture.save(file, "JPEG", quality=max(1, quality))
        return _padded_jpeg(file.getvalue(), padding_bytes)
    if output_format == "webp":
        metadata = {"xmp": bytes(padding_bytes)} if padding_bytes else {}
        picture.save(file, "WEBP", quality=quality, method=0, **metadata)
        return file.getvalue()
    raise ValueError(f"the sandbox writes no {output_format}")


def encode_animation(
    picture: Image.Image, *, frame_count: int, frame_duration_ms: int, padding_bytes: int = 0
) -> bytes:
    """The picture as a GIF that repeats for ever, with a bar that grows frame by frame."""
    ground = picture.convert("RGB").quantize(_BAR_COLOUR)
    palette = (ground.getpalette() or []) + [0] * 768
    ground.putpalette([*palette[: _BAR_COLOUR * 3], 255, 255, 255])
    frames = _frames(ground, frame_count)
    comment = {"comment": bytes(padding_bytes)} if padding_bytes else {}
    file = io.BytesIO()
    next(frames).save(
        file,
        "GIF",
        save_all=True,
        append_images=frames,
        duration=frame_duration_ms,
        loop=0,
        optimize=False,
        **comment,
    )
    return file.getvalue()


def encode_drawing(
    *, width: int, height: int, prompt: str, caption: str, hue: int, padding_bytes: int = 0
) -> bytes:
    """A small SVG with the prompt and the caption on a ground of this hue (degrees)."""
    text = fit(
        prompt,
        width=width * 4 // 5,
        height=height * 3 // 5,
        largest=max(12, min(width, height) // 12),
        smallest=10,
    )
    lines = "".join(
        f'<tspan x="50%" dy="{text.line_height}">{html.escape(line)}</tspan>' for line in text.lines
    )
    top = (height - text.height) // 2
    small = max(10, min(width, height) // 45)
    document = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">'
        f'<rect width="100%" height="100%" fill="hsl({hue}, 45%, 45%)"/>'
        f'<circle cx="75%" cy="30%" r="15%" fill="hsl({(hue + 40) % 360}, 60%, 75%)"/>'
        f'<g font-family="sans-serif" text-anchor="middle" fill="white">'
        f'<text y="{top}" font-size="{text.size}">{lines}</text>'
        f'<text x="50%" y="{height - small}" font-size="{small}">{html.escape(caption)}</text></g></svg>'
    )
    padding = f"<!--{' ' * padding_bytes}-->" if padding_bytes else ""
    return (document + padding).encode()


def _padded_jpeg(data: bytes, padding_bytes: int) -> bytes:
    """With comment segments (ITU-T T.81 B.2.4) right after the start marker."""
    segment = b"\xff\xfe" + struct.pack(">H", _JPEG_SEGMENT_DATA + 2) + bytes(_JPEG_SEGMENT_DATA)
    return _JPEG_START + segment * -(-padding_bytes // _JPEG_SEGMENT_DATA) + data[len(_JPEG_START) :]


def _frames(ground: Image.Image, count: int) -> Iterator[Image.Image]:
    height = max(4, ground.height // 60)
    for number in range(1, count + 1):
        frame = ground.copy()
        bar = (0, 0, ground.width * number // count - 1, height)
        ImageDraw.Draw(frame).rectangle(bar, fill=_BAR_COLOUR)
        yield frame
