"""The bodies of the other endpoints: /images/generations, /images/edits as JSON or a form, /responses."""

from collections.abc import Callable
from typing import Any

import pytest

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import Asked, ImageInput, ImageRequest, Message, Name, Surface, TextPart
from litellm_imagegen.dialects import parse_chat, parse_images, parse_responses
from litellm_imagegen.errors import InvalidParameter, RequestError
from tests.unit.helpers import base64_of, data_url, picture_bytes

RED, BLUE = picture_bytes(color="red"), picture_bytes(color="blue")
SQUARE = {"aspect_ratio": "1:1", "image_size": "1K"}


def images(body: dict[str, Any]) -> ImageRequest:
    return parse_images(model="m", body=body, defaults={})


def responses(
    body: dict[str, Any], earlier: tuple[Message, ...] = (), defaults: dict[str, Any] | None = None
) -> ImageRequest:
    """A request of somebody for whom the picture of item "ig_red" is kept."""
    kept = {"ig_red": Blob.from_raw(RED)}
    return parse_responses(
        model="m", body=body, defaults=defaults or {}, earlier=earlier, picture_of=kept.get
    )


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


@pytest.mark.parametrize(
    ("given", "streams"), [(True, True), ("true", True), ("false", False), (False, False)]
)
def test_pictures_of_this_endpoint_are_streamed_on_request(given: Any, streams: bool) -> None:
    request = images({"prompt": "a fox", "stream": given})
    assert request.stream is streams
    assert (request.surface, request.unread) == (Surface.IMAGES, ())


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
        Name.MUST_DRAW: True,
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
        ({"input": [{"type": "web_search_call"}]}, "input[0].type"),
        ({"input": [{"role": "user", "content": 5}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "input[0].content[0].type"),
        ({"input": [{"type": "image_generation_call", "result": None}]}, "input[0].id"),
        ({"input": [{"type": "image_generation_call", "id": "ig_unknown"}]}, "input[0].id"),
        ({"input": [{"type": "image_generation_call", "result": "no picture"}]}, "input[0].result"),
        ({"input": [{"type": "item_reference"}]}, "input[0].id"),
        ({"input": [{"role": "user", "content": "x"}, {"type": "item_reference", "id": 5}]}, "input[1].id"),
        ({"input": "x", "instructions": []}, "instructions"),
    ],
    ids=str,
)
def test_bad_input_of_responses_is_refused_by_its_place(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        responses(body)
    assert caught.value.field == field


def test_what_was_said_before_stands_between_the_instructions_and_the_input() -> None:
    earlier = (
        Message(role="user", parts=(TextPart(text="A fox"),)),
        Message(
            role="assistant", parts=(ImageInput(blob=Blob.from_raw(RED), spelling="previous_response_id"),)
        ),
    )
    request = responses({"instructions": "Be bold.", "input": "Now at night"}, earlier)
    assert shown(request.messages) == [
        ("system", ["Be bold."]),
        ("user", ["A fox"]),
        ("assistant", [RED]),
        ("user", ["Now at night"]),
    ]
    assert shown(responses({"input": "Now at night"}, earlier).messages) == shown(request.messages)[1:]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference", "id": "ig_red"},
        {"type": "image_generation_call", "id": "ig_red"},
        {"type": "image_generation_call", "id": "ig_red", "result": None, "status": "completed"},
        {"type": "image_generation_call", "id": "ig_unknown", "result": base64_of(RED)},
        {"type": "image_generation_call", "result": data_url(RED)},
    ],
    ids=["item_reference", "by id", "by id without its result", "by result", "by data URL"],
)
def test_a_picture_of_earlier_is_given_by_itself_or_by_its_item(item: dict[str, Any]) -> None:
    request = responses({"input": [item, {"role": "user", "content": "Now at night"}]})
    assert shown(request.messages) == [("assistant", [RED]), ("user", ["Now at night"])]


def test_the_result_of_an_item_counts_before_what_is_kept_under_its_id() -> None:
    item = {"type": "image_generation_call", "id": "ig_red", "result": base64_of(BLUE)}
    assert shown(responses({"input": [item]}).messages) == [("assistant", [BLUE])]


def test_how_the_model_reasoned_and_what_it_refused_is_no_part_of_the_conversation() -> None:
    given = [
        {"role": "user", "content": "A fox"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "abc"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "developer", "content": "Be bold."},
    ]
    request = responses({"input": given})
    assert shown(request.messages) == [("user", ["A fox"]), ("assistant", []), ("system", ["Be bold."])]


