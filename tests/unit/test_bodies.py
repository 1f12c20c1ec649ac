"""The bodies of the other endpoints: /images/generations, /images/edits as JSON or a form, /responses."""

from typing import Any

import pytest

from litellm_imagegen.canonical import Asked, ImageInput, ImageRequest, Message, Name, TextPart
from litellm_imagegen.dialects import parse_images, parse_responses
from litellm_imagegen.errors import InvalidParameter, RequestError
from tests.unit.helpers import base64_of, data_url, picture_bytes

RED, BLUE = picture_bytes(color="red"), picture_bytes(color="blue")


def images(body: dict[str, Any]) -> ImageRequest:
    return parse_images(model="m", body=body, defaults={})


def responses(body: dict[str, Any]) -> ImageRequest:
    return parse_responses(model="m", body=body, defaults={})


def asked(request: ImageRequest) -> dict[Name, Any]:
    return {wish.name: wish.value for wish in request.asked}


def shown(messages: tuple[Message, ...]) -> list[tuple[str, list[Any]]]:
    return [
        (
            message.role,
            [
                part.text if isinstance(part, TextPart) else part.blob.raw if part.blob else part.url
                for part in message.parts
            ],
        )
        for message in messages
    ]


def test_every_field_of_the_images_api_is_read() -> None:
    request = images(
        {
            "prompt": "a fox",
            "size": "1536x1024",
            "quality": "hd",
            "n": 2,
            "style": "vivid",
            "background": "transparent",
            "output_format": "webp",
            "output_compression": 80,
            "moderation": "low",
            "response_format": "b64_json",
            "partial_images": 2,
            "input_fidelity": "high",
            "seed": 5,
        }
    )
    assert shown(request.messages) == [("user", ["a fox"])]
    assert asked(request) == {
        Name.DIMENSIONS: (1536, 1024),
        Name.QUALITY: "high",
        Name.N: 2,
        Name.STYLE: "vivid",
        Name.BACKGROUND: "transparent",
        Name.OUTPUT_FORMAT: "webp",
        Name.OUTPUT_COMPRESSION: 80,
        Name.MODERATION: "low",
        Name.RESPONSE_FORMAT: "b64_json",
        Name.PARTIAL_IMAGES: 2,
        Name.INPUT_FIDELITY: "high",
        Name.SEED: 5,
    }
    assert request.unread == ()


@pytest.mark.parametrize("streams", [True, "true"])
def test_pictures_of_this_endpoint_are_not_streamed_and_that_is_said(streams: Any) -> None:
    with pytest.raises(RequestError, match=r"stream: .*/v1/chat/completions") as caught:
        images({"prompt": "a fox", "stream": streams})
    assert caught.value.field == "stream"


def test_a_form_sends_everything_as_text() -> None:
    request = images(
        {
            "prompt": "a fox",
            "n": "2",
            "output_compression": "80",
            "seed": "7",
            "stream": "false",
            "prompt_upsampling": "true",
            "guidance_scale": "3.5",
            "image_config": '{"aspect_ratio": "16:9"}',
            "extra_body": '{"image_size": "2K"}',
        }
    )
    assert asked(request) == {
        Name.N: 2,
        Name.OUTPUT_COMPRESSION: 80,
        Name.SEED: 7,
        Name.PROMPT_UPSAMPLING: True,
        Name.GUIDANCE: 3.5,
        Name.ASPECT_RATIO: "16:9",
        Name.IMAGE_SIZE: "2K",
    }
    assert not request.stream


@pytest.mark.parametrize(
    "body",
    [
        {"image": [RED, BLUE]},
        {"image[]": [RED, BLUE]},
        {"image": RED, "image[]": BLUE},
        {"image": [base64_of(RED), data_url(BLUE)]},
        {"images": [{"image_url": data_url(RED)}, {"image_url": {"url": data_url(BLUE)}}]},
        {"images": [{"b64_json": base64_of(RED)}, {"url": data_url(BLUE)}]},
        {
            "input_references": [
                {"type": "image_url", "image_url": {"url": data_url(raw)}} for raw in (RED, BLUE)
            ]
        },
    ],
    ids="+".join,
)
def test_pictures_to_edit_are_read_in_every_form_and_keep_their_order(body: dict[str, Any]) -> None:
    assert shown(images({"prompt": "mix", **body}).messages) == [("user", ["mix", RED, BLUE])]


