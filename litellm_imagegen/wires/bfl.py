"""Black Forest Labs: a job is submitted, asked for until it has ended, and its picture fetched.

Sources: https://docs.bfl.ai/quick_start/generating_images (submit, poll, delivery),
https://docs.bfl.ai/api_integration/errors (statuses), and the models' own pages there (fields). A reply
names the address to poll, which may be on another host than the one that was called.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote as quote_path

from litellm_imagegen.canonical import (
    Delta,
    EndDelta,
    Finish,
    ImageInput,
    Name,
    RemotePicture,
    Usage,
    merged,
)
from litellm_imagegen.codec import Call, Codec, Reply, error_for_status, poll_delay
from litellm_imagegen.conversion import white_where_transparent
from litellm_imagegen.errors import BadReply, DeadEnd, InvalidParameter, JobFailed, ProviderError, quote
from litellm_imagegen.plan import Plan
from litellm_imagegen.profiles import flux
from litellm_imagegen.wires.errors import (
    error_object,
    parsed_object,
    retry_after,
    whole,
    with_known_models,
)

_FIELDS: Mapping[Name, str] = {
    Name.ASPECT_RATIO: "aspect_ratio",
    Name.SEED: "seed",
    Name.SAFETY_TOLERANCE: "safety_tolerance",
    Name.OUTPUT_FORMAT: "output_format",
    Name.PROMPT_UPSAMPLING: "prompt_upsampling",
    Name.STEPS: "steps",
    Name.GUIDANCE: "guidance",
    Name.STRENGTH: "image_prompt_strength",
}
_RESOLUTIONS = {"768": "768sq"}
# How models take pictures, by the beginning of their ids; all others number them.
_REFERENCE_FIELDS = (
    (("flux-3",), "images"),
    (("flux-pro-1.0-",), "image"),
    (("flux-dev", "flux-pro"), "image_prompt"),
)
_CREDITS_PER_DOLLAR = 100
_SUBMIT_FACTS = ("id", "cost", "input_mp", "output_mp")
_REFUSED = {"request moderated": "the prompt", "content moderated": "the picture"}
_FAILED = frozenset({"error", "failed"})
_LOST = "task not found"
# Of a poll these say nothing about what the client has asked for.
_OF_NO_REQUEST = frozenset({400, 404, 405, 410, 422})


class BflCodec(Codec):
    """The codec."""

    vendor = "bfl"
    takes_addresses = True
    vocabulary = frozenset({*_FIELDS, Name.DIMENSIONS, Name.IMAGE_SIZE, Name.MASK, Name.PROVIDER_OPTIONS})

    def encode(self, plan: Plan) -> Call:
        """`POST v1/{model}`. Raises `InvalidParameter` for what is no model but another of its services."""
        if not plan.model.startswith(flux.STARTS) or ".." in plan.model:
            raise InvalidParameter("model", plan.model, "a model whose id begins with flux")
        body: dict[str, Any] = {"prompt": plan.prompt}
        body |= {field: plan.values[name] for name, field in _FIELDS.items() if name in plan.values}
        if dimensions := plan.values.get(Name.DIMENSIONS):
            body["width"], body["height"] = dimensions
        if tier := plan.values.get(Name.IMAGE_SIZE):
            body["resolution"] = _RESOLUTIONS.get(tier, tier.lower())
        body |= _reference_fields(plan)
        if mask := plan.values.get(Name.MASK):
            body["mask"] = _mask(mask)
        return Call(
            path=f"v1/{quote_path(plan.model, safe='/')}",
            body=merged(body, plan.values.get(Name.PROVIDER_OPTIONS, {})),
            queues=True,
        )

    def decode(self, plan: Plan, reply: Reply) -> Sequence[Delta | RemotePicture | Call]:
        """The next poll, or how the job has ended. A status that is new to us is one of waiting."""
        parsed = parsed_object(plan, reply.body)
        said = whole(plan, parsed, parsed.value)
        if reply.call.attempt == 0:
            return _submitted(plan, said)
        status = str(said.get("status") or said.get("state") or "").lower()
        if status == "ready":
            return _ready(plan, said)
        if status in _REFUSED:
            return (_refused(plan, said, status),)
        if status in _FAILED:
            raise JobFailed(plan.provider, f"the job failed: {_details(said) or status}")
        if status == _LOST:
            raise BadReply(plan.provider, "it does not know its own job any more; the call may be charged")
        if not status:
            raise BadReply(plan.provider, "a reply of an unknown shape")
        return (_next_poll(reply.call),)

    def decode_error(self, plan: Plan, reply: Reply) -> ProviderError:
        """FastAPI's `detail`, or the flat object that some hosts send."""
        said = error_object(reply)
        reason = _reason(said) or reply.body.text.decode("utf-8", "replace") or f"HTTP {reply.status}"
        wait = retry_after(reply.headers)
        if reply.call.attempt and 300 <= reply.status < 400:
            return DeadEnd(plan.provider, f"its job leads elsewhere (HTTP status {reply.status})")
        if reply.call.attempt and reply.status in _OF_NO_REQUEST:
            return BadReply(plan.provider, f"it does not find its own job: {reason}", retry_after=wait)
        reason = with_known_models(plan, reply.status, reason)
        # Without a key, or with a wrong one, this API forbids.
        status = 401 if reply.status == 403 and "authenticated" in reason.lower() else reply.status
        return error_for_status(plan.provider, status, reason, retry_after=wait)


