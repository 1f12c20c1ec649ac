"""Google's error bodies, the same on all of its APIs, and its reasons to refuse an answer.

Sources: https://google.aip.dev/193, https://ai.google.dev/api/generate-content#FinishReason.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from litellm_imagegen.codec import Reply, error_for_status
from litellm_imagegen.errors import AuthenticationFailed, BadReply, ProviderError
from litellm_imagegen.plan import Plan
from litellm_imagegen.wires.errors import error_object, retry_after, with_known_models

REFUSED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "LANGUAGE",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
    }
)


def error_of_reply(plan: Plan, reply: Reply) -> ProviderError:
    """Google's error object, a list of one of them, or whatever a proxy in between has put there."""
    return error_of(plan, reply.status, reply.headers, error_object(reply), reply.body.text)


def error_of(
    plan: Plan, status: int | None, headers: Mapping[str, str], said: Mapping[str, Any], body: bytes = b""
) -> ProviderError:
    """`status` is None for an error inside a reply that began as a success: then its own code counts."""
    given = said.get("error")
    error = given if isinstance(given, dict) else {}
    listed = error.get("details")
    details = [detail for detail in listed if isinstance(detail, dict)] if isinstance(listed, list) else []
    reason = str(error.get("message") or body.decode("utf-8", "replace") or f"HTTP {status}")
    reason += "".join(f" ({field}: {description})" for field, description in _violations(details))
    if any(detail.get("reason") == "API_KEY_INVALID" for detail in details):
        return AuthenticationFailed(plan.provider, reason)
    if status is None:
        code = error.get("code")
        if not isinstance(code, int) or code < 400:
            return BadReply(plan.provider, f"an error inside the reply: {reason}")
        status = code
    delays = [detail["retryDelay"] for detail in details if isinstance(detail.get("retryDelay"), str)]
    wait = retry_after(headers, [delay.removesuffix("s") for delay in delays])
    return error_for_status(plan.provider, status, with_known_models(plan, status, reason), retry_after=wait)


def _violations(details: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    """The fields of a BadRequest detail: the message beside them often names none."""
    for detail in details:
        listed = detail.get("fieldViolations")
        for violation in listed if isinstance(listed, list) else ():
            if isinstance(violation, dict) and violation.get("field"):
                yield str(violation["field"]), str(violation.get("description") or "not accepted")
