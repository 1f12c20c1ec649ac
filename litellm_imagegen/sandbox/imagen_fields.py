"""The fields of an Imagen request, as readers: what each takes, on which API and model, what is refused.

Strategy: one table of readers per model and API, built once, so that what the model or the API does not
take is refused by the same table that names the field.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api
"""

from __future__ import annotations

import functools
from typing import Any

from . import strict
from .imagen_models import RATIOS, Api, Model
from .imagen_references import read_picture_source, read_reference
from .imagen_values import as_written
from .strict import Reader, Violations

_LARGEST_SEED = 2**31 - 1
_MOST_PICTURES = 4
_LARGEST_GUIDANCE = 500

_LANGUAGES = ("auto", "en", "ja", "ko", "hi", "zh", "zh-CN", "zh-TW", "pt", "es")
_PERSONS = ("dont_allow", "allow_adult", "allow_all")
_SAFETY_SETTINGS = ("block_low_and_above", "block_medium_and_above", "block_only_high", "block_none")
_OLD_SAFETY_LEVELS = ("block_most", "block_some", "block_few", "block_fewest")
_EDIT_MODES = tuple(
    f"EDIT_MODE_{name}"
    for name in (
        "DEFAULT",
        "INPAINT_INSERTION",
        "INPAINT_REMOVAL",
        "OUTPAINT",
        "CONTROLLED_EDITING",
        "STYLE",
        "BGSWAP",
        "PRODUCT_IMAGE",
    )
)
_VERTEX_ONLY = ("seed", "negativePrompt", "addWatermark", "enhancePrompt", "safetyFilterLevel", "storageUri")

_NOT_ON_THIS_API = "This parameter is not supported in the Gemini API."
_NOT_ON_THIS_MODEL = "This is not supported for this model."
_NO_BUCKET = "Cannot be written to: the sandbox has no bucket. Leave it out; pictures then come in the reply."
_NO_UPSCALING = "Upscaling is not supported for this model, nor simulated by the sandbox."


@functools.lru_cache(maxsize=32)
def request_reader(model: Model, api: Api) -> Reader:
    """The reader of a whole request body for this model on this API; pictures are read to InputPictures."""
    not_edited = strict.refused(_NOT_ON_THIS_MODEL)
    instance = as_written(
        {
            "prompt": strict.text,
            "image": read_picture_source if model.edits else not_edited,
            "referenceImages": strict.repeated(read_reference) if model.edits else not_edited,
        }
    )
    return strict.message(
        {
            "instances": strict.repeated(instance, at_least=1, at_most=1),
            "parameters": as_written(_parameters(model, api)),
            "labels": _read_labels if api == "vertex" else strict.refused(_NOT_ON_THIS_API),
        }
    )


def _parameters(model: Model, api: Api) -> dict[str, Reader]:
    fields: dict[str, Reader] = {
        "sampleCount": strict.integer(1, _MOST_PICTURES),
        "aspectRatio": strict.choice(RATIOS),
        "sampleImageSize": strict.choice(model.sizes),
        "seed": strict.integer(1, _LARGEST_SEED),
        "negativePrompt": strict.text if model.takes_negative_prompt else strict.refused(_NOT_ON_THIS_MODEL),
        "guidanceScale": strict.number(0, _LARGEST_GUIDANCE),
        "personGeneration": strict.choice(_PERSONS, any_case=True),
        "safetySetting": strict.choice(_SAFETY_SETTINGS, any_case=True),
        "safetyFilterLevel": strict.choice(_OLD_SAFETY_LEVELS, any_case=True),
        "addWatermark": strict.boolean,
        "enhancePrompt": strict.boolean,
        "language": strict.choice(_LANGUAGES),
        "outputOptions": as_written(
            {
                "mimeType": strict.choice(("image/png", "image/jpeg")),
                "compressionQuality": strict.integer(0, 100),
            }
        ),
        "storageUri": strict.refused(_NO_BUCKET),
        "includeRaiReason": strict.boolean,
        "includeSafetyAttributes": strict.boolean,
        "mode": strict.refused(_NO_UPSCALING),
        "upscaleConfig": strict.refused(_NO_UPSCALING),
    }
    return fields | _edit_parameters(model) | (_narrowed_for_gemini() if api == "gemini" else {})


def _edit_parameters(model: Model) -> dict[str, Reader]:
    if not model.edits:
        return dict.fromkeys(("editMode", "editConfig"), strict.refused(_NOT_ON_THIS_MODEL))
    return {
        "editMode": strict.choice(_EDIT_MODES),
        "editConfig": as_written({"baseSteps": strict.integer(35, 75)}),
    }


def _narrowed_for_gemini() -> dict[str, Reader]:
    """What the Gemini API takes less of, or not at all."""
    refused = dict.fromkeys(_VERTEX_ONLY, strict.refused(_NOT_ON_THIS_API))
    return refused | {
        "safetySetting": strict.choice(("block_low_and_above",), any_case=True),
        "language": strict.choice(("auto", "en")),
    }


def _read_labels(value: Any, path: str, violations: Violations) -> dict[str, str]:
    labels = strict.any_object(value, path, violations)
    return {name: strict.text(label, f"{path}.{name}", violations) for name, label in labels.items()}
