"""The fields of a Gemini request, as readers: what each takes, on which model, and what is refused.

Strategy: one table of readers per model and API, built once, so that a size or a ratio which another model
takes, or a field which Vertex AI alone has, is refused by the same table that names the field.

Source: https://ai.google.dev/api/generate-content,
https://ai.google.dev/gemini-api/docs/image-generation and
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
"""

from __future__ import annotations

import functools
from typing import Any

from . import strict
from .gemini_models import Model
from .input_pictures import ACCEPTED_MIME_TYPES, InputPicture, read_picture
from .strict import Reader, Violation, Violations

_INT32 = 2**31 - 1
_DATA_FIELDS = (
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
)
_HARM_CATEGORIES = tuple(
    f"HARM_CATEGORY_{name}"
    for name in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY")
)
_THRESHOLDS = ("BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF")
_MEDIA_RESOLUTIONS = ("MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH")
_NOT_ON_THIS_API = "This parameter is not supported in the Gemini API."
_NOT_ON_THIS_MODEL = "This is not supported for this model."

_FIRST_MIME_TYPES = ("image/png", "image/jpeg", "image/webp")
_VERTEX_HARM_CATEGORIES = (
    *(
        f"HARM_CATEGORY_IMAGE_{name}"
        for name in ("HATE", "DANGEROUS_CONTENT", "HARASSMENT", "SEXUALLY_EXPLICIT")
    ),
    "HARM_CATEGORY_JAILBREAK",
)
_VERTEX_FIELDS: dict[str, Reader] = {
    "labels": strict.any_object,
    "modelArmorConfig": strict.message(
        {"promptTemplateName": strict.text, "responseTemplateName": strict.text}
    ),
}
_VERTEX_PICTURE_FIELDS: dict[str, Reader] = {
    "personGeneration": strict.choice(("ALLOW_ALL", "ALLOW_ADULT", "ALLOW_NONE")),
    "prominentPeople": strict.choice(("ALLOW_PROMINENT_PEOPLE", "BLOCK_PROMINENT_PEOPLE")),
    "imageOutputOptions": strict.message(
        {
            "mimeType": strict.choice(("image/png", "image/jpeg")),
            "compressionQuality": strict.integer(0, 100),
        }
    ),
}


@functools.lru_cache(maxsize=64)
def request_reader(model: Model, *, vertex: bool = False) -> Reader:
    """The reader of a whole request body for this model; inlineData.data is read to an InputPicture."""
    content = strict.message(
        {
            "role": strict.choice(("user", "model")),
            "parts": strict.repeated(_part_reader(vertex, _mime_types(model, vertex=vertex))),
        },
        required=("role",) if vertex else (),
    )
    instruction = strict.message(
        {"role": strict.text, "parts": strict.repeated(strict.message({"text": strict.text}))}
    )
    return strict.message(
        {
            "contents": strict.repeated(content),
            "systemInstruction": instruction,
            "tools": strict.repeated(_tool_reader(model)),
            "toolConfig": strict.message(
                {
                    "functionCallingConfig": strict.refused(_NOT_ON_THIS_MODEL),
                    "retrievalConfig": strict.any_object,
                }
            ),
            "safetySettings": strict.repeated(_safety_reader(vertex)),
            "generationConfig": _generation_config_reader(model, vertex),
            "cachedContent": strict.text,
            "serviceTier": strict.choice(("flex", "standard", "priority"), any_case=True),
            "store": strict.boolean,
        }
        | (_VERTEX_FIELDS if vertex else {})
    )


def _mime_types(model: Model, *, vertex: bool) -> tuple[str, ...]:
    """On Vertex AI the oldest model takes fewer kinds of pictures."""
    return ACCEPTED_MIME_TYPES if model.takes_image_size or not vertex else _FIRST_MIME_TYPES


def _safety_reader(vertex: bool) -> Reader:
    categories = (*_HARM_CATEGORIES, *_VERTEX_HARM_CATEGORIES) if vertex else _HARM_CATEGORIES
    fields: dict[str, Reader] = {
        "category": strict.choice(categories),
        "threshold": strict.choice(_THRESHOLDS),
    }
    if vertex:
        fields["method"] = strict.choice(("SEVERITY", "PROBABILITY"))
    return strict.message(fields, required=("category", "threshold"))


