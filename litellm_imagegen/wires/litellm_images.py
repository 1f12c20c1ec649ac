"""LiteLLM's own image functions: one spelling of a plan for each of the providers that it serves.

A call names the function in its path. Its body holds `model` and `prompt`, what the plan has decided under
`arguments`, and what is meant for the vendor alone under `options`; its files are pictures to draw by and a
mask. What comes back is an image response as JSON, or what went wrong in the words of the vendor.

Sources: https://docs.litellm.ai/docs/image_generation, https://docs.litellm.ai/docs/image_edits.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import (
    Delta,
    EndDelta,
    Finish,
    ImageInput,
    Name,
    Picture,
    PictureDelta,
    RemotePicture,
    Usage,
    merged,
)
from litellm_imagegen.codec import Call, Codec, FormFile, Reply, error_for_status
from litellm_imagegen.conversion import white_where_transparent
from litellm_imagegen.errors import BadReply, InvalidParameter, ProviderError, quote
from litellm_imagegen.lifting import LiftedJson
from litellm_imagegen.plan import Plan
from litellm_imagegen.wires.errors import (
    error_object,
    parsed_object,
    retry_after,
    whole,
    with_known_models,
)
from litellm_imagegen.wires.openai_shared import counted, details, outcome_of_reply

GENERATION, EDIT = "image_generation", "image_edit"
IMAGE, MASK = "image", "mask"

Spelling = Callable[[Any], Mapping[str, Any]]
Spellings = Mapping[Name, Spelling]

_FACTS = ("created", "size", "quality", "background", "output_format", "seed")
# How the vendors behind LiteLLM word a refusal; most of what they tell beside the words is lost on the way.
_REFUSING_WORDS = re.compile(
    r"content[_ ]policy|moderation_blocked|content_moderation|content moderat|request moderat|safety system"
    r"|content (was|has been) filtered|content filter|filter reason|responsible ai|inappropriate content"
    r"|datainspectionfailed|data_inspection_failed|sensitivecontentdetected|prohibited_content|image_safety"
    r"|code: safety",
    re.IGNORECASE,
)
# Statuses that say something about the account or the address, whatever their words are.
_OF_NO_PROMPT = frozenset({401, 402, 404, 408, 429})


def named(field: str, told: Callable[[Any], Any] = lambda value: value) -> Spelling:
    """`{field: value}`; `told` turns the value into the vendor's."""
    return lambda value: {field: told(value)}


def nested(outer: str, field: str) -> Spelling:
    """`{outer: {field: value}}`."""
    return lambda value: {outer: {field: value}}


def pixels(separator: str = "x") -> Callable[[tuple[int, int]], str]:
    """Dimensions as text."""
    return lambda value: f"{value[0]}{separator}{value[1]}"


def edges(value: tuple[int, int]) -> dict[str, int]:
    """`{width, height}`."""
    return {"width": value[0], "height": value[1]}


class LitellmImagesCodec(Codec):
    """The codec. `drawing` tells how to spell what may be asked for, `editing` the same beside pictures.

    `always` goes with every call. With `mask_is_white` the vendor paints where a mask is white. Without
    `has_options`, and for edits without `has_edit_options`, LiteLLM does not pass on what it does not know;
    without `edits` it takes no pictures to draw by.
    """

    def __init__(
        self,
        vendor: str,
        drawing: Spellings,
        editing: Spellings | None = None,
        *,
        always: Mapping[str, Any] | None = None,
        mask_is_white: bool = False,
        has_options: bool = True,
        has_edit_options: bool = True,
        edits: bool = True,
    ) -> None:
        self.vendor = vendor
        self._drawing, self._editing = drawing, editing or {}
        self._always = dict(always or {})
        self._mask_is_white = mask_is_white
        self.maximum_pictures = None if edits else 0
        self._drawing_names = _names(self._drawing, has_options=has_options)
        self._editing_names = _names(self._editing, has_options=has_options and has_edit_options)
        self.vocabulary = self._drawing_names | self._editing_names

    def names(self, *, has_pictures: bool) -> frozenset[Name]:
        """LiteLLM has one function to draw and another one to edit, with fields of their own."""
        return self._editing_names if has_pictures else self._drawing_names

    def encode(self, plan: Plan) -> Call:
        """A call of LiteLLM's `image_generation`, or of its `image_edit` where there are pictures to draw by.

        Raises `InvalidParameter` for a mask that shows no place to paint.
        """
        spellings = self._editing if plan.references else self._drawing
        arguments = dict(self._always)
        for name, spell in spellings.items():
            if name in plan.values and name is not Name.MASK:
                arguments = merged(arguments, spell(plan.values[name]))
        takes_options = Name.PROVIDER_OPTIONS in self.names(has_pictures=bool(plan.references))
        options = plan.values.get(Name.PROVIDER_OPTIONS, {}) if takes_options else {}
        body = {"model": plan.model, "prompt": plan.prompt, "arguments": arguments, "options": options}
        if not plan.references:
            return Call(path=GENERATION, body=body)
        files = [(IMAGE, _file(picture, f"image-{index}")) for index, picture in enumerate(plan.references)]
        if Name.MASK in self._editing and (mask := plan.values.get(Name.MASK)) is not None:
            files.append((MASK, _file(self._as_the_vendor_has_it(mask), "mask")))
        return Call(path=EDIT, body=body, form=tuple(files))

    def _as_the_vendor_has_it(self, mask: ImageInput) -> ImageInput:
        assert mask.blob is not None, "the engine fetches what is at an address"
        if not self._mask_is_white:
            return mask
        try:
            return mask.model_copy(update={"blob": white_where_transparent(mask.blob)})
        except ValueError as error:
            allowed = "a picture that is transparent in places"
            raise InvalidParameter(mask.spelling, str(error), allowed) from error

    def decode(self, plan: Plan, reply: Reply) -> Sequence[Delta | RemotePicture]:
        """Pictures in order, in the reply or at an address, then what they cost.

        Those that the vendor has blackened are none. An answer without any of the others was refused.
        """
        parsed = parsed_object(plan, reply.body)
        said = parsed.value
        if not isinstance(data := said.get("data"), list):
            raise BadReply(plan.provider, "a reply of an unknown shape")
        marks = said.get("has_nsfw_concepts")
        refused = {number for number, mark in enumerate(marks) if mark} if isinstance(marks, list) else set()
        kept = [item for number, item in enumerate(data) if number not in refused and isinstance(item, dict)]
        pictures = tuple(_pictures(plan, parsed, kept))
        end = EndDelta(
            finish=Finish.REFUSED if refused and not pictures else Finish.STOP,
            refusal=_refusal(plan, "the picture", "its safety checker has blackened it") if refused else None,
            usage=_usage(said),
            facts=whole(plan, parsed, {name: said[name] for name in _FACTS if said.get(name) is not None}),
        )
        return (*pictures, end)

    def decode_error(self, plan: Plan, reply: Reply) -> ProviderError | EndDelta:
        """The vendor's own error, in whichever form it has one. A refusal is an answer without a picture."""
        said = error_object(reply)
        text = reply.body.text.decode("utf-8", "replace")
        reason = _reason(said) or text or f"HTTP {reply.status}"
        if reply.status not in _OF_NO_PROMPT and _REFUSING_WORDS.search(f"{reason} {_kinds(said)}"):
            return EndDelta(finish=Finish.REFUSED, refusal=_refusal(plan, "the prompt", reason))
        if isinstance(said.get("error"), Mapping):
            return outcome_of_reply(plan, reply)
        reason = with_known_models(plan, reply.status, reason)
        wait = retry_after(reply.headers)
        return error_for_status(plan.provider, reply.status, reason, retry_after=wait)


