"""The fields of a Gemini request, as readers: what each takes, on which model, and what is refused.

Strategy: one table of readers per model, built once, so that a size or a ratio which another model takes
is refused by the same table that names the field.

Source: https://ai.google.dev/api/generate-content and
https://ai.google.dev/gemini-api/docs/image-generation
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


@functools.lru_cache(maxsize=32)
def request_reader(model: Model) -> Reader:
    """The reader of a whole request body for this model; inlineData.data is read to an InputPicture."""
    content = strict.message({"role": strict.choice(("user", "model")), "parts": strict.repeated(_read_part)})
    instruction = strict.message(
        {"role": strict.text, "parts": strict.repeated(strict.message({"text": strict.text}))}
    )
    setting = strict.message(
        {"category": strict.choice(_HARM_CATEGORIES), "threshold": strict.choice(_THRESHOLDS)},
        required=("category", "threshold"),
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
            "safetySettings": strict.repeated(setting),
            "generationConfig": _generation_config_reader(model),
            "cachedContent": strict.text,
            "serviceTier": strict.choice(("flex", "standard", "priority"), any_case=True),
            "store": strict.boolean,
        }
    )


def _generation_config_reader(model: Model) -> Reader:
    unsupported = strict.refused(_NOT_ON_THIS_MODEL)
    return strict.message(
        {
            "responseModalities": strict.repeated(
                strict.choice(("TEXT", "IMAGE"), any_case=True), at_least=1
            ),
            "imageConfig": _picture_config_reader(model),
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


def _picture_config_reader(model: Model) -> Reader:
    size = (
        strict.choice(tuple(model.output_tokens))
        if model.takes_image_size
        else strict.refused(_NOT_ON_THIS_MODEL)
    )
    not_here = strict.refused(_NOT_ON_THIS_API)
    return strict.message(
        {
            "aspectRatio": strict.choice(model.ratios),
            "imageSize": size,
            "personGeneration": not_here,
            "prominentPeople": not_here,
            "outputMimeType": not_here,
            "outputCompressionQuality": not_here,
            "imageOutputOptions": not_here,
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


def _read_file_address(value: Any, path: str, violations: Violations) -> str:
    address = strict.text(value, path, violations)
    if not address.startswith("https://") or len(address) < len("https://x"):
        violations.append(Violation(path, "Needs an address that starts with https://."))
    return address


_INLINE_DATA = strict.message(
    {"mimeType": strict.choice(ACCEPTED_MIME_TYPES), "data": _read_inline_picture},
    required=("mimeType", "data"),
)
_FILE_DATA = strict.message(
    {"mimeType": strict.choice(ACCEPTED_MIME_TYPES), "fileUri": _read_file_address}, required=("fileUri",)
)
_PART_FIELDS = strict.message(
    {
        "text": strict.text,
        "inlineData": _INLINE_DATA,
        "fileData": _FILE_DATA,
        "thought": strict.boolean,
        "thoughtSignature": strict.opaque_base64,
        "videoMetadata": strict.any_object,
        "mediaResolution": strict.message({"level": strict.choice(_MEDIA_RESOLUTIONS)}),
    }
    | {name: strict.refused(_NOT_ON_THIS_MODEL) for name in _DATA_FIELDS[3:]}
)


def _read_part(value: Any, path: str, violations: Violations) -> dict[str, Any]:
    part: dict[str, Any] = _PART_FIELDS(value, path, violations)
    given = [name for name in _DATA_FIELDS if name in part]
    if isinstance(value, dict) and len(given) != 1:
        found = " and ".join(given) or "none"
        violations.append(Violation(path, f"A part needs exactly one data field; it has {found}."))
    return part
