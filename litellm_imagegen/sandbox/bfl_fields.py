"""The fields of each Black Forest Labs model, as readers: what each takes and which are required.

Strategy: one table per family, completed by what the model's row says; a field that only another model
has is refused by the same table. Readers are built once per model.

Source: https://docs.bfl.ai (the request body of each model's page)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from . import bfl_checks as checks
from .bfl_checks import Reader
from .bfl_models import Family, Model
from .bfl_pictures import PictureLimits, picture, pictures

Fields = dict[str, Reader]

FLUX_3_RATIOS = tuple(
    "21:9 2:1 16:9 3:2 7:5 4:3 5:4 1:1 4:5 3:4 5:7 2:3 9:16 1:2 9:21".split()  # noqa: SIM905 - one line reads better
)
FLUX_3_RESOLUTIONS = ("768sq", "1k", "1.5k", "2k", "4k")
WIDEST, TALLEST = 21 / 9, 9 / 21
# No limit of a single side is published; this is one that every picture format can hold.
LONGEST_SIDE = 16_000

_INT64 = 2**63
_LONGEST_ADDRESS = 2083
_LARGEST_MARGIN = 2048

_PICTURE = checks.optional(picture(PictureLimits()))
_FLUX_3_PICTURES = pictures(PictureLimits(most_megapixels=16, shortest_side=256), at_most=10)
_RATIO = checks.ratio(TALLEST, WIDEST)


@functools.lru_cache(maxsize=32)
def request_reader(model: Model) -> Reader:
    """The reader of a whole request body for this model; pictures are read to GivenPicture."""
    table = _FLUX_3 if model.family is Family.FLUX_3 else _common(model)
    own = _OWN_FIELDS[model.family](model)
    return checks.fields({**table, **_safety(model), **own}, required=_REQUIRED[model.family])


def _safety(model: Model) -> Fields:
    return {"safety_tolerance": checks.integer(0, model.safety_limit)}


def _common(model: Model) -> Fields:
    """What all models of the first and second generation take."""
    return {
        "prompt": checks.text,
        "seed": checks.optional(checks.integer(-_INT64, _INT64 - 1)),
        "output_format": checks.optional(checks.choice(*model.formats)),
        "webhook_url": checks.optional(checks.web_address(_LONGEST_ADDRESS)),
        "webhook_secret": checks.optional(checks.text),
    }


_FLUX_3: Fields = {
    "prompt": checks.text,
    "images": checks.optional(_FLUX_3_PICTURES),
    "aspect_ratio": checks.choice("auto", *FLUX_3_RATIOS),
    "resolution": checks.choice(*FLUX_3_RESOLUTIONS),
    "grounding": checks.boolean,
    "version": checks.choice("latest"),
}


def reference_names(model: Model) -> list[str]:
    """The names of the fields for reference pictures: input_image, input_image_2 and so on."""
    return ["input_image", *(f"input_image_{number}" for number in range(2, model.reference_limit + 1))]


def _references(model: Model) -> Fields:
    return dict.fromkeys(reference_names(model), _PICTURE)


def _flux_2(model: Model) -> Fields:
    side = checks.optional(checks.integer(64, LONGEST_SIDE, multiple_of=16, or_zero=True))
    table = {"width": side, "height": side, **_references(model)}
    if model.upsampling:
        table |= {"prompt_upsampling": checks.boolean, "disable_pup": checks.boolean}
    if model.sampler:
        table |= {"steps": checks.integer(1, 50), "guidance": checks.number(*model.guidance_range)}
    return table


def _kontext(model: Model) -> Fields:
    return {
        "aspect_ratio": checks.optional(_RATIO),
        "prompt_upsampling": checks.boolean,
        **_references(model),
    }


def _flux_1(model: Model) -> Fields:
    side = checks.integer(256, 1440, multiple_of=32)
    table: Fields = {
        "width": side,
        "height": side,
        "image_prompt": _PICTURE,
        "prompt_upsampling": checks.boolean,
    }
    if model.sampler:
        table |= {
            "steps": checks.optional(checks.integer(1, 50)),
            "guidance": checks.optional(checks.number(*model.guidance_range)),
        }
    if model.interval:
        table["interval"] = checks.optional(checks.number(1, 4))
    return table


def _ultra(_: Model) -> Fields:
    return {
        "aspect_ratio": _RATIO,
        "raw": checks.boolean,
        "image_prompt": _PICTURE,
        "image_prompt_strength": checks.number(0, 1),
        "prompt_upsampling": checks.boolean,
    }


def _repainting() -> Fields:
    return {
        "image": picture(PictureLimits()),
        "steps": checks.optional(checks.integer(15, 50)),
        "guidance": checks.optional(checks.number(1.5, 100)),
    }


def _fill(_: Model) -> Fields:
    return {**_repainting(), "mask": _PICTURE, "prompt_upsampling": checks.boolean}


def _expand(_: Model) -> Fields:
    margin = checks.optional(checks.integer(0, _LARGEST_MARGIN))
    return {**_repainting(), **dict.fromkeys(("top", "bottom", "left", "right"), margin)}


_OWN_FIELDS: Mapping[Family, Callable[[Model], Fields]] = {
    Family.FLUX_3: lambda _: {},
    Family.FLUX_2: _flux_2,
    Family.KONTEXT: _kontext,
    Family.FLUX_1: _flux_1,
    Family.ULTRA: _ultra,
    Family.FILL: _fill,
    Family.EXPAND: _expand,
}

# A remix needs no words, so the models that take image_prompt are checked for either (`bfl_request`).
_REQUIRED: Mapping[Family, tuple[str, ...]] = {
    Family.FLUX_3: ("prompt",),
    Family.FLUX_2: ("prompt",),
    Family.KONTEXT: ("prompt",),
    Family.FLUX_1: (),
    Family.ULTRA: (),
    Family.FILL: ("image",),
    Family.EXPAND: ("image",),
}
