"""The sandbox's Imagen wire, on both APIs: what it draws, what it refuses, what one may wish for."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image, ImageChops
from starlette.applications import Starlette

from litellm_imagegen.sandbox import gemini, imagen
from litellm_imagegen.sandbox.imagen_wishes import OWN_WORDS

GENERATE = "imagen-4.0-generate-001"
FAST = "imagen-4.0-fast-generate-001"
ULTRA = "imagen-4.0-ultra-generate-001"
THREE = "imagen-3.0-generate-002"
LEGACY = "imagen-3.0-generate-001"
LEGACY_FAST = "imagen-3.0-fast-generate-001"
EDITOR = "imagen-3.0-capability-001"
MODELS = (GENERATE, FAST, ULTRA, THREE, LEGACY, LEGACY_FAST, EDITOR)

KEY = {"x-goog-api-key": "any key"}
BEARER = {"authorization": "Bearer any token"}

# Behind the routes of the Gemini wire, which share a part of the addresses.
LIVING = Starlette(routes=[*gemini.WIRE.routes(), *imagen.WIRE.routes()])
RETIRED = Starlette(routes=list(imagen.routes(alive=False)))


def _gemini(model: str = GENERATE, version: str = "v1beta") -> str:
    return f"/{version}/models/{model}:predict"


def _vertex(model: str = GENERATE, version: str = "v1") -> str:
    return f"/{version}/projects/p-1/locations/us-central1/publishers/google/models/{model}:predict"


def _send(path: str, *, app: Starlette = LIVING, **options: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as client:
            return await client.post(path, **options)

    return asyncio.run(send())


def _body(prompt: str = "a red fox in snow", **parameters: Any) -> dict[str, Any]:
    return {"instances": [{"prompt": prompt}], "parameters": {"sampleCount": 1} | parameters}


def _on_gemini(body: Any, model: str = GENERATE, **options: Any) -> httpx.Response:
    headers = KEY | options.pop("headers", {})
    return _send(_gemini(model), json=body, headers=headers, **options)


def _on_vertex(body: Any, model: str = GENERATE, **options: Any) -> httpx.Response:
    headers = BEARER | options.pop("headers", {})
    return _send(_vertex(model), json=body, headers=headers, **options)


def _predictions(reply: httpx.Response) -> list[dict[str, Any]]:
    assert reply.status_code == 200, reply.text[:500]
    found: list[dict[str, Any]] = reply.json()["predictions"]
    return found


def _data(prediction: dict[str, Any]) -> bytes:
    return base64.b64decode(prediction["bytesBase64Encoded"], validate=True)


def _open(prediction: dict[str, Any]) -> Image.Image:
    picture = Image.open(io.BytesIO(_data(prediction)))
    picture.load()
    assert Image.MIME[picture.format or ""] == prediction["mimeType"]
    return picture


def _picture(reply: httpx.Response) -> Image.Image:
    (prediction,) = _predictions(reply)
    return _open(prediction)


def _error(reply: httpx.Response) -> tuple[int, str]:
    error = reply.json()["error"]
    assert error["code"] == reply.status_code
    assert error["message"]
    return reply.status_code, error["status"]


def _source(kind: str = "PNG", colour: str = "#ff0000", size: tuple[int, int] = (60, 40)) -> dict[str, Any]:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return {"bytesBase64Encoded": base64.b64encode(file.getvalue()).decode(), "mimeType": "image/png"}


def _reference(kind: str = "RAW", number: int = 1, **fields: Any) -> dict[str, Any]:
    entry = {"referenceType": f"REFERENCE_TYPE_{kind}", "referenceId": number, "referenceImage": _source()}
    return {name: value for name, value in (entry | fields).items() if value is not None}


def _edit(*references: Any, prompt: str = "a hat on [1]", **parameters: Any) -> dict[str, Any]:
    body = _body(prompt, **parameters)
    body["instances"][0]["referenceImages"] = list(references)
    return body


# What it draws


@pytest.mark.parametrize(
    ("ratio", "size", "pixels"),
    [
        ("1:1", "1K", (1024, 1024)),
        ("3:4", "1K", (896, 1280)),
        ("4:3", "1K", (1280, 896)),
        ("9:16", "1K", (768, 1408)),
        ("16:9", "1K", (1408, 768)),
        ("1:1", "2K", (2048, 2048)),
        ("3:4", "2K", (1792, 2560)),
        ("4:3", "2K", (2560, 1792)),
        ("9:16", "2K", (1536, 2816)),
        ("16:9", "2K", (2816, 1536)),
    ],
)
def test_picture_has_exactly_the_pixels_of_its_ratio_and_size(
    ratio: str, size: str, pixels: tuple[int, int]
) -> None:
    picture = _picture(_on_gemini(_body(aspectRatio=ratio, sampleImageSize=size)))
    assert (picture.size, picture.format) == (pixels, "PNG")


@pytest.mark.parametrize("send", [_on_gemini, _on_vertex])
@pytest.mark.parametrize(("model", "count"), [(GENERATE, 4), (ULTRA, 1)])
def test_default_is_four_different_squares_and_one_on_ultra(send: Any, model: str, count: int) -> None:
    predictions = _predictions(send({"instances": [{"prompt": "a fox"}]}, model))
    assert [_open(prediction).size for prediction in predictions] == [(1024, 1024)] * count
    assert len({_data(prediction) for prediction in predictions}) == count


def test_jpeg_of_the_wanted_quality() -> None:
    poor, usual, good = (
        _predictions(_on_gemini(_body(outputOptions={"mimeType": "image/jpeg"} | quality)))[0]
        for quality in ({"compressionQuality": 0}, {}, {"compressionQuality": 100})
    )
    assert [_open(prediction).format for prediction in (poor, usual, good)] == ["JPEG"] * 3
    assert len(_data(poor)) < len(_data(usual)) < len(_data(good))
    assert _data(usual) == _data(
        _predictions(_on_gemini(_body(outputOptions={"mimeType": "image/jpeg", "compressionQuality": 75})))[0]
    )


def test_same_request_gives_the_same_picture_and_another_seed_another() -> None:
    first, again, other = (
        _data(_predictions(_on_vertex(_body(seed=seed, addWatermark=False)))[0]) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_wish_does_not_change_the_picture() -> None:
    plain, wished = (
        _picture(_on_gemini(_body(prompt))).tobytes()
        for prompt in ("a fox", "a fox [sandbox: alive; slow 0]")
    )
    assert plain == wished


def _count_near(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    """The number of pixels which differ from the colour by 3 at most in each channel."""
    red, green, blue = (
        channel.point([255 if abs(level - wanted) <= 3 else 0 for level in range(256)])
        for channel, wanted in zip(picture.convert("RGB").split(), colour, strict=True)
    )
    return ImageChops.darker(ImageChops.darker(red, green), blue).histogram()[255]


def test_reference_pictures_are_shown_in_the_picture() -> None:
    blue = _source("JPEG", "#0000ff", (300, 300)) | {"mimeType": "image/jpeg"}
    body = _edit(_reference(), _reference("SUBJECT", 2, referenceImage=blue))
    picture = _picture(_on_vertex(body, EDITOR))
    assert _count_near(picture, (255, 0, 0)) > 10_000
    assert _count_near(picture, (0, 0, 255)) > 10_000


def test_own_picture_of_an_instance_is_shown_too() -> None:
    body = _body()
    body["instances"][0]["image"] = _source()
    assert _count_near(_picture(_on_vertex(body, EDITOR)), (255, 0, 0)) > 10_000


def test_rewritten_prompt_is_told() -> None:
    (told,) = _predictions(_on_vertex(_body("a fox")))
    assert told["prompt"].startswith("a fox,")
    assert "prompt" in _predictions(_on_vertex(_body(enhancePrompt=True), THREE))[0]
    for reply in (
        _on_vertex(_body(enhancePrompt=False)),
        _on_vertex(_body(seed=1, addWatermark=False)),
        _on_vertex(_body(), THREE),
        _on_gemini(_body()),
    ):
        assert set(_predictions(reply)[0]) == {"mimeType", "bytesBase64Encoded"}


def test_safety_attributes_and_those_of_the_prompt() -> None:
    picture, prompt = _predictions(_on_gemini(_body(includeSafetyAttributes=True)))
    assert prompt["contentType"] == "Positive Prompt"
    assert "bytesBase64Encoded" in picture
    assert "bytesBase64Encoded" not in prompt
    for attributes in (picture["safetyAttributes"], prompt["safetyAttributes"]):
        assert len(attributes["categories"]) == len(attributes["scores"]) > 0


@pytest.mark.parametrize("prompt", ["x" * 1900, "\ud800 lone", "猫 \0 \u202e שלום", "[sandbox:]", ". " * 480])
def test_odd_prompts_are_drawn(prompt: str) -> None:
    content = json.dumps(_body(prompt)).encode("ascii")
    assert _picture(_send(_gemini(), content=content, headers=KEY)).size == (1024, 1024)


def test_everything_optional_is_taken() -> None:
    parameters: dict[str, Any] = {
        "sampleCount": 2,
        "seed": 2**31 - 1,
        "negativePrompt": "rain",
        "guidanceScale": 7.5,
        "personGeneration": "ALLOW_ALL",
        "safetySetting": "BLOCK_ONLY_HIGH",
        "safetyFilterLevel": "block_few",
        "addWatermark": False,
        "enhancePrompt": False,
        "language": "zh-TW",
        "outputOptions": {"mimeType": "image/png", "compressionQuality": 50},
        "includeRaiReason": True,
        "storageUri": None,
    }
    body = _body(**parameters) | {"labels": {"team": "a"}}
    assert len(_predictions(_on_vertex(body, LEGACY))) == 2
    parameters |= {"editMode": "EDIT_MODE_INPAINT_REMOVAL", "editConfig": {"baseSteps": 35}}
    references = [
        _reference(),
        _reference("MASK", 2, maskImageConfig={"maskMode": "MASK_MODE_USER_PROVIDED", "dilation": 0.01}),
        _reference("CONTROL", 3, controlImageConfig={"controlType": "CONTROL_TYPE_CANNY"}),
        _reference("STYLE", 4, styleImageConfig={"styleDescription": "ink"}),
        _reference("SUBJECT", 5, subjectImageConfig={"subjectType": "SUBJECT_TYPE_PERSON"}),
        _reference("CONTENT", 6),
    ]
    assert len(_predictions(_on_vertex(_edit(*references, prompt="", **parameters), EDITOR))) == 2


def test_computed_mask_needs_no_picture() -> None:
    mask = _reference(
        "MASK",
        2,
        referenceImage=None,
        maskImageConfig={"maskMode": "MASK_MODE_SEMANTIC", "maskClasses": [1, 2]},
    )
    reply = _on_vertex(_edit(_reference(), mask, editMode="EDIT_MODE_INPAINT_INSERTION"), EDITOR)
    assert _picture(reply).size == (1024, 1024)


# Who may call, and what


def test_every_model_answers_on_every_address_of_its_apis() -> None:
    for version in ("v1", "v1beta1"):
        assert _send(_vertex(EDITOR, version), json=_body(), headers=BEARER).status_code == 200
    for version in ("v1", "v1beta"):
        assert _send(_gemini(FAST, version), json=_body(), headers=KEY).status_code == 200
    assert [_on_vertex(_body(), model).status_code for model in MODELS] == [200] * len(MODELS)


def test_gemini_api_needs_a_key() -> None:
    assert _error(_send(_gemini(), json=_body())) == (403, "PERMISSION_DENIED")
    assert _send(_gemini(), json=_body(), params={"key": "k"}).status_code == 200
    invalid = _on_gemini(_body(), headers={"x-goog-api-key": "invalid-1"})
    assert _error(invalid) == (400, "INVALID_ARGUMENT")
    assert invalid.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "CREDENTIALS_MISSING"),
        (KEY, "CREDENTIALS_MISSING"),
        ({"authorization": "Bearer "}, "CREDENTIALS_MISSING"),
        ({"authorization": "Basic abc"}, "CREDENTIALS_MISSING"),
        ({"authorization": "Bearer invalid-1"}, "ACCESS_TOKEN_EXPIRED"),
    ],
)
def test_vertex_needs_a_bearer_token(headers: dict[str, str], reason: str) -> None:
    reply = _send(_vertex(), json=_body(), headers=headers)
    assert _error(reply) == (401, "UNAUTHENTICATED")
    assert reply.json()["error"]["details"][0]["reason"] == reason


@pytest.mark.parametrize("model", ["imagen-4.0-generate-preview-06-06", "imagen-5.0", "gemini-3-pro-image"])
def test_unknown_model_is_not_found(model: str) -> None:
    for reply in (_on_gemini(_body(), model), _on_vertex(_body(), model)):
        assert _error(reply) == (404, "NOT_FOUND")
        assert f"models/{model}" in reply.json()["error"]["message"]


def test_editing_model_is_on_vertex_only() -> None:
    assert _error(_on_gemini(_body(), EDITOR)) == (404, "NOT_FOUND")


def test_odd_addresses_and_parameters_are_refused() -> None:
    assert _on_gemini(_body(), "imagen%204").status_code == 400
    assert _on_gemini(_body(), params={"foo": "1"}).status_code == 400
    assert _on_gemini(_body(), params={"alt": "sse"}).status_code == 400
    assert _on_vertex(_body(), params={"key": "k"}).status_code == 400


# Alive or retired


@pytest.mark.parametrize("send", [_on_gemini, _on_vertex])
def test_retired_models_are_not_found_unless_they_are_wished_alive(send: Any) -> None:
    assert _error(send(_body("a fox [sandbox: Retired]"))) == (404, "NOT_FOUND")
    assert _error(send(_body(), headers={"x-sandbox": "retired"})) == (404, "NOT_FOUND")
    assert _error(send(_body(), app=RETIRED)) == (404, "NOT_FOUND")
    assert send(_body("a fox [sandbox: alive]"), app=RETIRED).status_code == 200
    assert send(_body(), app=RETIRED, headers={"x-sandbox": "alive"}).status_code == 200


def test_retired_model_is_not_found_whatever_is_wrong_with_the_request() -> None:
    bodies: list[Any] = [{}, [], {"instances": [3]}, _body(foo=1), {"instances": {"prompt": "x"}}]
    for body in bodies:
        assert _error(_on_gemini(body, app=RETIRED)) == (404, "NOT_FOUND")
    assert _error(_on_gemini(_body(foo=1), app=RETIRED, headers={"x-sandbox": "alive"}))[0] == 400


# What it refuses

GEMINI_REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    (GENERATE, {"seed": 1}, "parameters.seed"),
    (GENERATE, {"addWatermark": False}, "parameters.add_watermark"),
    (GENERATE, {"enhancePrompt": False}, "parameters.enhance_prompt"),
    (LEGACY, {"negativePrompt": "rain"}, "parameters.negative_prompt"),
    (GENERATE, {"storageUri": "gs://a/b"}, "parameters.storage_uri"),
    (GENERATE, {"safetyFilterLevel": "block_few"}, "parameters.safety_filter_level"),
    (GENERATE, {"safetySetting": "block_only_high"}, "parameters.safety_setting"),
    (GENERATE, {"language": "ja"}, "parameters.language"),
    (GENERATE, {"sampleCount": 5}, "parameters.sample_count"),
    (GENERATE, {"sampleCount": 0}, "parameters.sample_count"),
    (GENERATE, {"sampleCount": "1"}, "parameters.sample_count"),
    (GENERATE, {"numberOfImages": 1}, "parameters.numberOfImages"),
    (GENERATE, {"sample_count": 1}, "parameters.sample_count"),
    (GENERATE, {"aspectRatio": "21:9"}, "parameters.aspect_ratio"),
    (GENERATE, {"sampleImageSize": "4K"}, "parameters.sample_image_size"),
    (GENERATE, {"sampleImageSize": "2k"}, "parameters.sample_image_size"),
    (FAST, {"sampleImageSize": "2K"}, "parameters.sample_image_size"),
    (LEGACY_FAST, {"sampleImageSize": "2K"}, "parameters.sample_image_size"),
    (GENERATE, {"guidanceScale": "7"}, "parameters.guidance_scale"),
    (GENERATE, {"personGeneration": "allow"}, "parameters.person_generation"),
    (GENERATE, {"outputOptions": {"mimeType": "image/webp"}}, "parameters.output_options.mime_type"),
    (
        GENERATE,
        {"outputOptions": {"compressionQuality": 101}},
        "parameters.output_options.compression_quality",
    ),
    (GENERATE, {"outputOptions": {"quality": 1}}, "parameters.output_options.quality"),
    (GENERATE, {"outputOptions": "png"}, "parameters.output_options"),
    (GENERATE, {"includeRaiReason": 1}, "parameters.include_rai_reason"),
    (GENERATE, {"mode": "upscale"}, "parameters.mode"),
    (GENERATE, {"editMode": "EDIT_MODE_DEFAULT"}, "parameters.edit_mode"),
]
VERTEX_REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    (GENERATE, {"seed": 1}, "parameters.seed"),
    (GENERATE, {"seed": 1, "addWatermark": True}, "parameters.seed"),
    (GENERATE, {"seed": 1, "addWatermark": False, "enhancePrompt": True}, "parameters.seed"),
    (GENERATE, {"seed": 0, "addWatermark": False}, "parameters.seed"),
    (GENERATE, {"seed": 2**31, "addWatermark": False}, "parameters.seed"),
    (GENERATE, {"negativePrompt": "rain"}, "parameters.negative_prompt"),
    (THREE, {"negativePrompt": "rain"}, "parameters.negative_prompt"),
    (GENERATE, {"safetySetting": "off"}, "parameters.safety_setting"),
    (GENERATE, {"language": "de"}, "parameters.language"),
    (GENERATE, {"storageUri": "gs://a/b"}, "parameters.storage_uri"),
    (GENERATE, {"editConfig": {"baseSteps": 35}}, "parameters.edit_config"),
    (EDITOR, {"editConfig": {"baseSteps": 34}}, "parameters.edit_config.base_steps"),
    (EDITOR, {"editMode": "EDIT_MODE_NEW"}, "parameters.edit_mode"),
    (EDITOR, {"upscaleConfig": {"upscaleFactor": "x2"}}, "parameters.upscale_config"),
]
REFERENCE = "instances[0].reference_images[0]"
REFERENCE_REFUSALS: list[tuple[dict[str, Any], str]] = [
    (_edit("x"), REFERENCE),
    (_edit(_reference("OTHER")), f"{REFERENCE}.reference_type"),
    (_edit(_reference(number=-1)), f"{REFERENCE}.reference_id"),
    (_edit(_reference(referenceId=None)), f"{REFERENCE}.reference_id"),
    (_edit(_reference(referenceImage=None)), f"{REFERENCE}.reference_image"),
    (_edit(_reference(referenceImage={})), f"{REFERENCE}.reference_image"),
    (_edit(_reference(referenceImage={"gcsUri": "gs://a/b"})), f"{REFERENCE}.reference_image.gcs_uri"),
    *(
        (
            _edit(_reference(referenceImage={"bytesBase64Encoded": data})),
            f"{REFERENCE}.reference_image.bytes_base64_encoded",
        )
        for data in ("", "no base64!", "AAAA", _source("WEBP")["bytesBase64Encoded"], "A" * 14_000_000)
    ),
    (
        _edit(_reference(referenceImage=_source() | {"mimeType": "image/webp"})),
        f"{REFERENCE}.reference_image.mime_type",
    ),
    (_edit(_reference(maskImageConfig={})), f"{REFERENCE}.mask_image_config"),
    (
        _edit(_reference("MASK", maskImageConfig={"maskClasses": [1] * 6})),
        f"{REFERENCE}.mask_image_config.mask_classes",
    ),
    (
        _edit(_reference("MASK", maskImageConfig={"dilation": 1.1})),
        f"{REFERENCE}.mask_image_config.dilation",
    ),
    (_edit(_reference("MASK", referenceImage=None)), f"{REFERENCE}.reference_image"),
    (_edit(*(_reference("SUBJECT", number) for number in range(1, 6))), "instances[0].reference_images"),
    (_edit(_reference(), editMode="EDIT_MODE_OUTPAINT"), "instances[0].reference_images"),
]
PROMPT = {"prompt": "a fox"}
BODY_REFUSALS: list[tuple[Any, str]] = [
    ({}, "instances"),
    ({"instances": []}, "instances"),
    ({"instances": [PROMPT, PROMPT]}, "instances"),
    ({"instances": PROMPT}, "instances"),
    ({"instances": [{}]}, "instances[0].prompt"),
    ({"instances": [{"prompt": " "}]}, "instances[0].prompt"),
    ({"instances": [{"prompt": 3}]}, "instances[0].prompt"),
    ({"instances": [{"prompt": "word " * 481}]}, "instances[0].prompt"),
    ({"instances": [PROMPT | {"negative": "x"}]}, "instances[0].negative"),
    ({"instances": [PROMPT | {"image": _source()}]}, "instances[0].image"),
    ({"instances": [PROMPT | {"referenceImages": []}]}, "instances[0].reference_images"),
    (_body() | {"contents": []}, "contents"),
    (_body() | {"parameters": []}, "parameters"),
    (_body() | {"labels": {"a": "b"}}, "labels"),
]


def _assert_names(reply: httpx.Response, field: str) -> None:
    assert _error(reply) == (400, "INVALID_ARGUMENT")
    error = reply.json()["error"]
    assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert field in [found["field"] for found in error["details"][0]["fieldViolations"]]
    assert field in error["message"]


@pytest.mark.parametrize(("model", "parameters", "field"), GEMINI_REFUSALS)
def test_refused_parameter_is_named_on_the_gemini_api(
    model: str, parameters: dict[str, Any], field: str
) -> None:
    _assert_names(_on_gemini(_body(**parameters), model), field)


@pytest.mark.parametrize(("model", "parameters", "field"), VERTEX_REFUSALS)
def test_refused_parameter_is_named_on_vertex(model: str, parameters: dict[str, Any], field: str) -> None:
    _assert_names(_on_vertex(_body(**parameters), model), field)


@pytest.mark.parametrize(("body", "field"), REFERENCE_REFUSALS)
def test_refused_reference_is_named(body: dict[str, Any], field: str) -> None:
    _assert_names(_on_vertex(body, EDITOR), field)


@pytest.mark.parametrize(("body", "field"), BODY_REFUSALS)
def test_refused_field_is_named(body: Any, field: str) -> None:
    _assert_names(_on_gemini(body), field)


def test_all_faults_are_told_at_once() -> None:
    message = _on_gemini(_body(sampleCount=9, foo=1)).json()["error"]["message"]
    assert "parameters.sample_count" in message
    assert 'Unknown name "foo"' in message


def test_addresses_in_a_bucket_are_refused_with_the_reason() -> None:
    body = _edit(_reference(referenceImage={"gcsUri": "gs://a/b"}), storageUri="gs://a/c")
    message = _on_vertex(body, EDITOR).json()["error"]["message"]
    assert message.count("the sandbox has no bucket") == 2


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": NaN}', b"\xff\xfe", b"[" * 200_000])
def test_body_that_is_no_json_is_refused(body: bytes) -> None:
    assert _error(_send(_gemini(), content=body, headers=KEY)) == (400, "INVALID_ARGUMENT")


# The faults: turns of the model


def _wished(fault: str, **parameters: Any) -> httpx.Response:
    return _on_vertex(_body(f"a fox [sandbox: {fault}] asleep", enhancePrompt=False, **parameters))


def _kinds(reply: httpx.Response) -> list[str]:
    return [
        "picture" if "bytesBase64Encoded" in prediction else next(iter(prediction))
        for prediction in _predictions(reply)
    ]


def test_refused_prompt_is_an_error_with_a_support_code() -> None:
    reply = _wished("refuse prompt")
    assert _error(reply) == (400, "INVALID_ARGUMENT")
    message = reply.json()["error"]["message"]
    assert "sensitive words that violate Google's Responsible AI practices" in message
    assert "Support codes: " in message


def test_refused_pictures_are_filtered_with_a_reason_or_left_out() -> None:
    reply = _wished("refuse picture", sampleCount=2, includeRaiReason=True)
    assert _kinds(reply) == ["raiFilteredReason"] * 2
    assert "Support codes: " in _predictions(reply)[0]["raiFilteredReason"]
    assert _wished("refuse picture", sampleCount=2, includeSafetyAttributes=True).json() == {}


def test_last_pictures_are_filtered() -> None:
    told = _wished("filter 1", sampleCount=2, includeRaiReason=True)
    assert _kinds(told) == ["picture", "raiFilteredReason"]
    untold = _wished("filter 1", sampleCount=2)
    assert _kinds(untold) == ["picture"]
    assert _data(_predictions(told)[0]) == _data(_predictions(untold)[0])
    assert _wished("filter 10").json() == {}


@pytest.mark.parametrize("fault", ["empty", "no image", "no image; pictures 2"])
def test_empty_reply_has_no_predictions(fault: str) -> None:
    assert _wished(fault).json() == {}


def test_number_of_pictures_may_be_wished() -> None:
    assert len({_data(prediction) for prediction in _predictions(_wished("pictures 5"))}) == 5
    assert _kinds(_wished("pictures 1; filter 1", sampleCount=4, includeRaiReason=True)) == [
        "raiFilteredReason"
    ]


def test_bad_base64_is_junk() -> None:
    with pytest.raises(ValueError, match="base64"):
        _data(_predictions(_wished("bad base64"))[0])


@pytest.mark.parametrize("mime_type", ["image/png", "image/jpeg"])
def test_big_picture_still_decodes(mime_type: str) -> None:
    (prediction,) = _predictions(_wished("big 3", outputOptions={"mimeType": mime_type}))
    plain = _data(_predictions(_wished("slow 0", outputOptions={"mimeType": mime_type}))[0])
    assert 3_000_000 <= len(_data(prediction)) - len(plain) < 3_100_000
    assert _open(prediction).tobytes() == Image.open(io.BytesIO(plain)).tobytes()


# The faults: errors

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@pytest.mark.parametrize("code", STATUSES)
def test_error_codes_have_googles_bodies(code: int) -> None:
    for send in (_on_gemini, _on_vertex):
        assert _error(send(_body(f"[sandbox: {code}]"))) == (code, STATUSES[code])


def test_quota_error_names_the_quota_of_predictions_and_when_to_come_back() -> None:
    reply = _wished("429 after 17")
    details = {detail["@type"].rsplit(".", 1)[1]: detail for detail in reply.json()["error"]["details"]}
    assert reply.headers["retry-after"] == "17"
    assert details["RetryInfo"]["retryDelay"] == "17s"
    metric = details["QuotaFailure"]["violations"][0]["quotaMetric"]
    assert metric.endswith("/online_prediction_requests_per_base_model")
    assert metric in reply.json()["error"]["message"]
    assert _on_gemini(_body("[sandbox: 429]")).headers["retry-after"]


def test_invalid_argument_names_a_field_of_this_wire() -> None:
    detail = _wished("400").json()["error"]["details"][0]
    assert [found["field"] for found in detail["fieldViolations"]] == ["instances"]


def test_pages_of_something_before_the_provider() -> None:
    html = _wished("html 502")
    assert (html.status_code, html.headers["content-type"][:9]) == (502, "text/html")
    bare = _wished("status 529")
    assert (bare.status_code, bare.content) == (529, b"")


def test_replies_of_no_known_shape() -> None:
    broken = _wished("not json")
    assert broken.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        broken.json()
    assert _wished("unknown shape").json() == {"hello": "world"}


@pytest.mark.parametrize(
    "fault",
    ["drafts", "words", "words only", "max tokens", "finish STOP", "block OTHER", "error mid-stream"],
)
def test_faults_without_a_meaning_here_are_refused(fault: str) -> None:
    reply = _wished(fault)
    assert _error(reply) == (400, "INVALID_ARGUMENT")
    assert f"'{fault}' has no meaning here" in reply.json()["error"]["message"]


def test_unknown_fault_is_named_and_the_known_are_listed() -> None:
    for fault in ("explode", "filter 0", "filter 11", "filter", "pictures 0", "undead"):
        assert _error(_wished(fault)) == (400, "INVALID_ARGUMENT")
    message = _wished("explode").json()["error"]["message"]
    assert "'explode'" in message
    assert all(word.syntax in message for word in OWN_WORDS)


def test_header_wins_over_words_in_the_prompt() -> None:
    body = _body("a fox [sandbox: retired; 503]")
    assert _on_vertex(body, headers={"x-sandbox": "429"}).status_code == 429
    assert _on_vertex(body, headers={"x-sandbox": ""}).status_code == 200


def test_wrong_request_is_refused_before_any_shared_wish() -> None:
    _assert_names(_on_vertex(_body("a fox [sandbox: 503]", foo=1)), "parameters.foo")


# The faults: the connection


def _asgi_messages(fault: str, *, client_leaves: bool = False) -> list[dict[str, Any]]:
    """What the app sends for a request with this fault; a client that leaves does so after its request."""
    body = json.dumps(_body(f"a fox [sandbox: {fault}]")).encode()
    incoming = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop()
        if not client_leaves:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": _vertex(),
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer t")],
    }
    asyncio.run(asyncio.wait_for(LIVING(scope, receive, send), timeout=30))
    return sent


def test_slow_and_stall_end_in_a_whole_reply() -> None:
    for fault in ("slow 0.01", "stall 0.01"):
        sent = _asgi_messages(fault)
        assert sent[-1]["more_body"] is False
        answer = json.loads(b"".join(message.get("body", b"") for message in sent))
        assert _open(answer["predictions"][0]).size == (1024, 1024)


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ("never", []),
        ("slow 60", []),
        ("stall 60", ["http.response.start", "http.response.body"]),
    ],
)
def test_handler_ends_when_the_client_goes_away(fault: str, kinds: list[str]) -> None:
    assert [message["type"] for message in _asgi_messages(fault, client_leaves=True)] == kinds


def test_cut_off_ends_in_the_middle_of_the_picture() -> None:
    head, *rest = _asgi_messages("cut off")
    declared = int(dict(head["headers"])[b"content-length"])
    received = b"".join(message["body"] for message in rest)
    assert all(message["more_body"] for message in rest)
    assert b'"bytesBase64Encoded"' in received
    assert 0.4 < len(received) / declared < 0.6


def test_gzip_is_sent_whatever_was_asked_for() -> None:
    reply = _on_gemini(_body("[sandbox: encoded gzip]"), headers={"accept-encoding": "identity"})
    assert reply.headers["content-encoding"] == "gzip"
    assert _picture(reply).size == (1024, 1024)
