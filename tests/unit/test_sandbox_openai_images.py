"""The sandbox's OpenAI Images API and Azure's form of it: what it draws, refuses, streams, and each fault."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar
from xml.etree import ElementTree

import httpx
import openai
import pytest
from PIL import Image
from starlette.applications import Starlette

from litellm_imagegen.sandbox import openai_tokens
from litellm_imagegen.sandbox.openai_images import WIRE
from litellm_imagegen.sandbox.openai_models import MODELS
from litellm_imagegen.sandbox.openai_sizes import fault_of_free_size, nearest_size

NEWEST, NEWER, SECOND, FIRST = "gpt-image-2.6-flare", "gpt-image-2.5-flare", "gpt-image-2", "gpt-image-1.5"
MINI = "gpt-image-1-mini"
KEY = {"authorization": "Bearer sk-any"}
GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"
DEPLOYED = "/openai/deployments/{}/images/generations?api-version=2025-04-01-preview"
SMALL = "1024x640"  # the fewest pixels of a freely chosen size

APP = Starlette(routes=list(WIRE.routes()))
Result = TypeVar("Result")


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


def _http_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://sandbox", timeout=10)


def _call(method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        async with _http_client() as client:
            return await client.request(method, path, headers=KEY if headers is None else headers, **options)

    return _run(send())


def _generate(model: str = SECOND, *, path: str = GENERATIONS, **fields: Any) -> httpx.Response:
    body = {"model": model, "prompt": "a red fox in snow", **fields}
    if MODELS[model].free_size:
        body = {"size": SMALL, **body}
    return _call("POST", path, json=body)


def _wished(fault: str, **fields: Any) -> httpx.Response:
    return _generate(prompt=f"a fox [sandbox: {fault}] asleep", **fields)


def _file(
    kind: str = "PNG", size: tuple[int, int] = (60, 40), color: Any = "red", mode: str = "RGB"
) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, color).save(file, kind)
    return file.getvalue()


def _mask(size: tuple[int, int], hole: tuple[int, int, int, int]) -> bytes:
    file = io.BytesIO()
    mask = Image.new("RGBA", size, (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), hole)
    mask.save(file, "PNG")
    return file.getvalue()


def _part(data: bytes, content_type: str = "image/png") -> tuple[str, bytes, str]:
    return ("picture", data, content_type)


def _edit(
    *files: tuple[str, tuple[str, bytes, str]], model: str = SECOND, path: str = EDITS, **fields: str
) -> httpx.Response:
    data = {"model": model, "prompt": "a red fox in snow", **fields}
    return _call("POST", path, data=data, files=list(files))


def _data_url(data: bytes, mime_type: str = "image/png") -> str:
    return f"data:{mime_type};base64,{base64.b64encode(data).decode()}"


def _edit_json(images: Any, model: str = SECOND, **fields: Any) -> httpx.Response:
    return _call("POST", EDITS, json={"model": model, "prompt": "a fox", "images": images, **fields})


def _files(reply: httpx.Response) -> list[bytes]:
    assert reply.status_code == 200, reply.text[:500]
    return [base64.b64decode(entry["b64_json"], validate=True) for entry in reply.json()["data"]]


def _opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def _picture(reply: httpx.Response) -> Image.Image:
    (data,) = _files(reply)
    return _opened(data)


def _pixel(picture: Image.Image, place: tuple[int, int]) -> tuple[int, ...]:
    pixel = picture.convert("RGBA").getpixel(place)
    assert isinstance(pixel, tuple)
    return tuple(int(channel) for channel in pixel)


def _error(reply: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = reply.json()["error"]
    return error


def _refused(reply: httpx.Response, code: str, param: str | None) -> None:
    assert reply.status_code == 400, reply.text[:300]
    error = _error(reply)
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
    assert error["message"]


def _events(reply: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    assert reply.status_code == 200, reply.text[:500]
    assert reply.headers["content-type"].startswith("text/event-stream")
    blocks = reply.text.split("\n\n")
    assert blocks.pop() == ""
    found = []
    for block in blocks:
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


# What it draws


@pytest.mark.parametrize(
    ("model", "size", "pixels"),
    [
        (FIRST, "1024x1536", (1024, 1536)),
        (MINI, "1536x1024", (1536, 1024)),
        (SECOND, "auto", (1024, 1024)),
        (NEWER, "2048x1152", (2048, 1152)),
        (NEWEST, "1408x480", (1408, 480)),
    ],
)
def test_picture_has_exactly_the_size_that_the_reply_tells(
    model: str, size: str, pixels: tuple[int, int]
) -> None:
    reply = _generate(model, size=size)
    assert _picture(reply).size == pixels
    assert reply.json()["size"] == f"{pixels[0]}x{pixels[1]}"


@pytest.mark.parametrize(("output_format", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_picture_is_of_the_format_that_was_asked_for(output_format: str, kind: str) -> None:
    reply = _generate(output_format=output_format)
    assert (_picture(reply).format, reply.json()["output_format"]) == (kind, output_format)


def test_picture_without_a_format_is_an_opaque_png_of_the_models_own_quality() -> None:
    reply = _generate()
    assert (_picture(reply).format, _picture(reply).mode) == ("PNG", "RGB")
    told = reply.json()
    assert (told["output_format"], told["background"], told["quality"]) == ("png", "opaque", "medium")
    assert _generate(FIRST, quality="auto").json()["quality"] == "high"


@pytest.mark.parametrize("output_format", ["png", "webp"])
@pytest.mark.parametrize("model", [FIRST, NEWER])
def test_transparent_background_is_around_the_picture_only(model: str, output_format: str) -> None:
    reply = _generate(model, background="transparent", output_format=output_format)
    picture = _picture(reply)
    assert reply.json()["background"] == "transparent"
    assert _pixel(picture, (0, 0))[3] == 0
    assert _pixel(picture, (picture.width // 2, picture.height // 2))[3] == 255


def test_compression_makes_smaller_files() -> None:
    sizes = [
        len(_files(_generate(output_format=kind, output_compression=amount))[0])
        for kind in ("jpeg", "webp")
        for amount in (5, 95)
    ]
    assert sizes[0] < sizes[1]
    assert sizes[2] < sizes[3]


def test_several_pictures_differ_and_the_same_request_gives_the_same() -> None:
    pictures = _files(_generate(n=3))
    assert len(set(pictures)) == 3
    assert _files(_generate(n=3)) == pictures
    assert _files(_generate(prompt="a blue whale")) != pictures[:1]


def test_gif_has_the_frames_and_the_pace_that_were_asked_for() -> None:
    picture = _picture(_generate(NEWEST, output_format="gif", frame_count=4, frame_duration_ms=60))
    assert (picture.format, picture.size) == ("GIF", (1024, 640))
    assert getattr(picture, "n_frames", 1) == 4
    looks = set()
    for number in range(4):
        picture.seek(number)
        assert picture.info["duration"] == 60
        looks.add(picture.convert("RGB").tobytes())
    assert len(looks) == 4
    assert getattr(_picture(_generate(NEWEST, output_format="gif")), "n_frames", 1) == 9


def test_svg_is_a_document_with_the_prompt_as_text() -> None:
    reply = _generate(NEWEST, output_format="svg", prompt="cats & <dogs>", svg={"model": "any"})
    root = ElementTree.fromstring(_files(reply)[0])  # noqa: S314 - the sandbox's own document
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert (root.get("width"), root.get("height")) == ("1024", "640")
    assert "cats & <dogs>" in "".join(root.itertext())


def test_usage_adds_up_and_follows_the_published_tokens() -> None:
    usage = _generate(SECOND, size="1024x1024", quality="high", n=2).json()["usage"]
    assert usage["output_tokens"] == 2 * 7024
    assert usage["output_tokens_details"] == {"image_tokens": 2 * 7024, "text_tokens": 0}
    assert usage["input_tokens"] == sum(usage["input_tokens_details"].values())
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    first = _generate(FIRST, size="1024x1536", quality="medium").json()["usage"]
    assert first["output_tokens"] == 1584
    upright = _generate(NEWER, size="1024x1536", quality="max").json()["usage"]
    assert upright["output_tokens"] == 5488


def test_tokens_of_unpublished_sizes_lie_between_their_neighbours() -> None:
    table = {(10, 10): 100, (20, 20): 200}
    assert openai_tokens.output_tokens(table, (10, 25)) == 150
    assert openai_tokens.output_tokens(table, (5, 10)) == 50
    assert openai_tokens.output_tokens(table, (40, 20)) == 400


# Edits


def test_references_are_shown_on_the_picture() -> None:
    green = _part(_file(size=(64, 64), color=(0, 255, 0)))
    blue = _part(_file("WEBP", size=(64, 64), color=(0, 0, 255)), "image/webp")
    picture = _picture(_edit(("image[]", green), ("image[]", blue), size="1024x1024")).convert("RGB")
    colours = {colour for _, colour in picture.getcolors(picture.width * picture.height) or ()}
    assert (0, 255, 0) in colours
    assert any(isinstance(c, tuple) and c[2] > 250 and c[0] < 6 and c[1] < 6 for c in colours)


def test_form_numbers_are_parsed_and_pictures_are_billed() -> None:
    reply = _edit(
        ("image", _part(_file("JPEG"), "image/jpeg")),
        n="2",
        size=SMALL,
        output_format="jpeg",
        output_compression="40",
    )
    assert len(_files(reply)) == 2
    assert reply.json()["usage"]["input_tokens_details"]["image_tokens"] > 0


@pytest.mark.parametrize(
    ("model", "given", "drawn"),
    [
        (FIRST, (300, 200), (1536, 1024)),
        (MINI, (90, 200), (1024, 1536)),
        (FIRST, (500, 490), (1024, 1024)),
        (SECOND, (1200, 800), (1200, 800)),
        (SECOND, (1203, 799), (1200, 800)),
    ],
)
def test_size_of_an_edit_follows_the_first_picture(
    model: str, given: tuple[int, int], drawn: tuple[int, int]
) -> None:
    assert _picture(_edit(("image", _part(_file(size=given))), model=model)).size == drawn


@pytest.mark.parametrize(
    "size", [(1, 1), (60, 40), (1, 5000), (5000, 1), (999, 333), (3840, 2160), (9000, 8000), (4000, 1400)]
)
def test_nearest_size_is_always_legal(size: tuple[int, int]) -> None:
    assert fault_of_free_size(nearest_size(size, free=True)) is None


@pytest.mark.parametrize("as_json", [False, True])
def test_mask_keeps_what_is_opaque_and_draws_what_is_transparent(as_json: bool) -> None:
    first, mask = _file(size=(1024, 1024), color=(1, 200, 3)), _mask((1024, 1024), (512, 0, 1024, 1024))
    if as_json:
        reply = _edit_json([{"image_url": _data_url(first)}], mask={"image_url": _data_url(mask)})
    else:
        reply = _edit(("image", _part(first)), ("mask", _part(mask)))
    picture = _picture(reply).convert("RGB")
    kept = picture.crop((0, 0, 512, 1024)).getcolors()
    assert kept == [(512 * 1024, (1, 200, 3))]
    drawn = picture.crop((512, 0, 1024, 1024)).getcolors(1024 * 1024)
    assert drawn is not None
    assert (1, 200, 3) not in {colour for _, colour in drawn}


def test_small_mask_at_the_edge_and_mask_without_a_hole() -> None:
    first = ("image", _part(_file(size=(1024, 1024), color=(1, 200, 3))))
    edge = _picture(_edit(first, ("mask", _part(_mask((1024, 1024), (1020, 1020, 1024, 1024))))))
    assert _pixel(edge, (1022, 1022))[:3] != (1, 200, 3)
    assert _pixel(edge, (1018, 1018))[:3] == (1, 200, 3)
    whole = _picture(_edit(first, ("mask", _part(_mask((1024, 1024), (0, 0, 0, 0))))))
    assert whole.getcolors() == [(1024 * 1024, (1, 200, 3))]


def test_json_edit_takes_data_urls_addresses_and_file_ids() -> None:
    images = [
        {"image_url": _data_url(_file(size=(1600, 800)))},
        {"image_url": "https://example.com/a.png"},
        {"file_id": "file-1"},
    ]
    assert _picture(_edit_json(images)).size == (1600, 800)
    assert _picture(_edit_json(images[1:], mask={"file_id": "file-2"})).size == (1024, 1024)


def test_markup_is_for_the_newer_models_and_never_with_a_mask() -> None:
    first = ("image", _part(_file(size=(1024, 1024))))
    overlay = _part(_mask((1024, 1024), (0, 0, 9, 9)))
    assert _edit(first, ("markup", overlay), model=NEWER).status_code == 200
    _refused(_edit(first, ("markup", overlay)), "unknown_parameter", "markup")
    _refused(_edit(first, ("markup", overlay), ("mask", overlay), model=NEWER), "invalid_value", "markup")


# What it refuses: fields


@pytest.mark.parametrize("model", list(MODELS))
@pytest.mark.parametrize("field", ["response_format", "style", "imageSize", "seed"])
def test_unknown_fields_are_refused_on_every_model(model: str, field: str) -> None:
    _refused(_generate(model, **{field: "b64_json"}), "unknown_parameter", field)


def test_refusal_of_response_format_is_as_recorded() -> None:
    assert _error(_generate(response_format="b64_json")) == {
        "message": "Unknown parameter: 'response_format'.",
        "type": "invalid_request_error",
        "param": "response_format",
        "code": "unknown_parameter",
    }


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        (FIRST, "size", "1024x1792"),
        (MINI, "size", "2048x2048"),
        (FIRST, "size", 1024),
        (SECOND, "size", "1000x1000"),
        (SECOND, "size", "3856x1600"),
        (SECOND, "size", "3200x1024"),
        (SECOND, "size", "512x512"),
        (SECOND, "size", "3840x2176"),
        (SECOND, "size", "big"),
        (SECOND, "quality", "hd"),
        (SECOND, "quality", "max"),
        (FIRST, "quality", "xhigh"),
        (SECOND, "background", "transparent"),
        (NEWER, "background", "white"),
        (NEWER, "output_format", "gif"),
        (NEWEST, "output_format", "avif"),
        (SECOND, "output_compression", 50),
        (SECOND, "n", 0),
        (SECOND, "n", 11),
        (SECOND, "n", "2"),
        (SECOND, "n", 1.5),
        (SECOND, "n", True),
        (SECOND, "stream", "true"),
        (SECOND, "partial_images", 4),
        (SECOND, "moderation", "off"),
        (SECOND, "prompt", ""),
        (SECOND, "prompt", "x" * 32_001),
        (SECOND, "prompt", ["x"]),
        (SECOND, "safety_identifier", "x" * 129),
        (NEWEST, "complexity", "extreme"),
        (NEWEST, "frame_count", 3),
        (NEWEST, "frame_duration_ms", 100),
        (NEWEST, "svg", {"model": "any"}),
    ],
)
def test_invalid_values_are_refused(model: str, field: str, value: Any) -> None:
    _refused(_generate(model, **{field: value}), "invalid_value", field)


@pytest.mark.parametrize(
    ("model", "fields", "param"),
    [
        (NEWER, {"background": "transparent", "output_format": "jpeg"}, "background"),
        (NEWEST, {"background": "transparent", "output_format": "gif"}, "background"),
        (NEWER, {"output_format": "jpeg", "output_compression": 101}, "output_compression"),
        (NEWER, {"output_format": "png", "output_compression": 99}, "output_compression"),
        (SECOND, {"stream": True, "n": 2}, "n"),
        (NEWEST, {"output_format": "gif", "frame_count": 1}, "frame_count"),
        (NEWEST, {"output_format": "gif", "frame_duration_ms": 2001}, "frame_duration_ms"),
        (NEWEST, {"output_format": "svg", "svg": "any"}, "svg"),
        (NEWEST, {"output_format": "svg", "svg": {"model": 1}}, "svg.model"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(model: str, fields: Any, param: str) -> None:
    _refused(_generate(model, **fields), "invalid_value", param)


@pytest.mark.parametrize("field", ["complexity", "frame_count", "svg", "input_fidelity", "mask"])
def test_fields_of_other_models_or_of_edits_are_unknown(field: str) -> None:
    _refused(_generate(NEWER, **{field: "high"}), "unknown_parameter", field)


def test_newer_qualities_and_settings_are_taken() -> None:
    assert _generate(NEWER, quality="xhigh", moderation="low", user="me").status_code == 200
    assert _generate(NEWER, output_compression=100).status_code == 200
    assert _generate(NEWEST, complexity="low", safety_identifier="x" * 128, n=None).status_code == 200


def test_input_fidelity_is_for_the_first_generation() -> None:
    picture = ("image", _part(_file()))
    low, high = (_edit(picture, model=FIRST, input_fidelity=level) for level in ("low", "high"))
    tokens = [reply.json()["usage"]["input_tokens"] for reply in (low, high)]
    assert tokens[0] < tokens[1]
    for model in (MINI, SECOND, NEWEST):
        _refused(_edit(picture, model=model, input_fidelity="high"), "unknown_parameter", "input_fidelity")
    _refused(_edit(picture, model=FIRST, input_fidelity="best"), "invalid_value", "input_fidelity")


def test_prompt_and_model_are_required() -> None:
    _refused(_call("POST", GENERATIONS, json={"model": SECOND}), "missing_required_parameter", "prompt")
    _refused(_call("POST", GENERATIONS, json={"prompt": "x"}), "missing_required_parameter", "model")
    _refused(
        _call("POST", EDITS, json={"model": SECOND, "prompt": "x"}), "missing_required_parameter", "images"
    )
    _refused(_edit(("mask", _part(_file()))), "missing_required_parameter", "image")


@pytest.mark.parametrize("model", ["gpt-image-1", "dall-e-2", "dall-e-3", "gpt-image-2.5", "gpt-image-99"])
def test_retired_and_unknown_models_are_not_found(model: str) -> None:
    for reply in (
        _call("POST", GENERATIONS, json={"model": model, "prompt": "x"}),
        _edit(("image", _part(_file())), model=model),
        _call("GET", f"/v1/models/{model}"),
    ):
        assert reply.status_code == 404
        assert _error(reply)["code"] == "model_not_found"


@pytest.mark.parametrize("body", [b"{", b'{"n": NaN}', b"[]", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_json_object_are_refused(body: bytes) -> None:
    reply = _call("POST", GENERATIONS, headers={**KEY, "content-type": "application/json"}, content=body)
    assert reply.status_code == 400
    assert (_error(reply)["type"], _error(reply)["param"]) == ("invalid_request_error", None)


@pytest.mark.parametrize(("path", "kind"), [(GENERATIONS, "multipart/form-data"), (EDITS, "text/plain")])
def test_content_types_are_checked(path: str, kind: str) -> None:
    reply = _call("POST", path, headers={**KEY, "content-type": kind}, content=b"x")
    _refused(reply, "unsupported_content_type", None)


def test_body_that_is_too_large_is_413() -> None:
    headers = {**KEY, "content-type": "application/json", "content-length": "300000000"}
    assert _call("POST", GENERATIONS, headers=headers, content=b"{}").status_code == 413


def test_broken_form_is_refused() -> None:
    headers = {**KEY, "content-type": "multipart/form-data"}
    assert _call("POST", EDITS, headers=headers, content=b"x").status_code == 400


# What it refuses: pictures


@pytest.mark.parametrize(
    ("files", "code", "param"),
    [
        ([("image", _part(b"no picture"))], "invalid_image_file", "image"),
        ([("image", _part(_file()[:60]))], "invalid_image_file", "image"),
        ([("image", _part(_file("GIF")))], "invalid_image_file", "image"),
        ([("image", _part(b"\0\0\0\x18ftypheic" + b"\0" * 50))], "invalid_image_file", "image"),
        (
            [("image", _part(_file(), "application/octet-stream"))],
            "unsupported_file_mimetype",
            "image",
        ),
        ([("image", _part(_file()))] * 2, "duplicate_parameter", "image"),
        ([("image[]", _part(_file()))] * 17, "invalid_value", "image"),
        ([("image", _part(_file())), ("prompt2", _part(_file()))], "invalid_value", "prompt2"),
        (
            [("image", _part(_file())), ("mask", _part(_mask((61, 40), (0, 0, 9, 9))))],
            "invalid_image_file",
            "mask",
        ),
        ([("image", _part(_file())), ("mask", _part(_file()))], "invalid_image_file", "mask"),
        (
            [("image", _part(_file())), ("mask", _part(_file("WEBP", mode="RGBA"), "image/webp"))],
            "invalid_image_file",
            "mask",
        ),
    ],
)
def test_pictures_of_a_form_are_checked(
    files: Sequence[tuple[str, tuple[str, bytes, str]]], code: str, param: str
) -> None:
    _refused(_edit(*files), code, param)


def test_picture_given_as_text_of_a_form_is_refused() -> None:
    _refused(_edit(("image[]", _part(_file())), mask=_data_url(_file())), "invalid_value", "mask")


@pytest.mark.parametrize(
    ("field", "value"), [("n", "two"), ("n", "1.0"), ("stream", "yes"), ("output_compression", "")]
)
def test_form_values_that_do_not_parse_are_refused(field: str, value: str) -> None:
    _refused(_edit(("image", _part(_file())), **{field: value}), "invalid_value", field)


@pytest.mark.parametrize(
    ("images", "code", "param"),
    [
        ("https://example.com/a.png", "invalid_value", "images"),
        (["https://example.com/a.png"], "invalid_value", "images[0]"),
        ([{"image_url": "https://x.org/a", "file_id": "file-1"}], "invalid_value", "images[0]"),
        ([{}], "invalid_value", "images[0]"),
        ([{"image_url": "ftp://x.org/a"}], "invalid_value", "images[0].image_url"),
        ([{"image_url": 5}], "invalid_value", "images[0].image_url"),
        ([{"image_url": "data:image/png;base64,@@"}], "invalid_value", "images[0].image_url"),
        ([{"image_url": _data_url(b"words")}], "invalid_image_file", "images[0].image_url"),
        (
            [{"image_url": _data_url(_file("GIF"), "image/gif")}],
            "unsupported_file_mimetype",
            "images[0].image_url",
        ),
        ([{"url": "https://x.org/a"}], "unknown_parameter", "images[0].url"),
        ([{"file_id": "f"}] * 17, "invalid_value", "images"),
        ([], "missing_required_parameter", "images"),
    ],
)
def test_pictures_of_json_are_checked(images: Any, code: str, param: str) -> None:
    _refused(_edit_json(images), code, param)


# Callers and models


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer invalid-1"}, {"authorization": "Basic sk"}, {"api-key": "k"}],
)
@pytest.mark.parametrize("path", [GENERATIONS, EDITS])
def test_missing_and_invalid_keys_are_401(headers: Mapping[str, str], path: str) -> None:
    reply = _call("POST", path, headers=headers, json={})
    error = _error(reply)
    assert reply.status_code == 401
    assert (error["type"], error["code"], error["param"]) == (
        "invalid_request_error",
        "invalid_api_key",
        None,
    )


def test_organization_is_taken_unless_invalid() -> None:
    body = {"model": SECOND, "prompt": "x", "size": SMALL}
    more = {"openai-project": "proj", "openai-organization": "org"}
    taken = _call("POST", GENERATIONS, headers={**KEY, **more}, json=body)
    assert taken.status_code == 200
    assert not set(more) & set(taken.headers)
    refused = _call("POST", GENERATIONS, headers={**KEY, "openai-organization": "invalid-org"}, json=body)
    assert (refused.status_code, _error(refused)["code"]) == (401, "invalid_organization")


def test_every_reply_has_its_own_request_id() -> None:
    replies = [_generate(), _generate(n=0), _wished("html 502"), _call("GET", "/v1/models")]
    assert len({reply.headers["x-request-id"] for reply in replies}) == 4


def test_models_are_listed_with_their_snapshots() -> None:
    listed = _call("GET", "/v1/models").json()
    names = {entry["id"] for entry in listed["data"]}
    assert listed["object"] == "list"
    assert {*MODELS, "gpt-image-2-2026-04-21", "gpt-image-2.5-sunburst-2026-09-08"} <= names
    assert {"gpt-5", "gpt-5-2025-08-07"} <= names
    assert _call("GET", "/v1/models/gpt-image-1.5-2025-12-16").json()["object"] == "model"
    assert _call("GET", "/v1/models", headers={}).status_code == 401


def test_model_addresses_are_left_to_google_for_callers_with_its_key() -> None:
    assert _call("GET", "/v1/models", headers={"x-goog-api-key": "k"}).status_code == 404
    assert _call("GET", "/v1/models?key=k").status_code == 404


# Streams


def test_stream_sends_partials_and_then_the_picture() -> None:
    events = _events(_generate(stream=True, partial_images=2))
    assert [name for name, _ in events] == [
        "image_generation.partial_image",
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert all(body["type"] == name for name, body in events)
    assert [body.get("partial_image_index") for _, body in events] == [0, 1, None]
    assert len({body["b64_json"] for _, body in events}) == 3
    last = events[-1][1]
    whole = _generate().json()
    assert last["b64_json"] == whole["data"][0]["b64_json"]
    assert last["usage"]["output_tokens"] == whole["usage"]["output_tokens"] + 200
    assert all("usage" not in body for _, body in events[:-1])
    for name in ("background", "output_format", "quality", "size"):
        assert {body[name] for _, body in events} == {whole[name]}
    assert all(isinstance(body["created_at"], int) for _, body in events)


def test_stream_of_an_edit_has_names_of_its_own() -> None:
    reply = _edit(("image", _part(_file())), stream="true", partial_images="1")
    assert [name for name, _ in _events(reply)] == ["image_edit.partial_image", "image_edit.completed"]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_stream_of_an_edit_in_json_sends_as_many_partials_as_are_asked_for(count: int) -> None:
    images = [{"image_url": _data_url(_file(size=(1200, 800)))}]
    events = _events(_edit_json(images, stream=True, partial_images=count))
    assert [name for name, _ in events] == ["image_edit.partial_image"] * count + ["image_edit.completed"]
    assert {_opened(base64.b64decode(body["b64_json"])).size for _, body in events} == {(1200, 800)}
    images_only = _events(_edit_json(images, stream=True))[-1][1]
    more = events[-1][1]["usage"]["output_tokens"] - images_only["usage"]["output_tokens"]
    assert more == 100 * count


def test_partial_pictures_are_grey_and_as_large_as_the_picture() -> None:
    events = _events(_generate(stream=True, partial_images=2))
    pictures = [_opened(base64.b64decode(body["b64_json"])) for _, body in events]
    assert {picture.size for picture in pictures} == {(1024, 640)}
    spread = [max(pixel) - min(pixel) for pixel in (_pixel(each, (1000, 300))[:3] for each in pictures)]
    assert spread[:2] == [0, 0]
    assert spread[2] > 0
    drawings = _events(_generate(NEWEST, output_format="svg", stream=True, partial_images=1))
    assert ["PARTIAL 1" in base64.b64decode(body["b64_json"]).decode() for _, body in drawings] == [
        True,
        False,
    ]


@pytest.mark.parametrize("fields", [{"stream": "true", "n": "2"}, {"stream": "true", "partial_images": "4"}])
def test_stream_of_a_form_is_checked_as_one_of_json(fields: dict[str, str]) -> None:
    _refused(_edit(("image", _part(_file())), **fields), "invalid_value", list(fields)[1])


# The faults


@pytest.mark.parametrize(
    ("fault", "stage"), [("refuse prompt", "input"), ("block ANY", "input"), ("refuse picture", "output")]
)
def test_moderation_tells_its_stage(fault: str, stage: str) -> None:
    reply = _wished(fault)
    error = _error(reply)
    assert reply.status_code == 400
    assert (error["type"], error["code"]) == ("image_generation_user_error", "moderation_blocked")
    assert error["moderation_details"]["moderation_stage"] == stage
    assert error["moderation_details"]["categories"]


def test_refused_picture_ends_a_stream_and_a_refused_prompt_begins_none() -> None:
    partial, (name, body) = _events(_wished("refuse picture", stream=True, partial_images=1))
    assert partial[0] == "image_generation.partial_image"
    assert (name, body["type"], body["sequence_number"]) == ("error", "error", 1)
    assert (body["error"]["type"], body["error"]["code"]) == (
        "image_generation_user_error",
        "moderation_blocked",
    )
    assert body["error"]["moderation_details"]["moderation_stage"] == "output"
    assert _wished("refuse prompt", stream=True).status_code == 400


def test_drafts_are_partials_that_nobody_asked_for() -> None:
    names = [name for name, _ in _events(_wished("drafts", stream=True))]
    assert names == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]


def test_number_of_pictures_may_be_wrong() -> None:
    assert len(_files(_wished("pictures 3", n=2))) == 3
    assert len(_events(_wished("pictures 2", stream=True))) == 2


@pytest.mark.parametrize("fault", ["empty", "no image"])
def test_reply_may_hold_no_picture(fault: str) -> None:
    body = _wished(fault).json()
    assert (body["data"], body["usage"]["output_tokens"]) == ([], 0)
    assert _events(_wished(fault, stream=True, partial_images=1)) == []


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, "invalid_request_error", "invalid_value"),
        (401, "invalid_request_error", "invalid_api_key"),
        (402, "insufficient_quota", "insufficient_quota"),
        (403, "invalid_request_error", "unsupported_country_region_territory"),
        (404, "invalid_request_error", "model_not_found"),
        (429, "requests", "rate_limit_exceeded"),
        (500, "server_error", "server_error"),
        (503, "server_error", "overloaded"),
        (504, "server_error", "timeout"),
    ],
)
def test_error_codes_have_openais_bodies(status: int, kind: str, code: str) -> None:
    reply = _wished(str(status), stream=True)
    assert reply.status_code == status
    assert set(_error(reply)) == {"message", "type", "param", "code"}
    assert (_error(reply)["type"], _error(reply)["code"]) == (kind, code)


def test_rate_limit_tells_when_to_come_back() -> None:
    headers = _wished("429 after 17").headers
    assert (headers["retry-after"], headers["x-ratelimit-reset-requests"]) == ("17", "17s")
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert "retry-after" in _wished("429").headers
    assert _wished("503 after 2").headers["retry-after"] == "2"
    assert "retry-after" not in _wished("503").headers


def test_pages_of_something_before_the_provider() -> None:
    page = _wished("html 502")
    assert (page.status_code, page.headers["content-type"][:9]) == (502, "text/html")
    bare = _wished("status 529")
    assert (bare.status_code, bare.content) == (529, b"")


def test_replies_of_no_known_shape() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        _wished("not json").json()
    assert _wished("unknown shape").json() == {"hello": "world"}
    assert _events(_wished("unknown shape", stream=True)) == [
        ("image_generation.completed", {"hello": "world"})
    ]
    assert b"data: <this" in _wished("not json", stream=True).content


def test_bad_base64_is_junk() -> None:
    with pytest.raises(ValueError, match="base64"):
        _files(_wished("bad base64"))


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp", "gif", "svg"])
def test_big_pictures_still_decode(output_format: str) -> None:
    reply = _generate(NEWEST, output_format=output_format, prompt="x [sandbox: big 2]")
    (data,) = _files(reply)
    assert 2_000_000 < len(data) < 4_000_000
    if output_format == "svg":
        assert ElementTree.fromstring(data).get("width") == "1024"  # noqa: S314 - the sandbox's own
    else:
        assert _opened(data).size == (1024, 640)


def test_error_in_the_middle_of_a_stream() -> None:
    *partials, (name, body) = _events(_wished("error mid-stream", stream=True, partial_images=1))
    assert [partial for partial, _ in partials] == ["image_generation.partial_image"]
    assert (name, body["type"], body["error"]["code"]) == ("error", "error", "overloaded")
    assert _wished("error mid-stream").status_code == 503


def test_gzip_is_sent_whatever_was_asked_for() -> None:
    reply = _call(
        "POST",
        GENERATIONS,
        headers={**KEY, "accept-encoding": "identity", "x-sandbox": "encoded gzip"},
        json={"model": SECOND, "prompt": "x", "size": SMALL},
    )
    assert reply.headers["content-encoding"] == "gzip"
    assert _picture(reply).size == (1024, 640)


@pytest.mark.parametrize(
    "fault", ["drafts", "words only", "words", "max tokens", "finish X", "explode", "pictures 0"]
)
def test_faults_that_do_not_exist_here_are_said_to(fault: str) -> None:
    reply = _wished(fault)
    assert reply.status_code == 400
    assert "sandbox fault" in _error(reply)["message"]


def test_header_wins_over_words_in_the_prompt() -> None:
    body = {"model": SECOND, "prompt": "x [sandbox: 503]", "size": SMALL}
    for header, status in (("429", 429), ("", 200)):
        assert (
            _call("POST", GENERATIONS, headers={**KEY, "x-sandbox": header}, json=body).status_code == status
        )
    assert _call("GET", "/v1/models", headers={**KEY, "x-sandbox": "500"}).status_code == 500


def _messages(fault: str, *, leave_at_once: bool = False) -> list[dict[str, Any]]:
    """What the app sends to its server, where a client of HTTP would only see a broken connection."""
    raw = json.dumps({"model": SECOND, "prompt": "x", "size": SMALL}).encode()
    incoming = [{"type": "http.request", "body": raw, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop()
        if not leave_at_once:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = {**KEY, "content-type": "application/json", "x-sandbox": fault}
    scope = {
        "type": "http",
        "method": "POST",
        "path": GENERATIONS,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    _run(asyncio.wait_for(APP(scope, receive, send), 10))
    return sent


def test_cut_off_leaves_the_body_unfinished() -> None:
    head, *bodies = _messages("cut off")
    declared = int(dict(head["headers"])[b"content-length"])
    assert 0.4 < sum(len(message["body"]) for message in bodies) / declared < 0.6
    assert bodies[-1]["more_body"] is True


@pytest.mark.parametrize("fault", ["never", "slow 60"])
def test_handler_ends_without_a_reply_when_the_client_goes_away(fault: str) -> None:
    assert _messages(fault, leave_at_once=True) == []


def test_slow_and_stall_wait() -> None:
    started = time.monotonic()
    head, *bodies = _messages("slow 0.1; stall 0.1")
    assert time.monotonic() - started >= 0.2
    assert (head["status"], bodies[-1]["more_body"]) == (200, False)


# Azure


@pytest.mark.parametrize("headers", [KEY, {"api-key": "any"}])
@pytest.mark.parametrize("path", [DEPLOYED.format(FIRST), "/openai/v1/images/generations"])
def test_azure_takes_either_key(headers: Mapping[str, str], path: str) -> None:
    body = {"prompt": "x", "model": FIRST, "size": "1536x1024"}
    reply = _call("POST", path, headers=headers, json=body)
    assert _picture(reply).size == (1536, 1024)
    for refused in ({}, {"api-key": "invalid"}):
        denied = _call("POST", path, headers=refused, json=body)
        assert (denied.status_code, _error(denied)["code"]) == (401, "401")


def test_azure_finds_the_model_behind_a_deployment() -> None:
    def sized(deployment: str) -> int:
        return _call("POST", DEPLOYED.format(deployment), json={"prompt": "x", "size": SMALL}).status_code

    assert (sized("our-pictures"), sized(FIRST), sized(NEWER)) == (200, 400, 200)
    v1 = {"model": "our-pictures", "prompt": "x", "size": SMALL}
    assert _call("POST", "/openai/v1/images/generations", json=v1).status_code == 200
    edits = "/openai/deployments/our-pictures/images/edits?api-version=2025-04-01-preview"
    assert _picture(_edit(("image[]", _part(_file())), path=edits, size=SMALL)).size == (1024, 640)


def test_azure_needs_an_api_version() -> None:
    reply = _call("POST", "/openai/deployments/x/images/generations", json={"prompt": "x"})
    assert (reply.status_code, _error(reply)["code"]) == (404, "404")


@pytest.mark.parametrize(
    ("fault", "code"),
    [("refuse prompt", "content_policy_violation"), ("refuse picture", "contentFilter")],
)
def test_azure_has_a_content_filter_of_its_own(fault: str, code: str) -> None:
    reply = _wished(fault, path=DEPLOYED.format(SECOND))
    error = _error(reply)
    assert (reply.status_code, error["code"]) == (400, code)
    assert error["inner_error"]["code"] == "ResponsibleAIPolicyViolation"
    assert any(result["filtered"] for result in error["inner_error"]["content_filter_results"].values())


# The official client


def _official() -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        api_key="sk-any", base_url="http://sandbox/v1", http_client=_http_client(), max_retries=1
    )


def test_official_client_generates_edits_and_lists() -> None:
    async def talk() -> None:
        async with _official() as client:
            made = await client.images.generate(model=FIRST, prompt="a fox", n=2, output_format="webp")
            assert made.usage is not None
            assert [entry.b64_json is not None for entry in made.data or ()] == [True, True]
            first = _file(size=(1024, 1024))
            edited = await client.images.edit(
                model=FIRST,
                image=[("a.png", first), ("b.png", _file())],
                mask=("mask.png", _mask((1024, 1024), (0, 0, 99, 99))),
                prompt="a fox",
                n=1,
                input_fidelity="high",
            )
            assert edited.size == "1024x1024"
            assert FIRST in {model.id async for model in client.models.list()}

    _run(talk())


def test_official_client_streams() -> None:
    async def talk() -> list[str]:
        async with _official() as client:
            stream = await client.images.generate(model=FIRST, prompt="a fox", stream=True, partial_images=1)
            return [event.type async for event in stream]

    assert _run(talk()) == ["image_generation.partial_image", "image_generation.completed"]


def test_official_client_streams_edits() -> None:
    async def talk() -> list[str]:
        async with _official() as client:
            stream = await client.images.edit(
                model=SECOND,
                image=("a.png", _file()),
                prompt="a fox",
                stream=True,
                partial_images=2,
                size=SMALL,
            )
            return [event.type async for event in stream]

    assert _run(talk()) == ["image_edit.partial_image"] * 2 + ["image_edit.completed"]


def test_official_client_reads_errors() -> None:
    async def talk() -> None:
        async with _official() as client:
            with pytest.raises(openai.RateLimitError) as limited:
                await client.images.generate(model=FIRST, prompt="[sandbox: 429 after 0]")
            assert limited.value.code == "rate_limit_exceeded"
            assert limited.value.request_id
            broken = await client.images.generate(
                model=FIRST, prompt="[sandbox: error mid-stream]", stream=True
            )
            with pytest.raises(openai.APIError, match="overloaded"):
                _ = [event async for event in broken]

    _run(talk())


def test_official_azure_client_generates() -> None:
    async def talk() -> int:
        async with openai.AsyncAzureOpenAI(
            api_key="any",
            api_version="2025-04-01-preview",
            azure_endpoint="http://sandbox",
            http_client=_http_client(),
        ) as client:
            made = await client.images.generate(model="our-pictures", prompt="a fox", n=2)
            return len(made.data or ())

    assert _run(talk()) == 2
