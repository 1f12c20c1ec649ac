"""Reads an Imagen predict request as strictly as Google does and says what it asks for.

Strategy: the table of fields goes first and finds every wrong field in one pass; what needs two fields at
once (a seed and the watermark, a mode of editing and its pictures) is checked after it.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api and
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api-edit
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import strict
from .faults import without_wishes
from .gemini_errors import bad_request, invalid_argument
from .imagen_fields import request_reader
from .imagen_models import Api, Model, pixels
from .imagen_references import MASK, RAW, SUBJECT
from .input_pictures import InputPicture
from .strict import Violation, Violations

_MOST_PROMPT_TOKENS = 480
_MOST_SUBJECTS = 4
_DEFAULT_QUALITY = 75
_PROMPT = "instances[0].prompt"
_REFERENCES = "instances[0].reference_images"
_SEED = "parameters.seed"
_REMOVAL = "EDIT_MODE_INPAINT_REMOVAL"
_MASKED_MODES = ("EDIT_MODE_INPAINT_INSERTION", _REMOVAL, "EDIT_MODE_OUTPAINT")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request asks for. Width and height in pixels; `quality` is that of a JPEG, 0 to 100."""

    model: Model
    prompt: str
    count: int
    width: int
    height: int
    ratio: str
    size: str
    seed: int | None
    mime_type: str
    quality: int
    rewrites: bool
    tells_reasons: bool
    tells_safety: bool
    inputs: tuple[InputPicture, ...]


def read_document(body: bytes) -> Any:
    """The JSON value of a request body. Raises GeminiError when it is no JSON."""
    try:
        return strict.decode_json(body)
    except ValueError as fault:
        raise bad_request(f"The body cannot be parsed as JSON: {str(fault)[:200]}") from None


def prompts(document: Any) -> list[str]:
    """All prompts of a request that may have any shape."""
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list):
        return []
    found = [instance.get("prompt") for instance in instances if isinstance(instance, dict)]
    return [prompt for prompt in found if isinstance(prompt, str)]


def read_request(document: Any, model: Model, api: Api) -> Asked:
    """Read a request for this model on this API. Raises GeminiError with every fault of the request."""
    violations: Violations = []
    request = request_reader(model, api)(document, "", violations)
    if not violations and "instances" not in request:
        violations.append(Violation("instances", "Is not given; a request needs exactly one instance."))
    if not violations:
        instance, parameters = request["instances"][0], request.get("parameters", {})
        _check_prompt(instance, parameters, violations)
        _check_seed(parameters, violations)
        _check_references(instance, parameters, violations)
    if violations:
        raise invalid_argument(violations)
    return _asked(instance, parameters, model, api)


def _asked(instance: dict[str, Any], parameters: dict[str, Any], model: Model, api: Api) -> Asked:
    ratio, size = parameters.get("aspectRatio", "1:1"), parameters.get("sampleImageSize", "1K")
    width, height = pixels(ratio, size)
    seed: int | None = parameters.get("seed")
    output: dict[str, Any] = parameters.get("outputOptions", {})
    return Asked(
        model=model,
        prompt=instance.get("prompt", ""),
        count=parameters.get("sampleCount", model.default_count),
        width=width,
        height=height,
        ratio=ratio,
        size=size,
        seed=seed,
        mime_type=output.get("mimeType", "image/png"),
        quality=output.get("compressionQuality", _DEFAULT_QUALITY),
        # A rewritten prompt would make a seed worthless, so with a seed the default is not to rewrite.
        rewrites=parameters.get("enhancePrompt", model.rewrites and api == "vertex" and seed is None),
        tells_reasons=parameters.get("includeRaiReason", False),
        tells_safety=parameters.get("includeSafetyAttributes", False),
        inputs=_inputs(instance),
    )


def _inputs(instance: dict[str, Any]) -> tuple[InputPicture, ...]:
    own = [instance["image"]] if "image" in instance else []
    references = instance.get("referenceImages", [])
    return (*own, *(entry["referenceImage"] for entry in references if "referenceImage" in entry))


def _check_prompt(instance: dict[str, Any], parameters: dict[str, Any], violations: Violations) -> None:
    prompt = instance.get("prompt", "")
    if not prompt.strip() and parameters.get("editMode") != _REMOVAL:
        violations.append(Violation(_PROMPT, "Is not given, or has no words."))
    # The sandbox has no tokenizer; every word is one token at the least.
    words = len(without_wishes(prompt).split())
    if words > _MOST_PROMPT_TOKENS:
        violations.append(
            Violation(_PROMPT, f"Holds {words} words; a prompt takes at most {_MOST_PROMPT_TOKENS} tokens.")
        )


def _check_seed(parameters: dict[str, Any], violations: Violations) -> None:
    if "seed" not in parameters:
        return
    if parameters.get("addWatermark", True):
        violations.append(Violation(_SEED, "Is not supported with a watermark; set addWatermark to false."))
    if parameters.get("enhancePrompt"):
        violations.append(Violation(_SEED, "Is not supported with enhancePrompt; set that to false."))


def _check_references(instance: dict[str, Any], parameters: dict[str, Any], violations: Violations) -> None:
    references: list[dict[str, Any]] = instance.get("referenceImages", [])
    kinds = {entry["referenceType"] for entry in references}
    mode = parameters.get("editMode")
    for kind in (RAW, MASK) if mode in _MASKED_MODES else ():
        if kind not in kinds:
            violations.append(Violation(_REFERENCES, f"Holds no {kind}, which {mode} needs."))
    subjects = {entry["referenceId"] for entry in references if entry["referenceType"] == SUBJECT}
    if len(subjects) > _MOST_SUBJECTS:
        violations.append(
            Violation(_REFERENCES, f"Shows {len(subjects)} subjects; it takes at most {_MOST_SUBJECTS}.")
        )
