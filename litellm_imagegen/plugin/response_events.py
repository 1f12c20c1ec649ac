"""A streamed response, whose events LiteLLM's bridge from chat gives without pictures: they are put back.

LiteLLM's own events carry the words, past every callback that may change them, and the response's id; where
a picture belongs among the words is counted in characters. Where a callback is to see pictures first, they
are held back until LiteLLM's last event brings them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import orjson

from litellm_imagegen.canonical import (
    ImageResult,
    PartialDelta,
    Picture,
    PictureDelta,
    ResponseShape,
    TextDelta,
    Usage,
)
from litellm_imagegen.engine import Step
from litellm_imagegen.plugin.events import (
    COMMENT,
    END_OF_BODY,
    Frames,
    Opening,
    as_event,
    body_message,
    error_event,
    error_messages,
    is_event_stream,
)
from litellm_imagegen.plugin.vault import Message, Vault
from litellm_imagegen.surfaces.metadata import provider_metadata
from litellm_imagegen.surfaces.responses import Event, ResponseOutput, state, usage

_BEGINNINGS = ("response.created", "response.in_progress")
_ENDS = ("response.completed", "response.incomplete", "response.failed")
_WORDS = "response.output_text.delta"
_FAILED = "response.failed"
_LARGE_BYTES = 1024 * 1024

Ended = Callable[[ResponseOutput, ImageResult, str, str], Awaitable[None]]


class ResponseEvents:
    """The answer of one request.

    `echoed` are fields of the request that the response repeats; `ended` is told what the response holds, and
    the ids under which LiteLLM and the client know it, who has had one since the first event; `headers` go
    with a stream that begins before LiteLLM has an answer.
    """

    def __init__(
        self,
        vault: Vault,
        shape: ResponseShape,
        *,
        echoed: dict[str, Any],
        ended: Ended,
        headers: dict[str, str],
    ) -> None:
        self._vault = vault
        self._shape = shape
        self._opening = Opening(headers)
        self._output = ResponseOutput(shape, self._shown)
        self._frames = Frames()
        self._is_over = False
        self._error: list[bytes] | None = None  # LiteLLM's answer that is no stream
        self._announcements: dict[str, Event] = {}  # LiteLLM's, sent with the first event that follows
        self._is_announced = False
        self._number = 0
        self._references: dict[int, str] = {}
        self._seen: deque[str] | None = None  # pictures as callbacks have left them
        self.planned(echoed, ended)

    def planned(self, echoed: dict[str, Any], ended: Ended) -> None:
        """A deployment is about to answer: the first one, or the next after one that has failed."""
        self._echoed = echoed
        self._ended = ended
        self._vault.failure = None
        self._words: deque[str] = deque()  # that LiteLLM has passed on and the client has not got
        self._given = 0  # characters given to LiteLLM
        self._sent = 0  # characters sent to the client
        self._waiting: deque[tuple[int, PartialDelta | PictureDelta]] = deque()
        self._result: ImageResult | None = None
        self._whole: tuple[ImageResult, str, str] | None = None  # with its ids
        self._id = ""
        self._gives_way = False
        self.holds_pictures = False

    def give_way(self) -> None:
        """A model of somebody else's answers: its events are sent as LiteLLM has them."""
        self._gives_way = True

    def begin(self, response_id: str, *, holds_pictures: bool) -> None:
        """The handler begins, under the id that it gives LiteLLM."""
        self._id, self.holds_pictures = response_id, holds_pictures

    def reference(self, picture: Picture) -> str:
        """What stands for a picture in what LiteLLM and the client are given."""
        known = self._references.get(id(picture))
        if known is None:
            as_url = self._shape is ResponseShape.OUTPUT_IMAGE
            inline = picture.blob.data_url if as_url else picture.blob.base64.decode("ascii")
            known = self._references[id(picture)] = self._vault.keep(picture, as_url=as_url) or inline
        return known

    def came(self, step: Step) -> list[Message]:
        """Words go LiteLLM's way, pictures their own."""
        match step:
            case TextDelta():
                self._given += len(step.text)
            case PartialDelta() if self.holds_pictures:
                pass
            case PartialDelta() | PictureDelta():
                # What still waits of this picture is out of date.
                if self._waiting and isinstance(self._waiting[-1][1], PartialDelta):
                    self._waiting.pop()
                self._waiting.append((self._given, step))
            case ImageResult():
                self._result = step
        return self._opening.before(self._due())

    def silent(self) -> list[Message]:
        """A comment between two events; a long silence opens the stream."""
        return [] if self._gives_way else self._opening.before([COMMENT])

    async def sent(self, message: Message) -> list[Message]:
        """LiteLLM's events, rewritten. An error before the first of them keeps its HTTP status."""
        if self._is_over:
            return []
        if message["type"] == "http.response.start":
            self._opening.start = message
            self._error = None if is_event_stream(message) else []
            return []
        is_last = not message.get("more_body")
        body: bytes = message.get("body", b"")
        if self._error is not None:
            self._error.append(body)
            return self._told_error(b"".join(self._error)) if is_last else []
        bodies: list[bytes] = []
        for frame in self._frames.feed(body):
            if self._gives_way:
                bodies.append(frame)
                continue
            event = await _parsed(frame)
            if event is None:
                bodies.append(frame)
            elif self._is_failure(event) and not self._opening.is_sent and self._vault.failure is not None:
                self._is_over = True
                return error_messages(self._opening.head(), self._vault.failure)
            else:
                bodies += await self._rewritten(event, len(frame))
        messages = self._opening.before([*bodies, self._frames.rest] if is_last else bodies)
        return [*messages, END_OF_BODY] if is_last else messages

    def _told_error(self, answer: bytes) -> list[Message]:
        self._is_over = True
        if not self._opening.is_sent and self._opening.start is not None:
            return [self._opening.start, body_message(answer), END_OF_BODY]
        return [*self._opening.before([self._numbered(error_event(answer))]), END_OF_BODY]

    @staticmethod
    def _is_failure(event: Event) -> bool:
        """LiteLLM's own, or the bare error of a callback or of an older LiteLLM."""
        return event.get("type") in (_FAILED, "error") or "error" in event

    async def _rewritten(self, event: Event, length: int) -> list[bytes]:
        kind = str(event.get("type"))
        if kind in _BEGINNINGS:
            self._announcements.setdefault(kind, event)
            return []
        if kind in _ENDS:
            is_large = length > _LARGE_BYTES
            bodies = await asyncio.to_thread(self._last, event) if is_large else self._last(event)
            whole, self._whole = self._whole, None
            if whole is not None:  # it can be gone on from as soon as its client has its end
                await self._ended(self._output, *whole)
            return bodies
        if self._is_failure(event):
            return self._broken_by(event.get("error") or event)
        if kind == _WORDS:
            self._words.append(str(event.get("delta") or ""))
        return list(self._due())  # what else there is tells of items that ours stand for

    def _last(self, event: Event) -> list[bytes]:
        result = self._result
        if result is None or event["type"] == _FAILED:
            broken = {"output": self._output.left_unfinished(), "status": "failed"}
            return list(self._told({"type": _FAILED, "response": self._as_asked(event, broken)}))
        if self.holds_pictures:
            drawn = (item.get("result") for item in event["response"].get("output") or ())
            self._seen = deque(text for text in drawn if text)
        bodies = [*self._due(is_last=True), *self._told(*self._output.end(result))]
        update: dict[str, Any] = {
            **state(result),
            "output": self._output.items,
            "usage": usage(result.usage or Usage()),
            "provider_metadata": provider_metadata(result),
        }
        response = self._as_asked(event, update)
        self._whole = result, self._id, response["id"]
        return [*bodies, *self._told({"type": f"response.{response['status']}", "response": response})]

    def _broken_by(self, error: Any) -> list[bytes]:
        """The end of a response by an error that says nothing of the response."""
        if not self._announcements:
            return [self._numbered(error_event(orjson.dumps({"error": error})))]
        message = error.get("message") if isinstance(error, dict) else error
        first = next(iter(self._announcements.values()))
        response = {**first["response"], "error": {"code": "server_error", "message": str(message)}}
        return self._last({"type": _FAILED, "response": response})

    def _as_asked(self, event: Event, update: Mapping[str, Any]) -> dict[str, Any]:
        """The response of an event, with what was asked for, under the model's public name.

        LiteLLM puts that name beside the response, though not everywhere.
        """
        first = next(iter(self._announcements.values()), event)
        response = {**first["response"], **event["response"], **self._echoed, **update}
        response["id"] = first["response"].get("id")
        named = (one["model"] for one in (event, *self._announcements.values()) if one.get("model"))
        response["model"] = next(named, response.get("model"))
        return response

    def _told(self, *events: Event) -> Iterator[bytes]:
        """Events in order; what announces the response comes before the first, since an error may follow it.

        It comes once, also where another deployment goes on where one broke.
        """
        for event in events:
            if not self._is_announced:
                self._is_announced = True
                for first in list(self._announcements.values())[:1]:
                    for kind in _BEGINNINGS:
                        announced = self._announcements.get(kind, first)
                        yield self._numbered({"type": kind, "response": self._as_asked(announced, {})})
            yield self._numbered(event)

    def _due(self, *, is_last: bool = False) -> Iterator[bytes]:
        """Events for what may be sent by now, in its order."""
        if not self._announcements:
            return
        while self._waiting:
            place, delta = self._waiting[0]
            yield from self._words_up_to(place)
            if not is_last and (self._sent < place or self.holds_pictures):
                return
            self._waiting.popleft()
            if isinstance(delta, PartialDelta):
                shown = self._vault.keep_briefly(delta.picture) or delta.picture.blob.base64.decode("ascii")
                yield from self._told(*self._output.partial(delta.number, shown))
            elif self._seen is None or self._seen:
                yield from self._told(*self._output.picture(delta.picture))
        yield from self._words_up_to(None)

    def _words_up_to(self, place: int | None) -> Iterator[bytes]:
        """Words as they came, up to a place among all of them; None for all that are there."""
        while self._words and (place is None or self._sent < place):
            words = self._words.popleft()
            if place is not None and self._sent + len(words) > place:
                self._words.appendleft(words[place - self._sent :])
                words = words[: place - self._sent]
            self._sent += len(words)
            yield from self._told(*self._output.words(words))

    def _shown(self, picture: Picture) -> str:
        if self._seen is None:
            return self.reference(picture)
        seen = self._seen.popleft()
        is_url = self._shape is ResponseShape.OUTPUT_IMAGE and ":" not in seen[:16]
        return f"{picture.blob.data_url_head}{seen}" if is_url else seen

    def _numbered(self, event: Event) -> bytes:
        number, self._number = self._number, self._number + 1
        return as_event({**event, "sequence_number": number})


async def _parsed(frame: bytes) -> Event | None:
    """The event of a frame; None for a comment, for the end of all frames, and for what is no event."""
    return await asyncio.to_thread(_event_of, frame) if len(frame) > _LARGE_BYTES else _event_of(frame)


def _event_of(frame: bytes) -> Event | None:
    data = frame.partition(b"data:")[2].strip()
    try:
        event = orjson.loads(data) if data.startswith(b"{") else None
    except ValueError:  # of a callback that yields what it likes
        return None
    return event
