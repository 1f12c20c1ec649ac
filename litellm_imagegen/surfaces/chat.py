"""Results as /v1/chat/completions shows them, whole or as chunks.

Shape of a picture: https://openrouter.ai/docs/features/multimodal/image-generation#response-format, with
an index that runs within the choice. The rest: https://platform.openai.com/docs/api-reference/chat.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from litellm_imagegen.canonical import Answer, ImageResult, Outcome, Picture, PictureDelta, TextDelta, Usage
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

    There is a choice for each answer that was asked for. `message.content` is never null; `message.images` is
    there only when there are pictures, and `message.refusal` only when something was refused. `url_of` gives
    the URL that a picture is shown by.
    """
    shown: dict[str, Any] = {
        "choices": [
            {
                "index": index,
                "finish_reason": _FINISH_REASONS[answer.outcome],
                "message": _message(answer, url_of),
            }
            for index, answer in enumerate(result.choices)
        ],
        "provider_metadata": provider_metadata(result),
    }
    if result.usage is not None:
        shown["usage"] = usage(result.usage)
    return shown


def finish_reasons(result: ImageResult) -> tuple[str, ...]:
    """Why each choice ended."""
    return tuple(_FINISH_REASONS[answer.outcome] for answer in result.choices)


def _message(answer: Answer, url_of: UrlOf) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.pictures:
        message["images"] = [_image(index, url_of(picture)) for index, picture in enumerate(answer.pictures)]
    if answer.outcome is Outcome.REFUSED:
        message["refusal"] = answer.refusal
    return message


class CompletionChunks:
    """The same result as chunks: role; words as they come; each picture alone; metadata; usage; finish."""

    def __init__(self, url_of: UrlOf = data_url) -> None:
        self._pictures: Counter[int] = Counter()
        self._begun: set[int] = set()
        self._url_of = url_of

    def start(self) -> dict[str, Any]:
        """The chunk that opens the first choice."""
        return self._opening(0)

    def add(self, delta: TextDelta | PictureDelta) -> Iterator[dict[str, Any]]:
        """The chunk for some words or for one picture, after one that opens its choice."""
        choice = delta.choice
        if choice not in self._begun:
            yield self._opening(choice)
        if isinstance(delta, TextDelta):
            yield _chunk({"content": delta.text}, choice)
        else:
            number, self._pictures[choice] = self._pictures[choice], self._pictures[choice] + 1
            yield _chunk({"images": [_image(number, self._url_of(delta.picture))]}, choice)

    def end(self, result: ImageResult) -> Iterator[dict[str, Any]]:
        """What closes the choices. Nothing may follow the chunk with the finish reasons."""
        for choice, answer in enumerate(result.choices):
            if choice not in self._begun:
                yield self._opening(choice)
            if answer.outcome is Outcome.REFUSED:
                yield _chunk({"refusal": answer.refusal}, choice)
        yield {**_chunk({"content": ""}), "provider_metadata": provider_metadata(result)}
        if result.usage is not None:
            yield {**_chunk({}), "usage": usage(result.usage)}
        yield {
            "choices": [
                {"index": choice, "delta": {}, "finish_reason": reason}
                for choice, reason in enumerate(finish_reasons(result))
            ]
        }

    def _opening(self, choice: int) -> dict[str, Any]:
        self._begun.add(choice)
        return _chunk({"role": "assistant", "content": ""}, choice)


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


def _chunk(delta: dict[str, Any], choice: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": choice, "delta": delta, "finish_reason": None}]}
