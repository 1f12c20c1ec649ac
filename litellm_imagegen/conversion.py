"""Another file format for a finished picture, where the model itself does not give it.

Pixels and colour profile are kept; what a vendor has signed into the file (C2PA) cannot be. Pictures are
passed on untouched unless a format was asked for.
"""

import io
from typing import Literal

from PIL import Image

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import Frozen

CONVERTIBLE = ("png", "jpeg", "webp")
_DEFAULT_QUALITY = 95
_MAXIMUM_PIXELS = 100_000_000


class Conversion(Frozen):
    """What a picture is to become. `quality` is 0 to 100, for jpeg and webp."""

    format: Literal["png", "jpeg", "webp"]
    quality: int | None = None

    @property
    def mime(self) -> str:
        """The media type that pictures have afterwards."""
        return f"image/{self.format}"


def converted(blob: Blob, conversion: Conversion) -> Blob:
    """The picture in another format, or `blob` itself where it is in that format already.

    Decodes and encodes every pixel: not for the event loop. Transparent parts become white in a JPEG.
    Raises `ValueError` for what cannot be read as a picture.
    """
    if blob.mime == conversion.mime and conversion.quality is None:
        return blob
    try:
        with Image.open(io.BytesIO(blob.raw)) as picture:
            if picture.width * picture.height > _MAXIMUM_PIXELS:
                raise ValueError(
                    f"a picture of {picture.width}x{picture.height} pixels is too large to convert"
                )
            shown = _flattened(picture) if conversion.format == "jpeg" else picture
            quality = _DEFAULT_QUALITY if conversion.quality is None else conversion.quality
            options = {} if conversion.format == "png" else {"quality": quality}
            held = io.BytesIO()
            shown.save(
                held, conversion.format.upper(), icc_profile=picture.info.get("icc_profile"), **options
            )
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("a picture that cannot be read") from error
    return Blob.from_raw(held.getvalue(), conversion.mime)


def _flattened(picture: Image.Image) -> Image.Image:
    """Without transparency, which JPEG has none of."""
    if not picture.has_transparency_data:
        return picture if picture.mode in ("RGB", "L") else picture.convert("RGB")
    layered = picture.convert("RGBA")
    ground = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(ground, layered).convert("RGB")


def white_where_transparent(mask: Blob) -> Blob:
    """A mask that is transparent where an edit may paint as one that is white there and black elsewhere.

    Decodes every pixel: not for the event loop. Raises `ValueError` for what has no transparency.
    """
    try:
        with Image.open(io.BytesIO(mask.raw)) as picture:
            if not picture.has_transparency_data:
                raise ValueError("a mask without transparency")
            alpha = picture.convert("RGBA").getchannel("A")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("a picture that cannot be read") from error
    held = io.BytesIO()
    alpha.point(lambda value: 0 if value else 255).save(held, "PNG")
    return Blob.from_raw(held.getvalue(), "image/png")
