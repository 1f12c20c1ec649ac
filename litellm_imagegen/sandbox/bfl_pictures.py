"""Pictures in a request to Black Forest Labs: base64, a data: URI, or an address.

Strategy: limits are checked on the header before anything is decoded, the bytes are trusted and the
declared type is not. The provider would fetch an address; the sandbox fetches nothing and shows a
placeholder instead, whose size is unknown.

Source: https://docs.bfl.ai (input pictures of each model's page)
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import warnings
from dataclasses import dataclass
from typing import Any

from PIL import Image

from .bfl_checks import Fault, Faults, Location, Reader
from .bfl_models import MEGAPIXEL
from .input_pictures import InputPicture, read_picture

_FORMATS = ("PNG", "JPEG", "WEBP")
_DATA_URI = re.compile(r"data:[^,;]*(?:;[^,;]*)*;base64,", re.IGNORECASE)
_ADDRESS = re.compile(r"https://[^\s/]\S*", re.IGNORECASE)
_LARGEST_BYTES = 20_000_000


@dataclass(frozen=True, kw_only=True)
class PictureLimits:
    """What a model takes: megapixels at most, pixels of each side at least."""

    most_megapixels: int = 20
    shortest_side: int = 1


@dataclass(frozen=True, kw_only=True)
class GivenPicture:
    """A picture of a request. An address counts as one with transparency, since nobody has looked."""

    shown: InputPicture
    has_transparency: bool = True

    @property
    def measured(self) -> bool:
        """Whether width and height are known."""
        return self.shown.width > 0 and self.shown.height > 0


def picture(limits: PictureLimits) -> Reader:
    """The reader of a field that holds one picture; reads to a GivenPicture."""

    def read(value: Any, location: Location, faults: Faults) -> GivenPicture | None:
        if not isinstance(value, str):
            faults.append(Fault(location, "A picture as a string is needed here", "string_type", value))
            return None
        if _ADDRESS.fullmatch(value):
            return GivenPicture(shown=InputPicture(label="address not fetched"))
        try:
            return _read(_decoded(value), limits)
        except ValueError as fault:
            faults.append(Fault(location, f"The picture cannot be used: {fault}", "value_error", value))
            return None

    return read


def pictures(limits: PictureLimits, *, at_most: int) -> Reader:
    """The reader of a field that holds one picture or a list of them; reads to a list of GivenPicture."""
    read_one = picture(limits)

    def read(value: Any, location: Location, faults: Faults) -> list[GivenPicture]:
        if not isinstance(value, list):
            found = read_one(value, location, faults)
            return [] if found is None else [found]
        if not value:
            faults.append(Fault(location, "The list needs at least one picture", "too_short", value))
        if len(value) > at_most:
            faults.append(
                Fault(location, f"The list takes at most {at_most} pictures", "too_long", len(value))
            )
        return [read_one(item, (*location, index), faults) for index, item in enumerate(value[:at_most])]

    return read


def _decoded(value: str) -> bytes:
    head = _DATA_URI.match(value)
    try:
        data = base64.b64decode(value[head.end() :] if head else value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is neither base64, nor a base64 data: URI, nor an https address") from None
    if not data:
        raise ValueError("it is empty")
    if len(data) > _LARGEST_BYTES:
        raise ValueError(f"it has {len(data)} bytes, more than {_LARGEST_BYTES}")
    return data


def _read(data: bytes, limits: PictureLimits) -> GivenPicture:
    """Check the header, then make the thumbnail. Raises ValueError with the reason when it is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
                width, height = opened.size
                has_transparency = opened.has_transparency_data
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise ValueError("its bytes are no PNG, JPEG or WebP") from None
    if width * height > limits.most_megapixels * MEGAPIXEL:
        raise ValueError(f"it has {width}x{height} pixels, more than {limits.most_megapixels} megapixels")
    if min(width, height) < limits.shortest_side:
        raise ValueError(f"it has {width}x{height} pixels; each side needs {limits.shortest_side}")
    return GivenPicture(shown=read_picture(data), has_transparency=has_transparency)
