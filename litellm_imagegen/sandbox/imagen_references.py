"""The pictures of an Imagen edit request: their bytes, their parts in the edit, their settings.

Strategy: a reference is one table of fields; which of the five settings may stand next to which kind of
reference is checked after it. Nothing is ever fetched, so an address in a bucket is refused.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api-edit and
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api-customization
"""

from __future__ import annotations

from typing import Any

from . import strict
from .imagen_values import as_written
from .input_pictures import InputPicture, read_picture
from .strict import Violation, Violations

RAW, MASK, SUBJECT = "REFERENCE_TYPE_RAW", "REFERENCE_TYPE_MASK", "REFERENCE_TYPE_SUBJECT"

_INT32 = 2**31 - 1
_MOST_BYTES = 10 * 1024 * 1024
# Pillow calls a JPEG that holds further pictures, as some cameras write them, by a name of its own.
_ACCEPTED_LABELS = {"png", "jpeg", "mpo"}
_SETTING_BY_TYPE = {
    MASK: "maskImageConfig",
    "REFERENCE_TYPE_CONTROL": "controlImageConfig",
    "REFERENCE_TYPE_STYLE": "styleImageConfig",
    SUBJECT: "subjectImageConfig",
}
_TYPES = (RAW, *_SETTING_BY_TYPE, "REFERENCE_TYPE_CONTENT")
# The model makes these masks itself.
_COMPUTED_MASKS = ("MASK_MODE_BACKGROUND", "MASK_MODE_FOREGROUND", "MASK_MODE_SEMANTIC")
_NO_BUCKET = "Cannot be read: the sandbox has no bucket. Hand the picture over in bytesBase64Encoded."


def _names(prefix: str, *endings: str) -> tuple[str, ...]:
    return tuple(f"{prefix}_{ending}" for ending in endings)


def _read_bytes(value: Any, path: str, violations: Violations) -> InputPicture:
    data = strict.base64_bytes(value, path, violations)
    if len(data) > _MOST_BYTES:
        violations.append(Violation(path, f"Is larger than {_MOST_BYTES} bytes, the most for one picture."))
    elif data:
        try:
            picture = read_picture(data)
        except ValueError as fault:
            violations.append(Violation(path, f"The input picture cannot be processed: {fault}."))
        else:
            if picture.label in _ACCEPTED_LABELS:
                return picture
            violations.append(Violation(path, f"Needs a PNG or a JPEG, got {picture.label}."))
    elif value == "":
        violations.append(Violation(path, "Is empty."))
    return InputPicture(label="unreadable")


_SOURCE_FIELDS = as_written(
    {
        "bytesBase64Encoded": _read_bytes,
        "gcsUri": strict.refused(_NO_BUCKET),
        "mimeType": strict.choice(("image/png", "image/jpeg")),
    }
)


def read_picture_source(value: Any, path: str, violations: Violations) -> InputPicture:
    """An `image` or `referenceImage`: PNG or JPEG, its bytes in base64, at most 10 MB."""
    source: dict[str, Any] = _SOURCE_FIELDS(value, path, violations)
    if isinstance(value, dict) and not source.keys() & {"bytesBase64Encoded", "gcsUri"}:
        violations.append(Violation(path, "Needs bytesBase64Encoded or gcsUri; it has neither."))
    picture: InputPicture = source.get("bytesBase64Encoded", InputPicture(label="unreadable"))
    return picture


_REFERENCE_FIELDS = as_written(
    {
        "referenceType": strict.choice(_TYPES),
        "referenceId": strict.integer(0, _INT32),
        "referenceImage": read_picture_source,
        "maskImageConfig": as_written(
            {
                "maskMode": strict.choice(
                    (*_names("MASK_MODE", "DEFAULT", "USER_PROVIDED"), *_COMPUTED_MASKS)
                ),
                "maskClasses": strict.repeated(strict.integer(0, _INT32), at_most=5),
                "dilation": strict.number(0, 1),
            }
        ),
        "controlImageConfig": as_written(
            {
                "controlType": strict.choice(
                    _names("CONTROL_TYPE", "DEFAULT", "CANNY", "SCRIBBLE", "FACE_MESH")
                ),
                "enableControlImageComputation": strict.boolean,
            }
        ),
        "styleImageConfig": as_written({"styleDescription": strict.text}),
        "subjectImageConfig": as_written(
            {
                "subjectType": strict.choice(
                    _names("SUBJECT_TYPE", "DEFAULT", "PERSON", "ANIMAL", "PRODUCT")
                ),
                "subjectDescription": strict.text,
            }
        ),
    },
    required=("referenceType", "referenceId"),
)


def read_reference(value: Any, path: str, violations: Violations) -> dict[str, Any]:
    """One entry of referenceImages; `referenceImage` is read to an InputPicture."""
    count_before = len(violations)
    reference: dict[str, Any] = _REFERENCE_FIELDS(value, path, violations)
    if len(violations) == count_before:
        _check_settings(reference, path, violations)
    return reference


def _check_settings(reference: dict[str, Any], path: str, violations: Violations) -> None:
    kind = reference["referenceType"]
    for owner, setting in _SETTING_BY_TYPE.items():
        if setting in reference and kind != owner:
            field = f"{path}.{strict.snake_case(setting)}"
            violations.append(Violation(field, f"Belongs to {owner}; this reference is {kind}."))
    mask_mode = reference.get("maskImageConfig", {}).get("maskMode")
    if "referenceImage" not in reference and not (kind == MASK and mask_mode in _COMPUTED_MASKS):
        violations.append(Violation(f"{path}.reference_image", "Is not given."))
