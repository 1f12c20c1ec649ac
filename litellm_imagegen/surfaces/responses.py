"""Results as /v1/responses shows them: items of a response, and the events that tell of them one by one.

Source: https://platform.openai.com/docs/api-reference/responses/object and .../responses-streaming. Pictures
as parts of the message: https://docs.helicone.ai/gateway/concepts/image-generation.
"""

from collections.abc import Callable, Generator, Iterator
from typing import Any
from uuid import uuid4

from litellm_imagegen.canonical import ImageResult, Outcome, Picture, ResponseShape, TextPart, Usage
from litellm_imagegen.errors import NoImage
from litellm_imagegen.surfaces.metadata import as_it_turned_out

Event = dict[str, Any]
Item = dict[str, Any]
Shows = Callable[[Picture], str]

_STATUS = {
    Outcome.PICTURES: "completed",
    Outcome.WORDS_ONLY: "completed",
    Outcome.NO_IMAGE: "failed",
    Outcome.REFUSED: "incomplete",
    Outcome.TRUNCATED: "incomplete",
}
_INCOMPLETE = {Outcome.REFUSED: "content_filter", Outcome.TRUNCATED: "max_output_tokens"}


def state(result: ImageResult) -> dict[str, Any]:
    """`{status, incomplete_details, error}` of the response."""
    outcome = result.outcome
    reason = _INCOMPLETE.get(outcome)
    error = NoImage(result.provider, result.text) if outcome is Outcome.NO_IMAGE else None
    return {
        "status": _STATUS[outcome],
        "incomplete_details": {"reason": reason} if reason else None,
        "error": {"code": error.code, "message": error.message} if error else None,
    }


def usage(counted: Usage) -> dict[str, Any]:
    """OpenAI's usage object of a response, with `cost` in USD and the details that clients count on."""
    shown: dict[str, Any] = {
        "input_tokens": counted.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": counted.cached_tokens or 0,
            "cache_write_tokens": 0,
            **_known(text_tokens=counted.prompt_text_tokens, image_tokens=counted.prompt_image_tokens),
        },
        "output_tokens": counted.completion_tokens,
        "output_tokens_details": {
            "reasoning_tokens": counted.reasoning_tokens or 0,
            **_known(
                text_tokens=counted.completion_text_tokens, image_tokens=counted.completion_image_tokens
            ),
        },
        "total_tokens": counted.total_tokens,
    }
    return {**shown, **_known(cost=counted.cost)}


