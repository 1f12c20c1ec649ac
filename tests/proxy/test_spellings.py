"""Every spelling of a picture's geometry, from real clients, gives the pixels that the documents give."""

import json
import subprocess
from typing import Any

import openai
import pytest

from tests.pictures import data_url, look_at
from tests.proxy.conftest import PROVIDER_KEY
from tests.proxy.support import Proxy
from tests.upstream import Upstream

PRO = "sandbox/gemini-3-pro-image"
FLASH = "sandbox/gemini-2.5-flash-image"

# model, fields, pixels: OpenRouter's table is that of 2.5 flash, the others' sizes are those of 3 pro.
SPELLINGS: list[tuple[str, str, dict[str, Any], tuple[int, int]]] = [
    ("nothing asked", FLASH, {}, (1024, 1024)),
    (
        "openrouter 16:9",
        FLASH,
        {"modalities": ["image", "text"], "image_config": {"aspect_ratio": "16:9"}},
        (1344, 768),
    ),
    ("openrouter 2:3", FLASH, {"image_config": {"aspect_ratio": "2:3"}}, (832, 1248)),
    ("openrouter 21:9", FLASH, {"image_config": {"aspect_ratio": "21:9"}}, (1536, 672)),
    ("openrouter 2K", PRO, {"image_config": {"aspect_ratio": "4:5", "image_size": "2K"}}, (1856, 2304)),
    ("helicone", PRO, {"image_generation": {"aspect_ratio": "16:9", "image_size": "2K"}}, (2752, 1536)),
    ("aione", PRO, {"aspect_ratio": "9:16", "image_size": "1K"}, (768, 1376)),
    ("aione -2k", f"{PRO}-2k", {"aspect_ratio": "3:2"}, (2528, 1696)),
    ("aione -4k", f"{PRO}-preview-4k", {}, (4096, 4096)),
    ("google", PRO, {"imageConfig": {"aspectRatio": "4:3", "imageSize": "1K"}}, (1200, 896)),
    (
        "google generationConfig",
        PRO,
        {"generationConfig": {"imageConfig": {"aspectRatio": "21:9", "imageSize": "2K"}}},
        (3168, 1344),
    ),
]
IDS = [name for name, *_ in SPELLINGS]
FIELDS = "name, model, fields, pixels"


def client(proxy: Proxy) -> openai.OpenAI:
    return openai.OpenAI(api_key=proxy.key, base_url=f"{proxy.url}/v1", max_retries=0)


@pytest.mark.parametrize(FIELDS, SPELLINGS, ids=IDS)
def test_openai_client_gets_the_pixels(
    proxy: Proxy, name: str, model: str, fields: dict[str, Any], pixels: tuple[int, int]
) -> None:
    with client(proxy) as openai_client:
        completion = openai_client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": f"a lighthouse, {name}"}], extra_body=fields
        )
    message = completion.choices[0].message
    images = message.images  # type: ignore[attr-defined]  # an extra that the client keeps
    assert [look_at(image["image_url"]["url"]).size for image in images] == [pixels]
    assert completion.choices[0].finish_reason == "stop"
    assert message.content


@pytest.mark.parametrize(FIELDS, SPELLINGS, ids=IDS)
def test_openai_client_gets_the_pixels_streamed(
    proxy: Proxy, name: str, model: str, fields: dict[str, Any], pixels: tuple[int, int]
) -> None:
    with client(proxy) as openai_client:
        stream = openai_client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": f"a lighthouse, {name}"}],
            extra_body=fields,
            stream=True,
        )
        deltas = [chunk.choices[0].delta for chunk in stream]
    images = [image for delta in deltas for image in getattr(delta, "images", None) or ()]
    assert [look_at(image["image_url"]["url"]).size for image in images] == [pixels]
    assert "".join(delta.content or "" for delta in deltas)


