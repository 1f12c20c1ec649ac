"""What LiteLLM tells of its models, with what is known here of those that draw.

LiteLLM answers `/model/info` from its map of models, which knows no shapes of pictures, and lists for every
custom provider the parameters of a text model. The answer is completed as it is sent: what an operator has
written into `model_info` stays as it is.

Source: https://docs.litellm.ai/docs/proxy/model_management.
"""

import sys
from collections.abc import Mapping
from typing import Any

import orjson

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.errors import ImagegenError
from litellm_imagegen.plugin import config
from litellm_imagegen.plugin.adoption import served_model
from litellm_imagegen.plugin.given import mapping
from litellm_imagegen.plugin.sending import Send, with_length
from litellm_imagegen.plugin.vault import Message
from litellm_imagegen.profiles import Profile
from litellm_imagegen.profiles.facts import facts

ROUTES = ("/model/info",)
_CAPABILITIES = f"{config.PREFIX}_capabilities"
# OpenAI's names of what a model may be asked for; those that every model here takes stand at the end.
_PARAMETERS: Mapping[str, frozenset[Name]] = {
    "size": frozenset({Name.DIMENSIONS, Name.ASPECT_RATIO, Name.IMAGE_SIZE}),
    "quality": frozenset({Name.QUALITY}),
    "style": frozenset({Name.STYLE}),
    "background": frozenset({Name.BACKGROUND}),
    "moderation": frozenset({Name.MODERATION}),
    "input_fidelity": frozenset({Name.INPUT_FIDELITY}),
    "partial_images": frozenset({Name.PARTIAL_IMAGES}),
    "modalities": frozenset({Name.MODALITIES}),
    "seed": frozenset({Name.SEED}),
    "temperature": frozenset({Name.TEMPERATURE}),
    "top_p": frozenset({Name.TOP_P}),
    "stop": frozenset({Name.STOP}),
    "max_tokens": frozenset({Name.MAX_TOKENS}),
    "max_completion_tokens": frozenset({Name.MAX_TOKENS}),
}
_OF_ALL = ("n", "output_format", "response_format", "stream")


class ModelInfoSender:
    """Sends what LiteLLM answers on `/model/info`, completed."""

    def __init__(self, send: Send) -> None:
        self._sends_on = send
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        """Hold the answer back until it is whole; errors pass as they are."""
        if message["type"] == "http.response.start" and message["status"] == 200:
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._sends_on(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                body = completed(bytes(self._body))
                await self._sends_on(with_length(self._start, len(body)))
                await self._sends_on({"type": "http.response.body", "body": body, "more_body": False})


def completed(body: bytes) -> bytes:
    """The body of an answer, with what is known of each model that draws; any other as it is."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    data = mapping(answer).get("data")
    for deployment in data if isinstance(data, list) else [data]:
        if isinstance(deployment, dict):
            known = mapping(deployment.get("model_info"))
            deployment["model_info"] = {
                **known,
                **information(mapping(deployment.get("litellm_params")), known),
            }
    return orjson.dumps(answer)


def information(parameters: Mapping[str, Any], model_info: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a deployment's model beyond what its operator says; nothing of foreign ones.

    Both are as LiteLLM shows them: without keys, and filled up by its map.
    """
    own_parameters, written = _written(parameters, model_info)
    try:
        served = served_model({**own_parameters, "model": parameters.get("model", "")}, written)
        if served is None or "*" in served:
            return {}
        name, provider, model_id = config.upstream_of(served)
    except ImagegenError:
        return {}
    rows = (*config.own_rows(provider.name), *provider.rows)
    row = provider.wire(model_id, own_rows=rows).row(model_id, rows)
    known = facts(row)
    told = {
        "mode": model_info.get("mode") or ("chat" if Modality.TEXT in row.output else "image_generation"),
        "supported_output_modalities": known["answers_with"],
        "supported_openai_params": parameters_of(row),
        _CAPABILITIES: {"provider": name, **known},
    }
    return {key: value for key, value in told.items() if key not in written}


def parameters_of(row: Profile) -> list[str]:
    """OpenAI's names of the parameters that a model takes."""
    return [*(name for name, ours in _PARAMETERS.items() if ours & row.names), *_OF_ALL]


def _written(parameters: Mapping[str, Any], model_info: Mapping[str, Any]) -> tuple[Any, Any]:
    """The deployment's own two objects for those that LiteLLM shows: with keys, and not filled up."""
    router = getattr(sys.modules.get("litellm.proxy.proxy_server"), "llm_router", None)
    deployment = router.get_deployment(str(model_info.get("id"))) if router is not None else None
    if deployment is None:  # of those that a wildcard stands for
        return parameters, {}
    own = (deployment.litellm_params, deployment.model_info)
    return tuple(each.model_dump(exclude_none=True) for each in own)
