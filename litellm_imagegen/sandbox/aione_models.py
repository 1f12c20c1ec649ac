"""The image models of AIone, as data: each is one of Google's under a name of its own.

The preview names live on here after Google has shut them down; two of them fix the size of the picture.

Source: https://1jxizqf5ai.apifox.cn, "14 - Gemini Image Generation"
"""

from __future__ import annotations

from dataclasses import replace

from . import gemini_models
from .gemini_models import Model


def _named(name: str, like: str, *, size: str | None = None) -> Model:
    """Google's model `like` under this name, on wish with one size only."""
    model = gemini_models.MODELS[like]
    tokens = model.output_tokens if size is None else {size: model.output_tokens[size]}
    return replace(model, name=name, output_tokens=tokens)


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        _named("gemini-3-pro-image-preview", "gemini-3-pro-image"),
        _named("gemini-3-pro-image-preview-2k", "gemini-3-pro-image", size="2K"),
        _named("gemini-3-pro-image-preview-4k", "gemini-3-pro-image", size="4K"),
        _named("gemini-2.5-flash-image", "gemini-2.5-flash-image"),
        _named("gemini-3.1-flash-image-preview", "gemini-3.1-flash-image"),
    )
}