@pytest.mark.parametrize(FIELDS, SPELLINGS, ids=IDS)
def test_curl_gets_the_pixels_with_the_fields_in_extra_body(
    proxy: Proxy, name: str, model: str, fields: dict[str, Any], pixels: tuple[int, int]
) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": name}], "extra_body": fields}
    finished = subprocess.run(
        [
            *("curl", "--silent", "--show-error", "--noproxy", "*", f"{proxy.url}/v1/chat/completions"),
            *("-H", f"Authorization: Bearer {proxy.key}", "-H", "Content-Type: application/json", "-d", "@-"),
        ],
        input=json.dumps(body),
        capture_output=True,
        text=True,
        check=True,
    )
    [image] = json.loads(finished.stdout)["choices"][0]["message"]["images"]
    assert look_at(image["image_url"]["url"]).size == pixels


@pytest.mark.parametrize("missing", ["aspect_ratio", "image_size"])
def test_helicone_with_one_field_missing_is_a_400_that_names_it(proxy: Proxy, missing: str) -> None:
    given = {"aspect_ratio": "16:9", "image_size": "2K"}
    del given[missing]
    answer = proxy.draw(PRO, "x", image_generation=given)
    assert answer.status_code == 400
    assert f"image_generation.{missing} is missing" in answer.json()["error"]["message"]
    assert answer.json()["error"]["param"] == f"image_generation.{missing}"


def test_two_spellings_that_disagree_are_a_400_naming_both(proxy: Proxy) -> None:
    answer = proxy.draw(PRO, "x", aspect_ratio="1:1", image_config={"aspect_ratio": "16:9"})
    assert answer.status_code == 400
    message = answer.json()["error"]["message"]
    assert all(part in message for part in ("image_config.aspect_ratio", "'16:9'", "aspect_ratio", "'1:1'"))


def test_a_client_overrides_the_operators_default_without_contradiction(proxy: Proxy) -> None:
    for model in ("wide", "wide-parameters"):
        [default] = proxy.draw(model, "x").json()["choices"][0]["message"]["images"]
        assert look_at(default["image_url"]["url"]).size == (1376, 768)
        [chosen] = proxy.draw(model, "x", image_config={"aspect_ratio": "1:1"}).json()["choices"][0][
            "message"
        ]["images"]
        assert look_at(chosen["image_url"]["url"]).size == (1024, 1024)


def test_what_goes_upstream_is_exactly_what_was_asked(proxy: Proxy, upstream: Upstream) -> None:
    upstream.will_say({"candidates": [{"content": {"parts": [{"text": "hello"}]}, "finishReason": "STOP"}]})
    picture = data_url()
    proxy.post(
        {
            "model": "recorded",
            "messages": [
                {"role": "system", "content": "Draw like a child."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "A cat"},
                        {"type": "image_url", "image_url": {"url": picture}},
                        {"type": "image_url", "image_url": {"url": "https://example.com/dog.webp"}},
                    ],
                },
                {"role": "assistant", "content": "Here.", "images": [{"image_url": {"url": picture}}]},
                {"role": "user", "content": "Make it night."},
            ],
            "max_completion_tokens": 4096,
            "temperature": 0.5,
            "top_p": 0.9,
            "top_k": 40,
            "seed": 7,
            "stop": "END",
            "modalities": ["text", "image"],
            "image_config": {"aspect_ratio": "16:9", "image_size": "2k"},
        }
    )
    [request] = upstream.requests
    inline = {"inlineData": {"mimeType": "image/png", "data": picture.partition(",")[2]}}
    assert request.path == "/v1beta/models/gemini-3-pro-image:generateContent"
    assert request.headers["x-goog-api-key"] == PROVIDER_KEY
    assert request.headers["accept-encoding"] == "identity"
    assert request.body == {
        "systemInstruction": {"parts": [{"text": "Draw like a child."}]},
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "A cat"},
                    inline,
                    {"fileData": {"fileUri": "https://example.com/dog.webp", "mimeType": "image/webp"}},
                ],
            },
            {"role": "model", "parts": [{"text": "Here."}]},
            {"role": "user", "parts": [inline, {"text": "Make it night."}]},
        ],
        "generationConfig": {
            "maxOutputTokens": 4096,
            "temperature": 0.5,
            "topP": 0.9,
            "topK": 40,
            "seed": 7,
            "stopSequences": ["END"],
            "responseModalities": ["TEXT", "IMAGE"],
            "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
        },
    }


