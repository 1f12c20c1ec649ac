"""OpenAI's Responses API with the tool that draws, for models that answer in words and pictures.

Sources: https://platform.openai.com/docs/api-reference/responses (fields, items, usage),
https://platform.openai.com/docs/api-reference/responses-streaming (events),
https://platform.openai.com/docs/guides/tools-image-generation (the tool's fields).
"""

from collections.abc import Iterable, Mapping, Sequence
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
from litellm_imagegen.wires.openai_shared import (
    VOCABULARY_OF_PICTURES,
    counted,
    details,
    is_done,
    outcome_of_reply,
    partial_of,
    picture_fields,
    picture_of,
    refusal_inside,
)

_TOOL = "image_generation"
_DRAWN = "image_generation_call"
_SHOWN = "output_image"
_FIELDS: Mapping[Name, str] = {
    Name.MAX_TOKENS: "max_output_tokens",
    Name.TEMPERATURE: "temperature",
    Name.TOP_P: "top_p",
}
_FACTS = ("id", "model", "status", "incomplete_details", "usage", "tool_usage")
_FACTS_OF_A_PICTURE = ("size", "quality", "background", "output_format")


class OpenAiResponsesCodec(Codec):
    """The codec. Of provider options, `image_generation` is for the tool, and all others are for the body.

    `silent_refusals` is true where a refusal is told by neither words nor a picture.
    """

    vendor = "openai"
    silent_refusals = False
    takes_addresses = True
    vocabulary = frozenset(
        {
            *_FIELDS,
            *VOCABULARY_OF_PICTURES,
            Name.MODALITIES,
            Name.MUST_DRAW,
            Name.PROVIDER_OPTIONS,
        }
    )

    def encode(self, plan: Plan) -> Call:
        """`POST responses`."""
        options = dict(plan.values.get(Name.PROVIDER_OPTIONS, {}))
        body: dict[str, Any] = {"model": plan.model, "input": list(input_of(plan.messages))}
        if instructions := instructions_of(plan.messages):
            body["instructions"] = instructions
        if plan.wants_picture:
            of_tool = options.pop(_TOOL) if isinstance(options.get(_TOOL), Mapping) else {}
            body["tools"] = [merged(_tool(plan), of_tool)]
            if plan.must_draw:
                body["tool_choice"] = {"type": _TOOL}
        body |= {field: plan.values[name] for name, field in _FIELDS.items() if name in plan.values}
        if plan.stream:
            body["stream"] = True
        # A conversation is sent whole each time: nothing is left there to come back to.
        body["store"] = False
        return Call(path="responses", body=merged(body, options), streams=plan.stream)

    def decode(self, plan: Plan, reply: Reply) -> Sequence[Delta]:
        """Words and pictures in their order, then how it ended."""
        parsed = parsed_object(plan, reply.body)
        said = parsed.value
        if not isinstance(said.get("output"), list) and not said.get("error"):
            raise BadReply(plan.provider, "a reply of an unknown shape")
        deltas = [delta for item in _output(said) for delta in _item(plan, parsed, item)]
        return (*deltas, self._end(plan, parsed, said, said.get("status")))

    def decode_event(self, plan: Plan, event: IncomingJson) -> Sequence[Delta]:
        """Words and pictures as they come. The last event tells them all again: of it only the end counts."""
        if is_done(event):
            return ()
        parsed = parsed_object(plan, event)
        said = parsed.value
        if said.get("error") or said.get("type") == "error":
            return (refusal_inside(plan, said, event.text),)
        match said.get("type"):
            case "response.output_text.delta":
                return tuple(_words(plan, parsed, said.get("delta")))
            case "response.image_generation_call.partial_image":
                return partial_of(plan, parsed, said, "partial_image_b64")
            case "response.content_part.done":
                part = said.get("part")
                is_picture = isinstance(part, dict) and part.get("type") == _SHOWN
                return tuple(_shown(plan, parsed, part)) if is_picture else ()
            case "response.output_item.done":
                item = said.get("item")
                is_drawn = isinstance(item, dict) and item.get("type") == _DRAWN
                return tuple(_item(plan, parsed, item)) if is_drawn else ()
            case "response.completed" | "response.incomplete" | "response.failed" as kind:
                response = said.get("response")
                known = response if isinstance(response, dict) else {}
                return (self._end(plan, parsed, known, kind.removeprefix("response.")),)
        return ()

    def decode_error(self, plan: Plan, reply: Reply) -> ProviderError | EndDelta:
        """OpenAI's error object. A refusal is no error: the answer is that there is no picture."""
        return outcome_of_reply(plan, reply)

    def _end(self, plan: Plan, parsed: LiftedJson, response: Mapping[str, Any], status: Any) -> EndDelta:
        end = _end(plan, parsed, response, status)
        return end.model_copy(update={"silence": silence(plan)}) if self.silent_refusals else end


def _tool(plan: Plan) -> dict[str, Any]:
    tool: dict[str, Any] = {"type": _TOOL, **picture_fields(plan)}
    if fidelity := plan.values.get(Name.INPUT_FIDELITY):
        tool["input_fidelity"] = fidelity
    if plan.stream and (partial := plan.values.get(Name.PARTIAL_IMAGES)):
        tool["partial_images"] = partial
    if mask := plan.values.get(Name.MASK):
        tool["input_image_mask"] = {"image_url": _address(mask)}
    return tool


def instructions_of(messages: Iterable[Message]) -> str:
    """The words of the system."""
    system = [part for message in messages if message.role == "system" for part in message.parts]
    return "\n\n".join(part.text for part in system if isinstance(part, TextPart))


