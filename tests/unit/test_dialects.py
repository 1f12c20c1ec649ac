from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_imagegen.canonical import (
    Asked,
    ImageInput,
    ImageRequest,
    Message,
    Modality,
    Name,
    Origin,
    TextPart,
)
from litellm_imagegen.dialects import parse_chat
from litellm_imagegen.errors import ConfigurationError, ImagegenError, InvalidParameter, RequestError
from tests.unit.helpers import GEMINI, HELLO, base64_of, data_url, picture_bytes, plan_of

PNG = picture_bytes()
HTTPS = "https://pictures.example/red.png"
BOTH = (Modality.TEXT, Modality.IMAGE)
NINE = {"aspect_ratio": "16:9", "image_size": "2k"}
SAFETY = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
THINKING = {"thinkingLevel": "high"}

Row = tuple[Mapping[str, Any], list[tuple[Name, Any, str]]]


def _geometry(
    place: str, ratio: str = "aspect_ratio", size: str = "image_size"
) -> list[tuple[Name, Any, str]]:
    return [(Name.ASPECT_RATIO, "16:9", f"{place}{ratio}"), (Name.IMAGE_SIZE, "2K", f"{place}{size}")]


READ: dict[str, Row] = {
    "openai sampling": (
        {"temperature": 1, "top_p": 0.5, "top_k": 40, "seed": -7, "stop": "END", "n": 2},
        [
            (Name.TEMPERATURE, 1.0, "temperature"),
            (Name.TOP_P, 0.5, "top_p"),
            (Name.TOP_K, 40, "top_k"),
            (Name.SEED, -7, "seed"),
            (Name.STOP, ("END",), "stop"),
            (Name.N, 2, "n"),
        ],
    ),
    "openai max_tokens": ({"max_tokens": 5}, [(Name.MAX_TOKENS, 5, "max_tokens")]),
    "openai max_completion_tokens": (
        {"max_completion_tokens": 5},
        [(Name.MAX_TOKENS, 5, "max_completion_tokens")],
    ),
    "openai stop list": ({"stop": ["a", "b"]}, [(Name.STOP, ("a", "b"), "stop")]),
    "numbers as text, as forms send them": (
        {"n": "2", "temperature": " 0.5 ", "seed": 3.0},
        [(Name.TEMPERATURE, 0.5, "temperature"), (Name.SEED, 3, "seed"), (Name.N, 2, "n")],
    ),
    "a large seed, exactly": ({"seed": 2**62 + 1}, [(Name.SEED, 2**62 + 1, "seed")]),
    "openrouter modalities": (
        {"modalities": ["image", "text"]},
        [(Name.MODALITIES, BOTH[::-1], "modalities")],
    ),
    "openrouter modalities in capitals": (
        {"modalities": ["TEXT", "IMAGE"]},
        [(Name.MODALITIES, BOTH, "modalities")],
    ),
    "openrouter image_config": ({"image_config": NINE}, _geometry("image_config.")),
    "helicone": ({"image_generation": NINE}, _geometry("image_generation.")),
    "aione": (NINE, _geometry("")),
    "aione with a number": ({"image_size": 512}, [(Name.IMAGE_SIZE, "512", "image_size")]),
    "google image config": (
        {"generationConfig": {"imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"}}},
        _geometry("generationConfig.imageConfig.", "aspectRatio", "imageSize"),
    ),
    "google image config in snake case": (
        {"generation_config": {"image_config": NINE}},
        _geometry("generation_config.image_config."),
    ),
    "google image config at the top": (
        {"imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"}},
        _geometry("imageConfig.", "aspectRatio", "imageSize"),
    ),
    "google generation config": (
        {
            "generationConfig": {
                "responseModalities": ["IMAGE"],
                "maxOutputTokens": 9,
                "temperature": 0,
                "topP": 1,
                "topK": 3,
                "seed": 4,
                "stopSequences": ["x"],
                "candidateCount": 1,
            }
        },
        [
            (Name.MODALITIES, (Modality.IMAGE,), "generationConfig.responseModalities"),
            (Name.MAX_TOKENS, 9, "generationConfig.maxOutputTokens"),
            (Name.TEMPERATURE, 0.0, "generationConfig.temperature"),
            (Name.TOP_P, 1.0, "generationConfig.topP"),
            (Name.TOP_K, 3, "generationConfig.topK"),
            (Name.SEED, 4, "generationConfig.seed"),
            (Name.STOP, ("x",), "generationConfig.stopSequences"),
            (Name.N, 1, "generationConfig.candidateCount"),
        ],
    ),
    "google thinking": (
        {"generationConfig": {"thinkingConfig": THINKING}},
        [
            (
                Name.PROVIDER_OPTIONS,
                {"google": {"generationConfig": {"thinkingConfig": THINKING}}},
                "generationConfig.thinkingConfig",
            )
        ],
    ),
    "google safety": ({"safetySettings": SAFETY}, [(Name.SAFETY_SETTINGS, tuple(SAFETY), "safetySettings")]),
    "google safety in snake case": (
        {"safety_settings": SAFETY},
        [(Name.SAFETY_SETTINGS, tuple(SAFETY), "safety_settings")],
    ),
}


