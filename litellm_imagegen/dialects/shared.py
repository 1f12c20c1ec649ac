"""Groups of fields that several dialects have in the same words."""

from collections.abc import Iterator

from litellm_imagegen.canonical import Asked, Name
from litellm_imagegen.dialects.reading import Fields, boolean, choice, integer, number, ratio, words

_AUTO: dict[str, str | None] = {"auto": None}
_quality = choice("low", "medium", "high", "xhigh", "max", also={**_AUTO, "standard": "medium", "hd": "high"})
_background = choice("opaque", "transparent", also=_AUTO)
_output_format = choice("png", "jpeg", "webp", "gif", "svg", also={"jpg": "jpeg"})
_compression = integer(0, 100)
_moderation = choice("low", "auto")
_fidelity = choice("low", "high")
_people = choice("dont_allow", "allow_adult", "allow_all", also={"allow_none": "dont_allow"})
_file_format = choice(
    also={"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/webp": "webp"}
)


def picture_fields(fields: Fields) -> Iterator[Asked]:
    """What the Images API, the image tool and gateways for both have in common."""
    yield from fields.read(Name.QUALITY, _quality, "quality")
    yield from fields.read(Name.BACKGROUND, _background, "background")
    yield from fields.read(Name.OUTPUT_FORMAT, _output_format, "output_format")
    yield from fields.read(Name.OUTPUT_COMPRESSION, _compression, "output_compression")
    yield from fields.read(Name.MODERATION, _moderation, "moderation")
    yield from fields.read(Name.INPUT_FIDELITY, _fidelity, "input_fidelity")
    yield from fields.read(Name.PARTIAL_IMAGES, integer(0, 3), "partial_images")


def drawing_fields(fields: Fields) -> Iterator[Asked]:
    """What diffusion models have in common."""
    yield from fields.read(Name.STEPS, integer(1, 1_000), "num_inference_steps", "steps")
    yield from fields.read(Name.GUIDANCE, number(0, 1_000), "guidance_scale", "guidance", "cfg_scale")
    yield from fields.read(Name.NEGATIVE_PROMPT, words, "negative_prompt")
    yield from fields.read(Name.STRENGTH, number(0, 1), "strength", "image_prompt_strength")
    yield from fields.read(Name.PROMPT_UPSAMPLING, boolean, "prompt_upsampling", "enhance_prompt")
    yield from fields.read(Name.SAFETY_TOLERANCE, integer(0, 10), "safety_tolerance")
    yield from fields.read(Name.PERSON_GENERATION, _people, "person_generation")
    yield from fields.read(Name.WATERMARK, boolean, "watermark", "add_watermark")


def image_config(fields: Fields) -> Iterator[Asked]:
    """Google's `imageConfig`, with what only Vertex has in it."""
    for config in fields.nested("image_config"):
        yield from config.read(Name.ASPECT_RATIO, ratio, "aspect_ratio")
        yield from config.read_shape("image_size")
        yield from config.read(Name.PERSON_GENERATION, _people, "person_generation")
        for output in config.nested("image_output_options"):
            yield from output.read(Name.OUTPUT_FORMAT, _file_format, "mime_type")
            yield from output.read(Name.OUTPUT_COMPRESSION, _compression, "compression_quality")
