"""OpenAI's Images API, as OpenAI and Azure speak it: generations as JSON, edits as a form with files.

Source: https://platform.openai.com/docs/api-reference/images. On Azure the deployment stands in the address:
https://learn.microsoft.com/azure/ai-foundry/openai/reference-preview.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote as quote_path

import orjson

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import (
    Delta,
    EndDelta,
    Finish,
    ImageInput,
    Name,
    Picture,
    PictureDelta,
    Usage,
)
from litellm_imagegen.codec import Call, FormFile, Reply, error_for_status
from litellm_imagegen.errors import BadReply, ProviderError, quote
from litellm_imagegen.lifting import IncomingJson, LiftedJson
from litellm_imagegen.plan import Plan
from litellm_imagegen.wires.errors import (
    error_object,
    parsed_object,
    retry_after,
    whole,
    with_known_models,
)

_FIELDS: Mapping[Name, str] = {
    Name.N: "n",
    Name.QUALITY: "quality",
    Name.BACKGROUND: "background",
    Name.OUTPUT_FORMAT: "output_format",
    Name.OUTPUT_COMPRESSION: "output_compression",
    Name.MODERATION: "moderation",
}
_AZURES_FILTER = "contentFilter"
_REFUSALS = frozenset({"moderation_blocked", "content_policy_violation", _AZURES_FILTER, "content_filter"})
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_FACTS = ("created", "size", "quality", "background", "output_format", "usage")


class OpenAiImagesCodec:
    """The codec. With `names_deployment` the model stands in the address, as Azure has it."""

    vendor = "openai"
    takes_addresses = False
    refused_options: frozenset[str] = frozenset()
    vocabulary = frozenset({*_FIELDS, Name.DIMENSIONS, Name.INPUT_FIDELITY, Name.MASK, Name.PROVIDER_OPTIONS})

    def __init__(self, *, names_deployment: bool = False) -> None:
        self._names_deployment = names_deployment

    def encode(self, plan: Plan) -> Call:
        """`POST images/generations`, or `POST images/edits` where there are pictures to draw by."""
        body: dict[str, Any] = {} if self._names_deployment else {"model": plan.model}
        body["prompt"] = plan.prompt
        body |= {field: plan.values[name] for name, field in _FIELDS.items() if name in plan.values}
        if dimensions := plan.values.get(Name.DIMENSIONS):
            body["size"] = "{}x{}".format(*dimensions)
        options = dict(plan.values.get(Name.PROVIDER_OPTIONS, {}))
        if not plan.references:
            return Call(path=self._path(plan, "generations"), body={**body, **options})
        if fidelity := plan.values.get(Name.INPUT_FIDELITY):
            body["input_fidelity"] = fidelity
        return Call(path=self._path(plan, "edits"), form=tuple(_form({**body, **options}, plan)))

    def decode(self, plan: Plan, reply: Reply) -> Sequence[Delta]:
        """Pictures in order, then what they cost."""
        parsed = parsed_object(plan, reply.body)
        said = parsed.value
        if said.get("error"):
            raise _error(plan, None, reply, said)
        data = said.get("data")
        if not isinstance(data, list):
            raise BadReply(plan.provider, "a reply of an unknown shape")
        facts = {name: said[name] for name in _FACTS if said.get(name) is not None}
        usage = said.get("usage")
        end = EndDelta(
            finish=Finish.STOP,
            usage=_usage(usage) if isinstance(usage, dict) else None,
            facts=whole(plan, parsed, facts),
        )
        media_type = said.get("output_format")
        return (*_pictures(plan, parsed, data, f"image/{media_type}" if media_type else None), end)

    def decode_event(self, plan: Plan, event: IncomingJson) -> Sequence[Delta]:
        """Streams are not asked for."""
        raise BadReply(plan.provider, "a stream that was not asked for")

    def decode_error(self, plan: Plan, reply: Reply) -> ProviderError | EndDelta:
        """OpenAI's error object. A refusal is no error: the answer is that there is no picture."""
        said = error_object(reply)
        error = _inner(said)
        if _is_refusal(error):
            why = error.get("message") or error.get("code")
            reason = quote(f"{plan.provider} refused {_refused_what(error)}: {why}")
            return EndDelta(finish=Finish.REFUSED, refusal=reason)
        return _error(plan, reply.status, reply, said)

    def _path(self, plan: Plan, operation: str) -> str:
        if not self._names_deployment:
            return f"images/{operation}"
        return f"openai/deployments/{quote_path(plan.model, safe='')}/images/{operation}"


