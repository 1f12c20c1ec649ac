"""LiteLLM's own image models: what it sends for a plan, what comes back, and that nobody counts it twice."""

import asyncio
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import litellm
import pytest
from litellm.caching.caching import Cache
from litellm.integrations.custom_logger import CustomLogger
from litellm.llms.custom_llm import CustomLLM
from litellm.types.caching import LiteLLMCacheType
from litellm.types.utils import ImageObject, ImageResponse
from PIL import Image

from litellm_imagegen import engine
from litellm_imagegen.canonical import ImageResult, Limits, Name, Outcome, Policy, Preferences
from litellm_imagegen.dialects import parse_chat, parse_edits, parse_images
from litellm_imagegen.errors import (
    AuthenticationFailed,
    BadReply,
    ConfigurationError,
    DeadlineExceeded,
    ImagegenError,
    InvalidParameter,
    PaymentRequired,
    ProviderFailed,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
    RequestError,
)
from litellm_imagegen.plan import Plan
from litellm_imagegen.plugin import bridge
from litellm_imagegen.plugin.bridge import Bridge
from litellm_imagegen.plugin.bridge_clients import once
from litellm_imagegen.plugin.bridge_deployment import belongs_to_deployment, endpoint
from litellm_imagegen.providers.litellm import PROVIDER, WIRES
from tests.unit.helpers import base64_of, data_url, picture_bytes
from tests.vendor import Vendor, running_vendor

KEY = "sk-that-nobody-may-see"
PNG, BLUE = picture_bytes(), picture_bytes(color="blue")
IN_BASE64 = {"created": 1, "data": [{"b64_json": base64_of(PNG)}]}
# One reply in every form that some vendor's is read in.
ANY_FORM = {
    **IN_BASE64,
    "image": base64_of(PNG),
    "finish_reason": "SUCCESS",
    "images": [{"url": data_url(PNG)}],
}
BEDROCKS = {"images": [base64_of(PNG)], "finish_reasons": [None], "seeds": [1]}
GEMINIS = {"candidates": [{"content": {"parts": [{"inlineData": {"data": base64_of(PNG)}}]}}]}
QWENS = {"output": {"choices": [{"message": {"content": [{"image": data_url(PNG)}]}}]}}
V1 = "/v1"
AWS = {"aws_region_name": "us-east-1"}


