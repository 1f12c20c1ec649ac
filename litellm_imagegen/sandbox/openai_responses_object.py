"""Tells a reply as a Response object, at its end or as it is when a stream begins.

Source: https://platform.openai.com/docs/api-reference/responses/object
"""

from __future__ import annotations

import time
from typing import Any

from .openai_reply import usage_of
from .openai_responses_reply import Reply, calls_of, input_tokens, output_tokens, reasoning_tokens

_DEFAULT_TEXT = {"format": {"type": "text"}, "verbosity": "medium"}


def ended(reply: Reply) -> dict[str, Any]:
    """The Response object of a reply that has come to its end."""
    error = reply.error and {"code": reply.error.code, "message": reply.error.message}
    reason = reply.incomplete_reason
    return {
        **_frame(reply),
        "status": reply.status,
        "completed_at": int(time.time()) if reply.status == "completed" else None,
        "error": error,
        "incomplete_details": None if reason is None else {"reason": reason},
        "output": list(reply.output),
        "tool_usage": _tool_usage(reply),
        "usage": None if reply.status == "failed" else _usage(reply),
    }


def begun(reply: Reply) -> dict[str, Any]:
    """The Response object as a stream tells it first."""
    return {
        **_frame(reply),
        "status": "in_progress",
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "output": [],
        "usage": None,
    }


def _frame(reply: Reply) -> dict[str, Any]:
    """What stays the same from beginning to end: mostly the request's own fields, with their defaults."""
    asked, fields = reply.asked, reply.asked.fields
    return {
        "id": reply.id,
        "object": "response",
        "created_at": reply.created,
        "background": False,
        "billing": {"payer": "developer"},
        "instructions": fields.get("instructions"),
        "max_output_tokens": fields.get("max_output_tokens"),
        "max_tool_calls": fields.get("max_tool_calls"),
        "metadata": fields.get("metadata", {}),
        "model": asked.model.told_name,
        "parallel_tool_calls": fields.get("parallel_tool_calls", True),
        "previous_response_id": fields.get("previous_response_id"),
        "prompt_cache_key": fields.get("prompt_cache_key"),
        "reasoning": {
            "effort": asked.effort,
            "summary": fields.get("reasoning", {}).get("summary"),
        },
        "safety_identifier": fields.get("safety_identifier"),
        "service_tier": "default",
        "store": asked.store,
        "temperature": fields.get("temperature", 1.0),
        "text": {**_DEFAULT_TEXT, **fields.get("text", {})},
        "tool_choice": asked.tools.choice,
        "tools": [dict(tool) for tool in asked.tools.told],
        "top_logprobs": fields.get("top_logprobs", 0),
        "top_p": fields.get("top_p", 1.0),
        "truncation": fields.get("truncation", "disabled"),
        "user": fields.get("user"),
    }


def _usage(reply: Reply) -> dict[str, Any]:
    given, made = input_tokens(reply.asked), output_tokens(reply.asked, reply.output)
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": reasoning_tokens(reply.asked)},
        "total_tokens": given + made,
    }


def _tool_usage(reply: Reply) -> dict[str, Any]:
    """The tokens of the tool that draws, which the model's own usage leaves out."""
    pictures = len(calls_of(reply.output))
    if reply.asked.picture is None or not pictures:
        return {}
    partials = sum(len(states) for states in reply.partials.values())
    return {"image_gen": usage_of(reply.asked.picture, pictures=pictures, partials=partials)}
