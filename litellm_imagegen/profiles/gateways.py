"""The models that gateways list: a vendor's row under the gateway's id, and where a gateway differs.

Sources: https://openrouter.ai/docs/guides/overview/multimodal/image-generation,
https://vercel.com/docs/ai-gateway/capabilities/image-generation,
https://docs.helicone.ai/gateway/concepts/image-generation, https://1jxizqf5ai.apifox.cn (AIone),
read 2026-11.
"""

from dataclasses import replace
from typing import Any

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.geometry import PixelRule
from litellm_imagegen.profiles import (
    bytedance,
    flux,
    gemini,
    gpt_5,
    gpt_image,
    minimax,
    qwen,
    recraft,
    small_vendors,
    xai,
)
from litellm_imagegen.profiles.profile import Profile

_OPENROUTER, _VERCEL, _HELICONE, _AIONE = "openrouter", "vercel", "helicone", "aione"
_MODULES = (bytedance, flux, gemini, gpt_5, gpt_image, minimax, qwen, recraft, xai)
_VENDORS: dict[str, Profile] = {
    row.id: row
    for rows in (
        *(module.ROWS for module in _MODULES),
        *(rows for _, rows in small_vendors.FAMILIES.values()),
    )
    for row in rows
}
_GEMINI = tuple(row.id for row in gemini.ROWS)
_COMMON_RATIOS = _VENDORS["gemini-3-pro-image"].aspect_ratios
# OpenRouter's Image API refuses any other.
_OPENROUTERS_RATIOS = frozenset(
    {
        *("1:1", "1:2", "1:4", "1:8", "2:1", "2:3", "2.35:1", "3:2", "3:4", "4:1", "4:3", "4:5"),
        *("5:2", "5:4", "8:1", "9:16", "16:9", "9:19.5", "19.5:9", "9:20", "20:9", "9:21", "21:9"),
    }
)
_OPENROUTERS_TIERS = ("512", "1K", "2K", "4K")


def _as(gateway: str, model_id: str, like: str, **changes: Any) -> Profile:
    """The vendor's row `like` under the gateway's id."""
    row = _VENDORS[like]
    update: dict[str, Any] = {"id": model_id, "family": gateway, "former_ids": ()}
    update |= {"successor": None, "gone": None}
    if row.family == gemini.FAMILY:
        update["names"] = row.names - gemini.ONLY_ON_VERTEX
    return row.model_copy(update={**update, **changes})


def _by_ratio(
    model_id: str,
    like: str,
    *,
    ratios: tuple[str, ...] | None = None,
    tiers: tuple[str, ...] | None = None,
    **changes: Any,
) -> Profile:
    """OpenRouter's row of a model that only draws: there one asks for ratio and tier, not for pixels."""
    vendors = _VENDORS[like]
    if ratios is None:
        ratios = tuple(ratio for ratio in vendors.aspect_ratios if ratio in _OPENROUTERS_RATIOS)
    if tiers is None:
        fixed = vendors.image_size_is_fixed
        tiers = tuple(tier for tier in vendors.image_sizes if fixed or tier in _OPENROUTERS_TIERS)
    return _as(
        _OPENROUTER,
        model_id,
        like,
        names=vendors.names - {Name.DIMENSIONS} | {Name.ASPECT_RATIO, Name.IMAGE_SIZE},
        aspect_ratios=ratios or _COMMON_RATIOS,
        image_sizes=tiers,
        sizes=(),
        pixel_rule=None,
        **changes,
    )


def _opaque(model_id: str, like: str, **changes: Any) -> Profile:
    """OpenRouter's row of an OpenAI model that it lists without transparency."""
    choices = {**_VENDORS[like].choices, **gpt_image.OPAQUE}
    return _as(_OPENROUTER, model_id, like, choices=choices, **changes)


def _same(gateway: str, vendor: str, ids: tuple[str, ...]) -> tuple[Profile, ...]:
    """Rows of models whose id is the vendor's, after the vendor's name."""
    return tuple(_as(gateway, f"{vendor}/{model_id}", model_id) for model_id in ids)


