"""Composes what Imagen answers: the predictions of a request, each a picture or the reason of its absence.

It draws, so call it off the event loop.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api#response-body and
https://cloud.google.com/vertex-ai/generative-ai/docs/image/responsible-ai-imagen
"""

from __future__ import annotations

import base64
import io
import json
import struct
from typing import Any

from PIL import Image

from .drawing import Painting, paint
from .encoding import encode
from .faults import Wishes, without_wishes
from .imagen_request import Asked

_FILTERED = (
    "This picture was made but filtered out, as it may go against Google's Responsible AI practices. "
    "Word the prompt in another way. Support codes: 56562880 (sandbox)"
)
_SAFETY = {"categories": ["Death, Harm & Tragedy", "Derogatory", "Violent"], "scores": [0.1, 0.1, 0.2]}
_JPEG_COMMENT = b"\xff\xfe"
_JPEG_END = b"\xff\xd9"
_JPEG_COMMENT_BYTES = 65_533

Prediction = dict[str, Any]


def compose(asked: Asked, wishes: Wishes, filtered: int) -> dict[str, Any]:
    """The body of a reply; its last `filtered` pictures are filtered out. No prediction at all is `{}`."""
    if wishes.empty or wishes.finish_reason is not None:
        return {}
    count = wishes.pictures or asked.count
    hidden = count if wishes.refuse_picture else min(filtered, count)
    predictions = [_picture(asked, wishes, number, count) for number in range(1, count - hidden + 1)]
    if asked.tells_reasons:
        predictions += [{"raiFilteredReason": _FILTERED} for _ in range(hidden)]
    if not predictions:
        return {}
    if asked.tells_safety:
        predictions.append({"contentType": "Positive Prompt", "safetyAttributes": _SAFETY})
    return {"predictions": predictions}


def _picture(asked: Asked, wishes: Wishes, number: int, of: int) -> Prediction:
    data = _file(paint(_painting(asked, number, of)), asked, wishes.padding_bytes)
    text = base64.b64encode(data).decode("ascii")
    if wishes.bad_base64:
        text = text[:200] + "%%% this is no base64 %%%"
    prediction: Prediction = {"mimeType": asked.mime_type, "bytesBase64Encoded": text}
    if asked.rewrites:
        prediction["prompt"] = f"{_words(asked)}, in soft morning light, with a calm and balanced composition"
    if asked.tells_safety:
        prediction["safetyAttributes"] = _SAFETY
    return prediction


def _words(asked: Asked) -> str:
    return " ".join(without_wishes(asked.prompt).split()) or "(no words)"


def _painting(asked: Asked, number: int, of: int) -> Painting:
    seed = "none" if asked.seed is None else str(asked.seed)
    count = f" · {number} of {of}" if of > 1 else ""
    extent = f"{asked.width}x{asked.height}"
    return Painting(
        width=asked.width,
        height=asked.height,
        prompt=_words(asked),
        caption=f"{asked.model.name} · {asked.ratio} · {asked.size} · {extent} · seed {seed}{count}",
        seed_material=json.dumps([asked.model.name, _words(asked), asked.seed, number]),
        inputs=asked.inputs,
    )


def _file(picture: Image.Image, asked: Asked, padding_bytes: int) -> bytes:
    if asked.mime_type == "image/jpeg":
        return _jpeg(picture, asked.quality, padding_bytes)
    return encode(picture, mime_type=asked.mime_type, padding_bytes=padding_bytes)


def _jpeg(picture: Image.Image, quality: int, padding_bytes: int) -> bytes:
    """A JPEG of the wanted quality, padded with comments (ITU-T T.81 B.2.4): `encode` knows one quality."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    length = struct.pack(">H", _JPEG_COMMENT_BYTES + 2)
    comment = _JPEG_COMMENT + length + bytes(_JPEG_COMMENT_BYTES)
    comments = comment * -(-padding_bytes // _JPEG_COMMENT_BYTES)
    return file.getvalue().removesuffix(_JPEG_END) + comments + _JPEG_END
