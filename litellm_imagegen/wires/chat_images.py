"""Chat Completions with pictures in the answer, as gateways speak them.

A reply holds them in `message.images` or among the parts of `message.content`, a stream in `delta.images`.
Sources: https://openrouter.ai/docs/features/multimodal/image-generation,
https://vercel.com/docs/ai-gateway/capabilities/image-generation,
https://docs.helicone.ai/gateway/concepts/image-generation, https://1jxizqf5ai.apifox.cn (AIone, page 14).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import (
    Delta,
    EndDelta,
    Finish,
    ImageInput,
    Message,
    Name,
    Picture,
    PictureDelta,
    RemotePicture,
    TextDelta,
    TextPart,
    Usage,
    merged,
)
from litellm_imagegen.codec import Call, Codec, Reply
from litellm_imagegen.errors import BadReply, ProviderError, quote
from litellm_imagegen.lifting import IncomingJson, LiftedJson
from litellm_imagegen.plan import Plan
from litellm_imagegen.wires.errors import parsed_object, silence, whole
from litellm_imagegen.wires.gateway_errors import outcome_inside, outcome_of_reply
from litellm_imagegen.wires.google_errors import REFUSED
from litellm_imagegen.wires.openai_shared import counted, details, is_done

Spell = Callable[[Plan], Mapping[str, Any]]

SAMPLING: Mapping[Name, str] = {
    Name.MAX_TOKENS: "max_tokens",
    Name.TEMPERATURE: "temperature",
    Name.TOP_P: "top_p",
    Name.TOP_K: "top_k",
    Name.SEED: "seed",
    Name.STOP: "stop",
}
# What is asked for in these very words by more gateways than one.
RATIO_AND_SIZE: Mapping[Name, str] = {Name.ASPECT_RATIO: "aspect_ratio", Name.IMAGE_SIZE: "image_size"}
_FACTS = ("id", "model", "provider", "created", "usage", "provider_metadata", "generationId")


class ChatImagesCodec(Codec):
    """The codec.

    `spell` gives the gateway's own fields for a plan, and `names` are those that it spells; `sampling` are
    the names of the common ones. `streams` is false where a gateway answers in one piece alone, and
    `silent_refusals` true where it tells a refusal by neither words nor a picture. With `keeps_reasoning` it
    takes an assistant's `reasoning_details` back.
    """

    def __init__(
        self,
        *,
        vendor: str,
        spell: Spell,
        names: Iterable[Name],
        sampling: Mapping[Name, str] = SAMPLING,
        together: frozenset[Name] = frozenset(),
        takes_addresses: bool = True,
        passes_options: bool = False,
        streams: bool = True,
        silent_refusals: bool = False,
        keeps_reasoning: bool = False,
    ) -> None:
        self.vendor = vendor
        self.vocabulary = frozenset({*names, *sampling, Name.PROVIDER_OPTIONS})
        self.together = together
        self.takes_addresses = takes_addresses
        self.passes_options = passes_options
        self._spell = spell
        self._sampling = sampling
        self._streams = streams
        self._silent_refusals = silent_refusals
        self._keeps_reasoning = keeps_reasoning

    def encode(self, plan: Plan) -> Call:
        """`POST chat/completions`."""
        body: dict[str, Any] = {"model": plan.model, "messages": list(self._messages(plan.messages))}
        body |= {field: plan.values[name] for name, field in self._sampling.items() if name in plan.values}
        streams = plan.stream and self._streams
        if streams:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        body |= self._spell(plan)
        options = {} if self.passes_options else plan.values.get(Name.PROVIDER_OPTIONS, {})
        return Call(path="chat/completions", body=merged(body, options), streams=streams)

    def decode(self, plan: Plan, reply: Reply) -> Sequence[Delta | RemotePicture]:
        """Words and pictures in their order, then how it ended."""
        parsed = parsed_object(plan, reply.body)
        if not isinstance(parsed.value.get("choices"), list) and not parsed.value.get("error"):
            raise BadReply(plan.provider, "a reply of an unknown shape")
        return tuple(self._deltas(plan, parsed, "message", reply.body.text))

    def decode_event(self, plan: Plan, event: IncomingJson) -> Sequence[Delta | RemotePicture]:
        """Words and pictures as they come."""
        if is_done(event):
            return ()
        return tuple(self._deltas(plan, parsed_object(plan, event), "delta", event.text))

    def decode_error(self, plan: Plan, reply: Reply) -> ProviderError | EndDelta:
        """The gateway's error. A refusal is no error: the answer is that there is no picture."""
        return outcome_of_reply(plan, reply)

    def _messages(self, messages: Iterable[Message]) -> Iterator[dict[str, Any]]:
        """The turns. A picture of the assistant's is the user's, but where what it thought comes with it."""
        for message in messages:
            pictures = [part for part in message.parts if isinstance(part, ImageInput)]
            if message.role != "assistant":
                yield {"role": message.role, "content": _content(message.parts)}
                continue
            words = "".join(part.text for part in message.parts if isinstance(part, TextPart))
            said: dict[str, Any] = {"role": "assistant", "content": words}
            if self._keeps_reasoning and message.reasoning_details:
                said["reasoning_details"] = list(message.reasoning_details)
                said |= {"images": list(map(_part, pictures))} if pictures else {}
                pictures = []
            if words or len(said) > 2:
                yield said
            if pictures:
                yield {"role": "user", "content": _content(pictures)}

    def _deltas(
        self, plan: Plan, parsed: LiftedJson, key: str, body: bytes
    ) -> Iterator[Delta | RemotePicture]:
        said = parsed.value
        choices = said.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else {}
        if not isinstance(choice, dict):
            raise BadReply(plan.provider, "a reply of an unknown shape")
        held = choice.get(key)
        message = held if isinstance(held, dict) else {}
        yield from _parts(plan, parsed, message)
        failed = next((each for each in (said, choice) if each.get("error")), None)
        if failed is not None:
            yield outcome_inside(plan, whole(plan, parsed, failed), body)
            return
        if choice.get("finish_reason") == "error":
            raise BadReply(plan.provider, "the provider behind it failed; the call may be charged")
        yield self._end(plan, parsed, choice, message)

    def _end(
        self, plan: Plan, parsed: LiftedJson, choice: Mapping[str, Any], message: Mapping[str, Any]
    ) -> EndDelta:
        said = parsed.value
        facts = {name: said[name] for name in _FACTS if said.get(name)}
        native, reason = choice.get("native_finish_reason"), choice.get("finish_reason")
        if native:
            facts["native_finish_reason"] = native
        thought = message.get("reasoning_details")
        usage = said.get("usage")
        refused = message.get("refusal")
        finish, why = _finish(reason, native, refused)
        return EndDelta(
            finish=finish,
            refusal=quote(f"{plan.provider} refused the answer: {whole(plan, parsed, why)}") if why else None,
            refusing=whole(plan, parsed, refused) if isinstance(refused, str) else "",
            silence=silence(plan) if self._silent_refusals and reason == "stop" else None,
            usage=_usage(usage) if isinstance(usage, dict) else None,
            reasoning_details=tuple(whole(plan, parsed, thought)) if isinstance(thought, list) else (),
            facts=whole(plan, parsed, facts),
        )