@dataclass(frozen=True)
class Case:
    """What is asked of a model, and what arrives at its vendor."""

    model: str
    asked: Mapping[str, Any]
    path: str
    sent: Mapping[str, Any]
    reply: Mapping[str, Any]
    base: str = ""
    shown: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return self.model


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with running_vendor() as running:
        running.will_say(ANY_FORM)
        yield running


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without keys of the environment's, and with none of LiteLLM's settings that another test has made."""
    for name in ("RECRAFT_API_KEY", "OPENAI_API_KEY", "XAI_API_KEY", "STABILITY_API_KEY", "FAL_AI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(litellm, "drop_params", False)
    monkeypatch.setattr(litellm, "suppress_debug_info", True)


def plan_of(model: str, body: Mapping[str, Any] | None = None, **given: Any) -> Plan:
    asked = {**(body or {})}
    parse: engine.Parse = parse_chat
    if "messages" not in asked:
        asked = {"prompt": "a red dot", **asked}
        parse = parse_edits if "image" in asked else parse_images
    return engine.prepare(
        **{
            "provider": PROVIDER,
            "model": model,
            "body": asked,
            "parse": parse,
            "defaults": {},
            "preferences": Preferences(),
            "limits": Limits(),
            "deadline_seconds": 30,
            **given,
        }
    )


def job_of(plan: Plan, vendor: Vendor, base: str = "", **shown: Any) -> engine.Job:
    params = {"api_key": KEY, "api_base": vendor.url + base, "rpm": 3, **shown}
    return engine.Job(plan=plan, provider=PROVIDER, endpoint=endpoint("litellm", params), limits=Limits())


def drawn(plan: Plan, vendor: Vendor, base: str = "", **shown: Any) -> ImageResult:
    return asyncio.run(engine.run(job_of(plan, vendor, base, **shown), Bridge()))


def noticed(plan: Plan) -> set[str]:
    return {notice.field for notice in plan.notices}


DRAWINGS = (
    Case(
        "recraft/recraftv3",
        {"size": "1820x1024", "style": "digital_illustration", "n": 2, "negative_prompt": "text"},
        "/v1/images/generations",
        {
            "prompt": "a red dot",
            "model": "recraftv3",
            "n": 2,
            "response_format": "b64_json",
            "size": "1820x1024",
            "style": "digital_illustration",
            "negative_prompt": "text",
        },
        IN_BASE64,
    ),
    Case(
        "stability/sd3.5-large",
        {"aspect_ratio": "21:9", "seed": 7, "output_format": "jpeg", "negative_prompt": "text"},
        "/v2beta/stable-image/generate/sd3",
        {
            "prompt": "a red dot",
            "aspect_ratio": "21:9",
            "seed": "7",
            "output_format": "jpeg",
            "negative_prompt": "text",
            "none": ("upload", b""),
        },
        ANY_FORM,
    ),
    Case(
        "stability/stable-image-core",
        {"size": "1536x1024", "style": "anime"},
        "/v2beta/stable-image/generate/core",
        {
            "prompt": "a red dot",
            "output_format": "png",
            "aspect_ratio": "3:2",
            "style_preset": "anime",
            "none": ("upload", b""),
        },
        ANY_FORM,
    ),
    Case(
        "fal_ai/fal-ai/nano-banana-2",
        {"aspect_ratio": "21:9", "image_size": "2K", "seed": 7, "output_format": "webp", "n": 2},
        "/fal-ai/nano-banana-2",
        {
            "prompt": "a red dot",
            "aspect_ratio": "21:9",
            "resolution": "2K",
            "seed": 7,
            "output_format": "webp",
            "num_images": 2,
        },
        ANY_FORM,
    ),
    Case(
        "fal_ai/fal-ai/flux-pro/v1.1",
        {"size": "1024x768", "seed": 7},
        "/fal-ai/flux-pro/v1.1",
        # LiteLLM's own table knows this size by a name.
        {"prompt": "a red dot", "image_size": {"width": 1024, "height": 768}, "seed": 7},
        ANY_FORM,
    ),
    Case(
        "xai/grok-imagine-image-2.0",
        {"aspect_ratio": "19.5:9", "image_size": "2K", "quality": "low", "n": 2},
        "/v1/images/generations",
        {
            "prompt": "a red dot",
            "model": "grok-imagine-image-2.0",
            "n": 2,
            "quality": "low",
            "response_format": "b64_json",
            "aspect_ratio": "19.5:9",
            "resolution": "2k",
        },
        IN_BASE64,
        V1,
    ),
    Case(
        "openai/gpt-image-1.5",
        {"size": "1536x1024", "quality": "low", "background": "opaque", "output_format": "jpeg"},
        "/v1/images/generations",
        {
            "prompt": "a red dot",
            "model": "gpt-image-1.5",
            "background": "opaque",
            "output_format": "jpeg",
            "quality": "low",
            "size": "1536x1024",
        },
        IN_BASE64,
        V1,
    ),
    Case(
        "azure/painter",
        {"size": "1024x1024", "quality": "low", "output_compression": 50, "output_format": "jpeg"},
        "/openai/deployments/painter/images/generations?api-version=2025-04-01-preview",
        {
            "prompt": "a red dot",
            "quality": "low",
            "size": "1024x1024",
            "output_format": "jpeg",
            "output_compression": 50,
        },
        IN_BASE64,
        shown={"api_version": "2025-04-01-preview"},
    ),
    Case(
        "azure_ai/FLUX.2-pro",
        {"size": "1024x512", "seed": 7, "output_format": "png"},
        "/providers/blackforestlabs/v1/flux-2-pro?api-version=2025-02-01-preview",
        {
            "prompt": "a red dot",
            "model": "FLUX.2-pro",
            "width": 1024,
            "height": 512,
            "seed": 7,
            "output_format": "png",
        },
        IN_BASE64,
    ),
    Case(
        "azure_ai/MAI-Image-2.6",
        {"size": "1536x1536"},
        "/mai/v1/images/generations?api-version=2025-02-01-preview",
        {"prompt": "a red dot", "model": "MAI-Image-2.6", "width": 1027, "height": 1027},
        IN_BASE64,
    ),
    Case(
        "bedrock/amazon.nova-canvas-v1:0",
        {"size": "1024x512", "n": 2, "seed": 7, "guidance": 3.5, "negative_prompt": "text"},
        "/model/amazon.nova-canvas-v1:0/invoke",
        {
            "taskType": "TEXT_IMAGE",
            "textToImageParams": {"text": "a red dot", "negativeText": "text"},
            "imageGenerationConfig": {
                "width": 1024,
                "height": 512,
                "numberOfImages": 2,
                "seed": 7,
                "cfgScale": 3.5,
            },
        },
        BEDROCKS,
        shown=AWS,
    ),
    Case(
        "bedrock/us.stability.stable-image-core-v1:1",
        {"aspect_ratio": "16:9", "seed": 7, "output_format": "jpeg"},
        "/model/us.stability.stable-image-core-v1:1/invoke",
        {"prompt": "a red dot", "aspect_ratio": "16:9", "seed": 7, "output_format": "jpeg"},
        BEDROCKS,
        shown=AWS,
    ),
    Case(
        "gemini/gemini-3-pro-image",
        {"aspect_ratio": "21:9", "image_size": "4K"},
        "/models/gemini-3-pro-image:generateContent",
        {
            "contents": [{"parts": [{"text": "a red dot"}]}],
            "generationConfig": {
                "response_modalities": ["IMAGE", "TEXT"],
                "imageConfig": {"aspectRatio": "21:9", "imageSize": "4K"},
            },
        },
        GEMINIS,
    ),
    Case(
        "vertex_ai/gemini-3-pro-image",
        {"size": "1792x1024"},
        "/",
        {
            "contents": [{"role": "user", "parts": [{"text": "a red dot"}]}],
            "generationConfig": {
                "responseModalities": ["IMAGE"],
                "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
            },
        },
        GEMINIS,
        shown={"vertex_project": "p", "vertex_location": "us-central1"},
    ),
    Case(
        "dashscope/qwen-image-3.0",
        {"size": "1024x640", "n": 2},
        "/",
        {
            "model": "qwen-image-3.0",
            "input": {"messages": [{"role": "user", "content": [{"text": "a red dot"}]}]},
            "parameters": {"n": 2, "size": "1024*640"},
        },
        QWENS,
    ),
    Case(
        "volcengine/seedream-5-0-260128",
        {"size": "2048x2048", "watermark": False},
        "/v1/images/generations",
        {
            "prompt": "a red dot",
            "model": "seedream-5-0-260128",
            "response_format": "b64_json",
            "size": "2048x2048",
            "watermark": False,
        },
        IN_BASE64,
        V1,
    ),
    Case(
        "aiml/flux/schnell",
        {"size": "1024x512", "n": 1},
        "/v1/images/generations",
        {"prompt": "a red dot", "model": "flux/schnell", "image_size": {"width": 1024, "height": 512}},
        IN_BASE64,
    ),
    Case(
        "together_ai/black-forest-labs/FLUX.1-schnell",
        {"size": "640x512", "quality": "high"},
        "/v1/images/generations",
        {
            "prompt": "a red dot",
            "model": "black-forest-labs/FLUX.1-schnell",
            "quality": "high",
            "size": "640x512",
        },
        IN_BASE64,
        V1,
    ),
)


@pytest.mark.parametrize("case", DRAWINGS, ids=str)
def test_litellm_sends_the_vendor_what_was_planned(case: Case, vendor: Vendor) -> None:
    vendor.will_say(case.reply)
    plan = plan_of(case.model, case.asked)
    result = drawn(plan, vendor, case.base, **(case.shown or {}))
    assert [(asked.path, asked.body) for asked in vendor.asked] == [(case.path, case.sent)]
    assert [picture.blob.raw for picture in result.pictures] == [PNG]
    assert KEY in "".join(vendor.asked[0].headers.values()) or case.model.startswith("vertex_ai/")


EDITS = (
    Case(
        "recraft/recraftv3",
        {"n": 2},
        "/v1/images/imageToImage",
        {
            "model": "recraftv3",
            "strength": "0.2",
            "n": "2",
            "response_format": "b64_json",
            "prompt": "a red dot",
            "image": ("image.png", BLUE),
        },
        IN_BASE64,
    ),
    Case(
        "openai/gpt-image-1.5",
        {"size": "1024x1024", "quality": "low", "input_fidelity": "high", "output_format": "jpeg"},
        "/v1/images/edits",
        {
            "model": "gpt-image-1.5",
            "prompt": "a red dot",
            "size": "1024x1024",
            "quality": "low",
            "input_fidelity": "high",
            "output_format": "jpeg",
            "image[]": ("image.png", BLUE),
        },
        IN_BASE64,
        V1,
    ),
    Case(
        "fal_ai/fal-ai/nano-banana-2",
        {"n": 2},
        "/fal-ai/nano-banana-2/edit",
        {"prompt": "a red dot", "image_urls": [data_url(BLUE)], "num_images": 2},
        ANY_FORM,
    ),
    Case(
        "gemini/gemini-3-pro-image",
        {"aspect_ratio": "16:9"},
        "/models/gemini-3-pro-image:generateContent",
        {
            "contents": [
                {
                    "parts": [
                        {"inlineData": {"mimeType": "image/png", "data": base64_of(BLUE)}},
                        {"text": "a red dot"},
                    ]
                }
            ],
            "generationConfig": {
                "response_modalities": ["IMAGE", "TEXT"],
                "imageConfig": {"aspectRatio": "16:9"},
            },
        },
        GEMINIS,
    ),
    Case(
        "azure_ai/FLUX.2-pro",
        {"size": "1024x512", "seed": 7},
        "/providers/blackforestlabs/v1/flux-2-pro?api-version=preview",
        {
            "prompt": "a red dot",
            "model": "FLUX.2-pro",
            "input_image": base64_of(BLUE),
            "width": 1024,
            "height": 512,
            "seed": 7,
        },
        IN_BASE64,
    ),
)


@pytest.mark.parametrize("case", EDITS, ids=str)
def test_litellm_edits_the_pictures_of_a_plan(case: Case, vendor: Vendor) -> None:
    vendor.will_say(case.reply)
    plan = plan_of(case.model, {**case.asked, "image": data_url(BLUE)})
    result = drawn(plan, vendor, case.base, **(case.shown or {}))
    assert [(asked.path, asked.body) for asked in vendor.asked] == [(case.path, case.sent)]
    assert [picture.blob.raw for picture in result.pictures] == [PNG]


def test_a_mask_is_white_where_stability_is_to_paint(vendor: Vendor) -> None:
    held = io.BytesIO()
    mask = Image.new("RGBA", (3, 2), (0, 0, 0, 255))
    mask.putpixel((1, 0), (0, 0, 0, 0))
    mask.save(held, "PNG")
    asked = {"image": data_url(BLUE), "mask": data_url(held.getvalue())}
    drawn(plan_of("stability/inpaint", asked), vendor)
    assert vendor.asked[0].path == "/v2beta/stable-image/edit/inpaint"
    name, sent = vendor.asked[0].body["mask"]
    assert name == "mask.png"
    with Image.open(io.BytesIO(sent)) as painted:
        assert painted.convert("L").tobytes() == bytes([0, 255, 0, 0, 0, 0])


def test_an_edit_that_litellm_polls_for_is_submitted_as_planned(vendor: Vendor) -> None:
    vendor.will_say({"detail": "no credit"}, 402)  # it polls https addresses alone
    asked = {"image": data_url(BLUE), "seed": 7, "aspect_ratio": "16:9"}
    with pytest.raises(PaymentRequired, match="no credit"):
        drawn(plan_of("black_forest_labs/flux-kontext-pro", asked), vendor)
    assert [request.path for request in vendor.asked] == ["/v1/flux-kontext-pro"]
    sent = {"input_image": base64_of(BLUE), "seed": 7, "aspect_ratio": "16:9", "output_format": "png"}
    assert vendor.asked[0].body == {"prompt": "a red dot", **sent}


def test_several_pictures_reach_a_model_that_draws_by_several(vendor: Vendor) -> None:
    asked = {"image": [data_url(BLUE), data_url(PNG)]}
    drawn(plan_of("openai/gpt-image-1.5", asked), vendor, V1)
    assert vendor.asked[0].body["image[]"] == ("image.png", PNG)


def test_a_picture_at_an_address_is_fetched(vendor: Vendor) -> None:
    vendor.files["/drawn.png"] = PNG
    vendor.will_say({"images": [{"url": f"{vendor.url}/drawn.png"}], "seed": 11})
    result = drawn(plan_of("fal_ai/fal-ai/flux/dev"), vendor)
    assert [asked.method for asked in vendor.asked] == ["POST", "GET"]
    assert [picture.blob.raw for picture in result.pictures] == [PNG]
    assert "authorization" not in vendor.asked[1].headers


def test_seed_and_prompt_come_with_the_picture(vendor: Vendor) -> None:
    vendor.will_say({"images": [{"url": data_url(PNG)}], "seed": 11, "has_nsfw_concepts": [False]})
    result = drawn(plan_of("fal_ai/fal-ai/flux-pro/v1.1"), vendor)
    assert result.pictures[0].seed == 11
    vendor.will_say({"data": [{"b64_json": base64_of(PNG), "revised_prompt": "a ruby"}]})
    result = drawn(plan_of("xai/grok-imagine-image"), vendor, V1)
    assert result.pictures[0].revised_prompt == "a ruby"


def test_what_a_checker_has_blackened_is_a_refusal(vendor: Vendor) -> None:
    url = data_url(PNG)
    vendor.will_say({"images": [{"url": url}, {"url": url}], "has_nsfw_concepts": [True, False]})
    result = drawn(plan_of("fal_ai/fal-ai/flux-pro/v1.1", {"n": 2}), vendor)
    assert (len(result.pictures), "answer" in {notice.field for notice in result.notices}) == (1, True)
    vendor.will_say({"images": [{"url": url}], "has_nsfw_concepts": [True]})
    assert drawn(plan_of("fal_ai/fal-ai/flux-pro/v1.1"), vendor).outcome is Outcome.REFUSED


def test_tokens_and_price_are_litellms(vendor: Vendor) -> None:
    details = {"text_tokens": 3, "image_tokens": 0}
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7, "input_tokens_details": details}
    vendor.will_say({**IN_BASE64, "usage": usage})
    counted = drawn(plan_of("openai/gpt-image-1.5"), vendor, V1).usage
    assert counted is not None
    assert (counted.prompt_tokens, counted.completion_tokens, counted.total_tokens) == (3, 4, 7)
    assert counted.cost is not None
    assert counted.cost > 0
    vendor.will_say(IN_BASE64)
    priced = drawn(plan_of("recraft/recraftv3"), vendor).usage
    assert priced is not None
    assert (priced.cost, priced.total_tokens) == (0.04, 0)


def test_a_price_that_litellm_does_not_know_is_the_rows(vendor: Vendor) -> None:
    vendor.will_say(IN_BASE64)
    priced = drawn(plan_of("recraft/recraftv4_pro"), vendor).usage
    assert priced is not None
    assert priced.cost == 0.25


@pytest.mark.parametrize(
    ("model", "asked", "fields"),
    [
        ("recraft/recraftv4", {"style": "x", "seed": 1}, {"style", "seed"}),
        ("dashscope/qwen-image-3.0", {"seed": 1, "watermark": False}, {"seed", "watermark"}),
        ("stability/sd3.5-large", {"guidance": 4.0, "quality": "high"}, {"guidance", "quality"}),
        ("xai/grok-imagine-image", {"negative_prompt": "x"}, {"negative_prompt"}),
        ("gemini/gemini-3-pro-image", {"temperature": 1.0, "seed": 1}, {"temperature", "seed"}),
        ("dashscope/qwen-image-3.0", {"provider_options": {"qwen": {"x": 1}}}, {"provider_options"}),
        (
            "recraft/recraftv3",
            {"image": data_url(BLUE), "provider_options": {"recraft": {"x": 1}}},
            {"provider_options"},
        ),
    ],
)
def test_what_litellm_cannot_pass_on_is_noticed(model: str, asked: dict[str, Any], fields: set[str]) -> None:
    assert noticed(plan_of(model, asked)) == fields
    with pytest.raises(InvalidParameter):
        plan_of(model, asked, preferences=Preferences(policy=Policy.STRICT))


def test_a_picture_of_earlier_that_a_model_cannot_take_costs_no_other_wish(vendor: Vendor) -> None:
    parts = [{"type": "text", "text": "a cat"}, {"type": "image_url", "image_url": {"url": data_url(BLUE)}}]
    turns = [
        {"role": "user", "content": parts},
        {"role": "assistant", "content": "Fine."},
        {"role": "user", "content": "a dog"},
    ]
    asked = {"messages": turns, "aspect_ratio": "16:9", "image_size": "2K"}
    plan = plan_of("xai/grok-imagine-image", asked)
    assert [(notice.field, notice.used) for notice in plan.notices] == [("messages", "none")]
    drawn(plan, vendor, V1)
    (sent,) = vendor.asked
    assert (sent.path, sent.body["aspect_ratio"], sent.body["resolution"]) == (
        "/v1/images/generations",
        "16:9",
        "2k",
    )


def test_n_is_several_calls_where_a_model_gives_one_picture(vendor: Vendor) -> None:
    vendor.will_say(ANY_FORM)
    result = drawn(plan_of("stability/sd3.5-large", {"n": 2, "seed": 7}), vendor)
    assert [len(result.pictures), sorted(asked.body["seed"] for asked in vendor.asked)] == [2, ["7", "8"]]


def test_every_wire_spells_what_its_vocabulary_promises() -> None:
    values = {
        Name.DIMENSIONS: (1024, 1024),
        Name.SAFETY_TOLERANCE: 2,
        Name.IMAGE_SIZE: "2K",
        Name.ASPECT_RATIO: "1:1",
    }
    names = [wire.name for wire in WIRES]
    assert len(set(names)) == len(names)
    for wire in WIRES:
        codec: Any = wire.codec
        assert codec.vocabulary == codec.names(has_pictures=False) | codec.names(has_pictures=True)
        plan = plan_of("recraft/recraftv3")
        for name in codec.names(has_pictures=False) - {Name.PROVIDER_OPTIONS}:
            call = codec.encode(plan.model_copy(update={"values": {name: values.get(name, "x")}}))
            assert call.body is not None
            assert set(call.body["arguments"]) - {"response_format"}, (wire.name, name)


def test_options_of_the_vendor_go_on_and_those_of_the_deployment_do_not(vendor: Vendor) -> None:
    options = {"provider_options": {"recraft": {"controls": {"no_text": True}}}}
    drawn(plan_of("recraft/recraftv3", options), vendor)
    assert vendor.asked[0].body["controls"] == {"no_text": True}
    for name in ("aws_region_name", "extra_headers", "custom_llm_provider"):
        plan = plan_of("recraft/recraftv3", {"provider_options": {"recraft": {name: "x"}}})
        assert noticed(plan) == {f"provider_options ({name})"}
    for name in ("timeout", "mock_response"):
        plan = plan_of("recraft/recraftv3", {"provider_options": {"recraft": {name: "x"}}})
        with pytest.raises(RequestError, match=name):
            drawn(plan, vendor)
    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    "name",
    [
        *(
            "api_key",
            "api_base",
            "api_version",
            "base_url",
            "model",
            "client",
            "headers",
            "litellm_logging_obj",
        ),
        *("aws_secret_access_key", "vertex_credentials", "azure_ad_token", "organization", "metadata"),
        *("extra_body", "max_retries", "no-log", "caching", "litellm_credential_name", "aimg_generation"),
    ],
)
def test_litellms_own_arguments_are_no_options_of_a_vendor(name: str) -> None:
    assert belongs_to_deployment(name)


@pytest.mark.parametrize(
    ("model", "body", "told"),
    [
        ("replicate/black-forest-labs/flux-schnell", {}, "LiteLLM draws no pictures with replicate"),
        ("anthropic/claude-5", {}, "LiteLLM draws no pictures with anthropic"),
        ("no-such-vendor/x", {}, "LiteLLM knows no provider of 'no-such-vendor/x'"),
        ("xai/grok-imagine-image", {"image": data_url(BLUE)}, "grok-imagine-image takes no pictures"),
        ("dashscope/qwen-image-3.0", {"image": data_url(BLUE)}, "qwen-image-3.0 takes no pictures"),
        ("runwayml/gen4_image", {"image": data_url(BLUE)}, "gen4_image takes no pictures"),
        ("volcengine/seedream-5-0", {"image": data_url(BLUE)}, "seedream-5-0 takes no pictures"),
        ("bedrock/stability.sd3-5-large-v1:0", {"image": data_url(BLUE)}, "LiteLLM edits no pictures"),
        ("fal_ai/fal-ai/flux-2", {}, "another model's address"),
        ("fal_ai/fal-ai/imagen4/preview/ultra", {}, "another model's address"),
        ("vertex_ai/imagen-4.0-generate-001", {}, "imagegen/vertex has this model"),
        ("black_forest_labs/flux-pro-1.1", {}, "imagegen/bfl has this model"),
        # Of a model without a price LiteLLM fails when the edit is paid.
        ("stability/unheard-of", {"image": data_url(BLUE)}, "LiteLLM edits no pictures"),
    ],
)
def test_what_litellm_does_not_do_is_told_before_anything_is_sent(
    model: str, body: dict[str, Any], told: str, vendor: Vendor
) -> None:
    with pytest.raises(RequestError, match=told):
        drawn(plan_of(model, body), vendor)
    assert vendor.asked == []


def test_our_own_provider_is_not_called_through_litellm(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm, "provider_list", [*litellm.provider_list, "imagegen"])
    monkeypatch.setattr(litellm, "_custom_providers", ["imagegen"])
    with pytest.raises(RequestError, match="for LiteLLM's own providers"):
        drawn(plan_of("imagegen/recraft/recraftv3"), vendor)


# One of each way in which LiteLLM calls a vendor: blocking, awaited, by OpenAI's client, by Azure's.
WAYS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("recraft/recraftv3", "", {}),
    ("stability/sd3.5-large", "", {}),
    ("fal_ai/fal-ai/nano-banana-2", "", {}),
    ("gemini/gemini-3-pro-image", "", {}),
    ("dashscope/qwen-image-3.0", "", {}),
    ("aiml/flux/schnell", "", {}),
    ("runwayml/gen4_image", "", {}),
    ("openrouter/google/gemini-3-pro-image", "", {}),
    ("edenai/openai/gpt-image-1", "", {}),
    ("vertex_ai/gemini-3-pro-image", "", {"vertex_project": "p", "vertex_location": "us-central1"}),
    ("bedrock/amazon.nova-canvas-v1:0", "", AWS),
    ("azure/painter", "", {"api_version": "2025-04-01-preview"}),
    ("azure_ai/MAI-Image-2.6", "", {}),
    ("openai/gpt-image-1.5", V1, {}),
    ("xai/grok-imagine-image", V1, {}),
    ("together_ai/x/y", V1, {}),
    ("litellm_proxy/painter", "", {}),
)
EDITING = tuple(
    way for way in WAYS if way[0].startswith(("recraft", "fal_ai", "gemini", "azure", "openai/", "bedrock"))
)


@pytest.mark.parametrize(("model", "base", "shown"), WAYS, ids=[way[0] for way in WAYS])
@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_an_error_is_the_vendors_own_and_nothing_is_sent_again(
    status: int, model: str, base: str, shown: dict[str, Any], vendor: Vendor
) -> None:
    kinds = {401: AuthenticationFailed, 429: RateLimited, 500: ProviderFailed, 503: ProviderUnavailable}
    said = {"error": {"message": f"no more for {KEY} today", "code": status}}
    vendor.will_say(said, status, retry_after="7")
    with pytest.raises(kinds[status]) as caught:
        drawn(plan_of(model), vendor, base, **shown)
    assert caught.value.message == "litellm: no more for [key] today (retry after 7 s)"
    assert len(vendor.asked) == 1


@pytest.mark.parametrize(("model", "base", "shown"), EDITING, ids=[way[0] for way in EDITING])
def test_an_error_of_an_edit_is_the_vendors_own(
    model: str, base: str, shown: dict[str, Any], vendor: Vendor
) -> None:
    vendor.will_say({"error": {"message": "no more today"}}, 429, retry_after="7")
    with pytest.raises(RateLimited, match=r"litellm: no more today \(retry after 7 s\)"):
        drawn(plan_of(model, {"image": data_url(BLUE)}), vendor, base, **shown)
    assert len(vendor.asked) == 1


@pytest.mark.parametrize(("model", "base", "shown"), WAYS, ids=[way[0] for way in WAYS])
def test_a_vendor_that_hangs_up_is_not_asked_again(
    model: str, base: str, shown: dict[str, Any], vendor: Vendor
) -> None:
    vendor.will_hang_up()
    with pytest.raises(BadReply, match="hung up before it answered; the call may be charged"):
        drawn(plan_of(model), vendor, base, **shown)
    assert len(vendor.asked) == 1


def test_a_vendor_that_cannot_be_reached_is_unavailable(vendor: Vendor) -> None:
    for model in ("recraft/recraftv3", "xai/grok-imagine-image"):
        with pytest.raises(ProviderUnavailable, match="cannot be reached"):
            drawn(plan_of(model), vendor, api_base="http://127.0.0.1:1")


def test_a_key_is_sent_on_nowhere(vendor: Vendor) -> None:
    vendor.will_say({}, 307, location=f"{vendor.url}/elsewhere")
    for model in ("recraft/recraftv3", "xai/grok-imagine-image"):
        with pytest.raises(BadReply):
            drawn(plan_of(model), vendor, V1)
    assert len(vendor.asked) == 2


@pytest.mark.parametrize(
    ("model", "base", "status", "said"),
    [
        ("openai/gpt-image-1.5", V1, 400, {"error": {"code": "moderation_blocked", "message": "no"}}),
        ("xai/grok-imagine-image", V1, 400, {"error": "rejected by content moderation", "code": "x"}),
        ("azure/painter", "", 400, {"error": {"code": "contentFilter", "message": "filtered"}}),
        ("stability/sd3.5-large", "", 403, {"name": "content_moderation", "errors": ["flagged"]}),
        ("stability/sd3.5-large", "", 200, {"image": "", "finish_reason": "CONTENT_FILTERED"}),
        ("fal_ai/fal-ai/nano-banana-2", "", 422, {"detail": [{"type": "content_policy_violation"}]}),
        ("dashscope/qwen-image-3.0", "", 400, {"code": "DataInspectionFailed", "message": "bad words"}),
        ("dashscope/qwen-image-3.0", "", 200, {"code": "x", "message": "Inappropriate content."}),
        (
            "bedrock/stability.sd3-5-large-v1:0",
            "",
            200,
            {"images": [], "finish_reasons": ["Filter reason: prompt"]},
        ),
    ],
)
def test_a_refusal_is_an_answer(
    model: str, base: str, status: int, said: dict[str, Any], vendor: Vendor
) -> None:
    vendor.will_say(said, status)
    result = drawn(plan_of(model), vendor, base, api_version="2025-04-01-preview", **AWS)
    assert result.outcome is Outcome.REFUSED
    assert (result.refusal or "").startswith("litellm refused the p")


@pytest.mark.parametrize(
    ("status", "said", "kind", "told"),
    [
        (
            422,
            {"detail": [{"loc": ["body", "seed"], "msg": "too large"}]},
            ProviderRejected,
            "seed: too large",
        ),
        (400, {"code": "invalid_size", "message": "no such size"}, ProviderRejected, "no such size"),
        (400, {"id": "1", "errors": ["prompt: too long"]}, ProviderRejected, "prompt: too long"),
        # What the request has said is no refusal.
        (400, {"message": "no such size", "prompt": "our content policy"}, ProviderRejected, "no such size"),
        (400, b"<html>no</html>", ProviderRejected, "<html>no</html>"),
        (200, b"<html>yes</html>", BadReply, ""),
        (200, {"data": 7}, BadReply, ""),
        (200, {"data": []}, BadReply, "an empty answer"),
        (200, {"data": [{"b64_json": "no!"}]}, BadReply, ""),
    ],
)
def test_a_bad_reply_is_told_in_the_vendors_words(
    status: int, said: Any, kind: type[ImagegenError], told: str, vendor: Vendor
) -> None:
    vendor.will_say(said, status)
    with pytest.raises(kind) as caught:
        drawn(plan_of("recraft/recraftv3"), vendor)
    assert told in caught.value.message
    for name in ("Traceback", "Exception - ", "litellm."):
        assert name not in caught.value.message


def test_what_litellm_does_not_take_is_a_bad_request(vendor: Vendor) -> None:
    plan = plan_of("recraft/recraftv3", {"provider_options": {"recraft": {"user": "me"}}})
    with pytest.raises(ProviderRejected, match="user") as caught:
        drawn(plan, vendor)
    assert "drop" not in caught.value.message
    assert vendor.asked == []


def test_an_address_of_fals_own_serves_a_model_that_litellm_has_none_for(vendor: Vendor) -> None:
    drawn(plan_of("fal_ai/fal-ai/flux-2", {"size": "640x512"}), vendor, "/fal-ai/flux-2")
    sent = {"prompt": "a red dot", "image_size": {"width": 640, "height": 512}}
    assert [(asked.path, asked.body) for asked in vendor.asked] == [("/fal-ai/flux-2", sent)]


def test_without_a_key_nothing_is_sent(vendor: Vendor) -> None:
    for model in ("recraft/recraftv3", "openai/gpt-image-1.5", "stability/sd3.5-large"):
        with pytest.raises(AuthenticationFailed, match=r"(?i)key"):
            drawn(plan_of(model), vendor, V1, api_key=None)
    assert vendor.asked == []


@pytest.mark.parametrize(
    ("model", "base", "variable"),
    [
        ("recraft/recraftv3", "", "RECRAFT_API_KEY"),
        ("gemini/gemini-3-pro-image", "", "GEMINI_API_KEY"),
        ("openai/gpt-image-1.5", V1, "OPENAI_API_KEY"),
        ("azure/painter", "", "AZURE_API_KEY"),
    ],
)
def test_no_error_repeats_a_key_of_the_environments(
    model: str, base: str, variable: str, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, KEY)
    vendor.will_say({"error": {"message": f"{KEY} is no key", "code": 401}}, 401)
    with pytest.raises(AuthenticationFailed) as caught:
        drawn(plan_of(model), vendor, base, api_key=None, api_version="2025-04-01-preview")
    assert caught.value.message == "litellm: [key] is no key"
    assert KEY in "".join(vendor.asked[0].headers.values())


def test_no_error_repeats_a_secret_that_stands_in_an_object(vendor: Vendor) -> None:
    credentials = {"type": "service_account", "private_key": "half-a-secret", "others": ["another-secret"]}
    vendor.will_say({"error": {"message": "half-a-secret or another-secret", "code": 400}}, 400)
    with pytest.raises(ProviderRejected) as caught:
        drawn(plan_of("recraft/recraftv3"), vendor, vertex_credentials=credentials)
    assert caught.value.message == "litellm: [key] or [key]"


def test_openais_key_is_for_openai_alone(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for model in ("xai/grok-imagine-image", "openai/gpt-image-1.5"):
        drawn(plan_of(model), vendor, V1, api_key=None)
    assert [asked.headers["authorization"] for asked in vendor.asked] == ["Bearer none", f"Bearer {KEY}"]


class Painter(CustomLLM):
    """Somebody else's provider."""

    async def aimage_generation(self, *args: Any, **given: Any) -> ImageResponse:
        return ImageResponse(data=[ImageObject(b64_json=base64_of(PNG))])


