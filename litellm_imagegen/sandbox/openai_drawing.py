"""Draws the pictures of an OpenAI reply: whole, cut out of their background, or through a mask."""

from __future__ import annotations

import io
import json

from PIL import Image, ImageChops, ImageDraw, ImageOps

from .drawing import Painting, paint
from .faults import without_wishes
from .openai_request import Asked

_SMALLEST_EDGE = 64
_INSET, _CORNER = 0.02, 0.05


def draw(asked: Asked, *, number: int, of: int, partial: int = 0) -> Image.Image:
    """Draw picture `number` of `of`, or its unfinished state number `partial`; RGBA if it has an alpha."""
    if asked.base is not None and asked.mask is not None:
        return _through_mask(asked, asked.base, asked.mask, number=number, of=of, partial=partial)
    picture = _painted(asked, (asked.width, asked.height), number=number, of=of, partial=partial)
    if asked.background == "transparent":
        picture.putalpha(silhouette(picture.size))
    return picture


def prompt_of(asked: Asked) -> str:
    """The prompt as it is written on pictures: in one line, without wishes for faults."""
    return " ".join(without_wishes(asked.prompt).split()) or "(no words)"


def caption_of(asked: Asked, *, number: int, of: int) -> str:
    """The line below a picture, which tells what was asked for."""
    count = f" · {number} of {of}" if of > 1 else ""
    return f"{asked.model.name} · {asked.size} · {asked.quality} · {asked.output_format}{count}"


def seed_of(asked: Asked, *, number: int, partial: int = 0) -> str:
    """What makes one picture differ from another."""
    return json.dumps([asked.model.name, prompt_of(asked), asked.quality, number, partial])


def _painted(asked: Asked, size: tuple[int, int], *, number: int, of: int, partial: int) -> Image.Image:
    return paint(
        Painting(
            width=size[0],
            height=size[1],
            prompt=prompt_of(asked),
            caption=caption_of(asked, number=number, of=of),
            seed_material=seed_of(asked, number=number, partial=partial),
            inputs=asked.inputs,
            badge=f"PARTIAL {partial}" if partial else None,
        )
    )


def silhouette(size: tuple[int, int]) -> Image.Image:
    """An alpha channel: opaque within a sheet with round corners, transparent around it."""
    inset, radius = (max(2, round(min(size) * share)) for share in (_INSET, _CORNER))
    alpha = Image.new("L", size, 0)
    sheet = (inset, inset, size[0] - 1 - inset, size[1] - 1 - inset)
    ImageDraw.Draw(alpha).rounded_rectangle(sheet, radius=radius, fill=255)
    return alpha


def _through_mask(
    asked: Asked, base: bytes, mask: bytes, *, number: int, of: int, partial: int
) -> Image.Image:
    """The first picture, with the painting in the place where the mask is transparent."""
    size = (asked.width, asked.height)
    kept = _decoded(base, size)
    alpha = _decoded(mask, size).getchannel("A")
    hole = ImageChops.invert(alpha).getbbox()
    if hole is not None:
        patch_size = (max(_SMALLEST_EDGE, hole[2] - hole[0]), max(_SMALLEST_EDGE, hole[3] - hole[1]))
        canvas = Image.new("RGBA", size)
        canvas.paste(_painted(asked, patch_size, number=number, of=of, partial=partial), hole[:2])
        kept = Image.composite(kept, canvas, alpha)
    if asked.background == "transparent":
        return kept
    return Image.alpha_composite(Image.new("RGBA", size, "white"), kept).convert("RGB")


def _decoded(data: bytes, size: tuple[int, int]) -> Image.Image:
    with Image.open(io.BytesIO(data)) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGBA")
    return upright if upright.size == size else upright.resize(size, Image.Resampling.BICUBIC)
