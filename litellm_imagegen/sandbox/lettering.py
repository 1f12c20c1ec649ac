"""Fits words into a box: the largest letters with which a text, wrapped, fills no more than the box.

Strategy: measure each word once at one font size and scale the widths, since trying real fonts for each
size would cost more than the whole drawing. A word too wide for the box is cut into pieces; a text too
long even for the smallest letters is cut short and ends in three dots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import ImageFont

if TYPE_CHECKING:
    from PIL import ImageDraw

_MEASURED_SIZE = 40
_LINE_HEIGHT = 1.28
_SAFETY = 1.03  # hinting makes small letters a little wider than the scaled measure says
_LONGEST_TEXT = 900

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class FittedText:
    """Wrapped lines and the letter size in pixels they are to be drawn with."""

    lines: tuple[str, ...]
    size: int
    width: int

    @property
    def line_height(self) -> int:
        """Distance of two base lines in pixels."""
        return round(self.size * _LINE_HEIGHT)

    @property
    def height(self) -> int:
        """Height of the block in pixels."""
        return self.line_height * len(self.lines)


class _Measure:
    """Widths of words in units of the letter size."""

    def __init__(self) -> None:
        self._font = ImageFont.load_default(size=_MEASURED_SIZE)
        self._known: dict[str, float] = {}

    def __call__(self, words: str) -> float:
        if words not in self._known:
            self._known[words] = self._font.getlength(words) / _MEASURED_SIZE * _SAFETY
        return self._known[words]


def fit(text: str, *, width: int, height: int, largest: int, smallest: int) -> FittedText:
    """The text in the largest letters, `smallest` to `largest` pixels, that fit a box of width x height."""
    words = _readable(text).split()
    measure = _Measure()
    low, high = min(smallest, largest), largest
    while low < high:
        middle = (low + high + 1) // 2
        lines = _wrap(words, measure, width / middle)
        whole_words = all(measure(word) * middle <= width for word in words)
        if whole_words and len(lines) * round(middle * _LINE_HEIGHT) <= height:
            low = middle
        else:
            high = middle - 1
    lines = _wrap(words, measure, width / low)
    most = max(1, height // round(low * _LINE_HEIGHT))
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][:-3].rstrip() + "..."]
    widest = max((measure(line) for line in lines), default=0.0)
    return FittedText(tuple(lines), low, round(widest * low))


def write(draw: ImageDraw.ImageDraw, text: FittedText, *, left: int, top: int, fill: str) -> None:
    """Draw fitted text with its upper left corner at (left, top) pixels."""
    font = ImageFont.load_default(size=text.size)
    for index, line in enumerate(text.lines):
        draw.text((left, top + index * text.line_height), line, font=font, fill=fill)


def _readable(text: str) -> str:
    """Without lone surrogates and control signs, which no font draws, and not longer than anyone reads."""
    spaced = " ".join(text[: _LONGEST_TEXT * 4].split())
    if len(spaced) > _LONGEST_TEXT:
        spaced = spaced[:_LONGEST_TEXT].rstrip() + "..."
    return "".join(sign if sign.isprintable() else "?" for sign in spaced)


def _wrap(words: list[str], measure: _Measure, width: float) -> list[str]:
    space = measure(" ")
    lines: list[str] = []
    line, used = "", 0.0
    for word in (piece for whole in words for piece in _pieces(whole, measure, width)):
        length = measure(word)
        if line and used + space + length <= width:
            line, used = f"{line} {word}", used + space + length
        else:
            if line:
                lines.append(line)
            line, used = word, length
    return [*lines, line] if line else lines


def _pieces(word: str, measure: _Measure, width: float) -> list[str]:
    if measure(word) <= width:
        return [word]
    pieces, start = [], 0
    while start < len(word):
        end = start + 1
        used = measure(word[start])
        while end < len(word) and used + measure(word[end]) <= width:
            used += measure(word[end])
            end += 1
        pieces.append(word[start:end])
        start = end
    return pieces