_OPENROUTER_ROWS: tuple[Profile, ...] = (
    *_same(_OPENROUTER, "google", _GEMINI),
    # GPT Image 1 draws for these two, GPT Image 2 for the third.
    *(
        _as(_OPENROUTER, model_id, "gpt-5", sizes=gpt_image.SIZES, pixel_rule=None)
        for model_id in ("openai/gpt-5-image", "openai/gpt-5-image-mini")
    ),
    _opaque("openai/gpt-5.4-image-2", "gpt-5"),
    *(
        _opaque(f"openai/{model_id}", model_id)
        for model_id in ("gpt-image-2", "gpt-image-2.5-flare", "gpt-image-2.5-sunburst")
    ),
    *(
        _by_ratio(f"black-forest-labs/flux.2-{variant}", f"flux-2-{variant}")
        for variant in ("klein-4b", "flex", "pro", "max")
    ),
    _by_ratio("black-forest-labs/flux-3-image", "flux-3-image"),
    _by_ratio("bytedance-seed/seedream-4.5", "seedream-4-5-251128", tiers=("1K", "2K", "4K"), maximum_n=10),
    _by_ratio(
        "bytedance-seed/seedream-5-0-lite", "seedream-5-0-lite-260128", tiers=("2K", "4K"), maximum_n=4
    ),
    _by_ratio("bytedance-seed/seedream-5-0-pro", "dola-seedream-5-0-pro-260628", tiers=("1K", "2K")),
    _by_ratio("bytedance-seed/seedream-5-0-flash", "seedream-5-0-flash-260915", tiers=("1K", "2K")),
    _by_ratio("x-ai/grok-imagine-image-2.0", "grok-imagine-image-2.0"),
    *(
        _by_ratio(f"qwen/{model_id}", like, tiers=("1K", "2K"), maximum_reference_images=4)
        for model_id, like in (("qwen-image-3", "qwen-image-3.0"), ("qwen-image-3-pro", "qwen-image-3.0-pro"))
    ),
    _by_ratio("recraft/recraft-v3", "recraftv3"),
    _by_ratio("recraft/recraft-v4", "recraftv4"),
    _by_ratio("recraft/recraft-v4-pro", "recraftv4_pro"),
    _by_ratio("recraft/recraft-v4.1", "recraftv4_1"),
    _by_ratio("recraft/recraft-v4.1-pro", "recraftv4_1_pro"),
    *(
        _by_ratio(f"sourceful/{model_id}", model_id)
        for model_id in ("riverflow-v2-fast", "riverflow-v2-pro", "riverflow-v2.5")
    ),
    _by_ratio("krea/krea-2-large", "krea-2-large"),
    _by_ratio(
        "microsoft/mai-image-2.6",
        "MAI-Image-2.6",
        ratios=("1:1", "16:9", "9:16", "3:2", "2:3", "4:3", "3:4"),
        tiers=("1K", "1.5K"),
    ),
    _by_ratio("meta/muse-image", "muse-image-1.0"),
)

_PRODIA = Profile(
    id="prodia/flux-fast-schnell",
    family=_VERCEL,
    output=(Modality.IMAGE,),
    names=frozenset({Name.DIMENSIONS, Name.STEPS, Name.SEED, Name.PROVIDER_OPTIONS}),
    pixel_rule=PixelRule(minimum_edge=256, maximum_edge=1920),
    ranges={Name.STEPS: (1, 4)},
)
_VERCELS_NAMES = {
    "bytedance/seedream-4.0": "seedream-4-0-250828",
    "bytedance/seedream-4.5": "seedream-4-5-251128",
    "bytedance/seedream-5.0-lite": "seedream-5-0-lite-260128",
    "bytedance/seedream-5.0-pro": "dola-seedream-5-0-pro-260628",
    "microsoft/mai-image-2.6": "MAI-Image-2.6",
    "microsoft/mai-image-2.6-flash": "MAI-Image-2.6-Flash",
    "minimax/minimax-h3-image": "MiniMax-H3-Image",
    "minimax/minimax-h3-image-highspeed": "MiniMax-H3-Image-Highspeed",
    "recraft/recraft-v2": "recraftv2",
    "recraft/recraft-v3": "recraftv3",
    "recraft/recraft-v4": "recraftv4",
    "recraft/recraft-v4-pro": "recraftv4_pro",
    "recraft/recraft-v4.1": "recraftv4_1",
    "recraft/recraft-v4.1-flash": "recraftv4_1_flash",
    "recraft/recraft-v4.1-pro": "recraftv4_1_pro",
    "recraft/recraft-v4.1-utility": "recraftv4_1_utility",
    "recraft/recraft-v4.1-utility-pro": "recraftv4_1_utility_pro",
}


