"""Every error this package raises, with its HTTP status and whose fault it is.

    ImagegenError
    ├── RequestError          client    400   the request cannot be carried out as it stands
    │   ├── InvalidParameter  client    400   one field has a value that is not allowed
    │   ├── Contradiction     client    400   two spellings of one thing say different things
    │   └── LimitExceeded     client    400   over a bound that the operator set
    ├── ConfigurationError    operator  500   settings, a deployment or a key are wrong
    ├── ProviderError         provider  502   the provider refused the call or failed
    │   ├── ProviderRejected  client    400   it calls a parameter bad
    │   ├── AuthenticationFailed operator 401 ├── PaymentRequired operator 402
    │   ├── PermissionRefused operator  403   ├── UnknownModel    operator 404
    │   ├── RateLimited       provider  429   ├── ProviderFailed  provider 500
    │   ├── PictureRefused    client    400   ├── JobFailed       provider 500
    │   ├── BadReply          provider  502   └── ProviderUnavailable provider 503
    │   │   └── DeadEnd       provider  502
    ├── ClientGone            client    499   nobody waits for the answer any more
    ├── NoImage               model     422   words came back where a picture was wanted
    ├── Truncated             model     422   the token limit came before a picture
    └── DeadlineExceeded      provider  408   our own deadline passed

A message names the provider and the reason. It never holds a key, base64, a traceback, or more than
500 characters of what an upstream said.
"""

import math
import re
import reprlib
from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar

MAXIMUM_QUOTED_CHARACTERS = 500
_TELLTALE_CHARACTERS = 4
_LONG_OPAQUE_RUN = re.compile(r"[A-Za-z0-9+/\\_=-]{64,}")  # base64, also in lines or escaped


class Fault(StrEnum):
    """Who has to act for the error to go away."""

    CLIENT = "client"
    OPERATOR = "operator"
    PROVIDER = "provider"
    MODEL = "model"


def quote(text: object, secrets: Iterable[str] = ()) -> str:
    """Foreign text made fit for a message: one line, at most 500 characters, no secret, no base64."""
    clean = str(text)
    for secret in filter(None, secrets):
        clean = clean.replace(secret, "[key]")
        for length in range(len(secret) - 1, _TELLTALE_CHARACTERS - 1, -1):
            if clean.endswith(secret[:length]):  # the text was cut inside of the secret
                clean = f"{clean[:-length]}[key]"
                break
    clean = _LONG_OPAQUE_RUN.sub("[...]", clean)
    clean = " ".join("".join(c if c.isprintable() else " " for c in clean).split())
    if len(clean) > MAXIMUM_QUOTED_CHARACTERS:
        clean = clean[: MAXIMUM_QUOTED_CHARACTERS - 1] + "…"
    return clean


class ImagegenError(Exception):
    """Base of the tree: `message` for people, `code` for programs, `status` for HTTP."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "imagegen_error"
    fault: ClassVar[Fault] = Fault.PROVIDER

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def hide(self, secrets: Iterable[str]) -> None:
        """Mask `secrets` in the message, in case an upstream repeated one."""
        self._say(quote(self.message, secrets))

    def _say(self, message: str) -> None:
        self.message = message
        self.args = (message,)


class RequestError(ImagegenError):
    """The client's request cannot be carried out as it stands."""

    status = 400
    code = "invalid_request"
    fault = Fault.CLIENT

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class InvalidParameter(RequestError):
    """One field has a value that is not allowed; the message names field, value and what is allowed."""

    code = "invalid_parameter"

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{_shown_name(field)}: {_shown(value)} is not allowed; allowed: {allowed}", field)


class Contradiction(RequestError):
    """Two spellings of the same thing disagree; the message names both with their values."""

    code = "contradiction"

    def __init__(self, first: tuple[str, object], second: tuple[str, object]) -> None:
        super().__init__(
            f"{_shown_name(first[0])}: {_shown(first[1])} contradicts "
            f"{_shown_name(second[0])}: {_shown(second[1])}; "
            "send one of them, or the same value in both",
            second[0],
        )


class LimitExceeded(RequestError):
    """The request is over an upper bound."""

    code = "limit_exceeded"

    def __init__(self, field: str, value: object, limit: str) -> None:
        super().__init__(f"{_shown_name(field)}: {_shown(value)} is over the limit of {limit}", field)


