"""What each OpenAI image model takes and gives, as data.

Strategy: one row per live model; everything that differs between models is a field here, so that the
reader of requests and the writer of replies hold no model names. These tables belong to the sandbox
alone: they are written down a second time on purpose, so that an error in the package's own tables shows
up as a refusal.

Source: https://platform.openai.com/docs/api-reference/images and
https://platform.openai.com/docs/models
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import openai_tokens
from .openai_sizes import Pixels

_QUALITIES = ("low", "medium", "high")
_MORE_QUALITIES = (*_QUALITIES, "xhigh", "max")
_FORMATS = ("png", "jpeg", "webp")
_DEFAULT_ON_AZURE = "gpt-image-2"


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """One live model.

    `output_tokens` maps a quality to a table of tokens by size. A model without `free_size` draws three
    sizes only. `takes_authoring` is for what came last: complexity, frames of a GIF, settings of an SVG.
    """

    name: str
    created: int
    snapshots: tuple[str, ...] = ()
    free_size: bool
    qualities: tuple[str, ...] = _QUALITIES
    default_quality: str = "medium"
    transparent: bool = True
    output_formats: tuple[str, ...] = _FORMATS
    takes_input_fidelity: bool = False
    always_high_fidelity: bool = True
    takes_markup: bool = False
    takes_authoring: bool = False
    output_tokens: Mapping[str, Mapping[Pixels, int]]


def _first_generation(
    name: str, created: int, *, snapshots: tuple[str, ...] = (), fidelity: bool = True
) -> Model:
    return Model(
        name=name,
        created=created,
        snapshots=snapshots,
        free_size=False,
        default_quality="high",
        takes_input_fidelity=fidelity,
        always_high_fidelity=not fidelity,
        output_tokens=openai_tokens.FIRST_GENERATION,
    )


def _generation_2_5(name: str, created: int) -> Model:
    return Model(
        name=name,
        created=created,
        snapshots=(f"{name}-2026-09-08",),
        free_size=True,
        qualities=_MORE_QUALITIES,
        takes_markup=True,
        output_tokens=openai_tokens.GENERATION_2_5,
    )


def _generation_2_6(name: str, created: int) -> Model:
    return Model(
        name=name,
        created=created,
        free_size=True,
        qualities=_MORE_QUALITIES,
        output_formats=(*_FORMATS, "gif", "svg"),
        takes_markup=True,
        takes_authoring=True,
        output_tokens=openai_tokens.GENERATION_2_6,
    )


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        _generation_2_6("gpt-image-2.6-flare", 1_793_750_400),
        _generation_2_6("gpt-image-2.6-sunburst", 1_793_836_800),
        _generation_2_5("gpt-image-2.5-flare", 1_788_825_600),
        _generation_2_5("gpt-image-2.5-sunburst", 1_788_825_600),
        Model(
            name="gpt-image-2",
            created=1_776_729_600,
            snapshots=("gpt-image-2-2026-04-21",),
            free_size=True,
            transparent=False,
            output_tokens=openai_tokens.GENERATION_2,
        ),
        _first_generation("gpt-image-1.5", 1_765_843_200, snapshots=("gpt-image-1.5-2025-12-16",)),
        _first_generation("chatgpt-image-latest", 1_765_843_200),
        _first_generation("gpt-image-1-mini", 1_759_708_800, fidelity=False),
    )
}

_BY_EVERY_NAME = {name: model for model in MODELS.values() for name in (model.name, *model.snapshots)}


def find_model(name: str) -> Model | None:
    """The live model of this name or snapshot; None when there is none or it was retired."""
    return _BY_EVERY_NAME.get(name)


def deployed_model(deployment: str) -> Model:
    """The model behind an Azure deployment, whose name is free: one that is no model's is gpt-image-2."""
    return _BY_EVERY_NAME.get(deployment, MODELS[_DEFAULT_ON_AZURE])
