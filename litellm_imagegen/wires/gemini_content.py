"""Google's generateContent and streamGenerateContent, as Gemini API and Vertex AI speak them.

Sources: https://ai.google.dev/api/generate-content (fields, finish and block reasons),
https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerationConfig (of Vertex),
https://ai.google.dev/gemini-api/docs/image-generation (imageConfig, drafts). A whole
reply has the shape of one stream event, so one reader serves both.
"""

import mimetypes
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote as quote_path
from urllib.parse import urlsplit

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
from litellm_imagegen.wires.errors import parsed_object
from litellm_imagegen.wires.google_errors import REFUSED, error_of, error_of_reply

_GENERATION_CONFIG: Mapping[Name, str] = {
    Name.MAX_TOKENS: "maxOutputTokens",
    Name.TEMPERATURE: "temperature",
    Name.TOP_P: "topP",
    Name.TOP_K: "topK",
    Name.SEED: "seed",
    Name.STOP: "stopSequences",
}
_IMAGE_CONFIG: Mapping[Name, str] = {
    Name.ASPECT_RATIO: "aspectRatio",
    Name.IMAGE_SIZE: "imageSize",
}
_ONLY_ON_VERTEX = (Name.PERSON_GENERATION, Name.OUTPUT_FORMAT, Name.OUTPUT_COMPRESSION)
_PEOPLE = {"dont_allow": "ALLOW_NONE", "allow_adult": "ALLOW_ADULT", "allow_all": "ALLOW_ALL"}
# Every reply that generateContent defines has at least one of these; anything else is not its reply.
_REPLY_KEYS = frozenset({"candidates", "promptFeedback", "usageMetadata", "modelVersion", "responseId"})
# Beyond this a number is a mistake of the sender's.
_IMPLAUSIBLE_COUNT = 2**53
_FACTS = ("modelVersion", "responseId", "promptFeedback")
_CANDIDATE_FACTS = (
    "finishReason",
    "finishMessage",
    "safetyRatings",
    "groundingMetadata",
    "citationMetadata",
)


class GeminiContentCodec(Codec):
    """The codec; on Vertex AI it has fields that the Gemini API refuses."""

    vendor = "google"
    takes_addresses = True

    def __init__(self, *, is_vertex: bool = False) -> None:
        self._is_vertex = is_vertex
        self.vocabulary = frozenset(
            {
                *_GENERATION_CONFIG,
                *_IMAGE_CONFIG,
                *(_ONLY_ON_VERTEX if is_vertex else ()),
                Name.MODALITIES,
                Name.SAFETY_SETTINGS,
                Name.PROVIDER_OPTIONS,
            }
        )

    def encode(self, plan: Plan) -> Call:
        """`POST models/{model}:generateContent`, or `:streamGenerateContent?alt=sse` for a stream."""
        body: dict[str, Any] = {"contents": _contents(plan.messages)}
        system = [
            _part(part) for message in plan.messages if message.role == "system" for part in message.parts
        ]
        if system:
            body["systemInstruction"] = {"parts": system}
        config = _spelled(_GENERATION_CONFIG, plan)
        config["responseModalities"] = [modality.upper() for modality in plan.output]
        image_config = _spelled(_IMAGE_CONFIG, plan) | (_on_vertex(plan) if self._is_vertex else {})
        if image_config:
            config["imageConfig"] = image_config
        body["generationConfig"] = config
        if settings := plan.values.get(Name.SAFETY_SETTINGS):
            body["safetySettings"] = list(settings)
        method = "streamGenerateContent" if plan.stream else "generateContent"
        return Call(
            path=f"models/{quote_path(plan.model, safe='')}:{method}",
            query={"alt": "sse"} if plan.stream else {},
            body=merged(body, plan.values.get(Name.PROVIDER_OPTIONS, {})),
            streams=plan.stream,
        )

    def decode(self, plan: Plan, reply: Reply) -> Sequence[Delta]:
        """Deltas of a whole reply."""
        return self.decode_event(plan, reply.body)

    def decode_event(self, plan: Plan, event: IncomingJson) -> Sequence[Delta]:
        """Deltas of one GenerateContentResponse: its parts in order, then how it ended."""
        parsed = parsed_object(plan, event)
        said = parsed.value
        if "error" in said:
            raise error_of(plan, None, {}, said)
        if said and not _REPLY_KEYS & said.keys():
            raise BadReply(plan.provider, "a reply of an unknown shape")
        candidates = said.get("candidates")
        candidate = candidates[0] if isinstance(candidates, list) and candidates else {}
        if not isinstance(candidate, dict):
            raise BadReply(plan.provider, "a reply of an unknown shape")
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        try:
            deltas = list(_part_deltas(parsed, parts if isinstance(parts, list) else ()))
            return (*deltas, _end(plan, parsed, said, candidate))
        except ValueError as error:
            raise BadReply(plan.provider, "a reply with text that is not UTF-8") from error

    def decode_error(self, plan: Plan, reply: Reply) -> ProviderError:
        """Google's error."""
        return error_of_reply(plan, reply)


def _spelled(table: Mapping[Name, str], plan: Plan) -> dict[str, Any]:
    return {wire_name: plan.values[name] for name, wire_name in table.items() if name in plan.values}


def _on_vertex(plan: Plan) -> dict[str, Any]:
    """Fields of imageConfig that Vertex AI alone has."""
    fields: dict[str, Any] = {}
    if (people := plan.values.get(Name.PERSON_GENERATION)) is not None:
        fields["personGeneration"] = _PEOPLE.get(people, people)
    output: dict[str, Any] = {}
    if (form := plan.values.get(Name.OUTPUT_FORMAT)) is not None:
        output["mimeType"] = f"image/{form}"
    if (quality := plan.values.get(Name.OUTPUT_COMPRESSION)) is not None:
        output["compressionQuality"] = quality
    return {**fields, "imageOutputOptions": output} if output else fields