def test_an_address_is_left_to_whoever_fetches_it() -> None:
    request = images({"prompt": "mix", "image": "https://example.com/a.png"})
    assert shown(request.messages) == [("user", ["mix", "https://example.com/a.png"])]


def test_a_mask_is_a_wish_that_a_model_may_lack() -> None:
    request = images({"prompt": "mix", "image": RED, "mask": BLUE})
    [mask] = [wish for wish in request.asked if wish.name is Name.MASK]
    assert isinstance(mask, Asked)
    assert isinstance(mask.value, ImageInput)
    assert mask.value.blob is not None
    assert mask.value.blob.raw == BLUE


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": "x", "image": "not a picture"}, "image"),
        ({"prompt": "x", "image": b"not a picture"}, "image"),
        ({"prompt": "x", "image": [RED, RED[:40]]}, "image[1]"),
        ({"prompt": "x", "images": [{"file_id": "file-1"}]}, "images[0]"),
        ({"prompt": "x", "image": "ftp://example.com/a.png"}, "image"),
        ({"prompt": "x", "mask": 5}, "mask"),
        ({"prompt": "x", "n": "many"}, "n"),
        ({"prompt": "x", "size": "huge"}, "size"),
        ({"prompt": "x", "quality": "best"}, "quality"),
        ({"prompt": "x", "output_compression": 101}, "output_compression"),
        ({"prompt": "x", "image_config": "{bad"}, "image_config"),
    ],
    ids=str,
)
def test_a_bad_value_is_refused_by_its_name(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        images(body)
    assert caught.value.field == field
    assert len(caught.value.message) < 600


def test_the_image_tool_and_the_input_of_responses_are_read() -> None:
    request = responses(
        {
            "instructions": "Be bold.",
            "input": [
                {"role": "user", "content": "A fox"},
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "Here."}],
                },
                {
                    "type": "image_generation_call",
                    "id": "ig_1",
                    "status": "completed",
                    "result": base64_of(RED),
                },
                {
                    "role": "assistant",
                    "content": [{"type": "output_image", "image_url": data_url(BLUE)}],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "Make it night."},
                        {"type": "input_image", "image_url": "https://example.com/a.png"},
                    ],
                },
            ],
            "max_output_tokens": 500,
            "tools": [{"type": "image_generation", "size": "1024x1536", "quality": "low", "action": "edit"}],
            "tool_choice": {"type": "image_generation"},
        }
    )
    assert shown(request.messages) == [
        ("system", ["Be bold."]),
        ("user", ["A fox"]),
        ("assistant", ["Here."]),
        ("assistant", [RED]),
        ("assistant", [BLUE]),
        ("user", ["Make it night.", "https://example.com/a.png"]),
    ]
    assert asked(request) == {
        Name.MAX_TOKENS: 500,
        Name.DIMENSIONS: (1024, 1536),
        Name.QUALITY: "low",
    }
    assert request.unread == ()


def test_a_tool_that_draws_no_pictures_is_told_as_left_out() -> None:
    request = responses({"input": "a fox", "tools": [{"type": "web_search"}, {"type": "image_generation"}]})
    assert [unread.spelling for unread in request.unread] == ["tools[0]"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "input"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"input": [{"type": "reasoning"}]}, "input[0].type"),
        ({"input": [{"role": "user", "content": 5}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "input[0].content[0].type"),
        ({"input": [{"type": "image_generation_call", "result": None}]}, "input[0].result"),
        ({"input": "x", "instructions": []}, "instructions"),
    ],
    ids=str,
)
def test_bad_input_of_responses_is_refused_by_its_place(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        responses(body)
    assert caught.value.field == field