def _form(body: Mapping[str, Any], plan: Plan) -> Iterable[tuple[str, str | FormFile]]:
    for name, value in body.items():
        yield name, value if isinstance(value, str) else orjson.dumps(value).decode()
    several = len(plan.references) > 1
    for index, picture in enumerate(plan.references):
        yield "image[]" if several else "image", _file(picture, f"image-{index}")
    mask = plan.values.get(Name.MASK)
    if mask is not None:
        yield "mask", _file(mask, "mask")


def _file(picture: ImageInput, name: str) -> FormFile:
    assert picture.blob is not None, "the engine fetches what is at an address"
    mime = picture.blob.mime
    return FormFile(name=f"{name}.{mime.removeprefix('image/')}", mime=mime, content=picture.blob.raw)


def _pictures(plan: Plan, parsed: LiftedJson, data: Iterable[Any], mime: str | None) -> Iterable[Delta]:
    for item in data:
        if not isinstance(item, dict) or not isinstance(item.get("b64_json"), str) or not item["b64_json"]:
            continue
        revised = item.get("revised_prompt")
        # Text that is not ASCII is no base64, as "!" is not: it is told when the picture is looked at.
        blob = Blob.from_base64(parsed.base64(item["b64_json"]) or "!", mime)
        prompt = whole(plan, parsed, revised) if isinstance(revised, str) else None
        yield PictureDelta(picture=Picture(blob=blob, revised_prompt=prompt))


def _usage(said: Mapping[str, Any]) -> Usage:
    """OpenAI's counts. What a detail does not tell apart stays None."""
    prompt, completion = _count(said, "input_tokens"), _count(said, "output_tokens")
    given, made = _details(said, "input_tokens_details"), _details(said, "output_tokens_details")
    image = made.get("image_tokens")
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=_count(said, "total_tokens") or prompt + completion,
        prompt_text_tokens=given.get("text_tokens"),
        prompt_image_tokens=given.get("image_tokens"),
        cached_tokens=given.get("cached_tokens"),
        completion_text_tokens=made.get("text_tokens"),
        # Image models answer with pictures alone, whether the reply says so or not.
        completion_image_tokens=completion if image is None else image,
    )


def _count(said: Mapping[str, Any], key: str) -> int:
    value = said.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _details(said: Mapping[str, Any], key: str) -> dict[str, int]:
    given = said.get(key)
    return {name: _count(given, name) for name in given} if isinstance(given, dict) else {}


def _inner(said: Mapping[str, Any]) -> Mapping[str, Any]:
    error = said.get("error")
    return error if isinstance(error, Mapping) else {}


def _is_refusal(error: Mapping[str, Any]) -> bool:
    inner = error.get("inner_error") or error.get("innererror")
    azure = inner.get("code") if isinstance(inner, Mapping) else None
    return str(error.get("code")) in _REFUSALS or azure == "ResponsibleAIPolicyViolation"


def _refused_what(error: Mapping[str, Any]) -> str:
    """OpenAI tells the stage; Azure has another code for a prompt, and names it as the parameter."""
    details = error.get("moderation_details")
    stage = details.get("moderation_stage") if isinstance(details, Mapping) else None
    is_azures_output = error.get("code") == _AZURES_FILTER and not error.get("param")
    return "the picture" if stage == "output" or (stage is None and is_azures_output) else "the prompt"


def _error(plan: Plan, status: int | None, reply: Reply, said: Mapping[str, Any]) -> ProviderError:
    """`status` is None for an error inside a reply that began as a success."""
    error = _inner(said)
    reason = str(error.get("message") or said.get("error") or reply.body.text.decode("utf-8", "replace"))
    if error.get("param"):
        reason = f"{error['param']}: {reason}"
    if status is None:
        return BadReply(plan.provider, f"an error inside the reply: {reason}")
    if {str(error.get("code")), str(error.get("type"))} & _NO_CREDIT:
        status = 402
    reason = with_known_models(plan, status, reason or f"HTTP {status}")
    return error_for_status(plan.provider, status, reason, retry_after=retry_after(reply.headers))