def _known(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


class ResponseOutput:
    """The output of one response while it grows.

    Each method gives the events for what it adds; their sequence numbers are for whoever sends them to count.
    `items` is what the response holds so far, and `pictures` tells which picture an item is. Under
    `ResponseShape.ITEMS` a picture is an item whose `result` is what `shows` gives for it, base64; under
    `OUTPUT_IMAGE` it is a part of the message whose `image_url` is that, a URL.
    """

    def __init__(self, shape: ResponseShape, shows: Shows) -> None:
        self._shape = shape
        self._shows = shows
        self._message: Item | None = None
        self._text: dict[str, Any] | None = None  # the part that grows
        self._words: list[str] = []  # in it
        self._drawing: Item | None = None
        self.items: list[Item] = []
        self.pictures: dict[str, Picture] = {}

    @classmethod
    def of(cls, result: ImageResult, shape: ResponseShape, shows: Shows) -> "ResponseOutput":
        """The output of a whole result."""
        output = cls(shape, shows)
        for part in result.parts:
            for _ in output.words(part.text) if isinstance(part, TextPart) else output.picture(part):
                pass
        for _ in output.end(result):
            pass
        return output

    def words(self, text: str) -> Iterator[Event]:
        """Words, which continue those before them."""
        if not text:
            return
        message = yield from self._open_message()
        if self._text is None:
            self._text = {"type": "output_text", "text": "", "annotations": []}
            yield self._part_added(message, self._text)
        self._words.append(text)
        yield {**self._in_part(message, "output_text.delta"), "delta": text, "logprobs": []}

    def partial(self, number: int, shown: str) -> Iterator[Event]:
        """A picture on the way, as base64. Parts of a message have no place for one."""
        if self._shape is ResponseShape.OUTPUT_IMAGE:
            return
        drawing = yield from self._open_picture()
        event = {"partial_image_index": number, "partial_image_b64": shown}
        yield {**self._drawn(drawing, "partial_image"), **event}

    def picture(self, picture: Picture) -> Iterator[Event]:
        """A picture."""
        if self._shape is ResponseShape.OUTPUT_IMAGE:
            message = yield from self._open_message()
            yield from self._close_text(message)
            part = {"type": "output_image", "image_url": ""}
            yield self._part_added(message, part)
            part["image_url"] = self._shows(picture)
            yield {**self._in_part(message, "content_part.done"), "part": dict(part)}
            return
        drawing = yield from self._open_picture()
        drawing |= {
            "status": "completed",
            "result": self._shows(picture),
            "revised_prompt": picture.revised_prompt,
            **as_it_turned_out(picture),
        }
        self.pictures[drawing["id"]] = picture
        yield self._drawn(drawing, "completed")
        yield self._done(drawing)
        self._drawing = None

    def end(self, result: ImageResult) -> Iterator[Event]:
        """What closes the output."""
        if result.outcome is Outcome.REFUSED:
            yield from self._refusal(result.refusal or "refused")
        status = "incomplete" if result.outcome in _INCOMPLETE else "completed"
        yield from self._close_message(status)
        if self._drawing is not None:  # it was begun and never came
            self._drawing["status"] = "failed"
            yield self._done(self._drawing)
            self._drawing = None

    def left_unfinished(self) -> list[Item]:
        """The items of a response that has failed."""
        if self._text is not None:
            self._text["text"] = self._said()
        for item in self.items:
            if item["status"] == "in_progress":
                item["status"] = "failed" if item is self._drawing else "incomplete"
        return self.items

    def _said(self) -> str:
        text = "".join(self._words)
        self._words.clear()
        return text

    def _refusal(self, reason: str) -> Iterator[Event]:
        message = yield from self._open_message()
        yield from self._close_text(message)
        part = {"type": "refusal", "refusal": ""}
        yield self._part_added(message, part)
        part["refusal"] = reason
        yield {**self._in_part(message, "refusal.delta"), "delta": reason}
        yield {**self._in_part(message, "refusal.done"), "refusal": reason}
        yield {**self._in_part(message, "content_part.done"), "part": dict(part)}

    def _open_message(self) -> Generator[Event, None, Item]:
        if self._message is None:
            self._message = {
                "id": f"msg_{uuid4().hex}",
                "type": "message",
                "status": "in_progress",
                "role": "assistant",
                "content": [],
            }
            yield self._added({**self._message, "content": []}, self._message)
        return self._message

    def _close_text(self, message: Item) -> Iterator[Event]:
        if self._text is not None:
            text = self._text["text"] = self._said()
            yield {**self._in_part(message, "output_text.done"), "text": text, "logprobs": []}
            yield {**self._in_part(message, "content_part.done"), "part": dict(self._text)}
            self._text = None

    def _close_message(self, status: str = "completed") -> Iterator[Event]:
        if self._message is not None:
            yield from self._close_text(self._message)
            self._message["status"] = status
            yield self._done(self._message)
            self._message = None

    def _open_picture(self) -> Generator[Event, None, Item]:
        if self._drawing is None:
            yield from self._close_message()
            self._drawing = {
                "id": f"ig_{uuid4().hex}",
                "type": "image_generation_call",
                "status": "in_progress",
                "result": None,
            }
            yield self._added(dict(self._drawing), self._drawing)
            yield self._drawn(self._drawing, "in_progress")
            yield self._drawn(self._drawing, "generating")
        return self._drawing

    def _added(self, shown: Item, item: Item) -> Event:
        self.items.append(item)
        return {"type": "response.output_item.added", "output_index": self._place(item), "item": shown}

    def _done(self, item: Item) -> Event:
        return {"type": "response.output_item.done", "output_index": self._place(item), "item": dict(item)}

    def _part_added(self, message: Item, part: dict[str, Any]) -> Event:
        message["content"].append(part)
        return {**self._in_part(message, "content_part.added"), "part": dict(part)}

    def _in_part(self, message: Item, kind: str) -> Event:
        """An event of the message's last part."""
        return {
            "type": f"response.{kind}",
            "item_id": message["id"],
            "output_index": self._place(message),
            "content_index": len(message["content"]) - 1,
        }

    def _drawn(self, drawing: Item, kind: str) -> Event:
        """An event of a picture that is being drawn."""
        return {
            "type": f"response.image_generation_call.{kind}",
            "item_id": drawing["id"],
            "output_index": self._place(drawing),
        }

    def _place(self, item: Item) -> int:
        return next(index for index, known in enumerate(self.items) if known is item)