def parse(body: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> ImageRequest:
    return parse_chat(model="m", body={"messages": HELLO, **body}, defaults=defaults or {})


def _asked(request: ImageRequest) -> list[tuple[Name, Any, str]]:
    return [(wish.name, wish.value, wish.spelling) for wish in request.asked]


@pytest.mark.parametrize("row", READ.values(), ids=READ)
def test_each_spelling_is_read(row: Row) -> None:
    body, expected = row
    request = parse(body)
    assert _asked(request) == expected
    assert all(wish.origin is Origin.CLIENT for wish in request.asked)
    assert request.unread == ()


@pytest.mark.parametrize("row", READ.values(), ids=READ)
def test_each_spelling_is_read_in_extra_body_too(row: Row) -> None:
    body, expected = row
    request = parse({"extra_body": body})
    assert _asked(request) == [(name, value, f"extra_body.{spelling}") for name, value, spelling in expected]
    assert request.unread == ()


@pytest.mark.parametrize("row", READ.values(), ids=READ)
def test_each_spelling_is_read_from_the_operators_defaults_too(row: Row) -> None:
    defaults, expected = row
    request = parse({}, defaults)
    assert _asked(request) == expected
    assert all(wish.origin is Origin.OPERATOR for wish in request.asked)


def test_a_client_may_mix_dialects() -> None:
    request = parse(
        {"image_config": {"aspect_ratio": "1:1"}, "generationConfig": {"imageConfig": {"imageSize": "1K"}}}
    )
    assert _asked(request) == [
        (Name.ASPECT_RATIO, "1:1", "image_config.aspect_ratio"),
        (Name.IMAGE_SIZE, "1K", "generationConfig.imageConfig.imageSize"),
    ]


@pytest.mark.parametrize("place", ["", "extra_body"])
@pytest.mark.parametrize(
    ("given_fields", "missing"),
    [
        ({"aspect_ratio": "1:1"}, "image_size"),
        ({"image_size": "1K"}, "aspect_ratio"),
        ({"aspect_ratio": "1:1", "image_size": None}, "image_size"),
        ({}, "aspect_ratio"),
    ],
)
def test_image_generation_without_both_fields_is_refused_by_name(
    place: str, given_fields: dict[str, Any], missing: str
) -> None:
    body = {"image_generation": given_fields}
    with pytest.raises(RequestError, match=rf"image_generation\.{missing} is missing") as caught:
        parse({place: body} if place else body)
    assert caught.value.status == 400
    assert caught.value.field == f"{place}.image_generation.{missing}".lstrip(".")


@pytest.mark.parametrize(
    ("body", "field", "shown", "allowed"),
    [
        ({"aspect_ratio": "wide"}, "aspect_ratio", "'wide'", "W:H"),
        ({"aspect_ratio": 1.5}, "aspect_ratio", "1.5", "W:H"),
        ({"image_size": "8K"}, "image_size", "'8K'", "512, 768, 1K, 1.5K, 2K, 4K"),
        ({"image_size": True}, "image_size", "True", "512, 768, 1K, 1.5K, 2K, 4K"),
        ({"image_config": {"image_size": []}}, "image_config.image_size", "[]", "512, 768, 1K, 1.5K, 2K, 4K"),
        ({"image_config": "1:1"}, "image_config", "'1:1'", "an object"),
        ({"generationConfig": []}, "generationConfig", "[]", "an object"),
        ({"generationConfig": {"imageConfig": 3}}, "generationConfig.imageConfig", "3", "an object"),
        ({"extra_body": "x"}, "extra_body", "'x'", "an object"),
        ({"modalities": "image"}, "modalities", "'image'", "text, image"),
        ({"modalities": ["image", "audio"]}, "modalities", "'audio'", "text, image"),
        ({"modalities": []}, "modalities", "[]", "text, image"),
        ({"n": 0}, "n", "0", "at least 1"),
        ({"n": 1.5}, "n", "1.5", "whole number"),
        ({"n": True}, "n", "True", "whole number"),
        ({"max_tokens": "many"}, "max_tokens", "'many'", "at least 1"),
        ({"temperature": 2.1}, "temperature", "2.1", "0 to 2"),
        ({"temperature": float("nan")}, "temperature", "nan", "0 to 2"),
        ({"top_p": -0.1}, "top_p", "-0.1", "0 to 1"),
        ({"top_k": 0}, "top_k", "0", "at least 1"),
        ({"seed": 2**63}, "seed", str(2**63), "at most"),
        ({"seed": float("inf")}, "seed", "inf", "whole number"),
        ({"generationConfig": {"seed": 2**31}}, "generationConfig.seed", str(2**31), "at most 2147483647"),
        ({"stop": 5}, "stop", "5", "a string or a list of strings"),
        ({"stop": ["a", 5]}, "stop", "['a', 5]", "a string or a list of strings"),
        ({"safetySettings": {"category": "x"}}, "safetySettings", "category", "a list of objects"),
        ({"safety_settings": ["x"]}, "safety_settings", "['x']", "a list of objects"),
    ],
    ids=str,
)
def test_a_bad_value_is_refused_with_field_value_and_what_is_allowed(
    body: dict[str, Any], field: str, shown: str, allowed: str
) -> None:
    with pytest.raises(InvalidParameter) as caught:
        parse(body)
    error = caught.value
    assert (error.status, error.field) == (400, field)
    assert error.message.startswith(f"{field}: ")
    assert shown in error.message
    assert allowed in error.message.partition("allowed: ")[2]


@pytest.mark.parametrize(
    ("body", "spelling"),
    [
        ({"frequency_penalty": 1}, "frequency_penalty"),
        ({"extra_body": {"odd": "vivid"}}, "extra_body.odd"),
        ({"image_config": {"odd": 0.5}}, "image_config.odd"),
        ({"image_generation": {**NINE, "style": 1}}, "image_generation.style"),
        ({"generationConfig": {"responseMimeType": "x"}}, "generationConfig.responseMimeType"),
        (
            {"extra_body": {"generationConfig": {"imageConfig": {"odd": "ALLOW_ALL"}}}},
            "extra_body.generationConfig.imageConfig.odd",
        ),
        ({"extra_body": {"messages": []}}, "extra_body.messages"),
    ],
    ids=str,
)
def test_what_nobody_reads_is_kept_with_its_full_path(body: dict[str, Any], spelling: str) -> None:
    assert [field.spelling for field in parse(body).unread] == [spelling]


def test_fields_that_are_null_count_as_absent() -> None:
    nulls = dict.fromkeys(
        ["n", "aspect_ratio", "image_config", "generationConfig", "unheard_of", "extra_body", "stop"]
    )
    request = parse({**nulls, "imageConfig": {"aspectRatio": None, "unheard_of": None}}, nulls)
    assert (request.asked, request.unread) == ((), ())


def test_a_bad_default_is_the_operators_error() -> None:
    with pytest.raises(ConfigurationError, match=r"default.*aspect_ratio: 'wide'"):
        parse({}, {"aspect_ratio": "wide"})


def test_a_mistake_of_the_clients_is_never_blamed_on_the_operator() -> None:
    with pytest.raises(RequestError, match="aspect_ratio: 'wide'"):
        parse({"aspect_ratio": "wide"}, {"aspect_ratio": "1:1"})


def messages_of(*messages: Any) -> tuple[Message, ...]:
    return parse_chat(model="m", body={"messages": list(messages)}, defaults={}).messages


def _message_with(url: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}


@pytest.mark.parametrize(
    ("role", "read_as"),
    [
        ("system", "system"),
        ("developer", "system"),
        ("user", "user"),
        ("assistant", "assistant"),
        ("tool", "user"),
        ("function", "user"),
    ],
)
def test_every_role_is_read(role: str, read_as: str) -> None:
    (message,) = messages_of({"role": role, "content": "hi"})
    assert message == Message(role=read_as, parts=(TextPart(text="hi"),))


def test_text_and_pictures_of_a_message_keep_their_order() -> None:
    content = [
        {"type": "text", "text": "before"},
        {"type": "image_url", "image_url": {"url": data_url(PNG), "detail": "high"}},
        {"type": "text", "text": ""},
        {"type": "image_url", "image_url": HTTPS},
        {"type": "text", "text": "after"},
    ]
    (message,) = messages_of({"role": "user", "content": content})
    before, picture, address, after = message.parts
    assert (before, after) == (TextPart(text="before"), TextPart(text="after"))
    assert isinstance(picture, ImageInput)
    assert picture.blob is not None
    assert (picture.blob.raw, picture.blob.mime) == (PNG, "image/png")
    assert picture.spelling == "messages[0].content[1].image_url.url"
    assert address == ImageInput(url=HTTPS, spelling="messages[0].content[3].image_url.url")


def test_pictures_that_an_assistant_made_are_read_from_images() -> None:
    image = {"type": "image_url", "index": 0, "image_url": {"url": data_url(PNG)}}
    (message,) = messages_of({"role": "assistant", "content": "here", "images": [image]})
    assert message.role == "assistant"
    assert [type(part) for part in message.parts] == [TextPart, ImageInput]
    assert getattr(message.parts[1], "spelling", None) == "messages[0].images[0].image_url.url"


def test_an_answers_own_message_object_may_be_passed_back() -> None:
    image = {"type": "image_url", "index": 0, "image_url": {"url": data_url(PNG)}}
    dumped = {"role": "assistant", "content": "here", "images": [image], "refusal": None}
    (message,) = messages_of(SimpleNamespace(model_dump=lambda: dumped))
    assert len(message.parts) == 2


@pytest.mark.parametrize("content", [None, "", [], [{"type": "refusal", "refusal": "no"}]])
def test_an_assistants_message_may_be_empty(content: Any) -> None:
    assert messages_of({"role": "assistant", "content": content})[0].parts == ()


@pytest.mark.parametrize(
    "url",
    [
        data_url(PNG, "IMAGE/PNG"),
        data_url(PNG, "image/jpeg"),
        data_url(PNG, ""),
        data_url(PNG, "image/png;charset=utf-8"),
        data_url(PNG).replace("data:", "DATA:").replace(";base64", "; BASE64"),
        data_url(PNG).rstrip("="),
        data_url(PNG).replace("+", "-").replace("/", "_").replace("image_png", "image/png"),
    ],
)
def test_the_forms_of_data_urls(url: str) -> None:
    ((part,),) = (message.parts for message in messages_of(_message_with(url)))
    assert isinstance(part, ImageInput)
    assert part.blob is not None
    assert (part.blob.raw, part.blob.mime) == (PNG, "image/png")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("data:image/png;base64,!!!!", "valid base64"),
        ("data:image/png;base64,QQQQQ", "valid base64"),
        ("data:image/png;base64,", "with a picture in it"),
        ("data:image/png,%89PNG", "base64"),
        ("data:image/png;base64", "base64"),
        ("data:", "base64"),
        (f"data:text/plain;base64,{base64_of(b'hello')}", "with a picture in it"),
        (f"data:;base64,{base64_of(b'hello')}", "with a picture in it"),
        ("file:///etc/passwd", "https:"),
        ("ftp://pictures.example/red.png", "https:"),
        ("gs://bucket/red.png", "https:"),
        ("javascript:alert(1)", "https:"),
        ("//pictures.example/red.png", "https:"),
        ("", "https:"),
        ("https://pictures.example/" + "a" * 9_000, "8192"),
        ("https://pictures.example/\nred.png", "https:"),
        ("https://pictures.example/\x00", "https:"),
        ("https://[::1/red.png", "https:"),
        ("https://", "https:"),
        (None, "https:"),
        (5, "https:"),
        ([HTTPS], "https:"),
    ],
)
def test_an_address_that_is_no_picture_is_refused_by_its_place(url: Any, reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason) as caught:
        messages_of({"role": "system", "content": "draw"}, _message_with(url))
    assert caught.value.field == "messages[1].content[0].image_url.url"
    assert len(caught.value.message) < 400
    assert "%89PNG" not in caught.value.message


