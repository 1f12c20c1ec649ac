"""The pixels of the vendor's table, whichever gateway's words a client asks for them in."""

import base64
import io
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from PIL import Image, ImageChops

from tests.pictures import look_at
from tests.proxy.conftest import SETTINGS, settings_of
from tests.proxy.support import Proxy, running_proxy

Pixels = tuple[int, int]
PRO, FLASH = "sandbox/gemini-3-pro-image", "sandbox/gemini-2.5-flash-image"
SMALL = {"aspect_ratio": "1:1"}
# https://ai.google.dev/gemini-api/docs/image-generation; 2K has twice and 4K four times the edges of 1K.
TABLE: dict[str, Pixels] = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
}
TIMES = {"1K": 1, "2K": 2, "4K": 4}
# https://openrouter.ai/docs/features/multimodal/image-generation has the pixels of 2.5 flash.
TABLE_OF_OPENROUTER: dict[str, Pixels] = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}


def pixels(ratio: str, tier: str = "1K") -> Pixels:
    width, height = TABLE[ratio]
    return width * TIMES[tier], height * TIMES[tier]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy with AIone's names of models: two of them end with a size."""
    models = {
        "sandbox/*": "imagegen/sandbox/*",
        "gemini-3-pro-image-preview": "imagegen/sandbox/gemini-3-pro-image-preview",
        "gemini-3-pro-image-preview-2k": "imagegen/sandbox/gemini-3-pro-image-preview-2k",
        "gemini-3-pro-image-preview-4k": "imagegen/sandbox/gemini-3-pro-image-preview-4k",
        "large": "imagegen/sandbox/gemini-3-pro-image-2k",
    }
    strict = {
        "model_name": "strict",
        "litellm_params": {"model": "imagegen/sandbox/gemini-3-pro-image"},
        "model_info": settings_of(policy="strict"),
    }
    config = {
        "model_list": [
            *({"model_name": name, "litellm_params": {"model": model}} for name, model in models.items()),
            strict,
        ],
        "litellm_settings": SETTINGS,
    }
    with running_proxy(config, tmp_path_factory.mktemp("pixels")) as started:
        yield started