def _generation_config_reader(model: Model, vertex: bool) -> Reader:
    unsupported = strict.refused(_NOT_ON_THIS_MODEL)
    return strict.message(
        {
            "responseModalities": strict.repeated(
                strict.choice(("TEXT", "IMAGE"), any_case=True), at_least=1
            ),
            "imageConfig": _picture_config_reader(model, vertex),
            "thinkingConfig": _thinking_reader(model),
            "temperature": strict.number(0, 2),
            "topP": strict.number(0, 1),
            "topK": strict.integer(1, _INT32),
            "seed": strict.integer(-_INT32 - 1, _INT32),
            "maxOutputTokens": strict.integer(1, model.output_token_limit),
            "stopSequences": strict.repeated(strict.text, at_most=5),
            "candidateCount": strict.integer(1, 1),
            "mediaResolution": strict.choice(_MEDIA_RESOLUTIONS),
            "responseMimeType": strict.choice(("text/plain",)),
            "responseFormat": strict.refused(_NOT_ON_THIS_API),
            "responseSchema": unsupported,
            "responseJsonSchema": unsupported,
            "presencePenalty": unsupported,
            "frequencyPenalty": unsupported,
            "responseLogprobs": unsupported,
            "logprobs": unsupported,
            "speechConfig": unsupported,
        }
    )


def _picture_config_reader(model: Model, vertex: bool) -> Reader:
    size = (
        strict.choice(tuple(model.output_tokens))
        if model.takes_image_size
        else strict.refused(_NOT_ON_THIS_MODEL)
    )
    of_vertex = dict.fromkeys(_VERTEX_PICTURE_FIELDS, strict.refused(_NOT_ON_THIS_API))
    return strict.message(
        {
            "aspectRatio": strict.choice(model.ratios),
            "imageSize": size,
            # The names that SDKs give to what stands in imageOutputOptions.
            "outputMimeType": strict.refused(_NOT_ON_THIS_API),
            "outputCompressionQuality": strict.refused(_NOT_ON_THIS_API),
            **(_VERTEX_PICTURE_FIELDS if vertex else of_vertex),
        }
    )


def _thinking_reader(model: Model) -> Reader:
    if not model.thinks:
        return strict.refused("Thinking is not enabled for this model.")
    return strict.message(
        {
            "thinkingLevel": strict.choice(model.thinking_levels, any_case=True),
            "includeThoughts": strict.boolean,
            "thinkingBudget": strict.refused(_NOT_ON_THIS_MODEL),
        }
    )


def _tool_reader(model: Model) -> Reader:
    search_fields: dict[str, Reader] = {"timeRangeFilter": strict.any_object}
    kinds = strict.message({"webSearch": strict.any_object, "imageSearch": strict.any_object})
    search_fields["searchTypes"] = kinds if model.search_types else strict.refused(_NOT_ON_THIS_MODEL)
    search = strict.message(search_fields) if model.search else strict.refused(_NOT_ON_THIS_MODEL)
    known = (
        "functionDeclarations",
        "googleSearchRetrieval",
        "codeExecution",
        "urlContext",
        "googleMaps",
        "fileSearch",
    )
    return strict.message(
        {"googleSearch": search} | {name: strict.refused(_NOT_ON_THIS_MODEL) for name in known}
    )


def _read_inline_picture(value: Any, path: str, violations: Violations) -> InputPicture:
    data = strict.base64_bytes(value, path, violations)
    if data:
        try:
            return read_picture(data)
        except ValueError as fault:
            violations.append(Violation(path, f"The input picture cannot be processed: {fault}."))
    elif value == "":
        violations.append(Violation(path, "Is empty."))
    return InputPicture(label="unreadable")


def _file_address(starts: tuple[str, ...]) -> Reader:
    def read(value: Any, path: str, violations: Violations) -> str:
        address = strict.text(value, path, violations)
        if not any(address.startswith(start) and len(address) > len(start) for start in starts):
            violations.append(Violation(path, f"Needs an address that starts with {' or '.join(starts)}."))
        return address

    return read


def _part_reader(vertex: bool, mime_types: tuple[str, ...]) -> Reader:
    """A part of a content: exactly one data field, and what may stand beside it."""
    inline = strict.message(
        {"mimeType": strict.choice(mime_types), "data": _read_inline_picture}, required=("mimeType", "data")
    )
    addresses = ("https://", "gs://") if vertex else ("https://",)
    file = strict.message(
        {"mimeType": strict.choice(mime_types), "fileUri": _file_address(addresses)}, required=("fileUri",)
    )
    fields = strict.message(
        {
            "text": strict.text,
            "inlineData": inline,
            "fileData": file,
            "thought": strict.boolean,
            "thoughtSignature": strict.opaque_base64,
            "videoMetadata": strict.any_object,
            "mediaResolution": strict.message({"level": strict.choice(_MEDIA_RESOLUTIONS)}),
        }
        | {name: strict.refused(_NOT_ON_THIS_MODEL) for name in _DATA_FIELDS[3:]}
    )

    def read(value: Any, path: str, violations: Violations) -> dict[str, Any]:
        part: dict[str, Any] = fields(value, path, violations)
        given = [name for name in _DATA_FIELDS if name in part]
        if isinstance(value, dict) and len(given) != 1:
            found = " and ".join(given) or "none"
            violations.append(Violation(path, f"A part needs exactly one data field; it has {found}."))
        return part

    return read
