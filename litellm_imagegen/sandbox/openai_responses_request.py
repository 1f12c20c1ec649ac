"""Reads a Responses request as strictly as OpenAI does and says what it asks for.

Strategy: the model first, then the fields, the tools, the input. What is to be drawn is said in the same
words as a request to the Images API, so that one brush draws for both.

Source: https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import openai_request
from .openai_errors import bad_request, invalid_value, missing_parameter
from .openai_inputs import Given, Pictures, check_mask
from .openai_mainline import NO_EFFORT, MainlineModel
from .openai_responses_errors import previous_response_not_found
from .openai_responses_fields import effort_of, read_fields, read_model
from .openai_responses_input import prompt_of, read_input, references
from .openai_responses_memory import ResponseMemory, Said
from .openai_responses_tools import DrawingTool, Tools, read_tools

_NO_WORDS = "(no words)"


@dataclass(frozen=True, kw_only=True)
class AskedResponse:
    """What a request asks for. `conversation` is all that was said, with what a previous response led to.

    `picture` is None when nothing may be drawn; as an edit it is made of all pictures of the conversation.
    """

    model: MainlineModel
    fields: Mapping[str, Any]
    tools: Tools
    conversation: tuple[Said, ...]
    prompt: str
    picture: openai_request.Asked | None

    @property
    def stream(self) -> bool:
        """Whether the reply is to be sent as events."""
        return bool(self.fields.get("stream", False))

    @property
    def store(self) -> bool:
        """Whether the reply is to be remembered."""
        return bool(self.fields.get("store", True))

    @property
    def effort(self) -> str:
        """How much the model thinks."""
        return effort_of(self.fields, self.model)

    @property
    def thinks(self) -> bool:
        """Whether the model thinks before it answers."""
        return self.effort != NO_EFFORT

    @property
    def thoughts_shown(self) -> bool:
        """Whether a summary of its thinking is to be told."""
        reasoning = self.fields.get("reasoning", {})
        return "summary" in reasoning or "generate_summary" in reasoning


def read_request(values: Mapping[str, Any], memory: ResponseMemory) -> AskedResponse:
    """Read a whole request. Raises OpenAIError at the first fault. Decodes pictures: call it in a thread."""
    model = read_model(values)
    fields = read_fields(values, model)
    tools = read_tools(values.get("tools"), values.get("tool_choice"))
    earlier = _earlier(fields, memory)
    given = values.get("input")
    if given is None and not earlier:
        raise missing_parameter("input")
    conversation = (*earlier, *(read_input(given, memory) if given is not None else ()))
    prompt = prompt_of(conversation)
    picture = None
    if tools.drawing is not None and tools.may_draw:
        stream = fields.get("stream", False)
        picture = _picture(tools.drawing, prompt, references(conversation), stream=stream)
    return AskedResponse(
        model=model, fields=fields, tools=tools, conversation=conversation, prompt=prompt, picture=picture
    )


def _earlier(fields: Mapping[str, Any], memory: ResponseMemory) -> tuple[Said, ...]:
    response_id = fields.get("previous_response_id")
    if response_id is None:
        return ()
    conversation = memory.conversation(response_id)
    if conversation is None:
        raise previous_response_not_found(response_id)
    return conversation


def _picture(tool: DrawingTool, prompt: str, given: Sequence[Given], *, stream: bool) -> openai_request.Asked:
    if tool.mask is not None:
        if not given:
            raise invalid_value("tools", "input_image_mask needs a picture in the input.")
        check_mask(tool.mask, given[0])
    if tool.action == "edit" and not given:
        raise bad_request("The action 'edit' needs a picture in the input.", param="tools")
    edits = bool(given) and tool.action != "generate"
    pictures = Pictures(references=given, mask=tool.mask) if edits else Pictures()
    fields = {**tool.fields, "prompt": prompt or _NO_WORDS, "stream": stream}
    return openai_request.settle(fields, tool.model, "edit" if edits else "generation", pictures)
