"""A whole response as /v1/responses shows it, and what the next one may refer to."""

from collections.abc import Mapping
from typing import Any

from litellm.types.llms.base import BaseLiteLLMOpenAIResponseObject
from litellm.types.llms.openai import ResponseAPIUsage

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import (
    ImageInput,
    ImageResult,
    Message,
    Picture,
    ResponseShape,
    TextPart,
    Usage,
)
from litellm_imagegen.plugin.conversations import CONVERSATIONS, Conversation
from litellm_imagegen.plugin.records import Outcome, Prepared
from litellm_imagegen.plugin.shared_conversations import SHARED_CONVERSATIONS
from litellm_imagegen.surfaces.metadata import provider_metadata
from litellm_imagegen.surfaces.responses import ResponseOutput, state, usage

# Fields of a request that its response repeats.
ECHOED = ("instructions", "max_output_tokens", "tool_choice", "tools")


async def completed(response: Any, outcome: Outcome, asked: Mapping[str, Any]) -> Any:
    """LiteLLM's response with the outcome of what was `asked` in it; its id and its usage stay."""
    result, prepared = outcome.result, outcome.prepared
    shape = prepared.plan.preferences.responses or ResponseShape.ITEMS
    output = ResponseOutput.of(result, shape, outcome.shows)
    response.output = [_as_object(item) for item in output.items]
    for name, value in state(result).items():
        setattr(response, name, value)
    response.previous_response_id = prepared.previous_response_id
    response.usage = ResponseAPIUsage(**usage(result.usage or Usage()))
    response.provider_metadata = provider_metadata(result)
    for name in ECHOED:
        if asked.get(name) is not None:
            setattr(response, name, asked[name])
    await keep_conversation(prepared, output, result, outcome.response_id)
    return response


def _as_object(item: dict[str, Any]) -> BaseLiteLLMOpenAIResponseObject:
    """An item whose fields are attributes, as those of LiteLLM's own are."""
    if "content" in item:
        parts = [BaseLiteLLMOpenAIResponseObject(**part) for part in item["content"]]
        item = {**item, "content": parts}
    return BaseLiteLLMOpenAIResponseObject(**item)


async def keep_conversation(
    prepared: Prepared,
    output: ResponseOutput,
    result: ImageResult,
    response_id: str,
    public_id: str | None = None,
) -> None:
    """Keep what a response has led to, unless its client does not want that.

    The response is found by LiteLLM's id and, where it is known by now, by the one that the client gets, and
    that by every worker as soon as this is done: the client may have its answer then.
    """
    if prepared.turns is None:
        return
    blobs: dict[int, Blob] = {}  # each picture once, of a turn and of its item

    def kept(picture: Picture) -> Blob:
        return blobs.setdefault(id(picture.blob), picture.blob.compact())

    parts = tuple(
        part if isinstance(part, TextPart) else ImageInput(blob=kept(part), spelling="previous_response_id")
        for part in result.parts
    )
    turns = (*prepared.turns, Message(role="assistant", parts=parts))
    pictures = {item: kept(picture) for item, picture in output.pictures.items()}
    conversation = Conversation(turns, pictures, public_id)
    CONVERSATIONS.keep(prepared.owner, response_id, conversation)
    await SHARED_CONVERSATIONS.keep(prepared.owner, response_id, conversation)
