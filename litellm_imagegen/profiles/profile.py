"""The form of a model's row: what it takes, gives and costs. Facts only; rows stand in the family files."""

from litellm_imagegen.canonical import Frozen, Modality, Name


class Price(Frozen):
    """USD per million tokens; cached input costs a share of the input's price."""

    input: float
    text_output: float
    image_output: float
    cached_input_share: float = 0.1


class Profile(Frozen):
    """One model.

    `names` holds every field that the model understands; the plan leaves out all others, with a notice.
    `image_sizes` lists the size tiers it draws, smallest first; with `image_size_is_fixed` there is one
    and the wire has no field for it. None for a limit means that none is known.
    `former_ids` are ids under which this very model answered once and no longer does.
    """

    id: str
    family: str
    former_ids: tuple[str, ...] = ()
    output: tuple[Modality, ...] = (Modality.TEXT, Modality.IMAGE)
    names: frozenset[Name]
    aspect_ratios: tuple[str, ...]
    image_sizes: tuple[str, ...]
    image_size_is_fixed: bool = False
    maximum_n: int = 1
    maximum_output_tokens: int | None = None
    maximum_reference_images: int | None = None
    maximum_stop_sequences: int | None = None
    maximum_seed: int | None = None
    temperature_range: tuple[float, float] = (0.0, 2.0)
    accepted_mime: tuple[str, ...] = ()
    price: Price | None = None
