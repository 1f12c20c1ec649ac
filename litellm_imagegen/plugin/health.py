"""LiteLLM's health checks: each is a call like any other, and a picture costs something."""

import sys
from collections.abc import Mapping
from typing import Any, TypeVar

from litellm.constants import LITTELM_INTERNAL_HEALTH_SERVICE_ACCOUNT_NAME as ACCOUNT
from litellm.types.utils import Choices, ImageResponse, ModelResponse

from litellm_imagegen.plugin import config
from litellm_imagegen.plugin.config import Health
from litellm_imagegen.plugin.given import mapping

Response = TypeVar("Response", ModelResponse, ImageResponse)


def is_health_check(arguments: Mapping[str, Any]) -> bool:
    """Whether LiteLLM itself asks how a deployment is: a client can send the tag, but has another key."""
    metadata = mapping(arguments.get("litellm_metadata"))
    return (
        "proxy_server_request" not in arguments
        and ACCOUNT in (metadata.get("tags") or ())
        and metadata.get("user_api_key_hash") == ACCOUNT
    )


def model_info_of(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """That of the deployment that a health check is for: LiteLLM hands over its parameters alone."""
    router = getattr(sys.modules.get("litellm.proxy.proxy_server"), "llm_router", None)
    for deployment in (router.get_model_list() if router is not None else None) or ():
        own = mapping(deployment.get("litellm_params"))
        info = mapping(deployment.get("model_info"))
        model = info.get("health_check_model") or own.get("model")
        if model == arguments.get("model") and all(
            arguments.get(name, value) == value for name, value in own.items() if name != "model"
        ):
            return info
    return {}


def calls_nobody(model_info: Mapping[str, Any]) -> bool:
    """Whether a deployment is healthy as soon as it is configured rightly."""
    health = config.deployment(model_info).health or config.settings().health or Health.OFF
    return health is Health.OFF


def healthy_completion(model: str) -> ModelResponse:
    """The answer to a health check on chat: nothing was asked, nothing is paid."""
    return _free(ModelResponse(model=model, choices=[Choices(message={"role": "assistant", "content": ""})]))


def healthy_images() -> ImageResponse:
    """The same on the Images API."""
    return _free(ImageResponse(data=[]))


def _free(response: Response) -> Response:
    response._hidden_params["response_cost"] = 0.0
    return response
