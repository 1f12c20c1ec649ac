"""Draws the sandbox's pictures: a soft scene that depends on the request, with the prompt written on it.

Strategy: everything soft (gradient, shapes, panel) is painted on a stage of at most 2048 pixels and
scaled to the wanted size, everything that must be sharp (letters, thumbnails) is drawn at full size. So a
picture of 64 megapixels costs little more than its encoding. The same `seed_material` gives the same
picture, byte for byte.
"""

from __future__ import annotations

import colorsys
import hashlib
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageOps

from .input_pictures import InputPicture
from .lettering import FittedText, fit, write

_STAGE_PIXELS = 2048

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]
Extent = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Painting:
    """What to paint. Width and height in pixels; `badge` ("DRAFT 1") marks a picture and turns it grey."""

    width: int
    height: int
    prompt: str
    caption: str
    seed_material: str
    inputs: tuple[InputPicture, ...] = field(default=())
    badge: str | None = None


def paint(painting: Painting) -> Image.Image:
    """Paint an RGB picture of exactly the wanted width and height."""
    digest = hashlib.sha256(painting.seed_material.encode("utf-8", "replace")).digest()
    chance = random.Random(digest)  # noqa: S311 - it has to repeat itself, not to be secret
    margin = max(6, round(min(painting.width, painting.height) * 0.05))
    caption = _fit_caption(painting, margin)
    caption_top = painting.height - margin // 2 - caption.height
    inputs_box, prompt_box = _areas(painting, margin, caption_top)
    prompt, panel = _fit_prompt(painting, prompt_box)

    stage = _scene(painting, chance)
    if painting.badge:
        stage = ImageOps.grayscale(stage).convert("RGB")
    _shade(stage, painting, panel, caption_top - margin // 2)
    picture = stage.resize((painting.width, painting.height), Image.Resampling.BICUBIC)

    draw = ImageDraw.Draw(picture)
    write(draw, prompt, left=panel[0] + _padding(margin), top=panel[1] + _padding(margin), fill="white")
    write(draw, caption, left=margin, top=caption_top, fill="white")
    if inputs_box:
        _hang_inputs(picture, painting.inputs, inputs_box)
    if painting.badge:
        _stamp(picture, painting.badge, margin)
    return picture


def _padding(margin: int) -> int:
    return max(5, round(margin * 0.6))


def _fit_caption(painting: Painting, margin: int) -> FittedText:
    size = max(11, round(math.sqrt(painting.width * painting.height) * 0.021))
    size = min(size, max(11, painting.height // 10))
    return fit(
        painting.caption,
        width=painting.width - 2 * margin,
        height=painting.height // 4,
        largest=size,
        smallest=9,
    )


def _areas(painting: Painting, margin: int, bottom: int) -> tuple[Box | None, Box]:
    """The box for thumbnails (if there are any) and the box for the prompt, above the caption."""
    left, top, right = margin, margin, painting.width - margin
    bottom -= margin
    if painting.badge:
        top += round(min(painting.width, painting.height) * 0.14)
    if not painting.inputs:
        return None, (left, top, right, bottom)
    if painting.width > 2 * painting.height:
        middle = left + (right - left) * 2 // 5
        return (left, top, middle - margin, bottom), (middle, top, right, bottom)
    middle = top + (bottom - top) * 2 // 5
    return (left, top, right, middle - margin // 2), (left, middle, right, bottom)


def _fit_prompt(painting: Painting, box: Box) -> tuple[FittedText, Box]:
    """The fitted prompt and the panel around it, in the middle of its box."""
    left, top, right, bottom = box
    padding = _padding(max(6, round(min(painting.width, painting.height) * 0.05)))
    inner_width, inner_height = max(20, right - left - 2 * padding), max(12, bottom - top - 2 * padding)
    largest = max(12, round(math.sqrt(painting.width * painting.height) * 0.075))
    smallest = max(9, largest // 6)
    text = fit(painting.prompt, width=inner_width, height=inner_height, largest=largest, smallest=smallest)
    width, height = min(text.width, inner_width) + 2 * padding, text.height + 2 * padding
    panel_left, panel_top = (left + right - width) // 2, (top + bottom - height) // 2
    return text, (panel_left, panel_top, panel_left + width, panel_top + height)


def _scene(painting: Painting, chance: random.Random) -> Image.Image:
    """The stage: a gradient and one of three kinds of shapes, at most 2048 pixels on its longer side."""
    scale = min(1.5, _STAGE_PIXELS / max(painting.width, painting.height))
    size = (max(1, round(painting.width * scale)), max(1, round(painting.height * scale)))
    hue = chance.random()
    palette = [
        _colour(hue + step, chance) for step in (0.0, chance.uniform(0.06, 0.16), chance.uniform(0.3, 0.55))
    ]
    grid = Image.new("RGB", (4, 4))
    for place in range(16):
        share = (place % 4 + place // 4) / 6 + chance.uniform(-0.15, 0.15)
        grid.putpixel((place % 4, place // 4), _mix(palette[0], palette[1], min(1.0, max(0.0, share))))
    stage = grid.resize(size, Image.Resampling.BICUBIC)
    kinds: tuple[Callable[[ImageDraw.ImageDraw, Extent, list[Colour], random.Random], None], ...]
    kinds = (_hills, _bubbles, _ribbons)
    chance.choice(kinds)(ImageDraw.Draw(stage, "RGBA"), size, palette, chance)
    return stage


def _colour(hue: float, chance: random.Random) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, chance.uniform(0.38, 0.62), chance.uniform(0.76, 0.94))
    return round(red * 255), round(green * 255), round(blue * 255)


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (round(one + (other - one) * share) for one, other in zip(first, second, strict=True))
    return red, green, blue


def _hills(draw: ImageDraw.ImageDraw, size: Extent, palette: list[Colour], chance: random.Random) -> None:
    width, height = size
    radius = min(size) * chance.uniform(0.12, 0.2)
    x, y = width * chance.uniform(0.2, 0.8), height * chance.uniform(0.18, 0.35)
    draw.ellipse(
        (x - radius * 1.5, y - radius * 1.5, x + radius * 1.5, y + radius * 1.5), fill=(255, 255, 240, 50)
    )
    draw.circle((x, y), radius, fill=(255, 250, 225, 215))
    for layer in range(4):
        base, swing = height * (0.5 + 0.13 * layer), min(size) * chance.uniform(0.05, 0.11)
        wave, shift = (
            chance.uniform(1.0, 2.2) * max(1.0, width / height) * math.tau / width,
            chance.uniform(0, 6),
        )
        ridge = [
            (
                float(across),
                base + swing * (math.sin(across * wave + shift) + math.sin(across * wave * 2.3) / 3),
            )
            for across in range(0, width + 8, 8)
        ]
        shade = _mix(palette[2], (20, 24, 48), 0.15 + 0.2 * layer)
        draw.polygon([*ridge, (width + 8.0, float(height)), (0.0, float(height))], fill=(*shade, 215))


def _bubbles(draw: ImageDraw.ImageDraw, size: Extent, palette: list[Colour], chance: random.Random) -> None:
    width, height = size
    for _ in range(16):
        radius = min(size) * chance.uniform(0.06, 0.34)
        x, y = chance.uniform(0, width), chance.uniform(0, height)
        tint = _mix(chance.choice(palette), (255, 255, 255), chance.uniform(0, 0.5))
        draw.circle((x, y), radius, fill=(*tint, chance.randint(60, 130)))


def _ribbons(draw: ImageDraw.ImageDraw, size: Extent, palette: list[Colour], chance: random.Random) -> None:
    width, height = size
    slope = chance.uniform(-0.5, 0.5) * height
    for _ in range(9):
        middle, thickness = chance.uniform(-0.1, 1.1) * height, height * chance.uniform(0.03, 0.14)
        wave, shift = chance.uniform(0.6, 1.4) * math.tau / width, chance.uniform(0, 6)
        swing = min(size) * chance.uniform(0.05, 0.16)
        line = [
            (float(across), middle + slope * (across / width - 0.5) + swing * math.sin(across * wave + shift))
            for across in range(0, width + 8, 8)
        ]
        tint = _mix(chance.choice(palette[1:]), (255, 255, 255), chance.uniform(0, 0.6))
        lower = [(x, y + thickness) for x, y in reversed(line)]
        draw.polygon([*line, *lower], fill=(*tint, chance.randint(80, 160)))


def _shade(stage: Image.Image, painting: Painting, panel: Box, caption_top: int) -> None:
    """Darken the stage behind the prompt and behind the caption, so that white letters stand out."""
    scale = stage.width / painting.width
    draw = ImageDraw.Draw(stage, "RGBA")
    left, top, right, bottom = (round(edge * scale) for edge in panel)
    draw.rounded_rectangle((left, top, right, bottom), radius=min(stage.size) // 40, fill=(16, 18, 34, 150))
    draw.rectangle((0, round(caption_top * scale), stage.width, stage.height), fill=(16, 18, 34, 165))


def _hang_inputs(picture: Image.Image, inputs: tuple[InputPicture, ...], box: Box) -> None:
    """Hang the request's pictures in a grid inside the box, framed and numbered."""
    left, top, right, bottom = box
    width, height, count = max(1, right - left), max(1, bottom - top), len(inputs)
    columns = max(
        range(1, count + 1), key=lambda number: min(width / number, height / math.ceil(count / number))
    )
    rows = math.ceil(count / columns)
    cell = (width // columns, height // rows)
    gap = max(2, min(cell) // 20)
    inner = (max(4, cell[0] - 2 * gap), max(4, cell[1] - 2 * gap))
    for index, shown in enumerate(inputs):
        thumbnail = shown.thumbnail or _placeholder(shown.label)
        fitted = ImageOps.contain(thumbnail, inner, Image.Resampling.BICUBIC)
        framed = ImageOps.expand(fitted, border=max(1, gap // 2), fill="white")
        x = left + (index % columns) * cell[0] + (cell[0] - framed.width) // 2
        y = top + (index // columns) * cell[1] + (cell[1] - framed.height) // 2
        picture.paste(framed, (x, y))
        number_size = max(10, min(inner) // 7)
        number = fit(str(index + 1), width=10**6, height=10**6, largest=number_size, smallest=number_size)
        draw = ImageDraw.Draw(picture)
        corner = (x, y, x + number.width + number_size // 2, y + number.line_height)
        draw.rectangle(corner, fill=(16, 18, 34))
        write(draw, number, left=x + number_size // 4, top=y, fill="white")


def _placeholder(label: str) -> Image.Image:
    tile = Image.new("RGB", (300, 220), (92, 98, 120))
    words = fit(label, width=270, height=190, largest=44, smallest=14)
    write(
        ImageDraw.Draw(tile),
        words,
        left=(300 - words.width) // 2,
        top=(220 - words.height) // 2,
        fill="white",
    )
    return tile


def _stamp(picture: Image.Image, badge: str, margin: int) -> None:
    size = max(14, round(min(picture.size) * 0.1))
    words = fit(badge, width=picture.width - 4 * margin, height=size * 2, largest=size, smallest=12)
    edge = margin // 2
    corner = (edge, edge, edge + words.width + 2 * margin, edge + words.height + margin // 4)
    draw = ImageDraw.Draw(picture)
    draw.rectangle(corner, fill=(196, 48, 48))
    write(draw, words, left=edge + margin, top=edge, fill="white")
