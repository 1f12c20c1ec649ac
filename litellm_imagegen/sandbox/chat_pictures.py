"""The pictures of a chat request: data URLs that are decoded, and addresses that are never fetched.

Source: https://platform.openai.com/docs/guides/images-vision
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from . import strict
from .input_pictures import FORMATS, InputPicture, read_picture
from .openai_errors import invalid_picture, invalid_value
from .openai_readers import Reader, choice, record, text

_DATA_URL = re.compile(r"data:([a-z0-9.+/-]*)(;[^,]*)?,", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^/\s]")


@dataclass(frozen=True, kw_only=True)
class PictureRules:
    """Which pictures a gateway takes: kinds by name ("png"), and what it makes of an address.

    An address is "shown" as a tile that says so, "unseen" as if it were not there, or "refused".
    """

    kinds: tuple[str, ...] = ("png", "jpeg", "webp", "gif")
    addresses: Literal["shown", "unseen", "refused"] = "shown"

    @property
    def declared(self) -> tuple[str, ...]:
        """The media types that a data URL may declare."""
        return tuple(f"image/{kind}" for kind in (*self.kinds, *(("jpg",) if "jpeg" in self.kinds else ())))


def picture_part(rules: PictureRules) -> Reader:
    """A part `{type: "image_url", image_url: {url, detail?}}`, read to no words and its pictures."""
    address = record(
        {"url": text(shortest=1), "detail": choice(("auto", "low", "high", "original"))}, required=("url",)
    )
    # A reply numbers its pictures, and a client may send back what it got.
    fields = record(
        {"type": text(), "image_url": address, "index": lambda value, _: value, "cache_control": _any},
        required=("image_url",),
    )

    def read(value: Any, name: str) -> tuple[str, tuple[InputPicture, ...]]:
        url = fields(value, name)["image_url"]["url"]
        return "", read_url(url, f"{name}.image_url.url", rules)

    return read


def read_url(url: str, name: str, rules: PictureRules) -> tuple[InputPicture, ...]:
    """The picture of an address or of a data URL; none when it is unseen. Raises OpenAIError."""
    head = _DATA_URL.match(url)
    if head is not None:
        return (_of_data(url[head.end() :], head, name, rules),)
    if not _ADDRESS.match(url):
        raise invalid_value(name, "needs an http address, or a data URL with base64.")
    if rules.addresses == "refused":
        raise invalid_value(name, "takes a data URL only; addresses are not fetched.")
    return (InputPicture(label="address not fetched"),) if rules.addresses == "shown" else ()


def _of_data(content: str, head: re.Match[str], name: str, rules: PictureRules) -> InputPicture:
    if (head[2] or "").lower() != ";base64":
        raise invalid_value(name, "its data must be base64.")
    if head[1].lower() not in rules.declared:
        raise invalid_picture(
            name, f"the media type '{head[1][:80]}' is not supported.", "unsupported_image_format"
        )
    faults: strict.Violations = []
    data = strict.base64_bytes(content, name, faults)
    if faults:
        raise invalid_value(name, faults[0].description)
    try:
        shown = read_picture(data, formats=(*FORMATS, "GIF"))
    except ValueError as fault:
        raise invalid_picture(name, f"{fault}.", "invalid_image") from None
    if shown.label not in rules.kinds:
        raise invalid_picture(name, f"{shown.label} is not supported.", "unsupported_image_format")
    return shown


def _any(value: Any, _: str) -> Any:
    return value