TOOL = {"type": "function", "function": {"name": "look_up"}}


def test_what_the_model_lacks_is_told_in_body_and_header(proxy: Proxy) -> None:
    answer = proxy.draw("nano-banana", "x", image_size="4K", aspect_ratio="1:8", tools=[TOOL], logprobs=True)
    notices = answer.json()["provider_metadata"]["imagegen"]["notices"]
    told = {notice["field"]: (notice["asked"], notice["used"]) for notice in notices}
    assert told == {
        "image_size": ("4K", "1K"),
        "aspect_ratio": ("1:8", "9:16"),
        "tools[0]": ("{'function': '...', 'type': '...'}", None),
        "logprobs": (True, None),
    }
    header = answer.headers["x-imagegen-notices"]
    assert set(header.split("; ")) == {
        "image_size=adapted",
        "aspect_ratio=adapted",
        "tools[0]=unsupported",
        "logprobs=unsupported",
    }
    assert (
        proxy.draw_streamed("nano-banana", "x", image_size="4K").headers["x-imagegen-notices"]
        == "image_size=adapted"
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"image_size": "4K"}, "image_size"),
        ({"logprobs": True}, "logprobs"),
        ({"quality": "high"}, "quality"),
    ],
)
def test_under_the_strict_policy_the_same_is_a_400(proxy: Proxy, fields: dict[str, Any], field: str) -> None:
    for choice in ({"imagegen": {"policy": "strict"}}, {"extra_body": {"imagegen": {"policy": "strict"}}}):
        answer = proxy.draw("nano-banana", "x", **fields, **choice)
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == field
    body = {"model": "nano-banana", "messages": [{"role": "user", "content": "x"}], **fields}
    assert proxy.post(body, x_imagegen_policy="strict").status_code == 400
    assert proxy.post({**body, "model": "strict", "image_size": "0.5K"}).status_code == 400


def test_a_locked_name_stays_at_the_operators_value_with_a_notice(proxy: Proxy) -> None:
    open_settings = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]
    answer = proxy.draw("nano-banana", "x", safety_settings=open_settings)
    [notice] = answer.json()["provider_metadata"]["imagegen"]["notices"]
    assert notice["field"] == "safety_settings"
    assert "operator" in notice["why"]


def test_headers_of_a_client_do_not_reach_the_provider(proxy: Proxy, upstream: Upstream) -> None:
    upstream.will_say({"candidates": [{"content": {"parts": [{"text": "hello"}]}, "finishReason": "STOP"}]})
    answer = proxy.draw(
        "recorded", "x", extra_headers={"x-goog-user-project": "mine", "x-goog-api-key": "mine"}
    )
    [request] = upstream.requests
    assert "x-goog-user-project" not in request.headers
    assert request.headers["x-goog-api-key"] == PROVIDER_KEY
    [notice] = answer.json()["provider_metadata"]["imagegen"]["notices"]
    assert notice["field"] == "extra_headers"


def test_a_former_model_id_is_served_by_the_present_one_with_a_notice(proxy: Proxy) -> None:
    answer = proxy.draw("nano-banana-pro-old", "x").json()
    [notice] = answer["provider_metadata"]["imagegen"]["notices"]
    assert (notice["asked"], notice["used"]) == ("gemini-3-pro-image-preview", "gemini-3-pro-image")
    assert answer["provider_metadata"]["imagegen"]["model"] == "gemini-3-pro-image"
    assert answer["model"] == "nano-banana-pro-old"
