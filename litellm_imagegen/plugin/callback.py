"""The callback: parses and plans before LiteLLM drops fields, and adds our response headers.

It also puts the provider back where a config's `custom_provider_map` has overwritten it.
"""

from typing import Any

from litellm.integrations.custom_logger import CustomLogger
from litellm.types.utils import CallTypes

from litellm_imagegen.plugin import config
from litellm_imagegen.plugin.bypass import current_vault
from litellm_imagegen.plugin.exceptions import translated
from litellm_imagegen.plugin.records import TOKEN, find_record, record_of
from litellm_imagegen.plugin.requests import Given, make_plan
from litellm_imagegen.surfaces.metadata import notices_header

# LiteLLM refuses these for every custom provider; the plan holds a notice of them by now.
_REFUSED_BY_LITELLM = ("reasoning_effort", "thinking", "verbosity")
_CALLS_OF_OUR_ROUTES = frozenset({"completion", "acompletion"})


class ImagegenCallback(CustomLogger):
    """`register_provider` puts our provider into LiteLLM's map; it is called again before every request."""

    def __init__(self, register_provider: Any) -> None:
        super().__init__()
        self._register_provider = register_provider

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: Any
    ) -> None:
        """On a route we serve: its vault is for the call that begins here."""
        vault = current_vault()
        if vault is not None and vault.owner is None and call_type in _CALLS_OF_OUR_ROUTES:
            vault.owner = data.get("litellm_logging_obj")

    async def async_pre_call_deployment_hook(
        self, kwargs: dict[str, Any], call_type: CallTypes | None
    ) -> dict[str, Any] | None:
        """Plan a chat request for one deployment and leave the plan's token in the arguments."""
        if call_type is not CallTypes.acompletion:
            return None
        request = kwargs.get("litellm_logging_obj")
        if not _is_ours(kwargs):
            if (record := find_record(request)) is not None:
                record.notices = ()  # a fallback to a foreign model: ours have nothing to say about it
            return None
        self._register_provider()
        if request is None:  # Python with an older LiteLLM: the handler plans, and gets all it needs for chat
            return None
        with translated(str(kwargs.get("model"))):
            plan = make_plan(Given.to_hook(kwargs))
        kwargs[TOKEN] = record_of(request).add(plan)
        for name in _REFUSED_BY_LITELLM:
            kwargs.pop(name, None)
        return kwargs

    async def async_post_call_response_headers_hook(
        self,
        data: dict[str, Any],
        user_api_key_dict: Any,
        response: Any,
        request_headers: dict[str, str] | None = None,
        litellm_call_info: dict[str, object] | None = None,
    ) -> dict[str, str] | None:
        """`x-imagegen-notices` with what the plan has to say."""
        record = find_record(data.get("litellm_logging_obj"))
        notices = notices_header(record.notices) if record is not None else None
        return {"x-imagegen-notices": notices} if notices else None


def _is_ours(kwargs: dict[str, Any]) -> bool:
    """Our prefix, or, behind LiteLLM's bridge from /responses, our provider's name beside the model."""
    return (
        str(kwargs.get("model", "")).startswith(f"{config.PREFIX}/")
        or kwargs.get("custom_llm_provider") == config.PREFIX
    )
