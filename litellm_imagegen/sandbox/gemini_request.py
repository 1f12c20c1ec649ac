"""Reads a Gemini generateContent request as strictly as Google does and says what it asks for.

Strategy: the table of fields goes first and finds every wrong field in one pass; what needs two fields at
once (roles, number of pictures) is checked after it. Nothing is ever fetched.

Source: https://ai.google.dev/api/generate-content and
https://ai.google.dev/gemini-api/docs/image-generation
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import strict
from .gemini_errors import bad_request, cached_content_not_found, invalid_argument
from .gemini_fields import request_reader
from .gemini_models import Model, nearest_ratio
from .input_pictures import InputPicture
from .strict import Violation, Violations

_VERTEX_MIME_TYPE = "image/png"
_VERTEX_QUALITY = 75


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request asks for.

    Width and height in pixels; `text_signs` counts the signs of all texts; `quality` is that of a JPEG, 0 to
    100, the model's own when None.
    """

    model: Model
    prompt_texts: tuple[str, ...]
    width: int
    height: int
    ratio: str
    size: str
    seed: int | None
    wants_text: bool
    wants_pictures: bool
    include_thoughts: bool
    inputs: tuple[InputPicture, ...]
    text_signs: int
    web_search: bool
    image_search: bool
    service_tier: str | None
    mime_type: str
    quality: int | None
    vertex: bool


def read_request(body: bytes, model: Model, *, vertex: bool = False) -> Asked:
    """Read a request body for this model. Raises GeminiError with every fault of the request."""
    try:
        value = strict.decode_json(body)
    except ValueError as fault:
        raise bad_request(f"The body cannot be parsed as JSON: {str(fault)[:200]}") from None
    violations: Violations = []
    request = request_reader(model, vertex=vertex)(value, "", violations)
    if not violations:
        _check_contents(request, model, violations)
    if violations:
        raise invalid_argument(violations)
    if "cachedContent" in request:
        raise cached_content_not_found()
    return _asked(request, model, vertex)


def _asked(request: dict[str, Any], model: Model, vertex: bool) -> Asked:
    contents: list[dict[str, Any]] = request["contents"]
    parts = [part for content in contents for part in content["parts"]]
    instruction = request.get("systemInstruction", {}).get("parts", [])
    last_user = next(content for content in reversed(contents) if content.get("role", "user") == "user")
    config: dict[str, Any] = request.get("generationConfig", {})
    picture_config: dict[str, Any] = config.get("imageConfig", {})
    inputs = tuple(picture for part in parts for picture in _pictures_of(part))
    ratio = picture_config.get("aspectRatio") or _ratio_of_last(inputs, model)
    size = picture_config.get("imageSize", model.default_size)
    width, height = model.pixels(ratio, size)
    modalities = config.get("responseModalities", ["TEXT", "IMAGE"])
    output: dict[str, Any] = picture_config.get("imageOutputOptions", {})
    searches = [tool["googleSearch"] for tool in request.get("tools", []) if "googleSearch" in tool]
    return Asked(
        model=model,
        prompt_texts=tuple(part["text"] for part in last_user["parts"] if "text" in part),
        width=width,
        height=height,
        ratio=ratio,
        size=size,
        seed=config.get("seed"),
        wants_text="TEXT" in modalities,
        wants_pictures="IMAGE" in modalities,
        include_thoughts=bool(config.get("thinkingConfig", {}).get("includeThoughts")),
        inputs=inputs,
        text_signs=sum(len(part.get("text", "")) for part in [*parts, *instruction]),
        web_search=bool(searches),
        image_search=any("imageSearch" in search.get("searchTypes", {}) for search in searches),
        service_tier=request.get("serviceTier"),
        mime_type=output.get("mimeType", _VERTEX_MIME_TYPE if vertex else model.mime_type),
        quality=output.get("compressionQuality", _VERTEX_QUALITY if vertex else None),
        vertex=vertex,
    )


def _pictures_of(part: dict[str, Any]) -> list[InputPicture]:
    """The picture of a part, if it has one; pictures in thoughts are drafts and no inputs."""
    if part.get("thought"):
        return []
    if "inlineData" in part:
        return [part["inlineData"]["data"]]
    return [InputPicture(label="address not fetched")] if "fileData" in part else []


def _ratio_of_last(inputs: tuple[InputPicture, ...], model: Model) -> str:
    measured = [picture for picture in inputs if picture.width and picture.height]
    return nearest_ratio(model, measured[-1].width, measured[-1].height) if measured else "1:1"


def _check_contents(request: dict[str, Any], model: Model, violations: Violations) -> None:
    contents = request.get("contents")
    if not contents:
        violations.append(Violation("contents", "Is not given; a request needs at least one content."))
        return
    user_parts = [
        part
        for content in contents
        if content.get("role", "user") == "user"
        for part in content.get("parts", [])
    ]
    for index, content in enumerate(contents):
        if not content.get("parts"):
            violations.append(Violation(f"contents[{index}].parts", "Must hold at least one part."))
    if contents[-1].get("role", "user") != "user":
        violations.append(Violation("contents", "The last content must be of the role user."))
    elif not any(
        part.get("text", "").strip() or _pictures_of(part) for part in contents[-1].get("parts", [])
    ):
        violations.append(Violation("contents", "The last content has neither words nor a picture."))
    count = sum(len(_pictures_of(part)) for part in user_parts)
    if count > model.reference_limit:
        violations.append(
            Violation(
                "contents", f"Holds {count} pictures; this model takes at most {model.reference_limit}."
            )
        )
    categories = [setting.get("category") for setting in request.get("safetySettings", [])]
    if len(set(categories)) < len(categories):
        violations.append(Violation("safety_settings", "Holds more than one setting for a category."))
    if categories and "modelArmorConfig" in request:
        violations.append(Violation("model_armor_config", "Cannot be given together with safety_settings."))