def test_a_provider_of_the_operators_own_is_called_too(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry: Any = {"provider": "painter", "custom_handler": Painter()}
    monkeypatch.setattr(litellm, "custom_provider_map", [entry])
    monkeypatch.setattr(litellm, "provider_list", [*litellm.provider_list, "painter"])
    monkeypatch.setattr(litellm, "_custom_providers", ["painter"])
    result = drawn(plan_of("painter/x"), vendor)
    assert [picture.blob.raw for picture in result.pictures] == [PNG]


class Listener(CustomLogger):
    """Keeps which of LiteLLM's hooks were called."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def log_pre_api_call(self, *args: Any, **given: Any) -> None:
        self.heard.append("pre_api_call")

    def log_post_api_call(self, *args: Any, **given: Any) -> None:
        self.heard.append("post_api_call")

    def log_success_event(self, *args: Any, **given: Any) -> None:
        self.heard.append("success")

    def log_failure_event(self, *args: Any, **given: Any) -> None:
        self.heard.append("failure")

    async def async_log_pre_api_call(self, *args: Any, **given: Any) -> None:
        self.heard.append("async_pre_api_call")

    async def async_log_success_event(self, *args: Any, **given: Any) -> None:
        self.heard.append("async_success")

    async def async_log_failure_event(self, *args: Any, **given: Any) -> None:
        self.heard.append("async_failure")

    async def async_pre_call_deployment_hook(self, *args: Any, **given: Any) -> None:
        self.heard.append("pre_call_deployment")

    async def async_post_call_success_deployment_hook(self, *args: Any, **given: Any) -> None:
        self.heard.append("post_call_success_deployment")


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    """Registered in every way that LiteLLM has, with a response cache beside it."""
    listening = Listener()
    for name in (
        *("callbacks", "input_callback", "success_callback", "failure_callback"),
        *("_async_success_callback", "_async_failure_callback", "_async_input_callback"),
    ):
        monkeypatch.setattr(litellm, name, [listening])
    monkeypatch.setattr(litellm, "cache", None)
    return listening


@pytest.mark.parametrize(("model", "base", "shown"), WAYS, ids=[way[0] for way in WAYS])
def test_nobody_hears_of_a_call_inside_a_call(
    model: str, base: str, shown: dict[str, Any], vendor: Vendor, listener: Listener
) -> None:
    spent = litellm._current_cost
    for reply, status in (({**ANY_FORM, **GEMINIS, **QWENS}, 200), ({"error": {"message": "no"}}, 500)):
        vendor.will_say(reply, status)
        try:
            drawn(plan_of(model), vendor, base, **shown)
        except ImagegenError:
            assert status == 500 or model.startswith(("runwayml", "openrouter", "bedrock", "vertex"))
    assert listener.heard == []
    assert litellm._current_cost == spent
    assert len(vendor.asked) == 2 or model.startswith("runwayml")


def test_litellm_itself_would_have_told_them(vendor: Vendor, listener: Listener) -> None:
    given = {"model": "recraft/recraftv3", "prompt": "x", "api_key": KEY, "api_base": vendor.url}
    asyncio.run(litellm.aimage_generation(**given))
    assert {"pre_api_call", "pre_call_deployment", "post_call_success_deployment"} <= set(listener.heard)


def test_no_answer_is_kept_for_the_next_call(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("input_callback", "success_callback", "_async_success_callback"):
        monkeypatch.setattr(litellm, name, [])
    monkeypatch.setattr(litellm, "cache", Cache(type=LiteLLMCacheType.LOCAL))
    for _ in range(2):
        drawn(plan_of("openai/gpt-image-1.5"), vendor, V1)
    assert len(vendor.asked) == 2


@pytest.mark.parametrize(
    ("model", "base"), [("recraft/recraftv3", ""), ("xai/grok-imagine-image", V1), ("azure/painter", "")]
)
def test_a_call_ends_with_its_caller(model: str, base: str, vendor: Vendor) -> None:
    vendor.holds = True

    async def cancelled() -> None:
        job = job_of(plan_of(model), vendor, base, api_version="2025-04-01-preview")
        running = asyncio.create_task(engine.run(job, Bridge()))
        assert await asyncio.to_thread(vendor.arrived.wait, 20)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await asyncio.to_thread(vendor.gone.wait, 20)

    asyncio.run(cancelled())


def test_nothing_is_sent_for_a_caller_that_has_gone(vendor: Vendor) -> None:
    async def late() -> None:
        given = {"model": "recraft/recraftv3", "timeout": 30}
        async with once("image_generation", "recraft", given, {}) as client:
            pass
        with pytest.raises(ConnectionError):
            await asyncio.to_thread(client["client"].post, f"{vendor.url}/v1/images/generations", json={})

    asyncio.run(late())
    assert vendor.asked == []


def test_a_vendor_that_holds_every_thread_back_keeps_no_other_waiting(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "_WORKERS", 1)
    bridge._workers.cache_clear()
    vendor.holds = True

    async def both(other: Vendor) -> ImageResult:
        held = asyncio.create_task(engine.run(job_of(plan_of("recraft/recraftv3"), vendor), Bridge()))
        assert await asyncio.to_thread(vendor.arrived.wait, 20)
        plan = plan_of("xai/grok-imagine-image", deadline_seconds=10)
        result = await engine.run(job_of(plan, other, V1), Bridge())
        held.cancel()
        await asyncio.wait([held])
        return result

    try:
        with running_vendor() as other:
            other.will_say(IN_BASE64)
            assert asyncio.run(both(other)).pictures[0].blob.raw == PNG
    finally:
        bridge._workers.cache_clear()


@pytest.mark.parametrize(("model", "base"), [("recraft/recraftv3", ""), ("xai/grok-imagine-image", V1)])
def test_a_call_ends_with_its_deadline(model: str, base: str, vendor: Vendor) -> None:
    vendor.holds = True
    with pytest.raises(DeadlineExceeded):
        drawn(plan_of(model, deadline_seconds=0.3), vendor, base)
    assert vendor.gone.wait(20)


def test_a_deployments_parameters_are_told_apart() -> None:
    made = endpoint(
        "litellm",
        {
            "model": "imagegen/litellm/bedrock/x",
            "rpm": 3,
            "api_base": "https://a.example",
            "aws_access_key_id": "AK",
            "aws_secret_access_key": "SK",
            "aws_region_name": "us-east-1",
            "vertex_project": "p",
            "size": "1024x1024",
            "metadata": {"a": 1},
        },
        {"x-own": "1"},
    )
    assert made.authentication == {"aws_access_key_id": "AK", "aws_secret_access_key": "SK"}
    assert made.parameters == {
        "api_base": "https://a.example",
        "aws_region_name": "us-east-1",
        "vertex_project": "p",
    }
    assert (made.base_url, made.headers, set(made.secrets)) == (
        "https://a.example",
        {"x-own": "1"},
        {"AK", "SK"},
    )
    assert "SK" not in repr(made)


def test_a_token_that_litellm_would_send_in_a_body_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="azure_ad_token"):
        endpoint("litellm", {"azure_ad_token": "token-of-ours"})


EVERY_PARAMETER = {
    "api_version": "2025-04-01-preview",
    "organization": "org-of-ours",
    "aws_access_key_id": "AKIA-of-ours",
    "aws_secret_access_key": "secret-of-aws",
    "aws_region_name": "us-east-1",
    "tenant_id": "tenant-of-ours",
    "client_id": "client-of-ours",
    "client_secret": "secret-of-azure",
    "vertex_project": "project-of-ours",
    "vertex_location": "us-central1",
    "vertex_credentials": "secret-of-google",
    "ssl_verify": True,
}


@pytest.mark.parametrize(("model", "base", "shown"), WAYS, ids=[way[0] for way in WAYS])
@pytest.mark.parametrize("body", [{}, {"image": data_url(BLUE)}], ids=["drawn", "edited"])
def test_no_parameter_or_header_of_a_deployment_stands_in_a_body(
    body: dict[str, Any], model: str, base: str, shown: dict[str, Any], vendor: Vendor
) -> None:
    vendor.will_say({"error": {"message": "no"}}, 400)
    params = {"api_key": KEY, "api_base": vendor.url + base, **EVERY_PARAMETER, **shown}
    made = endpoint("litellm", params, {"x-own": "header-of-ours"})

    def draw() -> None:
        job = engine.Job(plan=plan_of(model, body), provider=PROVIDER, endpoint=made, limits=Limits())
        asyncio.run(engine.run(job, Bridge()))

    with pytest.raises((ProviderRejected, RequestError)):
        draw()
    assert [asked.headers["x-own"] for asked in vendor.asked] == ["header-of-ours"] * len(vendor.asked)
    sent = repr([asked.body for asked in vendor.asked])
    for told in (KEY, "of-ours", "secret-of", "extra_headers"):
        assert told not in sent
