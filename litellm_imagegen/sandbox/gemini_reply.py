"""Composes what the Gemini API answers: parts, finish reason, tokens; as one body or as the events of a
stream.

Strategy: `compose` makes the full reply once, with its pictures drawn; `whole` and `events` only lay it
out, so that a streamed and an unstreamed answer to the same request hold the same pictures. It draws, so
call it off the event loop.

Source: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .drawing import Painting, paint
from .encoding import encode
from .faults import Wishes, without_wishes
from .gemini_models import Model
from .gemini_request import Asked
from .words import deltas

_SIGNS_PER_TOKEN = 4
_THOUGHT_TOKENS = 180
_NOT_SHOWN = (
    "The picture was made but cannot be shown, as it may go against the rules for generated pictures. "
    "Word the prompt in another way; this request is not charged. (sandbox)"
)
_PROMPT_BLOCKED = "The prompt was blocked, as it may go against the rules for prompts. (sandbox)"

Part = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A composed reply. `content` is what the candidate holds when there are no parts: None leaves it out."""

    asked: Asked
    parts: Sequence[Part] = ()
    finish_reason: str = "STOP"
    finish_message: str | None = None
    content: dict[str, Any] | None = field(default_factory=dict)
    block_reason: str | None = None
    without_candidates: bool = False
    response_id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    created: datetime = field(default_factory=lambda: datetime.now(UTC))


def compose(asked: Asked, wishes: Wishes) -> Reply:
    """The reply to a request, with the wished turns of the model itself (refusals, drafts, words)."""
    if wishes.empty:
        return Reply(asked=asked, without_candidates=True)
    if wishes.block_reason is not None:
        return Reply(asked=asked, block_reason=wishes.block_reason)
    parts = [*_thoughts(asked, wishes), *_answer(asked, wishes)]
    if asked.model.thinks:
        _sign(parts, asked)
    if wishes.refuse_picture:
        return Reply(
            asked=asked, parts=parts, finish_reason="IMAGE_SAFETY", finish_message=_NOT_SHOWN, content=None
        )
    reason = wishes.finish_reason or "STOP"
    content = {"role": "model"} if reason == "MAX_TOKENS" else {}
    return Reply(asked=asked, parts=parts, finish_reason=reason, content=content)


def _thoughts(asked: Asked, wishes: Wishes) -> list[Part]:
    if not (wishes.drafts or asked.include_thoughts):
        return []
    parts: list[Part] = [
        {"text": "I think about composition, light and where the words should stand.", "thought": True}
    ]
    if wishes.drafts:
        parts += [_picture_part(asked, wishes, 1, draft=number) | {"thought": True} for number in (1, 2)]
    return parts


def _answer(asked: Asked, wishes: Wishes) -> list[Part]:
    stops_short = wishes.refuse_picture or wishes.finish_reason is not None
    pictures = wishes.pictures or (0 if stops_short else 1)
    if not asked.wants_pictures or wishes.words_only:
        pictures = 0
    parts: list[Part] = []
    for number in range(1, pictures + 1):
        if asked.wants_text:
            parts.append({"text": _line_before(number, pictures, asked)})
        parts.append(_picture_part(asked, wishes, number, of=pictures))
    if wishes.words_only:
        parts.append(
            {"text": "I did not draw this yet. Which style and which background would you like? (sandbox)"}
        )
    elif not asked.wants_pictures and not stops_short:
        parts.append({"text": f"Words only, as the request wants. It said: {_prompt(asked)[:200]}"})
    if wishes.words:
        parts.append({"text": "These words were added because the request wished for them. (sandbox)"})
    return parts


def _line_before(number: int, of: int, asked: Asked) -> str:
    if of > 1:
        return f"Picture {number} of {of}:"
    return f"Here is the picture you asked for, {asked.width} by {asked.height} pixels."


def _prompt(asked: Asked) -> str:
    return " ".join(without_wishes(" ".join(asked.prompt_texts)).split()) or "(no words)"


def _picture_part(asked: Asked, wishes: Wishes, number: int, *, of: int = 1, draft: int = 0) -> Part:
    """An inlineData part with the drawn picture; a draft is grey, marked and half as wide and high."""
    scale = 2 if draft else 1
    width, height = asked.width // scale, asked.height // scale
    seed = "none" if asked.seed is None else str(asked.seed)
    size = f"{asked.size} · " if asked.model.takes_image_size else ""
    count = f" · {number} of {of}" if of > 1 else ""
    painting = Painting(
        width=width,
        height=height,
        prompt=_prompt(asked),
        caption=f"{asked.model.name} · {asked.ratio} · {size}{width}x{height} · seed {seed}{count}",
        seed_material=json.dumps([asked.model.name, _prompt(asked), asked.seed, number, draft]),
        inputs=asked.inputs,
        badge=f"DRAFT {draft}" if draft else None,
    )
    mime_type = asked.mime_type
    data = encode(
        paint(painting), mime_type=mime_type, padding_bytes=wishes.padding_bytes, quality=asked.quality
    )
    text = base64.b64encode(data).decode("ascii")
    if wishes.bad_base64:
        text = text[:200] + "%%% this is no base64 %%%"
    return {"inlineData": {"mimeType": mime_type, "data": text}}


