"""The image models of OpenRouter, as data: what each takes and gives, and what it costs.

Strategy: one row per model; what differs between models is a field here. Google's models have the row of the
Gemini wire behind them, OpenAI's have the sizes of the OpenAI wire, all others are told a ratio and a tier.
Prices are dollars a picture at the vendors' list prices; where none is published it is an order of magnitude.

Source: https://openrouter.ai/docs/features/multimodal/image-generation and https://openrouter.ai/models
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import gemini_models

RATIOS = (
    *("1:1", "1:2", "1:4", "1:8", "2:1", "2:3", "2.35:1", "3:2", "3:4", "4:1", "4:3", "4:5", "5:2", "5:4"),
    *("8:1", "9:16", "16:9", "9:19.5", "19.5:9", "9:20", "20:9", "9:21", "21:9"),
)
TIERS = ("512", "1K", "2K", "4K")
PICTURE, TEXT = "image", "text"

_STANDARD = gemini_models.RATIOS_STANDARD
_XAI_RATIOS = (
    *("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "2:1", "1:2"),
    *("19.5:9", "9:19.5", "20:9", "9:20"),
)
_QUALITIES = ("low", "medium", "high")
_MORE_QUALITIES = (*_QUALITIES, "xhigh", "max")
_FIXED_RATIOS = ("1:1", "2:3", "3:2")

# Width and height by ratio; Recraft's Pro models double them. Of V3's own sizes too few are published.
_RECRAFT_PIXELS: dict[str, gemini_models.Pixels] = {
    "1:1": (1024, 1024),
    "2:1": (1536, 768),
    "1:2": (768, 1536),
    "3:2": (1280, 832),
    "2:3": (832, 1280),
    "4:3": (1216, 896),
    "3:4": (896, 1216),
    "5:4": (1152, 896),
    "4:5": (896, 1152),
    "16:9": (1344, 768),
    "9:16": (768, 1344),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Prices:
    """Dollars per million tokens: what comes in, words and thoughts that go out, pictures that go out."""

    tokens_in: float
    text_out: float
    pictures_out: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """One model.

    The first of `tiers` and of `output_formats` is the default. `openai`: it takes OpenAI's settings, and a
    `free_size` if it is of the newer ones. `pixels` is for a model with a table of its own. Without `words`
    it only draws. `on_images`: the Image API serves it as well.
    """

    id: str
    name: str
    provider: str
    ratios: tuple[str, ...] = _STANDARD
    tiers: tuple[str, ...] = ("1K",)
    words: bool = False
    gemini: gemini_models.Model | None = None
    openai: bool = False
    free_size: bool = False
    pixels: Mapping[str, gemini_models.Pixels] | None = None
    qualities: tuple[str, ...] = ()
    output_formats: tuple[str, ...] = ("png",)
    maximum_n: int = 1
    maximum_references: int = 1
    on_images: bool = True
    price: float = 0.04
    prices: Prices | None = None

    @property
    def output_modalities(self) -> tuple[str, ...]:
        """What its answers hold."""
        return (PICTURE, TEXT) if self.words else (PICTURE,)


def _google(model_id: str, prices: Prices) -> Model:
    drawn_by = gemini_models.MODELS[model_id]
    tiers = tuple(drawn_by.output_tokens)
    return Model(
        id=f"google/{model_id}",
        name=f"Google: {drawn_by.display_name}",
        provider="Google",
        ratios=drawn_by.ratios,
        tiers=("1K", *(tier for tier in tiers if tier != "1K")),
        words=True,
        gemini=drawn_by,
        output_formats=(drawn_by.mime_type.removeprefix("image/"),),
        maximum_references=drawn_by.reference_limit,
        prices=prices,
    )


def _openai(slug: str, *, price: float, free: bool, chat_only: bool = False, newer: bool = False) -> Model:
    return Model(
        id=f"openai/{slug}",
        name=f"OpenAI: {slug}",
        provider="OpenAI",
        ratios=_STANDARD if free else _FIXED_RATIOS,
        tiers=("1K", "2K", "4K") if free else ("1K",),
        words=chat_only,
        openai=True,
        free_size=free,
        qualities=_MORE_QUALITIES if newer else _QUALITIES,
        output_formats=("png", "jpeg", "webp"),
        maximum_n=1 if chat_only else 10,
        maximum_references=16,
        on_images=not chat_only,
        price=price,
    )


def _flux(slug: str, price: float, references: int = 8) -> Model:
    newest = slug == "flux-3-image"
    return Model(
        id=f"black-forest-labs/{slug}",
        name=f"Black Forest Labs: {slug}",
        provider="Black Forest Labs",
        ratios=RATIOS,
        tiers=("1K", "2K", "4K") if newest else ("1K", "2K"),
        output_formats=("png",) if newest else ("jpeg", "png", "webp"),
        maximum_references=references,
        price=price,
    )


def _seedream(slug: str, tiers: tuple[str, ...], maximum_n: int) -> Model:
    formats = ("jpeg",) if slug == "seedream-4.5" else ("jpeg", "png")
    return Model(
        id=f"bytedance-seed/{slug}",
        name=f"ByteDance Seed: {slug}",
        provider="Seed",
        ratios=RATIOS,
        tiers=tiers,
        output_formats=formats,
        maximum_n=maximum_n,
        maximum_references=14,
    )


def _recraft(slug: str, price: float) -> Model:
    scale = 2 if "pro" in slug else 1
    pixels = {ratio: (width * scale, height * scale) for ratio, (width, height) in _RECRAFT_PIXELS.items()}
    return Model(
        id=f"recraft/{slug}",
        name=f"Recraft: {slug}",
        provider="Recraft",
        ratios=tuple(pixels),
        tiers=("2K",) if scale == 2 else ("1K",),
        pixels=pixels,
        output_formats=("svg",) if "vector" in slug else ("png", "webp"),
        maximum_n=6,
        price=price,
    )


def _plain(model_id: str, provider: str, *, references: int = 1, price: float = Model.price) -> Model:
    """A model of which little is published."""
    return Model(
        id=model_id,
        name=f"{provider}: {model_id.partition('/')[2]}",
        provider=provider,
        tiers=("1K", "2K"),
        maximum_references=references,
        price=price,
    )


def _qwen(slug: str) -> Model:
    return Model(
        id=f"qwen/{slug}",
        name=f"Qwen: {slug}",
        provider="Alibaba",
        ratios=RATIOS,
        tiers=("1K", "2K"),
        maximum_n=6,
        maximum_references=4,
    )


def _grok(slug: str, qualities: tuple[str, ...], price: float) -> Model:
    return Model(
        id=f"x-ai/{slug}",
        name=f"xAI: {slug}",
        provider="xAI",
        ratios=_XAI_RATIOS,
        tiers=("1K", "2K"),
        qualities=qualities,
        output_formats=("jpeg", "png"),
        maximum_n=10,
        maximum_references=3,
        price=price,
    )


MODELS: dict[str, Model] = {
    model.id: model
    for model in (
        _google("gemini-2.5-flash-image", Prices(tokens_in=0.3, text_out=2.5, pictures_out=30)),
        _google("gemini-3-pro-image", Prices(tokens_in=2, text_out=12, pictures_out=120)),
        _google("gemini-3.1-flash-image", Prices(tokens_in=0.5, text_out=3, pictures_out=60)),
        _google("gemini-3.1-flash-lite-image", Prices(tokens_in=0.25, text_out=1.5, pictures_out=30)),
        _google("gemini-nano-banana-2.1", Prices(tokens_in=1.5, text_out=7.5, pictures_out=30)),
        _openai("gpt-5-image", price=0.042, free=False, chat_only=True),
        _openai("gpt-5-image-mini", price=0.011, free=False, chat_only=True),
        _openai("gpt-5.4-image-2", price=0.053, free=True, chat_only=True),
        _openai("gpt-image-1", price=0.042, free=False),
        _openai("gpt-image-1-mini", price=0.011, free=False),
        _openai("gpt-image-2", price=0.053, free=True),
        _openai("gpt-image-2.5-flare", price=0.01317, free=True, newer=True),
        _openai("gpt-image-2.5-sunburst", price=0.01317, free=True, newer=True),
        _flux("flux.2-pro", 0.03),
        _flux("flux.2-max", 0.07),
        _flux("flux.2-flex", 0.05),
        _flux("flux.2-klein-4b", 0.014, references=4),
        _flux("flux-3-image", 0.048, references=10),
        _seedream("seedream-4.5", ("2K", "1K", "4K"), 10),
        _seedream("seedream-5-0-pro", ("2K", "1K"), 1),
        _seedream("seedream-5-0-lite", ("2K", "4K"), 4),
        _seedream("seedream-5-0-flash", ("2K", "1K"), 1),
        _grok("grok-imagine-image-2.0", _QUALITIES[:2], 0.06),
        _grok("grok-imagine-image-quality", _QUALITIES, 0.05),
        _qwen("qwen-image-3"),
        _qwen("qwen-image-3-pro"),
        _recraft("recraft-v3", 0.04),
        *(
            _recraft(f"recraft-{version}{variant}", price)
            for version in ("v4", "v4.1")
            for variant, price in (("", 0.04), ("-pro", 0.25), ("-vector", 0.08), ("-pro-vector", 0.30))
        ),
        _recraft("recraft-v4.1-flash", 0.04),
        _recraft("recraft-v4.1-utility", 0.04),
        _plain("sourceful/riverflow-v2-fast", "Sourceful", references=4),
        _plain("sourceful/riverflow-v2-pro", "Sourceful", references=10),
        _plain("sourceful/riverflow-v2.5", "Sourceful", references=10),
        _plain("krea/krea-2-large", "Krea"),
        _plain("microsoft/mai-image-2.5", "Microsoft"),
        _plain("microsoft/mai-image-2.5-pro", "Microsoft"),
        _plain("microsoft/mai-image-2.6", "Microsoft"),
        _plain("microsoft/mai-image-2.6-flash", "Microsoft"),
        _plain("meta/muse-image", "Meta", price=0.01),
    )
}

_FORMER_NAMES = {
    "google/gemini-2.5-flash-image-preview": "google/gemini-2.5-flash-image",
    "google/gemini-3-pro-image-preview": "google/gemini-3-pro-image",
}


def find_model(name: str) -> Model | None:
    """The model of this id, or of one that it had before; None when there is none."""
    return MODELS.get(_FORMER_NAMES.get(name, name))
