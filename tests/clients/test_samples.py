"""The programs of the gateways' own documents, with nothing changed but where they call and their prompts.

Where a document prints a picture's beginning the program here prints all of it.
"""

import base64
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from tests.clients.conftest import UPSTREAMS, Sample
from tests.pictures import look_at

# program, pixels of each picture that it prints as a data URL
PRINT_URLS = [
    ("openrouter_basic.mjs", [(1024, 1024)]),
    ("openrouter_aspect_ratio.mjs", [(1344, 768)]),
    ("openrouter_streaming.mjs", [(512, 512)]),
    ("helicone_chat.mjs", [(1024, 1024)]),
    ("helicone_chat_configured.mjs", [(2752, 1536)]),
    ("helicone_responses.mjs", [(1024, 1024)]),
    ("helicone_responses_configured.mjs", [(2752, 1536)]),
]
# program, how many pictures it prints as base64, their format
PRINT_BASE64 = [
    ("vercel_imagen.mjs", 2, "PNG"),
    ("vercel_imagen_options.mjs", 2, "PNG"),
    ("vercel_flux.mjs", 1, "JPEG"),
    ("vercel_flux_options.mjs", 1, "JPEG"),
    ("vercel_rest.mjs", 3, "JPEG"),
]
# program, format of each file that it saves, fields of its request that the model lacks
SAVE_FILES = [
    ("vercel_imagen.py", ["PNG"] * 2, ["providerOptions (safetyFilterLevel)"]),
    ("vercel_flux.py", ["JPEG"], []),
]
AIONE = "gemini-3-pro-image-preview"


@pytest.mark.parametrize(("program", "pixels"), PRINT_URLS)
def test_a_program_prints_urls(sample: Sample, program: str, pixels: list[tuple[int, int]]) -> None:
    assert [look_at(line).size for line in sample(program)] == pixels


@pytest.mark.parametrize(("program", "count", "image_format"), PRINT_BASE64)
def test_a_program_prints_base64(sample: Sample, program: str, count: int, image_format: str) -> None:
    lines = sample(program)
    seen = [look_at(f"data:image/{image_format.lower()};base64,{line}") for line in lines]
    assert [(picture.format, picture.size) for picture in seen] == [(image_format, (1024, 1024))] * count


@pytest.mark.parametrize(("program", "formats", "missing"), SAVE_FILES)
def test_a_program_saves_files_and_prints_metadata(
    sample: Sample, tmp_path: Path, program: str, formats: list[str], missing: list[str]
) -> None:
    metadata = json.loads("".join(sample(program)))["imagegen"]
    assert saved(tmp_path) == [(image_format, (1024, 1024)) for image_format in formats]
    assert [notice["field"] for notice in metadata["notices"]] == missing
    assert [(image["width"], image["height"]) for image in metadata["images"]] == [(1024, 1024)] * len(
        formats
    )


def test_a_program_saves_a_file(sample: Sample, tmp_path: Path) -> None:
    assert sample("vercel_client.py") == []
    assert saved(tmp_path) == [("JPEG", (1024, 1024))]


def saved(folder: Path) -> list[tuple[str, tuple[int, int]]]:
    """The format and the pixels of the pictures in `output`, whatever their names say."""
    found = []
    for file in sorted((folder / "output").iterdir()):
        with Image.open(file) as picture:
            picture.load()
            found.append((picture.format or "", picture.size))
    return found


# What each program prints or saves, whoever draws: pixels of pictures of one shape, or how many squares.
SHAPES: dict[str, tuple[int, int] | int] = {
    "openrouter_basic.mjs": (1024, 1024),
    "openrouter_aspect_ratio.mjs": (1376, 768),
    "openrouter_streaming.mjs": (512, 512),
    "helicone_chat.mjs": (1024, 1024),
    "helicone_chat_configured.mjs": (2752, 1536),
    "helicone_responses.mjs": (1024, 1024),
    "helicone_responses_configured.mjs": (2752, 1536),
    "vercel_imagen.mjs": 2,
    "vercel_imagen_options.mjs": 2,
    "vercel_flux.mjs": 1,
    "vercel_flux_options.mjs": 1,
    "vercel_rest.mjs": 3,
}
SAVED = {"vercel_imagen.py": 2, "vercel_flux.py": 1, "vercel_client.py": 1}
SQUARE = (1024, 1024)


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("program", SHAPES)
def test_a_program_prints_pictures_of_any_upstream(sample: Sample, upstream: str, program: str) -> None:
    lines = sample(program, upstream=upstream)
    expected = SHAPES[program]
    if isinstance(expected, int):
        assert [_size(base64.b64decode(line)) for line in lines] == [SQUARE] * expected
    else:
        assert [look_at(line).size for line in lines] == [expected]


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("program", SAVED)
def test_a_program_saves_pictures_of_any_upstream(
    sample: Sample, tmp_path: Path, upstream: str, program: str
) -> None:
    sample(program, upstream=upstream)
    assert [size for _, size in saved(tmp_path)] == [SQUARE] * SAVED[program]


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_aiones_program_reads_parts_of_any_upstream(sample: Sample, upstream: str) -> None:
    fields = json.dumps({"aspect_ratio": "16:9", "image_size": "2K"})
    [url] = sample("aione.py", AIONE, fields, upstream=upstream)
    assert look_at(url).size == (2752, 1536)


def _size(picture: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(picture)) as opened:
        opened.load()
        return opened.size


def test_aiones_content_is_a_list_of_parts(sample: Sample) -> None:
    [url] = sample("aione.py", AIONE, "{}")
    assert look_at(url).size == (1024, 1024)


def test_aiones_image_fields_set_the_pixels(sample: Sample) -> None:
    [url] = sample("aione.py", AIONE, json.dumps({"aspect_ratio": "16:9", "image_size": "2K"}))
    assert look_at(url).size == (2752, 1536)


def test_aiones_model_names_set_the_size(sample: Sample) -> None:
    [url] = sample("aione.py", f"{AIONE}-2k", json.dumps({"aspect_ratio": "3:2"}))
    assert look_at(url).size == (2528, 1696)


def test_aiones_reference_is_seen(sample: Sample) -> None:
    [url] = sample("aione.py", AIONE, "{}", "reference")
    [without] = sample("aione.py", AIONE, "{}")
    assert look_at(url).sha256 != look_at(without).sha256
