"""The form of a model's row: what it takes, gives and costs. Facts only; rows stand in the family files."""

from collections.abc import Mapping
from typing import Any

from pydantic import field_validator

from litellm_imagegen.canonical import Frozen, Modality, Name
from litellm_imagegen.geometry import Dimensions, PixelRule, parse_ratio, tiers


class Price(Frozen):
    """USD. Tokens are per million, cached input costs a share of the input's price.

    `image_input` is for input tokens of pictures where they cost another price. `picture` is for one
    picture of any kind; `pictures` by size tier, or by quality and dimensions, as the vendor lists them.
    """

    input: float | None = None
    image_input: float | None = None
    text_output: float | None = None
    image_output: float | None = None
    cached_input_share: float = 0.1
    picture: float | None = None
    pictures: Mapping[str, float] = {}
    first_megapixel: float | None = None
    further_megapixel: float | None = None


class Profile(Frozen):
    """One model.

    `names` holds every field that the model understands; the plan leaves out all others, with a notice.

    The picture's shape is asked for in one of three ways, whichever is given:
    - `sizes`: these dimensions and no others;
    - `pixel_rule`: any dimensions that keep to a rule;
    - `aspect_ratios` (or, for any ratio between two, `ratio_range`) and `image_sizes`, the size tiers that
      it draws, smallest first; with `image_size_is_fixed` there is one and the wire has no field for it.
      `pixels` tells the dimensions that come out, by tier and ratio, where the vendor says so.
    `default_tier` is the size where nobody asks for one.

    `choices` holds the values that a field may have, from the weakest to the strongest where they have an
    order, and `ranges` the bounds of a number. A field in `names` that is in neither takes any value.
    `granted` holds values that the model gives without having a field for them. `excludes` holds what must be
    off where a field is set.

    `maximum_n` is for one call. None for a limit means that none is known. `former_ids` are ids under
    which this very model answered once and no longer does; `successor` is another model to go to.
    `gone` says since when nobody answers under this id.
    """

    id: str
    family: str
    former_ids: tuple[str, ...] = ()
    successor: str | None = None
    gone: str | None = None
    output: tuple[Modality, ...] = (Modality.TEXT, Modality.IMAGE)
    names: frozenset[Name]
    aspect_ratios: tuple[str, ...] = ()
    ratio_range: tuple[str, str] | None = None
    image_sizes: tuple[str, ...] = ()
    image_size_is_fixed: bool = False
    pixels: Mapping[str, Mapping[str, Dimensions]] = {}
    sizes: tuple[Dimensions, ...] = ()
    pixel_rule: PixelRule | None = None
    default_tier: str = "1K"
    choices: Mapping[Name, tuple[Any, ...]] = {}
    ranges: Mapping[Name, tuple[float, float]] = {}
    granted: Mapping[Name, tuple[Any, ...]] = {}
    excludes: Mapping[Name, tuple[Name, ...]] = {}
    maximum_n: int = 1
    maximum_output_tokens: int | None = None
    maximum_reference_images: int | None = None
    maximum_stop_sequences: int | None = None
    maximum_seed: int | None = None
    accepted_mime: tuple[str, ...] = ()
    price: Price | None = None

    @property
    def formats(self) -> tuple[str, ...]:
        """The file formats that its pictures may have without being converted here."""
        given = self.choices.get(Name.OUTPUT_FORMAT) or self.granted.get(Name.OUTPUT_FORMAT, ())
        return tuple(map(str, given))

    @property
    def pictures_a_call(self) -> int:
        """How many pictures one call gives at most."""
        return self.maximum_n if Name.N in self.names else 1

    @field_validator("aspect_ratios", "ratio_range")
    @classmethod
    def _ratios(cls, ratios: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for ratio in ratios or ():
            if parse_ratio(ratio) is None:
                raise ValueError(f'{ratio!r} is no aspect ratio "W:H"')
        return ratios

    @field_validator("image_sizes")
    @classmethod
    def _tiers(cls, sizes: tuple[str, ...]) -> tuple[str, ...]:
        for size in sizes:
            if size not in tiers():
                raise ValueError(f"{size!r} is none of {', '.join(tiers())}")
        return sizes