def _names(spellings: Spellings, *, has_options: bool) -> frozenset[Name]:
    return frozenset({*spellings, Name.PROVIDER_OPTIONS} if has_options else spellings)


def _file(picture: ImageInput, name: str) -> FormFile:
    assert picture.blob is not None, "the engine fetches what is at an address"
    mime = picture.blob.mime
    return FormFile(name=f"{name}.{mime.removeprefix('image/')}", mime=mime, content=picture.blob.raw)


def _pictures(
    plan: Plan, parsed: LiftedJson, data: Sequence[Mapping[str, Any]]
) -> Iterator[PictureDelta | RemotePicture]:
    seed = parsed.value.get("seed")
    seed = seed if isinstance(seed, int) and not isinstance(seed, bool) else None
    for item in data:
        told = item.get("revised_prompt")
        revised = whole(plan, parsed, told) if isinstance(told, str) else None
        base64, url = item.get("b64_json"), item.get("url")
        inside = parsed.data_url(url) if not base64 else None
        if inside is not None or (isinstance(base64, str) and base64):
            mime, text = inside or ("", parsed.base64(base64))
            # Text that is not ASCII is no base64, as "!" is not: it is told when the picture is looked at.
            blob = Blob.from_base64(text or "!", mime or None)
            yield PictureDelta(picture=Picture(blob=blob, seed=seed, revised_prompt=revised))
        elif isinstance(url, str) and url:
            yield RemotePicture(url=whole(plan, parsed, url), seed=seed, revised_prompt=revised)


def _usage(said: Mapping[str, Any]) -> Usage | None:
    """LiteLLM's counts, which are 0 where the vendor tells none, and the price that it knows."""
    counts, cost = said.get("usage"), said.get("cost")
    usage = _counts(counts) if isinstance(counts, Mapping) and counts.get("total_tokens") else None
    if not isinstance(cost, int | float) or isinstance(cost, bool) or cost <= 0:
        return usage
    return (usage or Usage()).model_copy(update={"cost": float(cost)})


def _counts(said: Mapping[str, Any]) -> Usage:
    given = details(said, "input_tokens_details")
    usage = counted(said)
    told = {
        "prompt_text_tokens": given.get("text_tokens"),
        "prompt_image_tokens": given.get("image_tokens"),
        "completion_image_tokens": usage.completion_tokens,  # image models answer with pictures alone
    }
    return usage.model_copy(update=told)


def _refusal(plan: Plan, what: str, why: str) -> str:
    return quote(f"{plan.provider} refused {what}: {why}")


def _reason(said: Mapping[str, Any]) -> str:
    """What an error object tells: most vendors' under one of these names, fal's as a list of violations."""
    for key in ("message", "detail", "errors", "error", "failure", "title"):
        match said.get(key):
            case Mapping() as inner:
                return _reason(inner)
            case list() as several if several:
                return "; ".join(_violation(entry) for entry in several)
            case str() as text if text:
                return text
    return ""


def _kinds(said: Any) -> str:
    """The codes and types of an error object, wherever they stand: what a request has said is in none."""
    if isinstance(said, list):
        return " ".join(map(_kinds, said))
    if not isinstance(said, Mapping):
        return ""
    inner = [_kinds(said[key]) for key in ("error", "detail", "errors") if key in said]
    return " ".join(
        [*(str(said[key]) for key in ("code", "type", "name", "failureCode") if key in said), *inner]
    )


def _violation(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    place = entry.get("loc")
    field = ".".join(str(step) for step in place[1:]) if isinstance(place, list) else ""
    told = str(entry.get("msg") or entry.get("message") or entry)
    return f"{field}: {told}" if field else told
