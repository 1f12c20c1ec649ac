"""OpenAI Images: the fields of /images/generations and /images/edits, and of whatever has copied them.

Sources: https://platform.openai.com/docs/api-reference/images/create and .../images/createEdit.
"""

from collections.abc import Iterator

from litellm_imagegen.canonical import Asked, Name
from litellm_imagegen.dialects.reading import Fields, choice, words
from litellm_imagegen.dialects.shared import picture_fields


def read(fields: Fields) -> Iterator[Asked]:
    """The picture's shape, looks and file format."""
    yield from fields.read_shape("size")
    yield from picture_fields(fields)
    yield from fields.read(Name.STYLE, words, "style")
    yield from _response_format(fields)


def _response_format(fields: Fields) -> Iterator[Asked]:
    """On chat the name means the form of the words: an object, which is none of ours."""
    if isinstance(fields.peek("response_format"), str):
        yield from fields.read(Name.RESPONSE_FORMAT, choice("b64_json", "url"), "response_format")
