"""What tests ask about a picture, read from its bytes alone."""

import base64
import hashlib
import io
from typing import NamedTuple

from PIL import Image


class Seen(NamedTuple):
    """A picture as it is."""

    format: str | None
    size: tuple[int, int]
    sha256: str


def look_at(data_url: str) -> Seen:
    """Decode a data URL and look at every pixel, so that a cut-off picture fails."""
    head, _, data = data_url.partition(",")
    raw = base64.b64decode(data, validate=True)
    with Image.open(io.BytesIO(raw)) as picture:
        picture.load()
        assert head == f"data:{Image.MIME[picture.format or '']};base64"
        return Seen(picture.format, picture.size, hashlib.sha256(raw).hexdigest())


def data_url(
    color: str = "red",
    size: tuple[int, int] = (64, 48),
    image_format: str = "PNG",
    picture: Image.Image | None = None,
) -> str:
    """A small picture of one colour, or the one given."""
    buffer = io.BytesIO()
    (picture or Image.new("RGB", size, color)).save(buffer, image_format)
    return f"data:{Image.MIME[image_format]};base64,{base64.b64encode(buffer.getvalue()).decode()}"