def images_of(proxy: Proxy, model: str, fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    answer = proxy.draw(model, "a lighthouse", **fields)
    assert answer.status_code == 200, answer.text[:500]
    images: list[dict[str, Any]] = answer.json()["choices"][0]["message"]["images"]
    return images


def drawn(proxy: Proxy, model: str, fields: Mapping[str, Any]) -> list[Pixels]:
    return [look_at(image["image_url"]["url"]).size for image in images_of(proxy, model, fields)]


@pytest.mark.parametrize("ratio", TABLE)
def test_openrouters_ratios_give_the_vendors_pixels(proxy: Proxy, ratio: str) -> None:
    both = {"modalities": ["image", "text"], "image_config": {"aspect_ratio": ratio}}
    assert drawn(proxy, PRO, both) == [pixels(ratio)]
    assert drawn(proxy, FLASH, both) == [TABLE_OF_OPENROUTER[ratio]]


@pytest.mark.parametrize("ratio", TABLE)
def test_openrouters_ratios_give_the_vendors_pixels_at_2k(proxy: Proxy, ratio: str) -> None:
    asked = {"image_config": {"aspect_ratio": ratio, "image_size": "2K"}}
    assert drawn(proxy, PRO, asked) == [pixels(ratio, "2K")]


@pytest.mark.parametrize("tier", TIMES)
@pytest.mark.parametrize("ratio", ["3:2", "9:16"])
def test_helicones_two_fields_give_the_vendors_pixels(proxy: Proxy, ratio: str, tier: str) -> None:
    asked = {"image_generation": {"aspect_ratio": ratio, "image_size": tier}}
    assert drawn(proxy, PRO, asked) == [pixels(ratio, tier)]


AIONE: list[tuple[str, dict[str, Any], Pixels]] = [
    *(
        ("gemini-3-pro-image-preview", {"aspect_ratio": ratio}, pixels(ratio))
        for ratio in ("1:1", "4:5", "21:9")
    ),
    *(("gemini-3-pro-image-preview", {"image_size": tier}, pixels("1:1", tier)) for tier in TIMES),
    ("gemini-3-pro-image-preview", {"image_size": "2k", "aspect_ratio": "5:4"}, pixels("5:4", "2K")),
    ("gemini-3-pro-image-preview", {"image_size": "4K", "aspect_ratio": "16:9"}, pixels("16:9", "4K")),
    ("gemini-3-pro-image-preview-2k", {}, pixels("1:1", "2K")),
    ("gemini-3-pro-image-preview-2k", {"aspect_ratio": "3:4"}, pixels("3:4", "2K")),
    ("gemini-3-pro-image-preview-2k", {"aspect_ratio": "4:3", "image_size": "2K"}, pixels("4:3", "2K")),
    ("gemini-3-pro-image-preview-4k", {}, pixels("1:1", "4K")),
    ("gemini-3-pro-image-preview-4k", {"aspect_ratio": "2:3"}, pixels("2:3", "4K")),
    ("large", {"aspect_ratio": "16:9"}, pixels("16:9", "2K")),
    (f"{PRO}-2k", {"aspect_ratio": "9:16"}, pixels("9:16", "2K")),
    (f"{PRO}-preview-4K", {"aspect_ratio": "9:16"}, pixels("9:16", "4K")),
]


@pytest.mark.parametrize(("model", "fields", "expected"), AIONE, ids=str)
def test_aiones_fields_and_endings_give_the_vendors_pixels(
    proxy: Proxy, model: str, fields: dict[str, Any], expected: Pixels
) -> None:
    assert drawn(proxy, model, fields) == [expected]


# The smallest tier that has as many pixels: 1536x1024 is one and a half times 1K.
@pytest.mark.parametrize(
    ("size", "on_pro", "on_flash"),
    [
        ("1024x1024", (1024, 1024), (1024, 1024)),
        ("1536x1024", (2528, 1696), (1248, 832)),
        ("1024x1536", (1696, 2528), (832, 1248)),
        ("auto", (1024, 1024), (1024, 1024)),
    ],
)
def test_openais_sizes_give_the_nearest_of_the_vendors_pixels(
    proxy: Proxy, size: str, on_pro: Pixels, on_flash: Pixels
) -> None:
    assert drawn(proxy, PRO, {"size": size}) == [on_pro]
    assert drawn(proxy, FLASH, {"size": size}) == [on_flash]


def test_pixels_that_had_to_change_are_told_and_those_that_had_not_are_not(proxy: Proxy) -> None:
    changed = proxy.draw(PRO, "x", size="1536x1024")
    assert changed.headers["x-imagegen-notices"] == "size=adapted"
    [notice] = changed.json()["provider_metadata"]["imagegen"]["notices"]
    assert (notice["asked"], notice["used"]) == ("1536x1024", "2528x1696")
    same = proxy.draw(PRO, "x", size="1376x768")
    assert "x-imagegen-notices" not in same.headers
    assert look_at(same.json()["choices"][0]["message"]["images"][0]["image_url"]["url"]).size == (1376, 768)


@pytest.mark.parametrize("form", ["jpeg", "webp", "png"])
@pytest.mark.parametrize("model", [PRO, FLASH])
def test_a_file_format_gives_a_file_of_it_with_the_same_pixels(proxy: Proxy, model: str, form: str) -> None:
    fields = {"aspect_ratio": "16:9", "seed": 7}
    [original] = images_of(proxy, model, fields)
    [image] = images_of(proxy, model, {**fields, "output_format": form})
    seen = look_at(image["image_url"]["url"])
    assert seen.format == form.upper()
    assert seen.size == look_at(original["image_url"]["url"]).size
    differs = ImageChops.difference(_opened(original), _opened(image)).convert("L")
    # A lossy format changes shades, not shapes.
    assert sum(differs.histogram()[64:]) < seen.size[0] * seen.size[1] / 100


def _opened(image: Mapping[str, Any]) -> Image.Image:
    data = image["image_url"]["url"].partition(",")[2]
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


@pytest.mark.parametrize("form", ["jpeg", "webp"])
def test_a_streamed_picture_comes_in_the_format_that_was_asked_for(proxy: Proxy, form: str) -> None:
    frames = proxy.draw_streamed(FLASH, "a lighthouse", output_format=form, output_compression=50, **SMALL)
    [image] = frames.images
    assert look_at(image["image_url"]["url"])[:2] == (form.upper(), (1024, 1024))
    assert frames.done
    assert frames.finish_reasons == ["stop"]


def test_a_smaller_quality_makes_a_smaller_file(proxy: Proxy) -> None:
    lengths = [
        len(
            images_of(proxy, FLASH, {"output_format": "jpeg", "output_compression": quality})[0]["image_url"][
                "url"
            ]
        )
        for quality in (20, 100)
    ]
    assert lengths[0] < lengths[1] / 2


# Three calls, a call of three, a call of three on a wire that streams: one answer each.
SEVERAL = [PRO, "sandbox/gpt-image-2", "sandbox/imagen-4.0-generate-001", "sandbox/flux-2-pro"]


@pytest.mark.parametrize("model", SEVERAL)
def test_n_gives_as_many_choices_each_with_its_picture(proxy: Proxy, model: str) -> None:
    choices = proxy.draw(model, "a lighthouse", n=3, **SMALL).json()["choices"]
    assert [(choice["index"], choice["finish_reason"]) for choice in choices] == [
        (0, "stop"),
        (1, "stop"),
        (2, "stop"),
    ]
    urls = [image["image_url"]["url"] for choice in choices for image in choice["message"]["images"]]
    assert [look_at(url).size for url in urls] == [(1024, 1024)] * 3


@pytest.mark.parametrize("model", SEVERAL)
def test_n_gives_as_many_choices_streamed_all_content_before_the_first_finish(
    proxy: Proxy, model: str
) -> None:
    frames = proxy.draw_streamed(model, "a lighthouse", n=3, aspect_ratio="1:1", output_format="webp")
    steps = [
        (choice["index"], sorted(choice["delta"].keys() & {"role", "images"}), choice.get("finish_reason"))
        for chunk in frames.chunks
        for choice in chunk["choices"]
        if choice["delta"].get("images") or choice["delta"].get("role") or choice.get("finish_reason")
    ]
    assert steps == [
        *((index, [key], None) for index in range(3) for key in ("role", "images")),
        *((index, [], "stop") for index in range(3)),
    ]
    assert [image["index"] for image in frames.images] == [0, 0, 0]
    seen = [look_at(image["image_url"]["url"]) for image in frames.images]
    assert [(picture.format, picture.size) for picture in seen] == [("WEBP", (1024, 1024))] * 3
    assert frames.done


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"aspect_ratio": "16x9"}, "aspect_ratio"),
    ({"image_config": {"aspect_ratio": "wide"}}, "image_config.aspect_ratio"),
    ({"image_config": {"image_size": "8K"}}, "image_config.image_size"),
    ({"image_generation": {"aspect_ratio": "0:1", "image_size": "1K"}}, "image_generation.aspect_ratio"),
    ({"image_generation": {"aspect_ratio": "1:1"}}, "image_generation.image_size"),
    ({"size": "1024"}, "size"),
    ({"size": "0x1024"}, "size"),
    ({"width": -1, "height": 1024}, "width"),
    ({"n": 0}, "n"),
    ({"n": 11}, "n"),
    ({"output_format": "bmp"}, "output_format"),
    ({"output_compression": 101}, "output_compression"),
    ({"quality": "best"}, "quality"),
    ({"modalities": ["audio"]}, "modalities"),
    (
        {"generationConfig": {"imageConfig": {"imageSize": {}, "aspectRatio": 5}}},
        "generationConfig.imageConfig.aspectRatio",
    ),
    ({"size": "1024x1024", "aspect_ratio": "16:9"}, "size"),
]


@pytest.mark.parametrize(("fields", "field"), REFUSED, ids=str)
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
def test_a_bad_value_is_a_400_that_names_the_field(
    proxy: Proxy, fields: dict[str, Any], field: str, streams: bool
) -> None:
    answer = proxy.draw(PRO, "x", stream=streams, **fields)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["param"] == field
    assert field in error["message"]


def test_an_ending_and_another_size_are_a_400_that_names_both(proxy: Proxy) -> None:
    answer = proxy.draw("gemini-3-pro-image-preview-4k", "x", image_size="1K")
    assert answer.status_code == 400
    assert all(word in answer.json()["error"]["message"] for word in ("image_size", "'1K'", "-4k", "'4K'"))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"size": "1536x1024"}, "size"),
        ({"aspect_ratio": "1:8"}, "aspect_ratio"),
        ({"style": "vivid"}, "style"),
    ],
    ids=str,
)
def test_under_the_strict_policy_what_would_be_adapted_is_a_400(
    proxy: Proxy, fields: dict[str, Any], field: str
) -> None:
    answer = proxy.draw("strict", "x", **fields)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == field
