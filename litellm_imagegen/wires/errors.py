"""What error replies have in common, whoever sends them: waits, and words that are cut off or no JSON."""

from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from litellm_imagegen.codec import Reply
from litellm_imagegen.errors import BadReply, quote
from litellm_imagegen.lifting import IncomingJson, LiftedJson
from litellm_imagegen.plan import Plan

# Beyond this a wait is a mistake of the sender's.
_IMPLAUSIBLE_SECONDS = 86_400


def parsed_object(plan: Plan, body: IncomingJson) -> LiftedJson:
    """The body as a JSON object, or as a list around one. Raises `BadReply`."""
    try:
        parsed = body.parse()
    except ValueError as error:
        raise BadReply(plan.provider, f"a reply that is cut off or not JSON ({body.length} bytes)") from error
    if isinstance(parsed.value, list) and len(parsed.value) == 1:
        parsed = parsed.at(0)
    if not isinstance(parsed.value, dict):
        raise BadReply(plan.provider, "a reply of an unknown shape")
    return parsed


def whole(plan: Plan, parsed: LiftedJson, value: Any) -> Any:
    """A part of a reply with its long strings back in their places. Raises `BadReply`."""
    try:
        return parsed.whole(value)
    except ValueError as error:
        raise BadReply(plan.provider, "a reply with text that is not UTF-8") from error


def silence(plan: Plan) -> str:
    """Why nothing came, of a provider that tells a refusal in no other way."""
    told = "gave neither words nor a picture, as it does when a prompt or a picture was refused"
    return f"{plan.provider} {told}"


def error_object(reply: Reply) -> Mapping[str, Any]:
    """The object of an error reply, empty where there is none."""
    try:
        said = reply.body.parse().value
    except ValueError:
        return {}
    if isinstance(said, list) and said:
        said = said[0]
    return said if isinstance(said, dict) else {}


def with_known_models(plan: Plan, status: int, reason: str) -> str:
    """For an unknown model the reason names those that may be meant."""
    if status != 404 or not plan.nearest_models:
        return reason
    return f"{quote(reason)} (known models: {', '.join(plan.nearest_models)})"


def retry_after(headers: Mapping[str, str], others: Iterable[str] = ()) -> float | None:
    """Seconds to wait: the header's number or date, else the first of `others` that is a number."""
    for text in (headers.get("retry-after", ""), *others):
        seconds = _seconds(text, headers.get("date", ""))
        if seconds is not None and 0 <= seconds < _IMPLAUSIBLE_SECONDS:
            return seconds
    return None


def _seconds(text: str, now: str) -> float | None:
    """A number of seconds, or the time from the reply's own date to a date (a codec has no clock)."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(text) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError):
        return None