def test_a_response_in_the_background_is_refused_since_nobody_could_fetch_it() -> None:
    with pytest.raises(RequestError, match=r"background: .*stream instead") as caught:
        responses({"input": "a fox", "background": True})
    assert (caught.value.field, caught.value.status) == ("background", 400)


@pytest.mark.parametrize(
    "setting",
    [
        {"background": False},
        {"background": None},
        {"include": ["reasoning.encrypted_content"]},
        {"parallel_tool_calls": True},
        {"parallel_tool_calls": False},
        {"truncation": "auto"},
        {"truncation": "disabled"},
        {"text": {"format": {"type": "text"}}},
        {"tool_choice": "auto"},
        {"stream": True},
    ],
    ids=str,
)
def test_settings_that_change_nothing_for_a_picture_are_understood(setting: dict[str, Any]) -> None:
    request = responses({"input": "a fox", **setting})
    assert (request.asked, request.unread) == ((), ())
    assert request.stream is ("stream" in setting)


@pytest.mark.parametrize(
    ("setting", "left"),
    [
        ({"truncation": "some"}, "truncation"),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text"),
        ({"text": {"format": {"type": "text"}, "verbosity": "low"}}, "text"),
        ({"tool_choice": "none"}, "tool_choice"),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice"),
        ({"max_tool_calls": 3}, "max_tool_calls"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
    ],
    ids=str,
)
def test_settings_that_would_change_something_are_told_as_left_out(
    setting: dict[str, Any], left: str
) -> None:
    assert [unread.spelling for unread in responses({"input": "a fox", **setting}).unread] == [left]


def test_a_background_of_the_picture_is_a_wish_as_ever() -> None:
    assert asked(responses({"input": "a fox", "background": "transparent"})) == {
        Name.BACKGROUND: "transparent"
    }


def test_every_endpoint_says_which_one_it_is() -> None:
    chat = parse_chat(model="m", body={"messages": [{"role": "user", "content": "a fox"}]}, defaults={})
    assert (chat.surface, chat.reads_output_image) == (Surface.CHAT, False)
    request = responses({"input": "a fox"})
    assert (request.surface, request.reads_output_image) == (Surface.RESPONSES, False)


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        ({"image_generation": SQUARE}, True),
        ({"image_generation": {"aspect_ratio": "auto", "image_size": "auto"}}, True),
        ({"imageGeneration": {"aspectRatio": "1:1", "imageSize": "1K"}}, True),
        ({"extra_body": {"image_generation": SQUARE}}, True),
        ({"image_generation": None}, False),
        ({"image_config": {"aspect_ratio": "1:1"}}, False),
        ({"tools": [{"type": "image_generation", "size": "1024x1024"}]}, False),
    ],
    ids=str,
)
def test_who_writes_as_helicones_clients_do_reads_pictures_as_they_do(
    body: dict[str, Any], reads: bool
) -> None:
    assert responses({"input": "a fox", **body}).reads_output_image is reads


def test_an_operators_default_in_helicones_spelling_says_nothing_of_the_client() -> None:
    defaults = {"image_generation": SQUARE}
    assert not responses({"input": "a fox"}, defaults=defaults).reads_output_image


@pytest.mark.parametrize("streams", ["true", "false", "", 1, [True]], ids=repr)
@pytest.mark.parametrize(
    ("parse", "body"),
    [
        (parse_chat, {"messages": [{"role": "user", "content": "a fox"}]}),
        (parse_responses, {"input": "a fox"}),
    ],
    ids=["chat", "responses"],
)
def test_json_says_by_true_and_false_whether_to_stream(
    parse: Callable[..., ImageRequest], body: dict[str, Any], streams: Any
) -> None:
    """LiteLLM streams for any text, "false" too, and breaks off a response that it was not told to stream."""
    with pytest.raises(InvalidParameter) as caught:
        parse(model="m", body={**body, "stream": streams}, defaults={})
    assert caught.value.field == "stream"


@pytest.mark.parametrize(
    ("tools", "field"), [("x", "tools"), ({"type": "image_generation"}, "tools"), (["x"], "tools[0]")]
)
def test_tools_are_a_list_of_objects(tools: Any, field: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        responses({"input": "a fox", "tools": tools})
    assert caught.value.field == field
