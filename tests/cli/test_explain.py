"""`litellm-imagegen explain`: what would be sent, and why. Nothing is sent."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from litellm_imagegen.cli.main import main
from tests.unit.helpers import base64_of, data_url, picture_bytes

PRO = "imagegen/gemini/gemini-3-pro-image"
OLD = "gemini/gemini-2.5-flash-image"
BASE = "https://generativelanguage.googleapis.com/v1beta"
KEYS = {
    "model",
    "provider",
    "about_model",
    "policy",
    "fields",
    "unread",
    "taken_by_litellm",
    "notices",
    "pictures_by_call",
    "conversion",
    "deadline_seconds",
    "calls",
    "error",
}


def run(body: Any, *arguments: str, model: str = PRO, stdin: str | None = None) -> Result:
    text = body if isinstance(body, str) else json.dumps(body)
    return CliRunner().invoke(main, ["explain", "--model", model, *arguments, text], input=stdin)


def told(body: Any, *arguments: str, model: str = PRO) -> dict[str, Any]:
    answer = run(body, "--json", *arguments, model=model)
    facts: dict[str, Any] = json.loads(answer.output)
    assert facts.keys() == KEYS
    assert answer.exit_code == (0 if facts["error"] is None else 1)
    return facts


def fates(body: Any, *arguments: str, model: str = PRO) -> list[tuple[str, str, str | None]]:
    """Of each field: its spelling, what became of it and why."""
    return [
        (field["spelling"], field["became"], field["why"])
        for field in told(body, *arguments, model=model)["fields"]
    ]


def test_each_field_is_told_with_what_became_of_it() -> None:
    body = {
        "messages": [{"role": "user", "content": "A fox"}],
        "image_config": {"aspect_ratio": "16:9", "image_size": "4K"},
        "quality": "high",
        "output_format": "jpeg",
        "background": "opaque",
        "n": 2,
        "seed": 7,
        "foo": {"bar": 1},
        "user": "somebody",
    }
    answer = run(body, "--set-default", '{"aspect_ratio": "1:1", "temperature": 1}', model=OLD)
    assert answer.exit_code == 0
    assert (
        answer.output
        == """\
gemini-2.5-flash-image by gemini: a model of the family gemini; policy adapt

