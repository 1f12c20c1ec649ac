"""Results as /v1/images/generations and /v1/images/edits show them.

Source: https://platform.openai.com/docs/api-reference/images/object. A picture is all that this endpoint can
show, so that whatever else comes back is an error here.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from litellm_imagegen.canonical import ImageResult, Notice, NoticeCode, Outcome, PartialDelta, Picture, Usage
from litellm_imagegen.errors import NoImage, PictureRefused, Truncated
from litellm_imagegen.surfaces.metadata import as_it_turned_out, provider_metadata

Base64Of = Callable[[Picture], str]
# What a provider says of its pictures, under names of its own that are OpenAI's too.
_TOLD = ("size", "quality", "background", "output_format")


def base64_text(picture: Picture) -> str:
    """A picture's own bytes as text."""
    return picture.blob.base64.decode("ascii")


def chosen(result: ImageResult, wanted: int) -> ImageResult:
    """The result with the pictures that are to be shown.

    Of more than `wanted` the last ones are: those before were on the way to them. Raises `NoImage`,
    `PictureRefused` and `Truncated` for a result without pictures.
    """
    match result.outcome:
        case Outcome.WORDS_ONLY | Outcome.NO_IMAGE:
            raise NoImage(result.provider, result.text)
        case Outcome.REFUSED:
            raise PictureRefused(result.provider, _reason(result))
        case Outcome.TRUNCATED:
            raise Truncated(result.provider)
    surplus = len(result.pictures) - wanted
    if surplus <= 0:
        return result
    shown = result.pictures[-wanted:]
    why = f"the model drew {surplus} more; the last ones are given"
    told = Notice(code=NoticeCode.ADAPTED, field="n", asked=wanted, used=len(result.pictures), why=why)
    parts = tuple(part for part in result.parts if not isinstance(part, Picture) or part in shown)
    return result.model_copy(update={"parts": parts, "notices": (*result.notices, told)})


def response(result: ImageResult, base64_of: Base64Of = base64_text) -> dict[str, Any]:
    """`{created, data[{b64_json, revised_prompt}], size, quality, output_format, background, usage?, ...}`.

    `base64_of` gives the text that a picture is shown by.
    """
    shown: dict[str, Any] = {
        "data": [
            {"b64_json": base64_of(picture), "revised_prompt": picture.revised_prompt}
            for picture in result.pictures
        ],
        **_as_they_turned_out(result, result.pictures[0]),
        "provider_metadata": _metadata(result),
    }
    if isinstance(created := result.facts.get("created"), int):
        shown["created"] = created
    if result.usage is not None and result.usage.total_tokens:
        shown["usage"] = usage(result.usage)
    return shown


def usage(counted: Usage) -> dict[str, Any]:
    """OpenAI's usage object of the Images API; what the provider does not tell apart counts as text."""
    prompt_image = counted.prompt_image_tokens or 0
    shown: dict[str, Any] = {
        "input_tokens": counted.prompt_tokens,
        "input_tokens_details": {
            "text_tokens": counted.prompt_tokens - prompt_image,
            "image_tokens": prompt_image,
        },
        "output_tokens": counted.completion_tokens,
        "total_tokens": counted.total_tokens,
    }
    if counted.completion_image_tokens is not None:
        shown["output_tokens_details"] = {
            "image_tokens": counted.completion_image_tokens,
            "text_tokens": max(counted.completion_tokens - counted.completion_image_tokens, 0),
        }
    return shown


def _reason(result: ImageResult) -> str:
    """Why it was refused, without the provider's name, which the error puts before it."""
    return (result.refusal or "refused").removeprefix(f"{result.provider} ")


def _as_they_turned_out(result: ImageResult, first: Picture) -> dict[str, Any]:
    told = {name: result.facts[name] for name in _TOLD if isinstance(result.facts.get(name), str)}
    return {**told, **as_it_turned_out(first)}


def _metadata(result: ImageResult) -> dict[str, Any]:
    metadata = provider_metadata(result)
    if result.text.strip():
        metadata["imagegen"]["text"] = result.text
    return metadata


def partial_event(operation: str, delta: PartialDelta, shown: str) -> dict[str, Any]:
    """`<operation>.partial_image` of a streamed answer; `shown` is the picture as base64."""
    return {
        "type": f"{operation}.partial_image",
        "partial_image_index": delta.number,
        "b64_json": shown,
        "created_at": int(time.time()),
        **dict.fromkeys(_TOLD, "auto"),
        **as_it_turned_out(delta.picture),
    }


def completed_events(operation: str, shown: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """`<operation>.completed` for each picture of a whole answer; the last tells what all of them took."""
    data = shown["data"]
    metadata = shown.get("provider_metadata") or {}
    facts = (metadata.get("imagegen") or {}).get("images") or ()
    told = {name: shown.get(name) or "auto" for name in _TOLD}
    for index, picture in enumerate(data):
        event = {"type": f"{operation}.completed", **told, "created_at": shown.get("created")}
        if index < len(facts) and facts[index].get("width"):
            event["size"] = f"{facts[index]['width']}x{facts[index]['height']}"
        event |= {name: value for name, value in picture.items() if value is not None}
        if index == len(data) - 1:
            event |= {"usage": shown.get("usage"), "provider_metadata": metadata}
        else:  # a sum over all events counts nothing twice
            event["usage"] = usage(Usage()) if shown.get("usage") else None
        yield event
