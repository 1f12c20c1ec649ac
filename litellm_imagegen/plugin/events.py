"""Server-sent events, and errors in the place of a stream that has not begun."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from litellm_imagegen.plugin.vault import Message

COMMENT = b": keep-alive\n\n"
END_OF_BODY: Message = {"type": "http.response.body", "body": b"", "more_body": False}
_END = b"\n\n"
_STREAM_HEADERS = {"content_type": "text/event-stream; charset=utf-8", "cache_control": "no-cache"}


class Frames:
    """Cuts what is sent into frames, however it comes."""

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, body: bytes) -> Iterator[bytes]:
        """The frames that `body` completes, each with its end."""
        if not self.rest and body.find(_END) == len(body) - len(_END) >= 0:
            yield body  # one whole frame, as LiteLLM sends it
            return
        *whole, self.rest = (self.rest + body).split(_END)
        for frame in whole:
            yield frame + _END


class Opening:
    """The head of a stream, which goes with the first thing that there is to say.

    `start` is LiteLLM's as soon as there is one; `headers` go with a stream that begins before that.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self.start: Message | None = None
        self.is_sent = False

    def before(self, bodies: Iterable[bytes]) -> list[Message]:
        """Parts of the body, after the head where it is still to be sent."""
        messages = [body_message(body) for body in bodies if body]
        if messages and not self.is_sent:
            self.is_sent = True
            messages.insert(0, self.head())
        return messages

    def head(self) -> Message:
        """The start of a stream of events, with LiteLLM's headers where they are known."""
        if self.start is None:
            return with_headers({"type": "http.response.start"}, 200, **_STREAM_HEADERS, **self._headers)
        return with_headers(self.start, 200, **_STREAM_HEADERS, content_length="")


def as_event(event: Mapping[str, Any]) -> bytes:
    """An event with its type as its name, which clients of either habit read."""
    return b"event: " + str(event["type"]).encode() + b"\ndata: " + orjson.dumps(event) + _END


def is_event_stream(start: Message) -> bool:
    """Whether the response that begins so is a stream of events."""
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in start.get("headers", ())
    )


def body_message(body: bytes) -> Message:
    """A part of a body that others follow."""
    return {"type": "http.response.body", "body": body, "more_body": True}


def error_event(answer: bytes) -> dict[str, Any]:
    """LiteLLM's error as the event that clients of streams know, with its fields in both usual places."""
    try:
        said = orjson.loads(answer)
        error = said["error"]
        told = {name: error[name] for name in ("code", "message", "param")}
    except (ValueError, LookupError, TypeError):
        told = {"code": "500", "message": "an answer that is no error of LiteLLM's", "param": None}
        error = {**told, "type": None}
    return {"type": "error", **told, "error": error}


def with_headers(start: Message, status: int, **headers: str) -> Message:
    """The start of a response with another status and other values of these headers, "" to leave one out."""
    changed = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    kept = [(name, value) for name, value in start.get("headers", ()) if name.lower() not in changed]
    set_ones = [(name, value) for name, value in changed.items() if value]
    return {**start, "status": status, "headers": [*kept, *set_ones]}


def error_messages(start: Message, failure: Exception) -> list[Message]:
    """A whole answer with the error's own status, in the form that LiteLLM gives errors in."""
    status = int(getattr(failure, "status_code", 500))
    error = {
        "message": str(getattr(failure, "message", failure)),
        "type": getattr(failure, "type", None),
        "param": getattr(failure, "param", None),
        "code": str(status),
    }
    body = orjson.dumps({"error": error})
    told = {"content_type": "application/json", "content_length": str(len(body))}
    if wait := (getattr(failure, "headers", None) or {}).get("retry-after"):
        told["retry_after"] = str(wait)
    return [
        with_headers(start, status, **told),
        {"type": "http.response.body", "body": body, "more_body": False},
    ]
