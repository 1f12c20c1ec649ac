"""Pictures that a caller gives, in every form that clients send them in."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import ImageInput
from litellm_imagegen.errors import InvalidParameter

_MAXIMUM_URL_CHARACTERS = 8192
_FORMS = "a file, a data:, https: or http: URL, or base64"


def chat_picture(place: str, part: Mapping[str, Any]) -> ImageInput:
    """`{type: image_url, image_url: {url}}`; some clients write the url itself in image_url's place."""
    image_url = part.get("image_url")
    url = image_url.get("url") if isinstance(image_url, Mapping) else image_url
    return picture_at(f"{place}.image_url.url", url)


def picture_at(spelling: str, url: Any) -> ImageInput:
    """A picture by its data:, https: or http: URL."""
    if not isinstance(url, str):
        raise InvalidParameter(spelling, url, "a data:, https: or http: URL")
    if url[:5].lower() == "data:":
        return ImageInput(blob=_data_url(spelling, url), spelling=spelling)
    if not _is_address(url):
        allowed = f"a data:, https: or http: URL of at most {_MAXIMUM_URL_CHARACTERS} characters"
        raise InvalidParameter(spelling, url, allowed)
    return ImageInput(url=url, spelling=spelling)


def any_picture(spelling: str, value: Any) -> ImageInput:
    """A picture in whichever form an Images API takes it: bytes, URL, base64, or an object around one."""
    if isinstance(value, Blob):
        return ImageInput(blob=_checked(spelling, value), spelling=spelling)
    if isinstance(value, bytes | bytearray):
        return ImageInput(blob=_checked(spelling, Blob.from_raw(bytes(value))), spelling=spelling)
    if isinstance(value, str):
        looks_like_url = value[:5].lower() == "data:" or "://" in value[:16]
        if looks_like_url:
            return picture_at(spelling, value)
        try:
            return ImageInput(blob=_checked(spelling, Blob.from_base64(value)), spelling=spelling)
        except ValueError as error:
            raise InvalidParameter(spelling, value, _FORMS) from error
    if isinstance(value, Mapping):
        for key in ("image_url", "url", "b64_json"):
            inner = value.get(key)
            if isinstance(inner, Mapping):
                return any_picture(f"{spelling}.{key}.url", inner.get("url"))
            if inner is not None:
                return any_picture(f"{spelling}.{key}", inner)
    raise InvalidParameter(spelling, value, _FORMS)


def _is_address(url: str) -> bool:
    if len(url) > _MAXIMUM_URL_CHARACTERS or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _data_url(spelling: str, url: str) -> Blob:
    """Source of the form: RFC 2397. Parameters between the media type and `;base64` are passed over."""
    head, comma, data = url.partition(",")
    mime, *parameters = head[5:].split(";")
    if not comma or "base64" not in [parameter.strip().lower() for parameter in parameters]:
        raise InvalidParameter(spelling, "data: URL", "data:image/...;base64,<data>")
    try:
        return _checked(spelling, Blob.from_base64(data, mime.strip().lower() or None))
    except ValueError as error:
        raise InvalidParameter(spelling, "data: URL", "a data: URL whose data is valid base64") from error


def _checked(spelling: str, blob: Blob) -> Blob:
    """The picture, if it is one. Raises `ValueError` for what is no base64."""
    if not blob.facts["bytes"] or not blob.mime.startswith("image/") or blob.flaw:
        found = blob.flaw or f"data of {blob.mime}"
        raise InvalidParameter(spelling, found, "something with a picture in it: png, jpeg, webp, gif, heic")
    return blob


def as_mapping(place: str, value: Any) -> Mapping[str, Any]:
    """An object of the request."""
    if isinstance(value, Mapping):
        return value
    if hasattr(value, "model_dump"):  # in Python a caller may pass an answer's own message object back
        dumped: Mapping[str, Any] = value.model_dump()
        return dumped
    raise InvalidParameter(place, value, "an object")
