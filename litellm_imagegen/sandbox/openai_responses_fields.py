"""The fields of a Responses request beside its input and its tools: what each takes, on which model.

Source: https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .openai_errors import invalid_value, missing_parameter
from .openai_mainline import NO_EFFORT, MainlineModel, find_mainline
from .openai_readers import Reader, any_object, boolean, choice, listed, number, record, text, whole
from .openai_responses_errors import (
    moved_parameter,
    requested_model_missing,
    unsupported,
    unsupported_by_model,
)

_READ_APART = ("input", "tools", "tool_choice")
_LARGEST_COUNT = 1_000_000
_MOST_METADATA = 16
_NOT_SIMULATED = {
    "conversation": "names a conversation, and the sandbox keeps none.",
    "prompt": "names a stored prompt, and the sandbox keeps none.",
}
_INCLUDABLE = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)


def read_model(values: Mapping[str, Any]) -> MainlineModel:
    """The model that a request names. Raises OpenAIError when it names none, or none that lives."""
    name = values.get("model")
    if name is None:
        raise missing_parameter("model")
    model = find_mainline(text(shortest=1)(name, "model"))
    if model is None:
        raise requested_model_missing(name)
    return model


def read_fields(values: Mapping[str, Any], model: MainlineModel) -> dict[str, Any]:
    """Read all fields but the input and the tools. Raises OpenAIError at the first fault."""
    for name, value in values.items():
        moved = moved_parameter(name)
        if moved is not None:
            raise moved
        if name in _NOT_SIMULATED and value is not None:
            raise unsupported(name, _NOT_SIMULATED[name])
    apart = {name: value for name, value in values.items() if name not in _READ_APART}
    fields: dict[str, Any] = record(_readers(model))(apart, "")
    if fields.get("background"):
        raise unsupported("background", "needs a reply that is asked for later, and the sandbox has none.")
    if "stream_options" in fields and not fields.get("stream"):
        raise invalid_value("stream_options", "is for replies that are streamed.")
    if effort_of(fields, model) != NO_EFFORT:
        for name in ("temperature", "top_p", "top_logprobs"):
            if name in fields:
                raise unsupported_by_model(name)
    return fields


def effort_of(fields: Mapping[str, Any], model: MainlineModel) -> str:
    """How much the model thinks before it answers."""
    effort: str = fields.get("reasoning", {}).get("effort", model.default_effort)
    return effort


def _readers(model: MainlineModel) -> dict[str, Reader]:
    summaries = choice(("auto", "concise", "detailed"))
    return {
        "model": text(),
        "instructions": text(),
        "stream": boolean,
        "stream_options": record({"include_obfuscation": boolean}),
        "store": boolean,
        "background": boolean,
        "previous_response_id": _response_id,
        "max_output_tokens": whole(16, _LARGEST_COUNT),
        "max_tool_calls": whole(1, _LARGEST_COUNT),
        "parallel_tool_calls": boolean,
        "temperature": number(0, 2),
        "top_p": number(0, 1),
        "top_logprobs": whole(0, 20),
        "reasoning": record(
            {
                "effort": choice(model.efforts),
                "summary": summaries,
                "generate_summary": summaries,
                "context": choice(("auto", "current_turn", "all_turns")),
                "mode": text(),
            }
        ),
        "text": record({"format": any_object, "verbosity": choice(("low", "medium", "high"))}),
        "include": listed(choice(_INCLUDABLE)),
        "truncation": choice(("auto", "disabled")),
        "service_tier": choice(("auto", "default", "flex", "scale", "priority", "fast")),
        "metadata": _metadata,
        "user": text(),
        "safety_identifier": text(64),
        "prompt_cache_key": text(),
        "prompt_cache_retention": choice(("in_memory", "24h")),
        "prompt_cache_options": record({"mode": choice(("implicit", "explicit")), "ttl": choice(("30m",))}),
        "context_management": listed(any_object),
        "moderation": any_object,
    }


def _response_id(value: Any, name: str) -> str:
    response_id: str = text(shortest=1)(value, name)
    if not response_id.startswith("resp_"):
        raise invalid_value(name, f"'{response_id[:80]}'; it takes an id that begins with 'resp_'.")
    return response_id


def _metadata(value: Any, name: str) -> dict[str, str]:
    entries = any_object(value, name)
    if len(entries) > _MOST_METADATA:
        raise invalid_value(name, f"holds {len(entries)} entries; it takes at most {_MOST_METADATA}.")
    for key, entry in entries.items():
        text(64)(key, name)
        text(512)(entry, f"{name}.{key[:80]}")
    return entries
