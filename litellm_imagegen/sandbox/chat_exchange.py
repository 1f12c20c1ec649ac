"""One chat request of a gateway from its arrival to its reply, the same for all of them.

Strategy: a gateway is a `Gateway`: which model ids are its own, whom it lets in, how it reads, what it
answers, how it words errors. `answer` goes through that in one order: the caller, the body, the wishes, then
the reply, composed off the event loop. What the gateway would refuse is refused before any wish is looked at.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from . import chat_reply
from .chat_request import Chat
from .faults import UnknownFaultError, Wishes, read_wishes
from .openai_body import Body, read_body
from .openai_errors import OpenAIError, bad_request
from .openai_exchange import bearer_key
from .transport import Delivery, Outgoing, page

_DEFAULT_RETRY_SECONDS = 12.0
_QUOTA = 429


class AskedChat(Protocol):
    """What a gateway makes of a request; it holds the chat."""

    @property
    def chat(self) -> Chat:
        """The conversation and its common fields."""


AskedT = TypeVar("AskedT", bound=AskedChat)


@dataclass(eq=False)
class GatewayError(Exception):
    """An error reply in a gateway's own form."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JsonBody:
    """The body of a request, or what is wrong with it; `model` is empty when it names none."""

    values: Mapping[str, Any] | None
    fault: OpenAIError | None = None

    @property
    def model(self) -> str:
        """The model that the body names."""
        model = (self.values or {}).get("model")
        return model if isinstance(model, str) else ""

    def checked(self) -> Mapping[str, Any]:
        """The fields of the body. Raises OpenAIError when it is no JSON object."""
        if self.values is None:
            raise self.fault or bad_request("The body must be a JSON object.")
        return self.values


async def read_json(request: Request) -> JsonBody:
    """Read the body of a request; what is wrong with it is told when it is looked at.

    The body of a client that has gone is no JSON: nobody is there to be told.
    """
    try:
        body: Body = await read_body(request, takes_form=False)
    except OpenAIError as fault:
        return JsonBody(None, fault)
    except ClientDisconnect:
        return JsonBody(None)
    return JsonBody(body.values)


class Gateway(ABC, Generic[AskedT]):
    """A gateway's chat endpoint."""

    @abstractmethod
    def is_for(self, model: str) -> bool:
        """Whether a model id is written in the way of this gateway."""

    @abstractmethod
    def refused(self, error: OpenAIError) -> GatewayError:
        """A refusal in this gateway's own form; its status, code, message and param tell what it is about."""

    @abstractmethod
    def check_key(self, key: str) -> None:
        """Check the bearer key, empty when there is none. Raises GatewayError."""

    @abstractmethod
    def read(self, values: Mapping[str, Any]) -> AskedT:
        """Read a request. Raises OpenAIError or GatewayError. Called in a thread."""

    @abstractmethod
    def wished_error(self, asked: AskedT, wishes: Wishes) -> GatewayError | None:
        """The error reply that was wished for: of `error_code`, and what else is one on this gateway."""

    @abstractmethod
    def compose(self, asked: AskedT, wishes: Wishes) -> Outgoing:
        """The reply, drawn; also that of `error_mid_stream`. Raises GatewayError. Called in a thread."""

    def headers(self) -> Mapping[str, str]:
        """Headers of every reply."""
        return {}

    async def answer(self, request: Request, body: JsonBody) -> Response:
        """The reply to a request, errors included."""
        wishes = Wishes()
        try:
            self.check_key(bearer_key(request))
            asked = await asyncio.to_thread(self.read, body.checked())
            wishes = wishes_of(request, asked.chat.prompt)
            outgoing = page(wishes) or await self._composed(asked, wishes)
        except OpenAIError as error:
            outgoing = failed(self.refused(error))
        except GatewayError as error:
            outgoing = failed(error)
        return Delivery(replace(outgoing, headers={**self.headers(), **outgoing.headers}), wishes)

    async def _composed(self, asked: AskedT, wishes: Wishes) -> Outgoing:
        error = self.wished_error(asked, wishes)
        if error is not None:
            raise error
        if wishes.never:
            return Outgoing()
        outgoing = odd(wishes, stream=asked.chat.stream)
        return await asyncio.to_thread(self.compose, asked, wishes) if outgoing is None else outgoing


def odd(wishes: Wishes, *, stream: bool) -> Outgoing | None:
    """The wished reply of no known shape, if any."""
    if wishes.not_json:
        return chat_reply.odd(b"<this is not JSON>", stream=stream)
    return chat_reply.odd(b'{"hello": "world"}', stream=stream) if wishes.unknown_shape else None


def failed(error: GatewayError) -> Outgoing:
    """An error reply."""
    return chat_reply.as_body(error.body, status=error.status, headers=error.headers)


def wishes_of(request: Request, prompt: str) -> Wishes:
    """The wishes of a request. Raises OpenAIError for a word that is not in the table."""
    try:
        return read_wishes(texts=[prompt], header=request.headers.get("x-sandbox"))
    except UnknownFaultError as fault:
        raise bad_request(str(fault)) from None


def retry_seconds(wishes: Wishes) -> float | None:
    """How long the wished error tells to wait; a rate limit always tells it."""
    if wishes.retry_after is None and wishes.error_code == _QUOTA:
        return _DEFAULT_RETRY_SECONDS
    return wishes.retry_after


def retry_headers(wishes: Wishes) -> dict[str, str]:
    """The header that tells it, in whole seconds."""
    seconds = retry_seconds(wishes)
    if seconds is None:
        return {}
    return {"retry-after": str(max(1, round(seconds))) if seconds else "0"}