def _sign(parts: Sequence[Part], asked: Asked) -> None:
    """Put a signature on the first part that is no thought and on each picture that is none."""
    answers = [part for part in parts if not part.get("thought")]
    for index, part in enumerate(answers):
        if index == 0 or "inlineData" in part:
            digest = hashlib.sha256(
                json.dumps([asked.model.name, asked.prompt_texts, index]).encode()
            ).digest()
            part["thoughtSignature"] = base64.b64encode(digest[:18]).decode("ascii")


def whole(reply: Reply) -> dict[str, Any]:
    """The body of generateContent."""
    if reply.without_candidates:
        return {"candidates": []}
    return _response(reply, parts=reply.parts, counted=reply.parts, last=True)


def events(reply: Reply) -> list[dict[str, Any]]:
    """The bodies of a stream, in order: text in deltas, each picture whole, the finish reason on the last."""
    if reply.without_candidates or reply.block_reason or not reply.parts:
        return [whole(reply)]
    pieces = [piece for part in reply.parts for piece in _deltas(part)]
    bodies = [
        _response(reply, parts=[piece], counted=pieces[: index + 1], last=False)
        for index, piece in enumerate(pieces)
    ]
    return [*bodies, _response(reply, parts=[{"text": ""}], counted=pieces, last=True)]


def first_delta(reply: Reply) -> dict[str, Any]:
    """One early event of a stream, with a few words; what comes before a stream that breaks."""
    part = {"text": "Here is"}
    return _response(reply, parts=[part], counted=[part], last=False)


def _deltas(part: Part) -> list[Part]:
    """A text part cut at spaces into a few deltas, the first with the signature; other parts stay whole."""
    if "text" not in part or part.get("thought"):
        return [part]
    texts = deltas(part["text"])
    return [{**part, "text": texts[0]}, *({"text": text} for text in texts[1:])]


def _response(reply: Reply, *, parts: Sequence[Part], counted: Sequence[Part], last: bool) -> dict[str, Any]:
    asked = reply.asked
    body: dict[str, Any] = {}
    if reply.block_reason:
        body["promptFeedback"] = {"blockReason": reply.block_reason}
        if asked.vertex:
            body["promptFeedback"]["blockReasonMessage"] = _PROMPT_BLOCKED
    else:
        candidate: dict[str, Any] = {}
        if parts:
            candidate["content"] = {"role": "model", "parts": list(parts)}
        elif reply.content is not None:
            candidate["content"] = reply.content
        if last:
            candidate["finishReason"] = reply.finish_reason
            if reply.finish_message:
                candidate["finishMessage"] = reply.finish_message
            if asked.web_search:
                candidate["groundingMetadata"] = _grounding(asked)
        # Vertex AI leaves out an index of 0.
        body["candidates"] = [candidate if asked.vertex else {**candidate, "index": 0}]
    body["usageMetadata"] = _usage(asked, counted, blocked=bool(reply.block_reason))
    if asked.vertex:
        body["createTime"] = reply.created.isoformat().replace("+00:00", "Z")
    return {**body, "modelVersion": asked.model.name, "responseId": reply.response_id}


def _usage(asked: Asked, counted: Sequence[Part], *, blocked: bool) -> dict[str, Any]:
    """The tokens so far. The candidate's details list its pictures only, its sum counts the words as well."""
    model: Model = asked.model
    prompt_text = max(1, -(-asked.text_signs // _SIGNS_PER_TOKEN))
    prompt_details = [{"modality": "TEXT", "tokenCount": prompt_text}]
    if asked.inputs:
        prompt_details.append(
            {"modality": "IMAGE", "tokenCount": len(asked.inputs) * model.input_picture_tokens}
        )
    prompt = sum(int(str(detail["tokenCount"])) for detail in prompt_details)
    usage: dict[str, Any] = {"promptTokenCount": prompt}
    answers = [part for part in counted if not part.get("thought")]
    pictures = sum("inlineData" in part for part in answers) * model.output_tokens[asked.size]
    signs = sum(len(part.get("text", "")) for part in answers)
    candidates = pictures + -(-signs // _SIGNS_PER_TOKEN)
    thoughts = _THOUGHT_TOKENS if model.thinks and not blocked else 0
    if candidates:
        usage["candidatesTokenCount"] = candidates
    if thoughts:
        usage["thoughtsTokenCount"] = thoughts
    usage["totalTokenCount"] = prompt + candidates + thoughts
    usage["promptTokensDetails"] = prompt_details
    if pictures:
        usage["candidatesTokensDetails"] = [{"modality": "IMAGE", "tokenCount": pictures}]
    if asked.service_tier:
        usage["serviceTier"] = asked.service_tier
    if asked.vertex:
        usage["trafficType"] = "ON_DEMAND"
    return usage


def _grounding(asked: Asked) -> dict[str, Any]:
    query = _prompt(asked)[:80]
    chunks: list[dict[str, Any]] = [
        {
            "web": {
                "uri": "https://example.com/source",
                "title": "A source of the sandbox",
                "domain": "example.com",
            }
        }
    ]
    metadata: dict[str, Any] = {
        "webSearchQueries": [query],
        "searchEntryPoint": {"renderedContent": "<div>Search suggestions (sandbox)</div>"},
        "groundingChunks": chunks,
    }
    if asked.image_search:
        metadata["imageSearchQueries"] = [query]
        chunks.append(
            {
                "image": {
                    "sourceUri": "https://example.com/page",
                    "imageUri": "https://example.com/page/picture.jpg",
                    "title": "A found picture of the sandbox",
                    "domain": "example.com",
                }
            }
        )
    return metadata
