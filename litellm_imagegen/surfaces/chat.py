"""Results as /v1/chat/completions shows them, whole or as chunks.

Shape of a picture: https://openrouter.ai/docs/features/multimodal/image-generation#response-format, with
an index that runs within the choice. The rest: https://platform.openai.com/docs/api-reference/chat.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from litellm_imagegen.canonical import (
    Answer,
    ChatShape,
    ImageResult,
    Outcome,
    Picture,
    PictureDelta,
    TextDelta,
    Usage,
)
from litellm_imagegen.errors import NoImage
from litellm_imagegen.surfaces.metadata import provider_metadata

_FINISH_REASONS = {
    Outcome.PICTURES: "stop",
    Outcome.WORDS_ONLY: "stop",
    Outcome.EMPTY: "stop",  # of a response, whose pictures are shown elsewhere
    Outcome.REFUSED: "content_filter",
    Outcome.TRUNCATED: "length",
}


_WITH_MARKDOWN = (ChatShape.MARKDOWN, ChatShape.IMAGES_AND_MARKDOWN)
_WITH_IMAGES = (ChatShape.IMAGES, ChatShape.IMAGES_AND_MARKDOWN)

_GAP = "\n\n"  # between paragraphs of Markdown

UrlOf = Callable[[Picture], str]


def data_url(picture: Picture) -> str:
    """A picture's own bytes as its URL."""
    return picture.blob.data_url


def completion(
    result: ImageResult, url_of: UrlOf = data_url, shape: ChatShape = ChatShape.IMAGES
) -> dict[str, Any]:
    """`{choices: [{index, finish_reason, message}], usage?, provider_metadata}`.

    There is a choice for each answer that was asked for. `message.content` is never null; `message.images` is
    there only when there are pictures, and `message.refusal` only when something was refused. `url_of` gives
    the URL that a picture is shown by. Other shapes show pictures in the content. What a gateway wants back
    stands in the first message as `reasoning_details`. Raises `NoImage`.
    """
    _check(result)
    shown: dict[str, Any] = {
        "choices": [
            {
                "index": index,
                "finish_reason": _FINISH_REASONS[answer.outcome],
                "message": _message(answer, url_of, shape),
            }
            for index, answer in enumerate(result.choices)
        ],
        "provider_metadata": provider_metadata(result),
    }
    if result.reasoning_details:
        shown["choices"][0]["message"]["reasoning_details"] = list(result.reasoning_details)
    if result.usage is not None:
        shown["usage"] = usage(result.usage)
    return shown


def finish_reasons(result: ImageResult) -> tuple[str, ...]:
    """Why each choice ended."""
    return tuple(_FINISH_REASONS[answer.outcome] for answer in result.choices)


def _check(result: ImageResult) -> None:
    if result.outcome is Outcome.NO_IMAGE:
        raise NoImage(result.provider, result.text)


def _message(answer: Answer, url_of: UrlOf, shape: ChatShape) -> dict[str, Any]:
    urls = {id(picture): url_of(picture) for picture in answer.pictures}
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if shape is ChatShape.PARTS and urls:
        message["content"] = [
            {"type": "image_url", "image_url": {"url": urls[id(part)]}}
            if isinstance(part, Picture)
            else {"type": "text", "text": part.text}
            for part in answer.parts
        ]
    if shape in _WITH_MARKDOWN:
        markdown = _Markdown()
        message["content"] = "".join(
            markdown.picture(urls[id(part)]) if isinstance(part, Picture) else markdown.words(part.text)
            for part in answer.parts
        )
    if shape in _WITH_IMAGES and urls:
        message["images"] = [_image(index, url) for index, url in enumerate(urls.values())]
    if answer.outcome is Outcome.REFUSED:
        message["refusal"] = answer.refusal
    return message


class CompletionChunks:
    """The same result as chunks: role; words as they come; each picture alone; metadata; usage; finish."""

    def __init__(self, url_of: UrlOf = data_url, shape: ChatShape = ChatShape.IMAGES) -> None:
        self._pictures: Counter[int] = Counter()
        self._contents: dict[int, _Markdown] = {}  # of the choices that have begun
        self._url_of = url_of
        # A stream cannot hold parts: it shows pictures beside the words.
        self._shape = ChatShape.IMAGES if shape is ChatShape.PARTS else shape

    def start(self) -> dict[str, Any]:
        """The chunk that opens the first choice."""
        return self._opening(0)

    def add(self, delta: TextDelta | PictureDelta) -> Iterator[dict[str, Any]]:
        """The chunk for some words or for one picture, after one that opens its choice."""
        choice = delta.choice
        if choice not in self._contents:
            yield self._opening(choice)
        content = self._contents[choice]
        if isinstance(delta, TextDelta):
            text = content.words(delta.text) if self._shape in _WITH_MARKDOWN else delta.text
            yield _chunk({"content": text}, choice)
            return
        number, self._pictures[choice] = self._pictures[choice], self._pictures[choice] + 1
        url = self._url_of(delta.picture)
        if self._shape in _WITH_MARKDOWN:
            yield _chunk({"content": content.picture(url)}, choice)
        if self._shape in _WITH_IMAGES:
            yield _chunk({"images": [_image(number, url)]}, choice)

    def end(self, result: ImageResult) -> Iterator[dict[str, Any]]:
        """What closes the choices. Nothing may follow the chunk with the finish reasons. Raises `NoImage`."""
        _check(result)
        for choice, answer in enumerate(result.choices):
            if choice not in self._contents:
                yield self._opening(choice)
            if answer.outcome is Outcome.REFUSED:
                yield _chunk({"refusal": answer.refusal}, choice)
        last: dict[str, Any] = {"content": ""}
        if result.reasoning_details:
            last["reasoning_details"] = list(result.reasoning_details)
        yield {**_chunk(last), "provider_metadata": provider_metadata(result)}
        if result.usage is not None:
            yield {**_chunk({}), "usage": usage(result.usage)}
        yield {
            "choices": [
                {"index": choice, "delta": {}, "finish_reason": reason}
                for choice, reason in enumerate(finish_reasons(result))
            ]
        }

    def _opening(self, choice: int) -> dict[str, Any]:
        self._contents[choice] = _Markdown()
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
            # Clients of gateways count on it where there are details at all.
            shown[key] = {"cached_tokens": 0, **known} if "cached_tokens" in values else known
    return shown


class _Markdown:
    """The content of one choice as Markdown: a picture is a paragraph of its own."""

    def __init__(self) -> None:
        self._ending = _GAP  # a beginning needs no gap
        self._follows_picture = False

    def words(self, text: str) -> str:
        """The next words."""
        return self._next(text, is_picture=False)

    def picture(self, url: str) -> str:
        """The next picture."""
        return self._next(f"![image]({url})", is_picture=True)

    def _next(self, text: str, *, is_picture: bool) -> str:
        needs_gap = (is_picture or self._follows_picture) and self._ending != _GAP
        if text:
            self._ending, self._follows_picture = (self._ending + text)[-len(_GAP) :], is_picture
        return f"{_GAP}{text}" if needs_gap and text else text


def _image(index: int, url: str) -> dict[str, Any]:
    return {"type": "image_url", "index": index, "image_url": {"url": url}}


def _chunk(delta: dict[str, Any], choice: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": choice, "delta": delta, "finish_reason": None}]}