def input_of(messages: Iterable[Message]) -> Iterable[dict[str, Any]]:
    """The turns, with every picture as the user's, at its place.

    OpenAI takes one of the assistant's only under an id that it gave it and has kept, and none in the
    instructions.
    """
    for message in messages:
        of_assistant = [
            {"type": "output_text", "text": part.text}
            for part in message.parts
            if isinstance(part, TextPart) and message.role == "assistant"
        ]
        of_user = [
            _part(part) for part in message.parts if isinstance(part, ImageInput) or message.role == "user"
        ]
        if of_assistant:
            yield {"role": "assistant", "content": of_assistant}
        if of_user:
            yield {"role": "user", "content": of_user}


def _part(part: TextPart | ImageInput) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "input_text", "text": part.text}
    return {"type": "input_image", "image_url": _address(part)}


def _address(picture: ImageInput) -> str | None:
    return picture.blob.data_url if picture.blob is not None else picture.url


def _item(plan: Plan, parsed: LiftedJson, item: Mapping[str, Any]) -> Iterable[Delta]:
    """What an item of the output holds. Thoughts, and calls of other tools, are not for showing."""
    if item.get("type") == "message":
        for part in _parts(item):
            if part.get("type") == "output_text":
                yield from _words(plan, parsed, part.get("text"))
            elif part.get("type") == _SHOWN:
                yield from _shown(plan, parsed, part)
    elif item.get("type") == _DRAWN and (picture := picture_of(plan, parsed, item, item.get("result"))):
        yield PictureDelta(picture=picture)
        facts = {name: item[name] for name in _FACTS_OF_A_PICTURE if item.get(name) is not None}
        yield EndDelta(facts=whole(plan, parsed, facts))


def _shown(plan: Plan, parsed: LiftedJson, part: Mapping[str, Any]) -> Iterable[Delta]:
    """The picture of an `output_image`, as a part of a message."""
    found = parsed.data_url(part.get("image_url"))
    if found is not None:
        mime, base64 = found
        yield PictureDelta(picture=Picture(blob=Blob.from_base64(base64 or "!", mime or None)))


def _output(response: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    output = response.get("output")
    return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else ()


def _parts(item: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    content = item.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else ()


def _words(plan: Plan, parsed: LiftedJson, text: Any) -> Iterable[Delta]:
    if isinstance(text, str) and text:
        yield TextDelta(text=whole(plan, parsed, text))


def _end(plan: Plan, parsed: LiftedJson, response: Mapping[str, Any], status: Any) -> EndDelta:
    """How a response ended, and what it cost. Raises `ProviderError` for one that failed."""
    facts = {name: response[name] for name in _FACTS if response.get(name) is not None}
    if response.get("created_at") is not None:
        facts["created"] = response["created_at"]
    ended = _ended(plan, parsed, response, status)
    return ended.model_copy(update={"usage": _usage(response), "facts": whole(plan, parsed, facts)})


def _ended(plan: Plan, parsed: LiftedJson, response: Mapping[str, Any], status: Any) -> EndDelta:
    if response.get("error") or status == "failed":
        return _failed(plan, response.get("error") or {"message": "the response failed"})
    output = _output(response)
    parts = [part for item in output if item.get("type") == "message" for part in _parts(item)]
    for part in parts:
        if part.get("type") == "refusal":
            return _refused(plan, whole(plan, parsed, part.get("refusal")))
    match status:
        case "completed" | None:
            calls = [item for item in output if item.get("type") == _DRAWN]
            came = any(call.get("result") for call in calls) or any(part.get("text") for part in parts)
            failed = [call for call in calls if call.get("status") == "failed"]
            if failed and not came:
                return _failed(plan, failed[0].get("error") or {"message": "the tool failed at the picture"})
            return EndDelta(finish=Finish.STOP)
        case "incomplete":
            given = response.get("incomplete_details")
            match given.get("reason") if isinstance(given, dict) else None:
                case "max_output_tokens":
                    return EndDelta(finish=Finish.LENGTH)
                case "content_filter":
                    return _refused(plan, "content_filter")
    return EndDelta(finish=Finish.OTHER)


def _failed(plan: Plan, error: Any) -> EndDelta:
    """These errors have a code and no type: they are the server's where nobody knows the code."""
    known = {"type": "server_error", **error} if isinstance(error, dict) else error
    return refusal_inside(plan, {"error": known}, refused="the request")


def _refused(plan: Plan, why: Any) -> EndDelta:
    return EndDelta(finish=Finish.REFUSED, refusal=quote(f"{plan.provider} refused the answer: {why}"))


def _usage(response: Mapping[str, Any]) -> Usage | None:
    """The counts of the model that was called and of the one that drew, which OpenAI tells apart, in one."""
    used, of_tools = response.get("usage"), response.get("tool_usage")
    drawing = of_tools.get("image_gen") if isinstance(of_tools, dict) else None
    if not isinstance(used, dict) and not isinstance(drawing, dict):
        return None
    answered = _answered(used) if isinstance(used, dict) else Usage()
    if not isinstance(drawing, dict):
        return answered
    drawn = _answered(drawing)
    image = details(drawing, "output_tokens_details").get("image_tokens", drawn.completion_tokens)
    words = answered.completion_tokens - (answered.reasoning_tokens or 0)
    return answered + drawn.model_copy(
        update={
            "completion_image_tokens": image,
            "completion_text_tokens": max(words, 0) + max(drawn.completion_tokens - image, 0),
        }
    )


def _answered(said: Mapping[str, Any]) -> Usage:
    reasoning = details(said, "output_tokens_details").get("reasoning_tokens")
    return counted(said).model_copy(update={"reasoning_tokens": reasoning})
