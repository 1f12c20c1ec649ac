"""What OpenAI's APIs have in common, on Azure too: a picture's fields, errors, counts, pictures in base64.

Sources: https://platform.openai.com/docs/guides/error-codes (errors of a reply),
https://platform.openai.com/docs/api-reference/responses/object (codes of a response that failed).
"""

from collections.abc import Mapping
from typing import Any

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import EndDelta, Finish, Name, PartialDelta, Picture, Usage
from litellm_imagegen.codec import Reply, error_for_status
from litellm_imagegen.errors import BadReply, ProviderError, quote
from litellm_imagegen.lifting import IncomingJson, LiftedJson
from litellm_imagegen.plan import Plan
from litellm_imagegen.wires.errors import error_object, retry_after, whole, with_known_models

_PICTURE_FIELDS: Mapping[Name, str] = {
    Name.QUALITY: "quality",
    Name.BACKGROUND: "background",
    Name.OUTPUT_FORMAT: "output_format",
    Name.OUTPUT_COMPRESSION: "output_compression",
    Name.MODERATION: "moderation",
}
# What can be said of a picture on either API, though not all of it in `picture_fields`.
VOCABULARY_OF_PICTURES = frozenset(
    {*_PICTURE_FIELDS, Name.DIMENSIONS, Name.INPUT_FIDELITY, Name.PARTIAL_IMAGES, Name.MASK}
)
_AZURES_FILTER = "contentFilter"
_REFUSALS = frozenset(
    {
        "moderation_blocked",
        "content_policy_violation",
        "image_content_policy_violation",
        "content_filter",
        _AZURES_FILTER,
        "invalid_prompt",  # a prompt that was flagged
        "bio_policy",
    }
)
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_UNKNOWN_MODEL = "model_not_found"
_BAD_PICTURES = (
    *("invalid_image", "invalid_image_file", "invalid_image_format", "invalid_base64_image"),
    *("invalid_image_url", "invalid_image_mode", "image_too_large", "image_too_small", "image_parse_error"),
    *("image_file_too_large", "unsupported_image_media_type", "empty_image_file"),
    *("failed_to_download_image", "image_file_not_found"),
)
# What an error inside a reply that began as a success would have as its status: by its code, else its type.
_STATUSES: Mapping[str, int] = {
    **dict.fromkeys(_BAD_PICTURES, 400),
    "invalid_request_error": 400,
    "image_generation_user_error": 400,
    "context_length_exceeded": 400,
    "invalid_api_key": 401,
    **dict.fromkeys(_NO_CREDIT, 402),
    _UNKNOWN_MODEL: 404,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    **dict.fromkeys(("overloaded", "server_is_overloaded", "slow_down"), 503),
    "timeout": 504,
}
_NUMBERS = frozenset(map(str, range(400, 600)))  # Azure's codes, where nothing better fits
_DONE = b"[DONE]"


def is_done(event: IncomingJson) -> bool:
    """Whether an event is the mark at the end of a stream, which some put there as chat streams have it."""
    return event.length <= 2 * len(_DONE) and event.text.strip() == _DONE


def picture_fields(plan: Plan) -> dict[str, Any]:
    """`{quality, background, output_format, output_compression, moderation, size}`, as far as decided."""
    return spelled({**_PICTURE_FIELDS, Name.DIMENSIONS: "size"}, plan)


def spelled(table: Mapping[Name, str], plan: Plan) -> dict[str, Any]:
    """What a plan holds of the names of `table`, under the table's fields; dimensions as "WxH"."""
    return {
        field: "{}x{}".format(*plan.values[name]) if name is Name.DIMENSIONS else plan.values[name]
        for name, field in table.items()
        if name in plan.values
    }


def partial_of(plan: Plan, parsed: LiftedJson, said: Mapping[str, Any], key: str) -> tuple[PartialDelta, ...]:
    """The picture on its way that an event holds under `key`; nothing where there is none."""
    picture = picture_of(plan, parsed, said, said.get(key))
    number = count(said, "partial_image_index")
    return () if picture is None else (PartialDelta(picture=picture, number=number),)


def picture_of(plan: Plan, parsed: LiftedJson, said: Mapping[str, Any], base64: Any) -> Picture | None:
    """The picture that stands in `said` as `base64`; None where there is none."""
    if not isinstance(base64, str) or not base64:
        return None
    media_type, revised = said.get("output_format"), said.get("revised_prompt")
    # Text that is not ASCII is no base64, as "!" is not: it is told when the picture is looked at.
    blob = Blob.from_base64(parsed.base64(base64) or "!", f"image/{media_type}" if media_type else None)
    return Picture(
        blob=blob, revised_prompt=whole(plan, parsed, revised) if isinstance(revised, str) else None
    )