def _of_flux(model_id: str) -> Profile:
    """Vercel takes edges of 256 to 1920 pixels: https://ai-sdk.dev/providers/ai-sdk-providers/black-forest-labs."""
    rule = _VENDORS[model_id].pixel_rule
    if rule is not None:
        rule = replace(
            rule, minimum_edge=max(rule.minimum_edge, 256), maximum_edge=min(rule.maximum_edge, 1920)
        )
    choices = {**_VENDORS[model_id].choices, Name.OUTPUT_FORMAT: ("jpeg", "png")}
    return _as(_VERCEL, f"bfl/{model_id}", model_id, pixel_rule=rule, choices=choices)


_VERCEL_ROWS: tuple[Profile, ...] = (
    *_same(_VERCEL, "google", _GEMINI),
    *_same(
        _VERCEL,
        "openai",
        (
            *("gpt-image-1-mini", "gpt-image-1.5", "gpt-image-2", "gpt-image-2.5-flare"),
            *("gpt-image-2.5-sunburst", "gpt-image-2.6-flare", "gpt-image-2.6-sunburst"),
        ),
    ),
    _as(_VERCEL, "openai/gpt-5", "gpt-5"),
    *map(
        _of_flux,
        (
            *("flux-pro-1.1", "flux-pro-1.1-ultra", "flux-pro-1.0-fill", "flux-kontext-pro"),
            *("flux-kontext-max", "flux-2-klein-4b", "flux-2-klein-9b", "flux-2-flex", "flux-2-pro"),
            *("flux-2-max", "flux-3-image-klein", "flux-3-image"),
        ),
    ),
    *_same(_VERCEL, "spacexai", ("grok-imagine-image", "grok-imagine-image-2.0")),
    *_same(_VERCEL, "meta", ("muse-image-1.0",)),
    *_same(_VERCEL, "topaz", ("wonder-3.5",)),
    *(_as(_VERCEL, model_id, like) for model_id, like in _VERCELS_NAMES.items()),
    _PRODIA,
)


def _of_aione(model_id: str, like: str, **changes: Any) -> Profile:
    """AIone has prices of its own, which are not public."""
    return _as(_AIONE, model_id, like, price=None, **changes)


def _of_one_size(tier: str) -> Profile:
    return _of_aione(
        f"gemini-3-pro-image-preview-{tier.lower()}",
        "gemini-3-pro-image",
        image_sizes=(tier,),
        image_size_is_fixed=True,
        default_tier=tier,
    )


GATEWAY_ROWS: dict[str, tuple[Profile, ...]] = {
    _OPENROUTER: _OPENROUTER_ROWS,
    _VERCEL: _VERCEL_ROWS,
    _HELICONE: (_as(_HELICONE, "gemini-3-pro-image-preview/google-ai-studio", "gemini-3-pro-image"),),
    _AIONE: (
        _of_aione("gemini-2.5-flash-image", "gemini-2.5-flash-image"),
        _of_aione("gemini-3-pro-image-preview", "gemini-3-pro-image"),
        _of_one_size("2K"),
        _of_one_size("4K"),
        _of_aione("gemini-3.1-flash-image-preview", "gemini-3.1-flash-image"),
    ),
}