class ConfigurationError(ImagegenError):
    """Settings, a deployment or a key are wrong: the operator has to act."""

    status = 500
    code = "configuration"
    fault = Fault.OPERATOR


class ProviderError(ImagegenError):
    """The provider refused the call or failed. The message starts with the provider's name."""

    status = 502
    code = "provider_error"

    def __init__(self, provider: str, reason: object, retry_after: float | None = None) -> None:
        self.provider = provider
        self.retry_after = retry_after
        self._reason = str(reason)
        super().__init__(self._worded(()))

    def hide(self, secrets: Iterable[str]) -> None:
        """Mask before the reason is cut, or a piece of a secret could be left at the cut."""
        self._say(self._worded(secrets))

    def _worded(self, secrets: Iterable[str]) -> str:
        wait = "" if self.retry_after is None else f" (retry after {math.ceil(self.retry_after)} s)"
        return f"{self.provider}: {quote(self._reason, secrets)}{wait}"


class ProviderRejected(ProviderError):
    """The provider calls a parameter bad (its 400, 413 or 422)."""

    status, code, fault = 400, "provider_rejected", Fault.CLIENT


class AuthenticationFailed(ProviderError):
    """The provider does not accept the key, or there is none."""

    status, code, fault = 401, "authentication_failed", Fault.OPERATOR


class PaymentRequired(ProviderError):
    """The account has no credit."""

    status, code, fault = 402, "payment_required", Fault.OPERATOR


class PermissionRefused(ProviderError):
    """The key may not do this."""

    status, code, fault = 403, "permission_refused", Fault.OPERATOR


class UnknownModel(ProviderError):
    """The provider has no such model."""

    status, code, fault = 404, "unknown_model", Fault.OPERATOR


class RateLimited(ProviderError):
    """Over a quota; `retry_after` holds seconds where the provider says so."""

    status, code = 429, "rate_limited"


class ProviderFailed(ProviderError):
    """The provider failed inside."""

    status, code = 500, "provider_failed"


class JobFailed(ProviderError):
    """The provider took a job and failed at it: asking again for its outcome changes nothing."""

    status, code = 500, "job_failed"


class BadReply(ProviderError):
    """A reply that is cut off, empty, no JSON, or of a shape that nobody knows."""

    status, code = 502, "bad_reply"


class ProviderUnavailable(ProviderError):
    """The provider is down, overloaded or cannot be reached."""

    status, code = 503, "provider_unavailable"


class DeadEnd(BadReply):
    """A reply that leads nowhere, as to a picture that cannot be had: asking again is of no use."""

    code = "dead_end"


class PictureRefused(ProviderError):
    """The provider refused the prompt or the picture; told as an error where a picture is all there is."""

    status, code, fault = 400, "content_policy_violation", Fault.CLIENT


class Truncated(ImagegenError):
    """The answer was cut at the token limit before a picture came."""

    status = 422
    code = "truncated"
    fault = Fault.MODEL

    def __init__(self, provider: str) -> None:
        super().__init__(f"truncated: {provider} reached the token limit before a picture came")


class ClientGone(ImagegenError):
    """The client has hung up, and nobody waits for the answer."""

    status = 499
    code = "client_gone"
    fault = Fault.CLIENT

    def __init__(self) -> None:
        super().__init__("the client has hung up")


class NoImage(ImagegenError):
    """The model answered in words only and the caller wants that to be an error."""

    status = 422
    code = "no_image"
    fault = Fault.MODEL

    def __init__(self, provider: str, words: str) -> None:
        super().__init__(f"no_image: {provider} answered in words only: {quote(words)}")


class DeadlineExceeded(ImagegenError):
    """Our own deadline passed before the provider was done."""

    status = 408
    code = "deadline_exceeded"

    def __init__(self, provider: str, seconds: float) -> None:
        super().__init__(f"{provider}: no complete answer within the deadline of {seconds:g} s")


def _shown_name(field: str) -> str:
    return quote(field)[:200]


def _shown(value: object) -> str:
    text = quote(written(value))
    return repr(text[:80]) if isinstance(value, str) else text[:80]


def written(value: object) -> str:
    """A foreign value as text: shortened before it is written out, since that alone may be too much."""
    if isinstance(value, str):
        return value
    try:
        return reprlib.repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, for one
        return f"a {type(value).__name__}"