def _content(parts: Sequence[TextPart | ImageInput]) -> str | list[dict[str, Any]]:
    if all(isinstance(part, TextPart) for part in parts):
        return "\n".join(part.text for part in parts if isinstance(part, TextPart))
    return [_part(part) for part in parts]


def _part(part: TextPart | ImageInput) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    url = part.blob.data_url if part.blob is not None else part.url
    return {"type": "image_url", "image_url": {"url": url}}


def _parts(plan: Plan, parsed: LiftedJson, message: Mapping[str, Any]) -> Iterator[Delta | RemotePicture]:
    """What a message or a delta of one holds: the parts of its content, then the pictures beside it."""
    content = message.get("content")
    if isinstance(content, str) and content:
        yield TextDelta(text=whole(plan, parsed, content))
    lists = [held for held in (content, message.get("images")) if isinstance(held, list)]
    for part in (part for held in lists for part in held if isinstance(part, dict)):
        if isinstance(part.get("text"), str) and part["text"]:
            yield TextDelta(text=whole(plan, parsed, part["text"]))
        elif (picture := _picture(plan, parsed, part)) is not None:
            yield picture


def _picture(plan: Plan, parsed: LiftedJson, part: Mapping[str, Any]) -> PictureDelta | RemotePicture | None:
    """A picture in any form that gateways have been seen to give it; None where there is none."""
    held = part.get("image_url")
    url = held.get("url") if isinstance(held, dict) else held
    base64, mime = parsed.base64(part.get("b64_json") or None), part.get("media_type")
    if isinstance(url, str) and url:
        found = parsed.data_url(url)
        if found is None:
            return RemotePicture(url=whole(plan, parsed, url))
        mime, base64 = found
        base64 = base64 or parsed.base64("!")  # what is not ASCII is no base64, as "!" is not
    if base64 is None:
        return None
    blob = Blob.from_base64(base64, mime if isinstance(mime, str) and mime else None)
    return PictureDelta(picture=Picture(blob=blob))


def _finish(reason: Any, native: Any, refusal: Any) -> tuple[Finish | None, str | None]:
    """Why it ended, and what was refused, if anything: a gateway may call a refusal an ordinary stop."""
    told = str(native).upper() if native else ""
    if reason == "content_filter" or (reason and told in REFUSED):
        return Finish.REFUSED, str(refusal or native or "content_filter")
    if reason is None:
        return None, None
    if refusal:
        return Finish.REFUSED, str(refusal)
    match reason:
        case "stop":
            return Finish.STOP, None
        case "length":
            return Finish.LENGTH, None
        case _:
            return Finish.OTHER, None


def _usage(said: Mapping[str, Any]) -> Usage:
    """A gateway's counts, and its own figure for the cost in USD where it tells one."""
    given, made = details(said, "prompt_tokens_details"), details(said, "completion_tokens_details")
    return counted(said).model_copy(
        update={
            "prompt_text_tokens": given.get("text_tokens"),
            "prompt_image_tokens": given.get("image_tokens"),
            "reasoning_tokens": made.get("reasoning_tokens"),
            "completion_text_tokens": made.get("text_tokens"),
            "completion_image_tokens": made.get("image_tokens"),
        }
    )