def _reference_fields(plan: Plan) -> dict[str, Any]:
    given = [
        picture.url or str(picture.blob.base64, "ascii") if picture.blob is not None else picture.url
        for picture in plan.references
    ]
    if not given:
        return {}
    field = next((field for starts, field in _REFERENCE_FIELDS if plan.model.startswith(starts)), None)
    if field == "images":
        return {field: given}
    if field is not None:
        return {field: given[0]}
    names = ["input_image", *(f"input_image_{number}" for number in range(2, len(given) + 1))]
    return dict(zip(names, given, strict=True))


def _mask(mask: ImageInput) -> str:
    """White where an edit may paint: ours is transparent there. Raises `InvalidParameter`."""
    assert mask.blob is not None, "the engine fetches what is at an address"
    try:
        return str(white_where_transparent(mask.blob).base64, "ascii")
    except ValueError as error:
        raise InvalidParameter(
            mask.spelling, str(error), "a picture that is transparent in places"
        ) from error


def _submitted(plan: Plan, said: Mapping[str, Any]) -> Sequence[Delta | Call]:
    address, job = said.get("polling_url"), said.get("id")
    facts = {name: said[name] for name in _SUBMIT_FACTS if said.get(name) is not None}
    end = EndDelta(usage=_usage(said), facts=facts)
    if isinstance(address, str) and address:
        if isinstance(job, str) and job and "?" not in address:  # some hosts leave the id to the caller
            address += f"?id={quote_path(job, safe='')}"
        return end, Call(method="GET", url=address, attempt=1, delay_seconds=poll_delay(0), may_repeat=True)
    if not isinstance(job, str) or not job:
        raise BadReply(plan.provider, "a reply of an unknown shape")
    poll = Call(method="GET", path="v1/get_result", query={"id": job}, attempt=1, may_repeat=True)
    return end, poll.model_copy(update={"delay_seconds": poll_delay(0)})


def _next_poll(call: Call) -> Call:
    return call.model_copy(update={"attempt": call.attempt + 1, "delay_seconds": poll_delay(call.attempt)})


def _ready(plan: Plan, said: Mapping[str, Any]) -> Sequence[Delta | RemotePicture]:
    given = said.get("result")
    result = given if isinstance(given, Mapping) else {}
    sample, seed, prompt = result.get("sample"), result.get("seed"), result.get("prompt")
    end = EndDelta(finish=Finish.STOP, usage=_usage(said) or _usage(result))
    if not isinstance(sample, str) or not sample:
        return (end,)
    picture = RemotePicture(
        url=sample,
        seed=seed if isinstance(seed, int) and not isinstance(seed, bool) else None,
        revised_prompt=prompt if isinstance(prompt, str) and prompt != plan.prompt else None,
    )
    return picture, end


def _refused(plan: Plan, said: Mapping[str, Any], status: str) -> EndDelta:
    reason = quote(f"{plan.provider} refused {_REFUSED[status]}: {_details(said) or status}")
    return EndDelta(finish=Finish.REFUSED, refusal=reason, usage=_usage(said))


def _details(said: Mapping[str, Any]) -> str:
    """What `details` tells, with lists written out."""
    details = said.get("details")
    if not isinstance(details, Mapping):
        return str(details or "")
    told = [value if isinstance(value, list) else [value] for value in details.values()]
    return ", ".join(str(item) for values in told for item in values)


def _usage(said: Mapping[str, Any]) -> Usage | None:
    spent = said.get("cost")
    if not isinstance(spent, int | float) or isinstance(spent, bool) or spent < 0:
        return None
    return Usage(cost=spent / _CREDITS_PER_DOLLAR)


def _reason(said: Mapping[str, Any]) -> str:
    detail = said.get("detail")
    if isinstance(detail, list) and detail:
        told = [_violation(entry) for entry in detail if isinstance(entry, Mapping)]
        return "; ".join(told) or str(detail[0])
    return next((str(said[key]) for key in ("detail", "message", "error") if said.get(key)), "")


def _violation(entry: Mapping[str, Any]) -> str:
    place = entry.get("loc")
    field = ".".join(str(step) for step in place[1:]) if isinstance(place, list) else ""
    return f"{field}: {entry.get('msg')}" if field else str(entry.get("msg"))