asked for:
  temperature = 1.0 (temperature, a default of the operator's)
    sent as generationConfig.temperature = 1.0
  aspect_ratio = "1:1" (aspect_ratio, a default of the operator's)
    overruled: image_config.aspect_ratio goes before it
  seed = 7 (seed)
    sent as generationConfig.seed = 7
  n = 2 (n)
    repeated: 2 in 2 calls
  quality = "high" (quality)
    left out: gemini-2.5-flash-image has no such field
  background = "opaque" (background)
    granted: the call would be the same without it
  output_format = "jpeg" (output_format)
    converted: to jpeg, when the picture is there
  image_config.aspect_ratio = "16:9" (aspect_ratio)
    sent as generationConfig.imageConfig.aspectRatio = "16:9"
  image_config.image_size = "4K" (image_size)
    adapted to "1K": nearest size of gemini-2.5-flash-image

understood by nobody, and left out:
  foo = {"bar":1}

taken by LiteLLM itself:
  user

notices in the answer:
  foo = "{'bar': '...'}" (unsupported): no such field for this model
  image_config.image_size = "4K" -> "1K" (adapted): nearest size of gemini-2.5-flash-image
  quality = "high" (unsupported): gemini-2.5-flash-image has no such field

pictures: 2 in 2 calls
conversion: to jpeg, when the picture is there
deadline: 300 s

POST https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash-image:generateContent
{
  "contents": [
    {
      "role": "user",
      "parts": [
        {
          "text": "A fox"
        }
      ]
    }
  ],
  "generationConfig": {
    "temperature": 1.0,
    "seed": 7,
    "responseModalities": [
      "TEXT",
      "IMAGE"
    ],
    "imageConfig": {
      "aspectRatio": "16:9"
    }
  }
}

POST https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash-image:generateContent
{
  "contents": [
    {
      "role": "user",
      "parts": [
        {
          "text": "A fox"
        }
      ]
    }
  ],
  "generationConfig": {
    "temperature": 1.0,
    "seed": 8,
    "responseModalities": [
      "TEXT",
      "IMAGE"
    ],
    "imageConfig": {
      "aspectRatio": "16:9"
    }
  }
}
"""
    )


def test_json_has_the_fields_and_the_calls() -> None:
    facts = told({"size": "1024x1024", "stream": True, "model": "anything"})
    assert (facts["provider"], facts["model"], facts["policy"]) == ("gemini", "gemini-3-pro-image", "adapt")
    assert facts["fields"] == [
        {
            "spelling": "size",
            "value": "1024x1024",
            "name": "dimensions",
            "origin": "client",
            "vendor": None,
            "became": "sent",
            "used": None,
            "sent": [
                {"place": "generationConfig.imageConfig.aspectRatio", "value": "1:1"},
                {"place": "generationConfig.imageConfig.imageSize", "value": "1K"},
            ],
            "why": None,
        }
    ]
    assert facts["taken_by_litellm"] == ["model"]
    assert (facts["pictures_by_call"], facts["conversion"], facts["notices"]) == ([1], None, [])
    [call] = facts["calls"]
    assert call.keys() == {"method", "url", "body"}
    assert call["method"] == "POST"
    assert call["url"] == f"{BASE}/models/gemini-3-pro-image:streamGenerateContent?alt=sse"
    assert call["body"]["generationConfig"]["imageConfig"] == {"aspectRatio": "1:1", "imageSize": "1K"}


def test_a_request_without_messages_gets_a_placeholder() -> None:
    answer = run({})
    assert answer.exit_code == 0
    assert "the request has no messages: a placeholder stands in the call" in answer.output
    assert "placeholder" not in run({"messages": [{"role": "user", "content": "A fox"}]}).output


def test_a_body_of_the_responses_api_is_read_as_one() -> None:
    tool = {"type": "image_generation", "size": "1536x1024", "partial_images": 2}
    body = {"input": "A fox", "tools": [tool], "stream": True, "previous_response_id": "resp_1"}
    answer = told(body, model="imagegen/openai/gpt-5")
    [call] = answer["calls"]
    assert call["url"] == "https://api.openai.com/v1/responses"
    assert (call["body"]["tools"], call["body"]["stream"]) == ([tool], True)
    assert answer["taken_by_litellm"] == ["previous_response_id"]
    refused = told({"input": "A fox", "background": True}, model="imagegen/openai/gpt-5")
    assert refused["error"]["field"] == "background"


def test_the_request_may_come_from_standard_input() -> None:
    answer = run("-", stdin='{"seed": 3}')
    assert answer.exit_code == 0
    assert "sent as generationConfig.seed = 3" in answer.output


def test_an_adapted_value_is_told_with_what_is_sent_for_it() -> None:
    [field] = told({"size": "1500x840"})["fields"]
    assert (field["became"], field["used"]) == ("adapted", "2752x1536")
    assert [place["value"] for place in field["sent"]] == ["16:9", "2K"]


def test_the_ending_of_a_models_name_is_a_wish_too() -> None:
    facts = told({}, model="gemini/gemini-3-pro-image-2k")
    [field] = facts["fields"]
    assert (field["spelling"], field["origin"], field["became"]) == ("model ...-2k", "model_name", "sent")
    assert facts["calls"][0]["url"] == f"{BASE}/models/gemini-3-pro-image:generateContent"


def test_a_former_id_is_told() -> None:
    facts = told({}, model="gemini/gemini-3-pro-image-preview")
    assert facts["model"] == "gemini-3-pro-image"
    assert [notice["why"] for notice in facts["notices"]] == ["former id"]


def test_an_id_that_is_unknown_is_told() -> None:
    assert told({}, model="gemini/gemini-99-image")["about_model"].startswith("no row here has this id")


def test_an_operators_wish_gives_way_to_a_clients_one_of_another_name() -> None:
    defaults = '{"aspect_ratio": "1:1", "image_size": "4K"}'
    why = "what the client asks for goes before it"
    assert fates({"size": "2752x1536"}, "--set-default", defaults) == [
        ("aspect_ratio", "overruled", why),
        ("image_size", "overruled", why),
        ("size", "sent", None),
    ]


def test_the_later_of_an_operators_spellings_counts() -> None:
    defaults = '{"aspect_ratio": "1:1", "generationConfig": {"imageConfig": {"aspectRatio": "16:9"}}}'
    assert [became for _, became, _ in fates({}, "--set-default", defaults)] == ["overruled", "sent"]


def test_two_spellings_that_agree_are_both_sent() -> None:
    body = {"aspect_ratio": "16:9", "image_config": {"aspect_ratio": "16:9"}}
    assert {became for _, became, _ in fates(body)} == {"sent"}


def test_several_wishes_for_one_shape_that_agree_are_all_sent() -> None:
    body = {"size": "2048x2048", "aspect_ratio": "1:1", "image_size": "2K"}
    fields = told(body, model="gemini/gemini-3-pro-image-2k")["fields"]
    assert {field["became"] for field in fields} == {"sent"}
    assert {field["spelling"]: [place["value"] for place in field["sent"]] for field in fields} == {
        "size": ["1:1", "2K"],
        "aspect_ratio": ["1:1"],
        "image_size": ["2K"],
        "model ...-2k": ["2K"],
    }


def test_options_for_vendors_are_told_key_by_key() -> None:
    options = {
        "google": {"thinkingConfig": {"thinkingBudget": 1}, "apiKey": "secret"},
        "openai": {"foo": 1},
    }
    facts = told({"providerOptions": options})
    google, openai = facts["fields"]
    assert google["value"] == {
        "google": {"apiKey": "[...]", "generationConfig": {"thinkingConfig": {"thinkingBudget": 1}}}
    }
    assert (google["became"], google["why"]) == ("sent", "apiKey: it belongs to operators")
    assert google["sent"] == [{"place": "generationConfig.thinkingConfig.thinkingBudget", "value": 1}]
    assert (openai["became"], openai["why"]) == ("left_out", "openai: meant for openai, not for google")
    assert "secret" not in json.dumps(facts)


def test_pictures_are_shown_as_their_facts() -> None:
    raw = picture_bytes(size=(30, 20))
    image = {"type": "image_url", "image_url": {"url": data_url(raw)}}
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "bluer"}, image]}]}
    for answer in (run(body), run(body, "--json"), run({**body, "foo": data_url(picture_bytes("BMP"))})):
        assert answer.exit_code == 0
        assert f"<image/png, 30x20, {len(raw)} bytes, sha256 " in answer.output
        assert base64_of(raw) not in answer.output


def test_fields_that_nobody_understands() -> None:
    facts = told({"foo": 1, "image_config": {"bar": None, "baz": 2}}, "--set-default", '{"qux": 1}')
    assert facts["unread"] == [
        {"spelling": "foo", "value": 1},
        {"spelling": "image_config.baz", "value": 2},
        {"spelling": "qux", "value": None},
    ]
    answer = run({"foo": 1}, "--set-default", '{"qux": 1}')
    assert (
        "understood by nobody, and left out:\n  foo = 1\n  qux, a default of the operator's\n"
        in answer.output
    )


def test_a_file_format_is_converted_afterwards() -> None:
    facts = told({"output_format": "webp", "output_compression": 40})
    assert facts["conversion"] == {"format": "webp", "quality": 40}
    assert {field["became"] for field in facts["fields"]} == {"converted"}


def test_the_sandbox_is_not_started() -> None:
    facts = told({}, model="imagegen/sandbox/gemini-3-pro-image")
    assert facts["provider"] == "sandbox"
    assert facts["calls"][0]["url"] == "http://sandbox/v1beta/models/gemini-3-pro-image:generateContent"


def test_no_key_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "key-that-nobody-may-see")
    options = {"google": {"apiKey": "key-that-nobody-may-see"}}
    body = {"seed": 1, "api_key": "key-that-nobody-may-see", "providerOptions": options}
    for arguments in ((), ("--json",)):
        assert "key-that-nobody-may-see" not in run(body, *arguments).output


@pytest.mark.parametrize(
    ("body", "arguments", "status", "message"),
    [
        (
            {"image_size": "4K"},
            ["--policy", "strict"],
            "400 invalid_parameter",
            "image_size: '4K' is not allowed; allowed: 1K",
        ),
        (
            {"image_size": "4K", "imagegen": {"policy": "strict"}},
            [],
            "400 invalid_parameter",
            "image_size: '4K' is not allowed; allowed: 1K",
        ),
        (
            {"aspect_ratio": "16:9", "size": "1024x1024"},
            [],
            "400 contradiction",
            "aspect_ratio: '16:9' contradicts size: '1024x1024'; send one of them, or the same value in both",
        ),
        (
            {"foo": 1},
            ["--policy", "strict"],
            "400 invalid_parameter",
            "foo: 1 is not allowed; allowed: leaving it out (no such field for this model)",
        ),
        ({"n": 99}, [], "400 limit_exceeded", "n: 99 is over the limit of 10 (limits.n)"),
        (
            {},
            ["--set-default", '{"aspect_ratio": "wide"}'],
            "500 configuration",
            "a default of this deployment: aspect_ratio: 'wide' is not allowed; "
            'allowed: an aspect ratio "W:H" such as "16:9"',
        ),
        (
            {"imagegen": {"policy": "odd"}},
            [],
            "400 invalid_request",
            "imagegen.policy: 'odd' is not allowed: Input should be 'adapt' or 'strict'",
        ),
        (
            {"messages": []},
            [],
            "400 invalid_parameter",
            "messages: [] is not allowed; allowed: a list with at least one message",
        ),
    ],
)
def test_what_would_be_refused_is_told_as_the_client_gets_it(
    body: Any, arguments: list[str], status: str, message: str
) -> None:
    answer = run(body, *arguments, model=OLD)
    assert answer.exit_code == 1
    assert answer.output.splitlines()[-1] == f"refused with {status}: {message}"
    facts = told(body, *arguments, model=OLD)
    assert facts["error"]["message"] == message
    assert f"{facts['error']['status']} {facts['error']['code']}" == status
    assert facts["calls"] == []


def test_the_fields_of_a_refused_request_are_told_undecided() -> None:
    assert fates({"aspect_ratio": "16:9", "size": "1024x1024"}) == [
        ("size", "undecided", None),
        ("aspect_ratio", "undecided", None),
    ]


def test_the_policy_that_is_told_is_the_one_in_force() -> None:
    assert told({"imagegen": {"policy": "strict"}})["policy"] == "strict"
    assert told({"extra_body": {"imagegen": {"policy": "adapt"}}}, "--policy", "strict")["policy"] == "adapt"


def test_a_provider_that_is_unknown() -> None:
    answer = run({}, model="nowhere/model")
    assert answer.exit_code == 1
    assert "refused with 404 unknown_model: imagegen: 'nowhere/model' is not imagegen/" in answer.output
    assert told({}, model="nowhere/model")["provider"] is None


@pytest.mark.parametrize(
    ("body", "arguments", "told"),
    [
        ("{", [], "Error: the request is not JSON: "),
        ("[]", [], "Error: the request is no JSON object\n"),
        ("{}", ["--set-default", "{"], "Error: --set-default is not JSON: "),
        ("{}", ["--set-default", "1"], "Error: --set-default is no JSON object\n"),
    ],
)
def test_what_is_no_json_object(body: str, arguments: list[str], told: str) -> None:
    answer = run(body, *arguments)
    assert answer.exit_code == 1
    assert answer.output.startswith(told)
    assert len(answer.output.splitlines()) == 1


@pytest.mark.parametrize(
    "body", [{"extra_body": 1}, {"imagegen": []}, {"messages": 3}, {"headers": 1}, {"": 0}]
)
def test_odd_requests_end_without_a_traceback(body: Any) -> None:
    answer = run(body)
    assert answer.exit_code in (0, 1)
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
