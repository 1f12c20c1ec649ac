"""Error replies that only the OpenAI Responses API has, in words of the sandbox's own.

Source: https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from .openai_errors import OpenAIError, bad_request

_MOVED = {
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "messages": "input",
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
    "verbosity": "text.verbosity",
}


def requested_model_missing(name: str) -> OpenAIError:
    """400 for a model which does not exist; this API answers 400 here, not 404."""
    message = f"The requested model '{name[:80]}' does not exist."
    return bad_request(message, param="model", code="model_not_found")


def moved_parameter(name: str) -> OpenAIError | None:
    """400 for a parameter of chat completions that has another name here; None for all others."""
    if name not in _MOVED:
        return None
    message = f"Unsupported parameter: '{name}'. In the Responses API it has moved to '{_MOVED[name]}'."
    return bad_request(message, param=name, code="unsupported_parameter")


def unsupported_by_model(param: str) -> OpenAIError:
    """400 for a parameter which this model does not take, whatever its value."""
    return bad_request(f"Unsupported parameter: '{param}' is not supported with this model.", param=param)


def unsupported(param: str, reason: str) -> OpenAIError:
    """400 for a parameter of this API that the sandbox has nothing behind."""
    return bad_request(
        f"Unsupported parameter: '{param}' {reason}", param=param, code="unsupported_parameter"
    )


def previous_response_not_found(response_id: str) -> OpenAIError:
    """400 for a response which does not exist, was not stored, or is forgotten."""
    message = f"Previous response with id '{response_id[:80]}' not found."
    return bad_request(message, param="previous_response_id", code="previous_response_not_found")


def item_not_found(item_id: str) -> OpenAIError:
    """404 for an item which is named by its id and is not kept."""
    message = (
        f"Item with id '{item_id[:80]}' not found. Items are not kept when `store` is false; "
        "send the request with `store` set to true, or take the item out of the input."
    )
    return OpenAIError(404, "invalid_request_error", None, message, "input")


def reasoning_missing(item_id: str, reasoning_id: str) -> OpenAIError:
    """400 for a picture that is sent again without the thinking that led to it."""
    return bad_request(
        f"Item '{item_id[:80]}' of type 'image_generation_call' was provided without its required "
        f"'reasoning' item: '{reasoning_id}'.",
        param="input",
    )


def tool_not_found(tool: str) -> OpenAIError:
    """400 for a choice of a tool that is not among the tools."""
    return bad_request(f"Tool choice '{tool[:80]}' not found in 'tools' parameter.", param="tool_choice")
