"""What all of OpenAI's addresses share: who may call, what is wished for, and how replies are written.

Source: https://platform.openai.com/docs/api-reference/authentication and
https://platform.openai.com/docs/api-reference/debugging-requests
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .faults import UnknownFaultError, Wishes, read_wishes
from .openai_errors import OpenAIError, bad_request, key_refused, organization_refused
from .transport import Delivery, Outgoing

NO_PICTURE = "NO_IMAGE"

_JSON = "application/json"
_EVENTS = "text/event-stream; charset=utf-8"

Event = tuple[str, dict[str, Any]]


def bearer_key(request: Request) -> str:
    """The key of the Authorization header; empty when there is none."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def check_key(key: str) -> None:
    """Any key will do, but one that starts with "invalid". Raises OpenAIError."""
    if not key or key.startswith("invalid"):
        raise key_refused(given=bool(key))


def check_caller(request: Request) -> None:
    """Check the key and the organization of a request to OpenAI itself. Raises OpenAIError."""
    check_key(bearer_key(request))
    if request.headers.get("openai-organization", "").startswith("invalid"):
        raise organization_refused()


def wishes_of(request: Request, prompt: str) -> Wishes:
    """The wishes of a request. Raises OpenAIError for a word that is not in the table."""
    try:
        return read_wishes(texts=[prompt], header=request.headers.get("x-sandbox"))
    except UnknownFaultError as fault:
        raise bad_request(str(fault)) from None


def dump(value: Any) -> bytes:
    """A value as JSON, in ASCII."""
    return json.dumps(value).encode("ascii")


def whole(body: dict[str, Any]) -> Outgoing:
    """A reply that is sent as one body."""
    return Outgoing(content_type=_JSON, pieces=[dump(body)])


def streamed(events: Sequence[Event]) -> Outgoing:
    """A reply that is sent as server-sent events with names."""
    return _streamed([(name, dump(body)) for name, body in events])


def odd(wishes: Wishes, event_name: str | None) -> Outgoing | None:
    """The wished reply of no known shape, if any; with an `event_name` it is the only event of a stream."""
    if wishes.not_json:
        body = b"<this is not JSON>"
    elif wishes.unknown_shape:
        body = b'{"hello": "world"}'
    else:
        return None
    return (
        Outgoing(content_type=_JSON, pieces=[body]) if event_name is None else _streamed([(event_name, body)])
    )


def failed(error: OpenAIError, *, azure: bool = False) -> Outgoing:
    """An error reply."""
    body = error.azure_body() if azure else error.body()
    return Outgoing(status=error.status, content_type=_JSON, headers=error.headers, pieces=[dump(body)])


def deliver(outgoing: Outgoing, wishes: Wishes) -> Response:
    """The response that sends a reply, with a request id of its own."""
    headers = {"x-request-id": f"req_{uuid.uuid4().hex}", **outgoing.headers}
    return Delivery(replace(outgoing, headers=headers), wishes)


def _streamed(events: Sequence[tuple[str, bytes]]) -> Outgoing:
    pieces = [b"event: " + name.encode() + b"\ndata: " + body + b"\n\n" for name, body in events]
    return Outgoing(content_type=_EVENTS, pieces=pieces, streamed=True)
