"""Puts handler and callback where LiteLLM looks for them, and says at start what is missing."""

import asyncio
import logging
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import litellm
from litellm.utils import custom_llm_setup

from litellm_imagegen.dialects import unknown_defaults
from litellm_imagegen.errors import ConfigurationError, RequestError, UnknownModel
from litellm_imagegen.plugin import config
from litellm_imagegen.plugin.adoption import served_model
from litellm_imagegen.plugin.bypass import install
from litellm_imagegen.plugin.callback import ImagegenCallback
from litellm_imagegen.plugin.finalizers import disarm
from litellm_imagegen.plugin.given import configured_defaults
from litellm_imagegen.plugin.handler import ImagegenHandler
from litellm_imagegen.plugin.redaction import install_log_filter

_logger = logging.getLogger("litellm_imagegen")
_LOOK_AGAIN_SECONDS = 0.25
_LOOKS = 240

handler = ImagegenHandler()


def _register_provider() -> None:
    """Idempotent; a config's `custom_provider_map` replaces the whole list, so presence is checked anew."""
    if not any(item["provider"] == config.PREFIX for item in litellm.custom_provider_map):
        litellm.custom_provider_map.append({"provider": config.PREFIX, "custom_handler": handler})
        custom_llm_setup()  # type: ignore[no-untyped-call]


callback = ImagegenCallback(_register_provider)
_register_provider()
disarm()


def register(*, settings: Mapping[str, Any] | None = None) -> None:
    """Make `imagegen/<provider>/<model>` known to LiteLLM in this process. Call it as often as you like.

    `settings` are those of `imagegen_settings` in a proxy's config; None leaves them as they are.
    Raises `ConfigurationError` that names a wrong setting.
    """
    if settings is not None:
        config.set_settings(settings)
    _register_provider()
    if callback not in litellm.callbacks:
        litellm.callbacks.append(callback)


def _proxy_deployments() -> Iterable[Mapping[str, Any]] | None:
    """The deployments of the proxy in this process once it has read its config, else None."""
    proxy = sys.modules.get("litellm.proxy.proxy_server")
    router = getattr(proxy, "llm_router", None)
    return None if router is None else router.model_list or ()


def missing(deployments: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a proxy's configuration lacks for this package, one phrase each."""
    phrases = []
    if callback not in litellm.callbacks:
        phrases.append(
            'litellm_settings.callbacks lacks "litellm_imagegen.callback": fields that LiteLLM drops before '
            "a handler sees them are lost, and x-imagegen-* headers are not sent"
        )
    try:
        config.settings()
    except ConfigurationError as error:
        phrases.append(error.message)
    for deployment in deployments:
        parameters = deployment.get("litellm_params") or {}
        name = str(deployment.get("model_name"))
        try:
            model = served_model(parameters, deployment.get("model_info") or {})
        except ConfigurationError as error:
            phrases.append(f"{name}: {error.message}")
            continue
        if model is not None:
            phrases.extend(_missing_for(name, model, parameters, deployment))
    return phrases


def _missing_for(
    name: str, model: str, parameters: Mapping[str, Any], deployment: Mapping[str, Any]
) -> Iterable[str]:
    try:
        config.deployment(deployment.get("model_info"))
        provider_name, provider, _ = config.upstream_of(model)
        for unknown in unknown_defaults(configured_defaults(deployment)):
            yield f"{name}: nobody understands the default {unknown}"
    except (ConfigurationError, RequestError, UnknownModel) as error:
        yield f"{name}: {error.message}"
        return
    if provider_name == config.SANDBOX or any(map(parameters.get, ("api_key", "litellm_credential_name"))):
        return
    if provider.needs_key and not config.environment_key(provider):
        yield f"{name}: no api_key, and none of {', '.join(provider.key_variables)} in the environment"


def _say_what_is_missing(looks_left: int = _LOOKS) -> None:
    """Wait until the proxy has read its whole config, then say in one line what it lacks, if anything."""
    deployments = _proxy_deployments()
    if deployments is None:
        if looks_left:
            loop = asyncio.get_running_loop()
            loop.call_later(_LOOK_AGAIN_SECONDS, _say_what_is_missing, looks_left - 1)
        return
    if phrases := missing(deployments):
        _logger.warning("litellm_imagegen: %s", "; ".join(phrases))


if "litellm.proxy.proxy_server" in sys.modules:
    install()
    install_log_filter()
    try:
        asyncio.get_running_loop().call_soon(_say_what_is_missing)
    except RuntimeError:
        _logger.debug("no event loop yet: what is missing is said when it is first needed")
