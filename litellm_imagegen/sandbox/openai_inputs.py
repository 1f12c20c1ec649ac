"""The pictures of an OpenAI edit: references, a mask, a markup; as files of a form or as JSON.

Strategy: both forms are read to the same `Pictures`. Bytes are always decoded and never believed to be
what they are declared to be, though a form must declare them, as OpenAI wants it. Nothing is fetched: a
picture given by address or by file id is shown as a tile that says so, and a mask among them cannot be
applied.

Source: https://platform.openai.com/docs/api-reference/images/createEdit
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from . import strict
from .input_pictures import InputPicture, read_picture
from .openai_body import Body, Upload
from .openai_errors import invalid_picture, invalid_value, missing_parameter, unknown_parameter
from .openai_models import Model
from .openai_readers import text

_TAKEN = ("png", "jpeg", "webp")
_TAKEN_TYPES = ("image/png", "image/jpeg", "image/webp", "image/jpg")
_MOST_PICTURES = 16
_LARGEST_PICTURE = 50 * 1024 * 1024
_LARGEST_MASK = 4 * 1024 * 1024
_DATA_URL = re.compile(r"data:([a-z0-9.+/-]+);base64,", re.IGNORECASE)
_JSON_FIELDS = ("images", "mask", "markup")


@dataclass(frozen=True, kw_only=True)
class Given:
    """One picture as given. `data` is None when the request names only where it lies."""

    param: str
    shown: InputPicture
    data: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """All pictures of an edit, in order."""

    references: Sequence[Given] = ()
    mask: Given | None = None
    markup: Given | None = None


def read_pictures(body: Body, model: Model) -> Pictures:
    """Read and check the pictures of an edit. Raises OpenAIError at the first fault."""
    pictures = _of_form(body.files) if body.is_form else _of_json(body.values)
    if len(pictures.references) > _MOST_PICTURES:
        count = len(pictures.references)
        raise invalid_value(_name(body), f"holds {count} pictures; it takes at most {_MOST_PICTURES}.")
    if not pictures.references:
        raise missing_parameter(_name(body))
    if pictures.mask is not None:
        check_mask(pictures.mask, pictures.references[0])
    if pictures.markup is not None:
        _check_markup(pictures, pictures.markup, model)
    return pictures


def without_pictures(body: Body) -> dict[str, Any]:
    """The fields of an edit that hold no pictures; those that do are fields of JSON bodies only."""
    names = () if body.is_form else _JSON_FIELDS
    return {name: value for name, value in body.values.items() if name not in names}


def _name(body: Body) -> str:
    return "image" if body.is_form else "images"


def _of_form(files: Mapping[str, Sequence[Upload]]) -> Pictures:
    found = {name: [_of_upload(upload, name) for upload in uploads] for name, uploads in files.items()}
    return Pictures(
        references=found.get("image", ()),
        mask=found["mask"][0] if "mask" in found else None,
        markup=found["markup"][0] if "markup" in found else None,
    )


def _of_upload(upload: Upload, param: str) -> Given:
    declared = upload.content_type.partition(";")[0].strip().lower()
    if declared not in _TAKEN_TYPES:
        raise invalid_picture(
            param, f"the mimetype '{declared[:80]}' is not supported.", "unsupported_file_mimetype"
        )
    return read_file(upload.data, param)


def _of_json(values: Mapping[str, Any]) -> Pictures:
    entries = values.get("images")
    if entries is not None and not isinstance(entries, list):
        raise invalid_value("images", "needs an array.")
    single = {name: values[name] for name in ("mask", "markup") if values.get(name) is not None}
    found = {name: read_reference(value, name) for name, value in single.items()}
    return Pictures(
        references=[read_reference(entry, f"images[{index}]") for index, entry in enumerate(entries or ())],
        mask=found.get("mask"),
        markup=found.get("markup"),
    )


def read_reference(value: Any, param: str) -> Given:
    """A picture of a JSON body: an object with either image_url or file_id. Raises OpenAIError."""
    if not isinstance(value, dict):
        raise invalid_value(param, "needs an object with image_url or file_id.")
    for name in value:
        if name not in ("image_url", "file_id"):
            raise unknown_parameter(f"{param}.{name[:80]}")
    given = {name: address for name, address in value.items() if address is not None}
    if len(given) != 1:
        raise invalid_value(param, "needs exactly one of image_url and file_id.")
    ((name, address),) = given.items()
    text(shortest=1)(address, f"{param}.{name}")
    if name == "file_id":
        return Given(param=param, shown=InputPicture(label="file not opened"))
    return _of_address(address, f"{param}.image_url")


def _of_address(address: str, param: str) -> Given:
    if re.match(r"https?://[^/\s]", address):
        return Given(param=param, shown=InputPicture(label="address not fetched"))
    head = _DATA_URL.match(address)
    if head is None:
        raise invalid_value(param, "needs an http address, or a data URL with base64.")
    if head[1].lower() not in _TAKEN_TYPES:
        raise invalid_picture(
            param, f"the mimetype '{head[1][:80]}' is not supported.", "unsupported_file_mimetype"
        )
    faults: strict.Violations = []
    data = strict.base64_bytes(address[head.end() :], param, faults)
    if faults:
        raise invalid_value(param, faults[0].description)
    return read_file(data, param)


def read_file(data: bytes, param: str) -> Given:
    """A picture by its bytes. Raises OpenAIError when they are none that is taken."""
    if len(data) > _LARGEST_PICTURE:
        raise invalid_picture(
            param, f"{len(data)} bytes; it takes at most {_LARGEST_PICTURE}.", "image_too_large"
        )
    try:
        shown = read_picture(data)
    except ValueError as fault:
        raise invalid_picture(param, f"{fault}.") from None
    if shown.label not in _TAKEN:
        raise invalid_picture(param, f"{shown.label} is not supported; it takes {', '.join(_TAKEN)}.")
    return Given(param=param, shown=shown, data=data)


def check_mask(mask: Given, first: Given) -> None:
    """Check a mask against the picture that it is for. Raises OpenAIError."""
    if mask.data is None:
        return
    _check_overlay(mask)
    if len(mask.data) > _LARGEST_MASK:
        raise invalid_picture(
            mask.param, f"{len(mask.data)} bytes; it takes at most {_LARGEST_MASK}.", "image_too_large"
        )
    sizes = [f"{given.shown.width}x{given.shown.height}" for given in (mask, first)]
    if first.data is not None and sizes[0] != sizes[1]:
        raise invalid_picture(mask.param, f"its size is {sizes[0]}, that of the first picture {sizes[1]}.")


def _check_markup(pictures: Pictures, markup: Given, model: Model) -> None:
    if not model.takes_markup:
        raise unknown_parameter("markup")
    if pictures.mask is not None:
        raise invalid_value("markup", "cannot be given together with a mask.")
    if markup.data is not None:
        _check_overlay(markup)


def _check_overlay(given: Given) -> None:
    """A mask or a markup must be a PNG that says of each pixel how opaque it is."""
    with Image.open(io.BytesIO(given.data or b"")) as picture:
        if picture.format != "PNG":
            raise invalid_picture(given.param, "it must be a PNG.")
        if not picture.has_transparency_data:
            raise invalid_picture(given.param, "it has no alpha channel.")
