"""What each Imagen model took and gave, as data.

Strategy: one row per model; everything that differs between models is a field here, so that the reader
of requests and the writer of replies hold no model names. The tables belong to the sandbox alone and
are written down a second time on purpose: an error in the package's own tables shows up as a refusal.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api and
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api-edit
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Api = Literal["gemini", "vertex"]
Pixels = tuple[int, int]

_PIXELS_1K: dict[str, Pixels] = {
    "1:1": (1024, 1024),
    "3:4": (896, 1280),
    "4:3": (1280, 896),
    "9:16": (768, 1408),
    "16:9": (1408, 768),
}
RATIOS = tuple(_PIXELS_1K)

_FACTOR_BY_SIZE = {"1K": 1, "2K": 2}
_ALL_SIZES = tuple(_FACTOR_BY_SIZE)


def pixels(ratio: str, size: str) -> Pixels:
    """Width and height in pixels of a picture of this ratio ("16:9") and size ("1K")."""
    width, height = _PIXELS_1K[ratio]
    factor = _FACTOR_BY_SIZE[size]
    return width * factor, height * factor


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model. `default_count` is the number of pictures when the request names none.

    `edits`: takes reference pictures, a mode and a configuration of editing. `rewrites`: its prompts are
    rewritten unless the request says otherwise.
    """

    name: str
    apis: tuple[Api, ...] = ("gemini", "vertex")
    sizes: tuple[str, ...] = _ALL_SIZES
    default_count: int = 4
    takes_negative_prompt: bool = False
    edits: bool = False
    rewrites: bool = False


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(name="imagen-4.0-generate-001", rewrites=True),
        Model(name="imagen-4.0-fast-generate-001", sizes=("1K",), rewrites=True),
        Model(name="imagen-4.0-ultra-generate-001", default_count=1, rewrites=True),
        Model(name="imagen-3.0-generate-002"),
        Model(name="imagen-3.0-generate-001", takes_negative_prompt=True),
        Model(name="imagen-3.0-fast-generate-001", sizes=("1K",), takes_negative_prompt=True),
        Model(name="imagen-3.0-capability-001", apis=("vertex",), takes_negative_prompt=True, edits=True),
    )
}
