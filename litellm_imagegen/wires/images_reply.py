"""Pictures as the Images API gives them, from OpenAI and from those that have copied it.

Source: https://platform.openai.com/docs/api-reference/images/object. Gateways add a `media_type` to a
picture, or give an address in its place, and count tokens in the words of chat.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from litellm_imagegen.canonical import Delta, EndDelta, Finish, PictureDelta, RemotePicture, Usage
from litellm_imagegen.errors import BadReply
from litellm_imagegen.lifting import LiftedJson
from litellm_imagegen.plan import Plan
from litellm_imagegen.wires.errors import whole
from litellm_imagegen.wires.openai_shared import counted, details, picture_of

_FACTS = ("created", "size", "quality", "background", "output_format", "usage", "provider_metadata")


def pictures_and_end(plan: Plan, parsed: LiftedJson, data: Any) -> Sequence[Delta | RemotePicture]:
    """The pictures of `data`, then the end. A reply and the last event of a stream tell the same of them.

    Raises `BadReply` where `data` is no list.
    """
    if not isinstance(data, list):
        raise BadReply(plan.provider, "a reply of an unknown shape")
    said = parsed.value
    told = {**said, "created": said.get("created", said.get("created_at"))}
    usage = said.get("usage")
    end = EndDelta(
        finish=Finish.STOP,
        usage=_usage(usage) if isinstance(usage, dict) else None,
        facts=whole(plan, parsed, {name: told[name] for name in _FACTS if told.get(name) is not None}),
    )
    return (*_pictures(plan, parsed, data), end)


def _pictures(plan: Plan, parsed: LiftedJson, data: Iterable[Any]) -> Iterable[Delta | RemotePicture]:
    for item in data:
        if not isinstance(item, dict):
            continue
        media_type = item.get("media_type") or item.get("mime_type")
        form = str(media_type).removeprefix("image/") if media_type else parsed.value.get("output_format")
        url, revised = item.get("url"), item.get("revised_prompt")
        if picture := picture_of(plan, parsed, {**item, "output_format": form}, item.get("b64_json")):
            yield PictureDelta(picture=picture)
        elif isinstance(url, str) and url:
            told = whole(plan, parsed, revised) if isinstance(revised, str) else None
            yield RemotePicture(url=whole(plan, parsed, url), revised_prompt=told)


def _usage(said: Mapping[str, Any]) -> Usage:
    """The counts. What a detail does not tell apart stays None."""
    usage = counted(said)
    given = details(said, "input_tokens_details", "prompt_tokens_details")
    made = details(said, "output_tokens_details", "completion_tokens_details")
    return usage.model_copy(
        update={
            "prompt_text_tokens": given.get("text_tokens"),
            "prompt_image_tokens": given.get("image_tokens"),
            "completion_text_tokens": made.get("text_tokens"),
            # Image models answer with pictures alone, whether the reply says so or not.
            "completion_image_tokens": made.get("image_tokens", usage.completion_tokens),
        }
    )
