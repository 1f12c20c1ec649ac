"""Error replies of Black Forest Labs, in the provider's shapes and the sandbox's words.

Two shapes are in use: `{"detail": ...}` in the reference, `{"error", "message", "details"}` in newer
material. 401 is known in the flat shape only; the other codes come flat on the wish `flat errors`.

Source: https://docs.bfl.ai/api_integration/errors
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .bfl_checks import Fault

_NAMES_AND_MESSAGES: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "The request cannot be understood."),
    401: ("unauthorized", "The API key cannot be used."),
    402: ("insufficient_credits", "Insufficient credits: this account has none left."),
    403: ("forbidden", "Not authenticated"),
    404: ("not_found", "Not Found"),
    422: ("validation_error", "The request holds values that are not valid."),
    429: ("rate_limited", "Too many tasks of this account are active at once."),
    500: ("internal_error", "The service met an internal error."),
    502: ("bad_gateway", "The service behind this address gave no usable answer."),
    503: ("overloaded", "The service has too much to do at the moment."),
    504: ("timed_out", "The service did not answer in time."),
}
_FLAT_ONLY = 401

ERROR_CODES = tuple(sorted(_NAMES_AND_MESSAGES.keys() - {422}))


@dataclass(eq=False)
class BflError(Exception):
    """An error reply: HTTP status, JSON body and headers."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def error(status: int, *, retry_after: float | None = None, flat: bool = False) -> BflError:
    """The provider's reply for this status; `retry_after`, in seconds, is the sandbox's own addition."""
    name, message = _NAMES_AND_MESSAGES[status]
    body: dict[str, Any] = {"detail": message}
    if flat or status == _FLAT_ONLY:
        body = {"error": name, "message": message, "details": {}}
    headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
    return BflError(status, body, headers)


def not_authenticated() -> BflError:
    """403 for a missing key, and for one that does not exist."""
    return error(403)


def invalid(faults: Sequence[Fault]) -> BflError:
    """422 with an entry for each fault of the request."""
    return BflError(422, {"detail": [fault.body() for fault in faults]})


def wrong_wish(message: str) -> BflError:
    """422 for a fault of the sandbox that nobody knows, or that this wire does not have."""
    return invalid([Fault(("body", "prompt"), message, "sandbox_fault")])
