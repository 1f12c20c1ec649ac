"""OpenAI Images: the fields of /images/generations and /images/edits, and of whatever has copied them.

Sources: https://platform.openai.com/docs/api-reference/images/create and .../images/createEdit.
"""

from collections.abc import Iterator
from typing import Any

from litellm_imagegen.canonical import Asked, ImageInput, Message, Name, TextPart
from litellm_imagegen.dialects.pictures import any_picture
from litellm_imagegen.dialects.reading import Fields, carriable, choice, words
from litellm_imagegen.dialects.shared import picture_fields
from litellm_imagegen.errors import InvalidParameter

_PICTURES = (
    *("image", "image[]", "images", "input_references"),
    *("image_url", "image_urls"),
    *("input_image", *(f"input_image_{number}" for number in range(2, 11))),
)


def read(fields: Fields) -> Iterator[Asked]:
    """The picture's shape, looks and file format."""
    yield from fields.read_shape("size")
    yield from picture_fields(fields)
    yield from fields.read(Name.STYLE, words, "style")
    yield from _response_format(fields)


def read_prompt(body: dict[str, Any]) -> tuple[Message, ...]:
    """The prompt and the pictures to edit as one message; what is read is taken out of `body`.

    Pictures stand under `image`, `image[]`, `images`, in OpenRouter's words `input_references`, in fal's
    `image_url` and `image_urls`, and in those of Black Forest Labs `input_image`, `input_image_2` and so on.
    """
    prompt = body.pop("prompt", None)
    if not isinstance(prompt, str) or not prompt.strip():
        raise InvalidParameter("prompt", prompt, "a text that says what to draw")
    parts: list[TextPart | ImageInput] = [TextPart(text=carriable("prompt", prompt))]
    for key in _PICTURES:
        given = body.pop(key, None)
        if given is None:
            continue
        several = isinstance(given, list | tuple)
        for index, value in enumerate(given if several else (given,)):
            if value is None:
                continue
            parts.append(any_picture(f"{key}[{index}]" if several else key, value))
    return (Message(role="user", parts=tuple(parts)),)


def read_mask(body: dict[str, Any]) -> Iterator[Asked]:
    """The mask of an edit, taken out of `body`."""
    mask = body.pop("mask", body.pop("mask[]", None))
    if isinstance(mask, list) and len(mask) == 1:  # as LiteLLM hands over the file of a form
        [mask] = mask
    if mask is not None:
        yield Asked(name=Name.MASK, value=any_picture("mask", mask), spelling="mask")


def _response_format(fields: Fields) -> Iterator[Asked]:
    """On chat the name means the form of the words: an object, which is none of ours."""
    if isinstance(fields.peek("response_format"), str):
        yield from fields.read(Name.RESPONSE_FORMAT, choice("b64_json", "url"), "response_format")
