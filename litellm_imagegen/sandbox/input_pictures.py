"""Pictures that arrive in a request: are they pictures, how large, and a thumbnail to show them by.

Strategy: trust the bytes, never the declared type. Pillow identifies PNG, JPEG and WebP; HEIC and HEIF
are known by the brand in their first box only, since Pillow alone does not decode them. The pixel count
is checked in the header, before anything is decoded.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

ACCEPTED_MIME_TYPES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")

FORMATS = ("PNG", "JPEG", "WEBP")
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"heif"}
_THUMBNAIL_PIXELS = 512
_PIXEL_LIMIT = 200_000_000
_TURNED_ORIENTATIONS = {5, 6, 7, 8}
_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True, kw_only=True)
class InputPicture:
    """A picture of a request. Width and height in pixels as shown, 0 when unknown (HEIC, or only an address).

    `thumbnail` is RGB and at most 512 pixels on its longer side; None when the picture cannot be shown.
    """

    label: str
    width: int = 0
    height: int = 0
    thumbnail: Image.Image | None = None


def read_picture(data: bytes, *, formats: tuple[str, ...] = FORMATS) -> InputPicture:
    """Identify a picture and make its thumbnail; `formats` are Pillow's names.

    Raises ValueError when it is none of the accepted kinds.
    """
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return InputPicture(label="heic")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _read_with_pillow(data, formats)
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as fault:
        raise ValueError("the bytes are no picture of an accepted kind") from fault


def _read_with_pillow(data: bytes, formats: tuple[str, ...]) -> InputPicture:
    with Image.open(io.BytesIO(data), formats=formats) as picture:
        label = (picture.format or "picture").lower()
        width, height = picture.size
        if width * height > _PIXEL_LIMIT:
            raise ValueError("too many pixels")
        if picture.getexif().get(_ORIENTATION_TAG) in _TURNED_ORIENTATIONS:
            width, height = height, width
        picture.draft("RGB", (_THUMBNAIL_PIXELS, _THUMBNAIL_PIXELS))
        picture.thumbnail((_THUMBNAIL_PIXELS, _THUMBNAIL_PIXELS), reducing_gap=2.0)
        thumbnail = _on_white(ImageOps.exif_transpose(picture))
    return InputPicture(label=label, width=width, height=height, thumbnail=thumbnail)


def _on_white(picture: Image.Image) -> Image.Image:
    layered = picture.convert("RGBA")
    ground = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(ground, layered).convert("RGB")