def count(said: Mapping[str, Any], key: str) -> int:
    """A number of tokens, or of anything; 0 for what is none."""
    value = said.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def counted(said: Mapping[str, Any]) -> Usage:
    """The token counts that both APIs tell in the same words, and that gateways tell in those of chat.

    A cost in USD where it is told.
    """
    prompt = count(said, "input_tokens") or count(said, "prompt_tokens")
    completion = count(said, "output_tokens") or count(said, "completion_tokens")
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=count(said, "total_tokens") or prompt + completion,
        cached_tokens=details(said, "input_tokens_details", "prompt_tokens_details").get("cached_tokens"),
        cost=_cost(said),
    )


def _cost(said: Mapping[str, Any]) -> float | None:
    """USD: the gateway's own figure, with what the operator's own key pays to the provider behind it."""
    cost = _amount(said.get("cost"))
    behind = said.get("cost_details") if said.get("is_byok") is True else None
    told = _amount(behind.get("upstream_inference_cost")) if isinstance(behind, Mapping) else None
    return cost if told is None else (cost or 0.0) + told


def _amount(value: Any) -> float | None:
    if isinstance(value, str) and value.replace(".", "", 1).isdecimal():
        return float(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def details(said: Mapping[str, Any], *keys: str) -> dict[str, int]:
    """The numbers of which another one is made, under the first of `keys` that is there."""
    given: dict[str, Any] = next((said[key] for key in keys if isinstance(said.get(key), dict)), {})
    return {name: count(given, name) for name in given if given[name] is not None}


def outcome_of_reply(plan: Plan, reply: Reply) -> ProviderError | EndDelta:
    """What a reply with an error status means. A refusal is no error: there is no picture, and that is it."""
    said = error_object(reply)
    return _refusal(plan, _inner(said), "the prompt") or _error(
        plan, reply.status, said, headers=reply.headers, body=reply.body.text
    )


def refusal_inside(
    plan: Plan, said: Mapping[str, Any], body: bytes = b"", *, refused: str = "the prompt"
) -> EndDelta:
    """What an error inside a reply that began as a success means. Raises `ProviderError` if no refusal.

    `said` holds the error object, or is the event of an error with its fields at the top. `refused` is what
    was refused where the error does not tell.
    """
    refusal = _refusal(plan, _inner(said), refused)
    if refusal is None:
        raise _error(plan, None, said, headers={}, body=body)
    return refusal


def _inner(said: Mapping[str, Any]) -> Mapping[str, Any]:
    error = said.get("error")
    if isinstance(error, Mapping):
        return error
    return said if said.get("type") == "error" else {}


def _refusal(plan: Plan, error: Mapping[str, Any], refused: str) -> EndDelta | None:
    inner = error.get("inner_error") or error.get("innererror")
    azure = inner.get("code") if isinstance(inner, Mapping) else None
    if str(error.get("code")) not in _REFUSALS and azure != "ResponsibleAIPolicyViolation":
        return None
    why = error.get("message") or error.get("code")
    reason = quote(f"{plan.provider} refused {_refused_what(error, refused)}: {why}")
    return EndDelta(finish=Finish.REFUSED, refusal=reason)


def _refused_what(error: Mapping[str, Any], untold: str) -> str:
    """OpenAI tells the stage; Azure has another code for a prompt, and names it as the parameter."""
    told = error.get("moderation_details")
    stage = told.get("moderation_stage") if isinstance(told, Mapping) else None
    is_azures_output = error.get("code") == _AZURES_FILTER and not error.get("param")
    if stage is None:
        return "the picture" if is_azures_output else untold
    return "the picture" if stage == "output" else "the prompt"


def _error(
    plan: Plan, status: int | None, said: Mapping[str, Any], *, headers: Mapping[str, str], body: bytes
) -> ProviderError:
    error = _inner(said)
    code, kind = str(error.get("code")), str(error.get("type"))
    reason = str(error.get("message") or said.get("error") or body.decode("utf-8", "replace"))
    if error.get("param"):
        reason = f"{error['param']}: {reason}"
    if status is None:
        status = int(code) if code in _NUMBERS else _STATUSES.get(code) or _STATUSES.get(kind)
    if status is None:
        return BadReply(plan.provider, f"an error inside the reply: {reason}")
    if {code, kind} & _NO_CREDIT:
        status = 402
    if code == _UNKNOWN_MODEL:
        status = 404
    reason = with_known_models(plan, status, reason or f"HTTP {status}")
    return error_for_status(plan.provider, status, reason, retry_after=retry_after(headers))
