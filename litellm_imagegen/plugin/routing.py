"""What LiteLLM's router needs so that its retries and fallbacks act on our calls as on any other.

A custom provider's stream is a success for LiteLLM before anything has been asked for it: for what fails then
its router has no more retries, and fallbacks for some of it only. Of a whole answer it awaits the provider,
and takes a stream in its place: so it is asked for a whole answer, and the handler gives a stream that has
begun. Of refusals it looks at whole chat completions alone, and at no responses.

Source: https://docs.litellm.ai/docs/proxy/reliability.
"""

import sys
from collections.abc import Mapping
from typing import Any

from litellm.router_utils.fallback_event_handlers import get_fallback_model_group

from litellm_imagegen.canonical import ImageResult, Outcome
from litellm_imagegen.errors import PictureRefused
from litellm_imagegen.plugin.given import mapping

# With these LiteLLM answers itself, and streams only where it is asked to.
_ANSWERED_BY_LITELLM = ("mock_response", "mock_tool_calls", "mock_timeout")


def begin_at_once(arguments: dict[str, Any]) -> None:
    """Have LiteLLM await the start of a stream, where a router calls that can act on what it raises.

    `arguments` are those of a chat completion, as the deployment hook gets them.
    """
    if _model_group(arguments) is not None and not any(map(arguments.get, _ANSWERED_BY_LITELLM)):
        arguments.pop("stream", None)


def raise_refusal_with_fallback(result: ImageResult, parameters: Mapping[str, Any]) -> None:
    """Raise `PictureRefused` for a refused response that another model may yet make good.

    `parameters` are LiteLLM's own of the call. Without a fallback a refusal is an answer.
    """
    if result.outcome is Outcome.REFUSED and _goes_on_from_refusals(_model_group(parameters)):
        reason = (result.refusal or "refused").removeprefix(f"{result.provider} ")
        raise PictureRefused(result.provider, reason)


def _model_group(parameters: Mapping[str, Any]) -> str | None:
    """The router's model that a call is for, None where no router calls."""
    places = (mapping(parameters.get(name)) for name in ("litellm_metadata", "metadata"))
    return next((group for place in places if (group := place.get("model_group"))), None)


def _goes_on_from_refusals(model_group: str | None) -> bool:
    """As LiteLLM decides for chat: its default fallbacks count where none are set for refusals."""
    router = getattr(sys.modules.get("litellm.proxy.proxy_server"), "llm_router", None)
    if router is None or model_group is None:
        return False
    if router.content_policy_fallbacks is not None:
        return get_fallback_model_group(router.content_policy_fallbacks, model_group)[0] is not None
    return any("*" in fallback for fallback in router.fallbacks or () if isinstance(fallback, dict))
