"""What a codec is: it spells a plan as a call and reads a reply back. It does no I/O of any kind.

`Call` and `Reply` are the whole interface between codecs and the transport.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from litellm_imagegen.canonical import Delta, EndDelta, Frozen, Name, RemotePicture
from litellm_imagegen.errors import (
    AuthenticationFailed,
    BadReply,
    PaymentRequired,
    PermissionRefused,
    ProviderError,
    ProviderFailed,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
    UnknownModel,
)
from litellm_imagegen.lifting import IncomingJson
from litellm_imagegen.plan import Plan


class FormFile(Frozen):
    """A file in a form."""

    name: str
    mime: str
    content: bytes


class Call(Frozen):
    """One HTTP request: `path` is relative to the endpoint's base, `body` becomes JSON.

    `url` is an absolute address that an earlier reply named, in the place of path and query; it is called
    only at the provider's own hosts. `form` becomes multipart/form-data in the place of `body`. With
    `streams` the reply is read as server-sent events. A call that comes out of a reply waits `delay_seconds`
    before it is sent, and `attempt` counts those before it. `may_repeat` tells that sending it again does no
    harm, and `queues` that it is sent again, in a while, when the provider has too much to do.
    """

    method: str = "POST"
    path: str = ""
    url: str | None = None
    query: Mapping[str, str] = {}
    body: Mapping[str, Any] | None = None
    form: tuple[tuple[str, str | FormFile], ...] | None = None
    streams: bool = False
    delay_seconds: float = 0.0
    attempt: int = 0
    may_repeat: bool = False
    queues: bool = False


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A whole reply to `call`: header names in lower case, the body still to be parsed."""

    call: Call
    status: int
    headers: Mapping[str, str]
    body: IncomingJson


class Codec(Protocol):
    """Spells plans for one wire.

    `vocabulary` holds every name that `encode` can spell, `vendor` is the key under which provider options
    are meant for it, and `takes_addresses` tells whether a picture may be given to it as an address.
    `refused_options` are provider options of its vendor that another wire of the same vendor takes alone;
    with `passes_options` a plan holds those of all vendors, each under its name. Of `together` the wire takes
    all or none. `maximum_pictures` to draw by fit into a call, None for any number.
    """

    vocabulary: frozenset[Name]
    vendor: str
    takes_addresses: bool = False
    refused_options: frozenset[str] = frozenset()
    passes_options: bool = False
    together: frozenset[Name] = frozenset()
    maximum_pictures: int | None = None

    def names(self, *, has_pictures: bool) -> frozenset[Name]:
        """Of `vocabulary` what can be spelled with pictures to draw by, or without any."""
        return self.vocabulary

    def encode(self, plan: Plan) -> Call:
        """The call that carries `plan` out."""
        ...

    def decode(self, plan: Plan, reply: Reply) -> Sequence[Delta | RemotePicture | Call]:
        """What a whole successful reply says, in order; a call in it is the next one to send.

        Raises `ProviderError`.
        """
        ...

    def decode_event(self, plan: Plan, event: IncomingJson) -> Sequence[Delta | RemotePicture]:
        """What the data of one server-sent event says, of a wire that streams. Raises `ProviderError`."""
        raise BadReply(plan.provider, "a stream where there is none")

    def decode_error(self, plan: Plan, reply: Reply) -> ProviderError | EndDelta:
        """What a reply with an error status means; a refusal is an answer without a picture."""
        ...


_FIRST_DELAY_SECONDS = 0.25
_LONGEST_DELAY_SECONDS = 2.0
_DELAY_GROWTH = 1.15


def poll_delay(attempt: int) -> float:
    """Seconds to wait before the poll with this number, from 0: a job that takes long is asked for rarely."""
    return min(_FIRST_DELAY_SECONDS * _DELAY_GROWTH**attempt, _LONGEST_DELAY_SECONDS)


def error_for_status(
    provider: str, status: int, reason: object, *, retry_after: float | None = None
) -> ProviderError:
    """The error that an HTTP status means, for every wire: contracts are kept in this one table."""
    match status:
        case 401:
            kind: type[ProviderError] = AuthenticationFailed
        case 402:
            kind = PaymentRequired
        case 403:
            kind = PermissionRefused
        case 404:
            kind = UnknownModel
        case 429:
            kind = RateLimited
        case 500 | 501:
            kind = ProviderFailed
        case 408 | 409 | 499:
            kind = ProviderUnavailable
        case _ if 400 <= status < 500:
            kind = ProviderRejected
        case _ if status > 500:
            kind = ProviderUnavailable
        case _:
            kind, reason = BadReply, f"unexpected HTTP status {status}: {reason}"
    return kind(provider, reason, retry_after=retry_after)
