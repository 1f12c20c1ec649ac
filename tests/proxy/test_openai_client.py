"""OpenAI's official client for Python against a real proxy: all that it reads is what its own types say."""

import base64
from collections.abc import Iterator
from typing import Any, get_args

import httpx
import openai
import pytest
from openai.types import (
    ImageEditCompletedEvent,
    ImageEditPartialImageEvent,
    ImageGenCompletedEvent,
    ImageGenPartialImageEvent,
    ImagesResponse,
)
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseCreatedEvent,
    ResponseFailedEvent,
    ResponseImageGenCallPartialImageEvent,
    ResponseIncompleteEvent,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputRefusal,
    ResponseStreamEvent,
    ResponseTextDeltaEvent,
)
from openai.types.responses.response_output_item import ImageGenerationCall
from openai.types.responses.tool_param import ImageGeneration
from pydantic import BaseModel

from tests.pictures import Seen, data_url, look_at
from tests.proxy.support import NO_TLS, Proxy

GEMINI, GPT_5, GPT_IMAGE, FLUX = (
    f"sandbox/{name}" for name in ("gemini-3-pro-image", "gpt-5", "gpt-image-2", "flux-2-pro")
)
HELICONE = {"image_generation": {"aspect_ratio": "1:1", "image_size": "1K"}}
# The class of each event, by its `type`.
EVENTS = {
    get_args(event.model_fields["type"].annotation)[0]: event
    for event in get_args(get_args(ResponseStreamEvent)[0])
}
SQUARE = (1024, 1024)


@pytest.fixture(scope="module")
def client(proxy: Proxy) -> Iterator[openai.OpenAI]:
    with (
        httpx.Client(trust_env=False, verify=NO_TLS, timeout=60) as transport,
        openai.OpenAI(
            api_key=proxy.key, base_url=f"{proxy.url}/v1", max_retries=0, http_client=transport
        ) as opened,
    ):
        yield opened


def prompt(wish: str) -> str:
    return f"A lighthouse [sandbox: {wish}]"


def tool(**fields: Any) -> ImageGeneration:
    settings: ImageGeneration = {"type": "image_generation", **fields}  # type: ignore[typeddict-item]
    return settings


def conforms(answer: BaseModel) -> None:
    """The client checks nothing that it reads: whatever its types promise has to be there."""
    type(answer).model_validate(answer.model_dump(exclude_unset=True, mode="json"))


def seen(base64_text: str | None, image_format: str = "png") -> Seen:
    return look_at(f"data:image/{image_format};base64,{base64_text}")


def drawn(response: Response) -> list[Seen]:
    """The pictures of a response, each of the format that its item tells."""
    calls = [item for item in response.output if isinstance(item, ImageGenerationCall)]
    assert all(call.status == "completed" for call in calls)
    return [seen(call.result, extra(call, "output_format")) for call in calls]


def extra(answer: BaseModel, name: str) -> Any:
    """A field that the client keeps without knowing it."""
    return (answer.model_extra or {})[name]


def images_of(message: BaseModel) -> list[Seen]:
    return [look_at(image["image_url"]["url"]) for image in extra(message, "images")]


# Chat


