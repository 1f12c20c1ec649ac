"""The image models that the Vercel AI Gateway lists, as data, and how their ids are told from others.

Strategy: the models of Black Forest Labs, OpenAI and Google have the rows of those providers' own wires;
all others are a row here: which sizes they draw, whether they go by ratio, what a picture costs. Where no
limit is published a row has none. Google's Imagen is not listed any more; people replay programs of before.

Source: https://vercel.com/ai-gateway/models and https://www.npmjs.com/package/@ai-sdk/gateway
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import bfl_models, gemini_models, imagen_models, openai_models
from .openai_mainline import MAINLINE, MainlineModel
from .openai_sizes import Pixels
from .vercel_options import XAI

_LARGEST_EDGE = 8192
_MEGAPIXEL = 1024 * 1024

AUTO = "auto"
XAI_RATIOS = tuple(
    "1:1 16:9 9:16 4:3 3:4 3:2 2:3 2:1 1:2 19.5:9 9:19.5 20:9 9:20 auto".split()  # noqa: SIM905 - one line reads better
)


@dataclass(frozen=True, kw_only=True, eq=False)
class PlainModel:
    """A model that draws by size, or by ratio and resolution.

    With `sizes` it draws these only; else width and height are within `edges`, their product within `areas`
    and the longer at most `widest` times the shorter. `takes_size` false: a size is left unread. `price` is
    that of a picture in dollars, `price_by_quality` where it depends on the quality.
    """

    vendor: str
    default: Pixels = (1024, 1024)
    output_format: str = "png"
    takes_size: bool = True
    sizes: tuple[Pixels, ...] = ()
    ratios: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    edges: tuple[int, int] = (64, _LARGEST_EDGE)
    areas: tuple[int, int] = (1, _LARGEST_EDGE * _LARGEST_EDGE)
    widest: float = 64.0
    price: float | None = None
    price_by_quality: Mapping[str, float] | None = None


AnyModel = bfl_models.Model | openai_models.Model | imagen_models.Model | PlainModel

_RECRAFT_4_LYING: tuple[Pixels, ...] = (
    *((1024, 1024), (1536, 768), (1280, 832), (1216, 896), (1152, 896)),
    *((1344, 832), (1280, 896), (1344, 768)),
)
_RECRAFT_4 = tuple(dict.fromkeys(size for wide in _RECRAFT_4_LYING for size in (wide, wide[::-1])))


def _recraft(price: float | None, sizes: tuple[Pixels, ...] = (), *, factor: int = 1) -> PlainModel:
    return PlainModel(
        vendor="recraft",
        default=(1024 * factor, 1024 * factor),
        sizes=tuple((width * factor, height * factor) for width, height in sizes),
        edges=(256, 2048),
        price=price,
    )


def _grok(price: float, qualities: tuple[str, ...], low: float | None = None) -> PlainModel:
    return PlainModel(
        vendor=XAI,
        output_format="jpeg",
        takes_size=False,
        ratios=XAI_RATIOS,
        qualities=qualities,
        price=price,
        price_by_quality=None if low is None else {"low": low},
    )


_SEEDREAM = PlainModel(
    vendor="bytedance",
    default=(2048, 2048),
    output_format="jpeg",
    areas=(1280 * 720, 4096 * 4096),
    widest=16,
)
_MICROSOFT = PlainModel(vendor="microsoft")
_MINIMAX = PlainModel(vendor="minimax", areas=(1, 16 * _MEGAPIXEL), widest=3)

_PLAIN: Mapping[str, PlainModel] = {
    **{f"bytedance/seedream-{version}": _SEEDREAM for version in ("4.0", "4.5", "5.0-lite", "5.0-pro")},
    "meta/muse-image-1.0": PlainModel(vendor="meta", price=0.01),
    **{f"microsoft/mai-image-2.6{variant}": _MICROSOFT for variant in ("", "-flash")},
    **{f"minimax/minimax-h3-image{variant}": _MINIMAX for variant in ("", "-highspeed")},
    "prodia/flux-fast-schnell": PlainModel(vendor="prodia", edges=(256, 1920)),
    "recraft/recraft-v2": _recraft(0.022),
    "recraft/recraft-v3": _recraft(0.04),
    "recraft/recraft-v4": _recraft(0.04, _RECRAFT_4),
    "recraft/recraft-v4-pro": _recraft(0.25, _RECRAFT_4, factor=2),
    "recraft/recraft-v4.1": _recraft(0.04, _RECRAFT_4),
    "recraft/recraft-v4.1-flash": _recraft(None, _RECRAFT_4),
    "recraft/recraft-v4.1-pro": _recraft(0.25, _RECRAFT_4, factor=2),
    "recraft/recraft-v4.1-utility": _recraft(None, _RECRAFT_4),
    "recraft/recraft-v4.1-utility-pro": _recraft(None, _RECRAFT_4, factor=2),
    "spacexai/grok-imagine-image": _grok(0.02, ("low", "medium", "high")),
    "spacexai/grok-imagine-image-2.0": _grok(0.06, ("low", "medium"), low=0.04),
    "topaz/wonder-3.5": PlainModel(vendor="topaz"),
}
_OF_BFL = (
    *("flux-2-flex", "flux-2-klein-4b", "flux-2-klein-9b", "flux-2-max", "flux-2-pro", "flux-3-image"),
    *("flux-3-image-klein", "flux-kontext-max", "flux-kontext-pro", "flux-pro-1.0-fill", "flux-pro-1.1"),
    "flux-pro-1.1-ultra",
)
_OF_OPENAI = (
    *("gpt-image-1-mini", "gpt-image-1.5", "gpt-image-2", "gpt-image-2.5-flare", "gpt-image-2.5-sunburst"),
    *("gpt-image-2.6-flare", "gpt-image-2.6-sunburst"),
)
MODELS: Mapping[str, AnyModel] = {
    **{f"bfl/{name}": bfl_models.MODELS[name] for name in _OF_BFL},
    **{f"openai/{name}": openai_models.MODELS[name] for name in _OF_OPENAI},
    **{f"google/{name}": model for name, model in imagen_models.MODELS.items() if not model.edits},
    **_PLAIN,
}

LANGUAGE_MODELS: Mapping[str, gemini_models.Model | MainlineModel] = {
    **{f"google/{name}": model for name, model in gemini_models.MODELS.items()},
    "google/gemini-3.1-flash-image-lite": gemini_models.MODELS["gemini-3.1-flash-lite-image"],
    **{f"openai/{name}": model for name, model in MAINLINE.items()},
}
# How the ids of language models begin, of which most draw nothing and are not here.
_OF_LANGUAGE = ("anthropic/claude-", "google/gemini-", "openai/gpt-4", "openai/gpt-5")


def is_written_so(name: str) -> bool:
    """Whether a model's id has the form creator/model."""
    creator, slash, model = name.partition("/")
    return bool(creator and slash and model)


def is_language_model(name: str) -> bool:
    """Whether the gateway lists this id as a language model; those draw on chat, if they draw at all."""
    return name.startswith(_OF_LANGUAGE)