def test_an_svg_is_refused_before_anything_is_sent() -> None:
    url = f"data:image/svg+xml;base64,{base64_of(b'<svg/>')}"
    with pytest.raises(InvalidParameter, match=r"image_url\.url: 'image/svg\+xml'.*image/png"):
        plan_of({"messages": [_message_with(url)]})


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        (None, "messages"),
        ("draw", "messages"),
        ([], "messages"),
        ({"role": "user"}, "messages"),
        (["draw"], "messages[0]"),
        ([None], "messages[0]"),
        ([{"content": "x"}], "messages[0].role"),
        ([{"role": "robot", "content": "x"}], "messages[0].role"),
        ([{"role": ["user"], "content": "x"}], "messages[0].role"),
        ([{"role": "user", "content": 5}], "messages[0].content"),
        ([{"role": "user", "content": {"type": "text"}}], "messages[0].content"),
        ([{"role": "user", "content": ["x"]}], "messages[0].content[0]"),
        ([{"role": "user", "content": [{"type": "input_audio"}]}], "messages[0].content[0].type"),
        ([{"role": "user", "content": [{"type": "text", "text": None}]}], "messages[0].content[0].type"),
        ([{"role": "user", "content": [{"text": "x"}]}], "messages[0].content[0].type"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "messages[0].content[0].image_url.url"),
        ([{"role": "assistant", "images": 5}], "messages[0].images"),
        ([{"role": "assistant", "images": True}], "messages[0].images"),
        ([{"role": "assistant", "images": [5]}], "messages[0].images[0]"),
        ([{"role": "assistant", "images": [{"image_url": {}}]}], "messages[0].images[0].image_url.url"),
    ],
    ids=str,
)
def test_odd_messages_are_refused_by_their_place(messages: Any, field: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_chat(model="m", body={"messages": messages}, defaults={})
    assert caught.value.field == field


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NESTED_KEYS = (
    *(
        "aspect_ratio",
        "image_size",
        "aspectRatio",
        "imageSize",
        "imageConfig",
        "image_config",
        "stopSequences",
    ),
    *("thinkingConfig", "maxOutputTokens", "topK", "seed", "responseModalities", "candidateCount"),
)
OBJECT = st.recursive(
    JSON, lambda inner: st.dictionaries(st.sampled_from(NESTED_KEYS), inner, max_size=3), max_leaves=4
)
PARTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image_url", "refusal", "input_audio"]) | JSON},
    optional={
        "text": JSON,
        "image_url": JSON
        | st.fixed_dictionaries(
            {"url": st.sampled_from([data_url(PNG), HTTPS, "https://[", "data:,"]) | JSON}
        ),
    },
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]) | JSON},
    optional={"content": JSON | st.lists(PARTS, max_size=3), "images": JSON | st.lists(PARTS, max_size=2)},
)
TOP_KEYS = (
    *(
        "n",
        "stop",
        "seed",
        "top_k",
        "top_p",
        "max_tokens",
        "temperature",
        "modalities",
        "image_config",
        "stream",
    ),
    *("image_generation", "generationConfig", "safetySettings", "extra_body", "imageConfig", "unheard_of"),
)
BODIES = st.fixed_dictionaries(
    {"messages": JSON | st.lists(MESSAGES, max_size=3) | st.just(HELLO)},
    optional=dict.fromkeys(TOP_KEYS, OBJECT),
)


@given(BODIES)
def test_no_body_whatever_makes_anything_fail_but_with_a_request_error(body: dict[str, Any]) -> None:
    try:
        request = parse_chat(model="m", body=body, defaults={})
        plan = plan_of(body)
    except ImagegenError as error:
        assert isinstance(error, RequestError)  # noqa: PT017  # either outcome is fine
        return
    assert all(isinstance(wish, Asked) for wish in request.asked)
    GEMINI.wires[-1].codec.encode(plan)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "user", "content": "half a surrogate: \ud800"}]},
        {"stop": "\udfff"},
        {"safetySettings": [{"category": "\ud800"}]},
        {"safetySettings": [{"threshold": 2**70}]},
        {"generationConfig": {"thinkingConfig": {"thinkingBudget": 2**70}}},
    ],
    ids=["prompt", "stop", "safety settings", "a huge number", "a huge number among provider options"],
)
def test_what_json_cannot_carry_on_is_the_clients_error_or_is_carried_on_mended(body: dict[str, Any]) -> None:
    try:
        plan = plan_of(body)
    except RequestError:
        return
    assert orjson.dumps(GEMINI.wires[-1].codec.encode(plan).body)