def _contents(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The turns. Google wants a signature on pictures in a model's turn, which chat clients do not carry:

    an assistant's pictures therefore stand at the start of the user's next turn.
    """
    contents: list[dict[str, Any]] = []

    def add(role: str, parts: list[dict[str, Any]]) -> None:
        if parts and contents and contents[-1]["role"] == role:
            contents[-1]["parts"].extend(parts)
        elif parts:
            contents.append({"role": role, "parts": parts})

    for message in messages:
        if message.role == "user":
            add("user", [_part(part) for part in message.parts])
        elif message.role == "assistant":
            add("model", [_part(part) for part in message.parts if isinstance(part, TextPart)])
            add("user", [_part(part) for part in message.parts if isinstance(part, ImageInput)])
    return contents


def _part(part: TextPart | ImageInput) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"text": part.text}
    if part.blob is not None:
        return {"inlineData": {"mimeType": part.blob.mime, "data": str(part.blob.base64, "ascii")}}
    file_data: dict[str, Any] = {"fileUri": part.url}
    mime, _ = mimetypes.guess_type(urlsplit(part.url or "").path)
    if mime and mime.startswith("image/"):
        file_data["mimeType"] = mime
    return {"fileData": file_data}


def _part_deltas(parsed: LiftedJson, parts: Iterable[Any]) -> Iterable[Delta]:
    """Text and pictures as they stand; thoughts and the drafts among them are not for showing."""
    for part in parts:
        if not isinstance(part, dict) or part.get("thought"):
            continue
        data = part.get("inlineData")
        if isinstance(part.get("text"), str) and part["text"]:
            yield TextDelta(text=parsed.whole(part["text"]))
        elif isinstance(data, dict) and isinstance(data.get("data"), str) and data["data"]:
            mime = data.get("mimeType")
            # Text that is not ASCII is no base64, as "!" is not: it is told when the picture is looked at.
            blob = Blob.from_base64(
                parsed.base64(data["data"]) or "!", mime if isinstance(mime, str) else None
            )
            yield PictureDelta(picture=Picture(blob=blob))


def _end(plan: Plan, parsed: LiftedJson, said: Mapping[str, Any], candidate: Mapping[str, Any]) -> EndDelta:
    given = said.get("promptFeedback")
    feedback = given if isinstance(given, dict) else {}
    blocked = feedback.get("blockReason")
    reason = candidate.get("finishReason")
    facts = {key: said[key] for key in _FACTS if said.get(key)}
    facts |= {key: candidate[key] for key in _CANDIDATE_FACTS if candidate.get(key)}
    usage = said.get("usageMetadata")
    if isinstance(usage, dict):
        facts["usageMetadata"] = usage
    refusal = None
    if blocked:
        refusal = _refusal(plan, "the prompt", blocked, feedback.get("blockReasonMessage"))
    elif isinstance(reason, str) and reason in REFUSED:
        refusal = _refusal(plan, "the answer", reason, candidate.get("finishMessage"))
    return EndDelta(
        finish=Finish.REFUSED if refusal else _finish(reason),
        refusal=refusal,
        usage=_usage(usage) if isinstance(usage, dict) else None,
        facts=parsed.whole(facts),
    )


def _finish(reason: Any) -> Finish | None:
    """Google's reason in our terms; a reason that is new to us counts by what the answer holds."""
    match reason:
        case None:
            return None
        case "STOP":
            return Finish.STOP
        case "MAX_TOKENS":
            return Finish.LENGTH
        case _:
            return Finish.OTHER


def _refusal(plan: Plan, what: str, reason: Any, message: Any) -> str:
    return quote(f"{plan.provider} refused {what}: {reason}" + (f": {message}" if message else ""))


def _usage(said: Mapping[str, Any]) -> Usage:
    """Google's counts. completion = total - prompt, since candidatesTokenCount and its details disagree."""
    prompt = _count(said, "promptTokenCount") + _count(said, "toolUsePromptTokenCount")
    reasoning = _known_count(said, "thoughtsTokenCount")
    completion = _count(said, "candidatesTokenCount") + (reasoning or 0)
    total = _count(said, "totalTokenCount") or prompt + completion
    completion = max(total - prompt, 0)
    prompt_by_modality = _by_modality(said.get("promptTokensDetails"))
    image = _by_modality(said.get("candidatesTokensDetails")).get("IMAGE")
    text = None if image is None else max(completion - image - (reasoning or 0), 0)
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=total,
        prompt_text_tokens=prompt_by_modality.get("TEXT"),
        prompt_image_tokens=prompt_by_modality.get("IMAGE"),
        cached_tokens=_known_count(said, "cachedContentTokenCount"),
        reasoning_tokens=reasoning,
        completion_text_tokens=text,
        completion_image_tokens=image,
    )


def _known_count(said: Mapping[str, Any], key: str) -> int | None:
    value = said.get(key)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _IMPLAUSIBLE_COUNT
    return value if is_count else None


def _count(said: Mapping[str, Any], key: str) -> int:
    return _known_count(said, key) or 0


def _by_modality(details: Any) -> dict[str, int]:
    rows = [row for row in details if isinstance(row, dict)] if isinstance(details, list) else []
    return {str(row.get("modality")): _count(row, "tokenCount") for row in rows}