def test_a_chat_completion_holds_words_pictures_and_usage(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(
        model=GEMINI, messages=[{"role": "user", "content": prompt("pictures 2")}]
    )
    conforms(completion)
    [choice] = completion.choices
    assert choice.finish_reason == "stop"
    assert choice.message.role == "assistant"
    assert choice.message.content
    assert choice.message.refusal is None
    assert [picture.size for picture in images_of(choice.message)] == [SQUARE] * 2
    assert completion.usage is not None
    assert (
        completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    )
    assert completion.usage.completion_tokens_details is not None
    assert extra(completion.usage.completion_tokens_details, "image_tokens") > 0


def test_the_chunks_of_a_chat_add_up(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model=GEMINI,
            messages=[{"role": "user", "content": prompt("pictures 2")}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    for chunk in chunks:
        conforms(chunk)
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert choices[0].delta.role == "assistant"
    assert "".join(choice.delta.content or "" for choice in choices)
    alone = [choice.delta for choice in choices if "images" in (choice.delta.model_extra or {})]
    assert [[picture.size for picture in images_of(delta)] for delta in alone] == [[SQUARE]] * 2
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]
    assert [chunk.usage.total_tokens > 0 for chunk in chunks if chunk.usage] == [True]


def test_the_helper_for_streamed_chats_puts_pictures_together(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(
        model=GEMINI, messages=[{"role": "user", "content": prompt("pictures 2")}]
    ) as stream:
        words = "".join(event.delta for event in stream if event.type == "content.delta")
        completion = stream.get_final_completion()
    message = completion.choices[0].message
    assert message.content == words
    assert [picture.size for picture in images_of(message)] == [SQUARE] * 2
    assert completion.choices[0].finish_reason == "stop"


def test_a_refused_chat_says_why(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(
        model=GEMINI, messages=[{"role": "user", "content": prompt("refuse prompt")}]
    )
    conforms(completion)
    assert completion.choices[0].finish_reason == "content_filter"
    assert "PROHIBITED_CONTENT" in (completion.choices[0].message.refusal or "")


# Responses


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_a_response_holds_typed_items(client: openai.OpenAI, model: str) -> None:
    response = client.responses.create(
        model=model, input=prompt("words"), tools=[tool(size="1024x1024", output_format="png")]
    )
    conforms(response)
    assert response.status == "completed"
    assert response.error is None
    assert response.incomplete_details is None
    assert [(picture.format, picture.size) for picture in drawn(response)] == [("PNG", SQUARE)]
    messages = [item for item in response.output if isinstance(item, ResponseOutputMessage)]
    assert response.output_text
    assert response.output_text == "".join(
        part.text for message in messages for part in message.content if part.type == "output_text"
    )
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    assert response.usage.input_tokens_details.cached_tokens == 0
    assert response.usage.output_tokens_details.reasoning_tokens >= 0
    assert len(response.tools) == 1


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_a_responses_events_are_typed_and_agree_with_its_end(client: openai.OpenAI, model: str) -> None:
    events = list(
        client.responses.create(
            model=model, input=prompt("words"), tools=[tool(partial_images=2)], stream=True
        )
    )
    response = consistent(events)
    assert response.status == "completed"
    assert [picture.size for picture in drawn(response)] == [SQUARE]
    deltas = [event.delta for event in events if isinstance(event, ResponseTextDeltaEvent)]
    assert len(deltas) > 1
    assert "".join(deltas) == response.output_text


def test_pictures_on_the_way_come_before_the_last_one(client: openai.OpenAI) -> None:
    events = list(
        client.responses.create(
            model=GPT_5, input="A lighthouse", tools=[tool(partial_images=2, size="1024x1024")], stream=True
        )
    )
    on_the_way = [event for event in events if isinstance(event, ResponseImageGenCallPartialImageEvent)]
    assert [event.partial_image_index for event in on_the_way] == [0, 1]
    pictures = [seen(event.partial_image_b64) for event in on_the_way] + drawn(consistent(events))
    assert [picture.size for picture in pictures] == [SQUARE] * 3
    assert len({picture.sha256 for picture in pictures}) == 3


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_the_helper_for_streamed_responses_reads_every_event(client: openai.OpenAI, model: str) -> None:
    with client.responses.stream(
        model=model, input=prompt("words"), tools=[tool(partial_images=1)]
    ) as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert {event.type for event in events} <= set(EVENTS)
    items = [event.item for event in events if event.type == "response.output_item.done"]
    assert [item.to_dict() for item in final.output] == [
        {**item.to_dict(), **parsed_parts(item)} for item in items
    ]
    assert final.output_text
    assert [picture.size for picture in drawn(final)] == [SQUARE]


def parsed_parts(item: BaseModel) -> dict[str, Any]:
    """What the helper adds to a message: what its words are when they are read as data, which is nothing."""
    if not isinstance(item, ResponseOutputMessage):
        return {}
    return {"content": [{**part.to_dict(), "parsed": None} for part in item.content]}


def test_helicones_parts_are_read_by_their_names(client: openai.OpenAI) -> None:
    response = client.responses.create(model=GEMINI, input=prompt("words"), extra_body=HELICONE)
    [message] = response.output
    assert isinstance(message, ResponseOutputMessage)
    kinds = [str(part.type) for part in message.content]
    assert kinds == ["output_text", "output_image", "output_text"]
    assert look_at(extra(message.content[1], "image_url")).size == SQUARE
    assert response.output_text


def test_helicones_parts_come_in_typed_events(client: openai.OpenAI) -> None:
    events = list(
        client.responses.create(model=GEMINI, input=prompt("words"), extra_body=HELICONE, stream=True)
    )
    assert all(type(event) is EVENTS[event.type] for event in events)
    parts = [
        (type(event), extra(event.part, "image_url"))
        for event in events
        if isinstance(event, ResponseContentPartAddedEvent | ResponseContentPartDoneEvent)
        and str(event.part.type) == "output_image"
    ]
    assert [kind for kind, _ in parts] == [ResponseContentPartAddedEvent, ResponseContentPartDoneEvent]
    assert parts[0][1] == ""
    assert look_at(parts[1][1]).size == SQUARE
    assert isinstance(events[-1], ResponseCompletedEvent)
    [message] = events[-1].response.output
    assert isinstance(message, ResponseOutputMessage)
    assert extra(message.content[1], "image_url") == parts[1][1]


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_a_refused_response_says_why(client: openai.OpenAI, model: str) -> None:
    response = client.responses.create(model=model, input=prompt("refuse prompt"))
    conforms(response)
    assert_refused(response)
    events = list(client.responses.create(model=model, input=prompt("refuse prompt"), stream=True))
    assert isinstance(events[-1], ResponseIncompleteEvent)
    assert_refused(consistent(events))


def assert_refused(response: Response) -> None:
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "content_filter"
    [message] = response.output
    assert isinstance(message, ResponseOutputMessage)
    [part] = message.content
    assert isinstance(part, ResponseOutputRefusal)
    assert part.refusal.startswith("sandbox refused")


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_a_response_that_breaks_off_ends_failed(client: openai.OpenAI, model: str) -> None:
    events = list(client.responses.create(model=model, input=prompt("error mid-stream"), stream=True))
    response = consistent(events, is_whole=False)
    assert isinstance(events[-1], ResponseFailedEvent)
    assert response.status == "failed"
    assert response.error is not None
    assert response.error.code == "server_error"
    assert "overloaded" in response.error.message


def test_a_picture_of_an_earlier_response_is_edited(client: openai.OpenAI) -> None:
    first = client.responses.create(model=GPT_5, input="A lighthouse")
    second = client.responses.create(model=GPT_5, input="Now at night", previous_response_id=first.id)
    conforms(second)
    assert second.previous_response_id == first.id
    [before], [after] = drawn(first), drawn(second)
    assert before.sha256 != after.sha256


def consistent(events: list[ResponseStreamEvent], *, is_whole: bool = True) -> Response:
    """The response at the end of these events, which all of them agree with."""
    for event in events:
        assert type(event) is EVENTS[event.type]
        conforms(event)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    created, last = events[0], events[-1]
    assert isinstance(created, ResponseCreatedEvent)
    assert isinstance(last, ResponseCompletedEvent | ResponseIncompleteEvent | ResponseFailedEvent)
    response = last.response
    assert created.response.id == response.id
    assert created.response.model == response.model
    added = [event for event in events if isinstance(event, ResponseOutputItemAddedEvent)]
    done = [event for event in events if isinstance(event, ResponseOutputItemDoneEvent)]
    assert [event.output_index for event in added] == list(range(len(response.output)))
    assert [event.item.id for event in added] == [item.id for item in response.output]
    if is_whole:
        assert [event.item.to_dict() for event in done] == [item.to_dict() for item in response.output]
    return response


# Images


def test_generated_pictures_come_with_typed_facts(client: openai.OpenAI) -> None:
    answer = client.images.generate(model=GPT_IMAGE, prompt="A lighthouse", size="1024x1024", n=2)
    assert_two_squares(answer)


def test_edited_pictures_come_with_typed_facts(client: openai.OpenAI) -> None:
    answer = client.images.edit(model=GPT_IMAGE, image=picture_file(), prompt="Night", size="1024x1024", n=2)
    assert_two_squares(answer)


def assert_two_squares(answer: ImagesResponse) -> None:
    conforms(answer)
    assert answer.data is not None
    assert [seen(image.b64_json, answer.output_format or "").size for image in answer.data] == [SQUARE] * 2
    assert answer.size == "1024x1024"
    assert answer.quality in ("low", "medium", "high")
    assert answer.background == "opaque"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert answer.usage.input_tokens_details.text_tokens > 0


def picture_file() -> tuple[str, bytes, str]:
    return ("picture.png", base64.b64decode(data_url(size=(256, 256)).partition(",")[2]), "image/png")


def test_generated_pictures_are_streamed(client: openai.OpenAI) -> None:
    events = list(
        client.images.generate(
            model=GPT_IMAGE, prompt="A lighthouse", size="1024x1024", partial_images=2, stream=True
        )
    )
    assert_streamed_squares(events, ImageGenPartialImageEvent, ImageGenCompletedEvent)


def test_edited_pictures_are_streamed(client: openai.OpenAI) -> None:
    events = list(
        client.images.edit(
            model=GPT_IMAGE,
            image=picture_file(),
            prompt="Night",
            size="1024x1024",
            partial_images=2,
            stream=True,
        )
    )
    assert_streamed_squares(events, ImageEditPartialImageEvent, ImageEditCompletedEvent)


def assert_streamed_squares(events: list[Any], partial: type[BaseModel], completed: type[BaseModel]) -> None:
    assert [type(event) for event in events] == [partial, partial, completed]
    for event in events:
        conforms(event)
    *on_the_way, last = events
    assert [event.partial_image_index for event in on_the_way] == [0, 1]
    pictures = [seen(event.b64_json, event.output_format) for event in events]
    assert [picture.size for picture in pictures] == [SQUARE] * 3
    assert len({picture.sha256 for picture in pictures}) == 3
    assert last.size == "1024x1024"
    assert last.usage.total_tokens == last.usage.input_tokens + last.usage.output_tokens


@pytest.mark.parametrize("model", [GEMINI, FLUX])
def test_models_that_do_not_stream_complete_one_picture_after_the_other(
    client: openai.OpenAI, model: str
) -> None:
    events = list(
        client.images.generate(model=model, prompt="A lighthouse", size="1024x1024", n=2, stream=True)
    )
    assert [type(event) for event in events] == [ImageGenCompletedEvent] * 2
    assert [seen(event.b64_json, event.output_format).size for event in events] == [SQUARE] * 2


@pytest.mark.parametrize("model", [GEMINI, GPT_IMAGE])
def test_every_streamed_picture_tells_its_usage(client: openai.OpenAI, model: str) -> None:
    events = client.images.generate(model=model, prompt="A lighthouse", size="1024x1024", n=2, stream=True)
    for event in events:
        conforms(event)


# Errors


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_bad_value_is_a_bad_request_that_names_it(client: openai.OpenAI, is_streamed: bool) -> None:
    fields: dict[str, Any] = {"aspect_ratio": "16:0"}
    with pytest.raises(openai.BadRequestError) as on_chat:
        client.chat.completions.create(
            model=GEMINI,
            messages=[{"role": "user", "content": "A lighthouse"}],
            extra_body=fields,
            stream=is_streamed,
        )
    with pytest.raises(openai.BadRequestError) as on_responses:
        client.responses.create(model=GEMINI, input="A lighthouse", extra_body=fields, stream=is_streamed)
    with pytest.raises(openai.BadRequestError) as on_images:
        client.images.generate(model=GEMINI, prompt="A lighthouse", extra_body=fields, stream=is_streamed)
    for raised in (on_chat, on_responses, on_images):
        assert raised.value.status_code == 400
        assert raised.value.code == "400"
        assert raised.value.param == "aspect_ratio"
        assert "16:0" in raised.value.message


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_quota_is_a_rate_limit_error(client: openai.OpenAI, is_streamed: bool) -> None:
    with pytest.raises(openai.RateLimitError) as on_chat:
        client.chat.completions.create(
            model=GEMINI, messages=[{"role": "user", "content": prompt("429 after 17")}], stream=is_streamed
        )
    with pytest.raises(openai.RateLimitError) as on_responses:
        client.responses.create(model=GEMINI, input=prompt("429 after 17"), stream=is_streamed)
    with pytest.raises(openai.RateLimitError) as on_images:
        client.images.generate(model=GPT_IMAGE, prompt=prompt("429 after 17"), stream=is_streamed)
    for raised in (on_chat, on_responses, on_images):
        assert raised.value.status_code == 429
        assert raised.value.code == "429"
        assert "17" in raised.value.message or raised.value.response.headers["retry-after"] == "17"


def test_a_chat_that_breaks_off_raises(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model=GEMINI, messages=[{"role": "user", "content": prompt("error mid-stream")}], stream=True
    )
    came: list[ChatCompletionChunk] = []
    with pytest.raises(openai.APIError, match="overloaded") as raised:
        came.extend(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in came)
    assert raised.value.code == "503"


def test_pictures_that_break_off_raise(client: openai.OpenAI) -> None:
    stream = client.images.generate(
        model=GPT_IMAGE, prompt=prompt("error mid-stream"), partial_images=1, stream=True
    )
    came: list[Any] = []
    with pytest.raises(openai.APIError, match="overloaded") as raised:
        came.extend(stream)
    assert [type(event) for event in came] == [ImageGenPartialImageEvent]
    assert raised.value.code == "503"


def test_refused_pictures_are_a_bad_request(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="refused"):
        client.images.generate(model=GPT_IMAGE, prompt=prompt("refuse prompt"))
