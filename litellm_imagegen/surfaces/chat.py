"""Results as /v1/chat/completions shows them, whole or as chunks.

Shape of a picture: https://openrouter.ai/docs/features/multimodal/image-generation#response-format, with
an index that runs within the choice. The rest: https://platform.openai.com/docs/api-reference/chat.
"""

from collections.abc import Callable, Iterator
from typing import Any

from litellm_imagegen.canonical import ImageResult, Outcome, Picture, PictureDelta, TextDelta, Usage
from litellm_imagegen.surfaces.metadata import provider_metadata

_FINISH_REASONS = {
    Outcome.PICTURES: "stop",
    Outcome.WORDS_ONLY: "stop",
    Outcome.REFUSED: "content_filter",
    Outcome.TRUNCATED: "length",
}


UrlOf = Callable[[Picture], str]


def data_url(picture: Picture) -> str:
    """A picture's own bytes as its URL."""
    return picture.blob.data_url


def completion(result: ImageResult, url_of: UrlOf = data_url) -> dict[str, Any]:
    """`{choices: [{index, finish_reason, message}], usage?, provider_metadata}`.

    `message.content` is never null; `message.images` is there only when there are pictures, and
    `message.refusal` only when something was refused. `url_of` gives the URL that a picture is shown by.
    """
    message: dict[str, Any] = {"role": "assistant", "content": result.text}
    if result.pictures:
        message["images"] = [_image(index, url_of(picture)) for index, picture in enumerate(result.pictures)]
    if result.outcome is Outcome.REFUSED:
        message["refusal"] = result.refusal
    shown: dict[str, Any] = {
        "choices": [{"index": 0, "finish_reason": _FINISH_REASONS[result.outcome], "message": message}],
        "provider_metadata": provider_metadata(result),
    }
    if result.usage is not None:
        shown["usage"] = usage(result.usage)
    return shown


class CompletionChunks:
    """The same result as chunks: role; words as they come; each picture alone; metadata; usage; finish."""

    def __init__(self, url_of: UrlOf = data_url) -> None:
        self._pictures = 0
        self._url_of = url_of

    def start(self) -> dict[str, Any]:
        """The chunk that opens the message."""
        return _chunk({"role": "assistant", "content": ""})

    def add(self, delta: TextDelta | PictureDelta) -> dict[str, Any]:
        """The chunk for some words or for one picture."""
        if isinstance(delta, TextDelta):
            return _chunk({"content": delta.text})
        self._pictures += 1
        return _chunk({"images": [_image(self._pictures - 1, self._url_of(delta.picture))]})

    def end(self, result: ImageResult) -> Iterator[dict[str, Any]]:
        """What closes the message. Nothing may follow the chunk with the finish reason."""
        if result.outcome is Outcome.REFUSED:
            yield _chunk({"refusal": result.refusal})
        yield {**_chunk({"content": ""}), "provider_metadata": provider_metadata(result)}
        if result.usage is not None:
            yield {**_chunk({}), "usage": usage(result.usage)}
        yield _chunk({}, _FINISH_REASONS[result.outcome])


def usage(counted: Usage) -> dict[str, Any]:
    """OpenAI's usage object, with `cost` in USD; what the provider does not tell is left out."""
    shown: dict[str, Any] = {
        "prompt_tokens": counted.prompt_tokens,
        "completion_tokens": counted.completion_tokens,
        "total_tokens": counted.total_tokens,
    }
    if counted.cost is not None:
        shown["cost"] = counted.cost
    details = {
        "prompt_tokens_details": {
            "text_tokens": counted.prompt_text_tokens,
            "image_tokens": counted.prompt_image_tokens,
            "cached_tokens": counted.cached_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": counted.reasoning_tokens,
            "text_tokens": counted.completion_text_tokens,
            "image_tokens": counted.completion_image_tokens,
        },
    }
    for key, values in details.items():
        known = {name: value for name, value in values.items() if value is not None}
        if known:
            shown[key] = known
    return shown


def _image(index: int, url: str) -> dict[str, Any]:
    return {"type": "image_url", "index": index, "image_url": {"url": url}}


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}
