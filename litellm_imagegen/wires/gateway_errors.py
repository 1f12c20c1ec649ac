"""Errors as gateways tell them, in a reply of their own or inside one that began as a success.

Each has OpenAI's error object with something of its own in it: OpenRouter a status as its code, and
metadata (https://openrouter.ai/docs/api-reference/errors), Vercel a type
(https://vercel.com/docs/ai-gateway), Helicone and AIone a type and a code (https://docs.helicone.ai,
https://1jxizqf5ai.apifox.cn).
"""

import re
from collections.abc import Mapping
from typing import Any

from litellm_imagegen.canonical import EndDelta, Finish
from litellm_imagegen.codec import Reply, error_for_status
from litellm_imagegen.errors import BadReply, ProviderError, quote
from litellm_imagegen.plan import Plan
from litellm_imagegen.wires.errors import error_object, retry_after, with_known_models

_REFUSALS = frozenset(
    {
        *("content_policy_violation", "refusal", "content_filter", "moderation_blocked", "prompt_blocked"),
        *("image_content_policy_violation", "content_policy"),
    }
)
# How the vendors behind a gateway word a refusal, where the gateway passes on no more than their words.
_REFUSING_WORDS = re.compile(
    r"(?i:moderation_blocked|content[_ ]policy|content moderated|request moderated|safety system)"
    r"|PROHIBITED_CONTENT|IMAGE_SAFETY|\bSAFETY\b"
)
_NO_CREDIT = frozenset({"payment_required", "insufficient_funds", "insufficient_quota"})
_UNKNOWN_MODEL = "model_not_found"
_NO_CREDIT_WORDS = re.compile(r"insufficient (credit|fund|balance|quota)|out of credit", re.IGNORECASE)
# What an error without a status of its own would have as one: by its code, its type, or what metadata say.
_STATUSES: Mapping[str, int] = {
    "invalid_request_error": 400,
    "invalid_request": 400,
    "invalid_prompt": 400,
    "context_length_exceeded": 400,
    "payload_too_large": 400,
    "unprocessable": 400,
    "authentication": 401,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "forbidden": 403,
    "permission_denied": 403,
    "not_found": 404,
    "rate_limit_exceeded": 429,
    "server": 500,
    "server_error": 500,
    "internal_server_error": 500,
    "provider_overloaded": 503,
    "provider_unavailable": 503,
    "failed_dependency": 503,
    "timeout": 504,
}
_FAILED_DEPENDENCY = 424  # a provider behind the gateway failed
_LONGEST_RAW = 300  # characters of what a provider behind the gateway said


def outcome_of_reply(plan: Plan, reply: Reply) -> ProviderError | EndDelta:
    """What a reply with an error status means. A refusal is no error: there is no picture, and that is it."""
    return _outcome(plan, reply.status, error_object(reply), headers=reply.headers, body=reply.body.text)


def outcome_inside(plan: Plan, said: Mapping[str, Any], body: bytes = b"") -> EndDelta:
    """What an error inside a reply that began as a success means. Raises `ProviderError` if no refusal."""
    outcome = _outcome(plan, None, said, headers={}, body=body)
    if isinstance(outcome, ProviderError):
        raise outcome
    return outcome


def _outcome(
    plan: Plan, status: int | None, said: Mapping[str, Any], *, headers: Mapping[str, str], body: bytes
) -> ProviderError | EndDelta:
    error = _mapping(said.get("error"))
    metadata = _mapping(error.get("metadata"))
    reason = _reason(said, error, metadata) or body.decode("utf-8", "replace")
    told = tuple(str(word) for word in (metadata.get("error_type"), error.get("code"), error.get("type")))
    if _is_refusal(status, told, metadata, reason):
        return EndDelta(finish=Finish.REFUSED, refusal=quote(f"{plan.provider} refused the prompt: {reason}"))
    code = error.get("code")
    known = _status(status or (code if isinstance(code, int) else None), told, reason)
    if known is None or not 400 <= known < 600:
        return BadReply(plan.provider, f"an error inside the reply: {reason}")
    waits = (metadata.get("retry_after_seconds"), _mapping(error.get("availability")).get("retry_after"))
    return error_for_status(
        plan.provider,
        known,
        with_known_models(plan, known, reason or f"HTTP {known}"),
        retry_after=retry_after(headers, [str(wait) for wait in waits]),
    )


def _status(status: int | None, told: tuple[str, ...], reason: str) -> int | None:
    """What an error would have as its HTTP status if all told it alike; None where nobody tells."""
    known = status or next((_STATUSES[word] for word in told if word in _STATUSES), None)
    if _NO_CREDIT & {*told} or (known in (403, 429) and _NO_CREDIT_WORDS.search(reason)):
        return 402
    if _UNKNOWN_MODEL in told:
        return 404
    return 503 if known == _FAILED_DEPENDENCY else known


def _is_refusal(status: int | None, told: tuple[str, ...], metadata: Mapping[str, Any], reason: str) -> bool:
    """A moderated prompt is OpenRouter's 403 with reasons; a provider's refusal comes on in its own words."""
    is_moderated = status in (None, 403) and (metadata.get("flagged_input") or metadata.get("reasons"))
    if _REFUSALS & {*told} or is_moderated:
        return True
    return status in (None, 400, 403, 422, 424, 502) and bool(_REFUSING_WORDS.search(reason))


def _reason(said: Mapping[str, Any], error: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """The gateway's words, the field that it names, and those of the provider behind it."""
    given = said.get("error")
    told = str(error.get("message") or (given if isinstance(given, str) else "") or "")
    if isinstance(error.get("param"), str):
        told = f"{error['param']}: {told}"
    reasons = metadata.get("reasons")
    if isinstance(reasons, list) and reasons:
        told = f"{told} ({', '.join(map(str, reasons))})"
    raw = metadata.get("raw")
    if isinstance(raw, str) and raw.strip():
        behind = metadata.get("provider_name")
        told = f"{told}: {f'{behind}: ' if isinstance(behind, str) else ''}{raw.strip()[:_LONGEST_RAW]}"
    return told


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
