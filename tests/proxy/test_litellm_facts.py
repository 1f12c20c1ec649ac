"""Facts about LiteLLM that this package relies on. One fails here when LiteLLM changes, and says which.

A probe provider and a probe callback stand in our place, so that nothing of ours is in the way.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litellm.types.utils import all_litellm_params

from litellm_imagegen.plugin.given import _NOBODYS_TIMEOUT_SECONDS
from tests.proxy.support import Frames, Proxy, running_proxy

PROBE = """
import asyncio
import json
from pathlib import Path
import litellm
from litellm.integrations.custom_logger import CustomLogger
from litellm.types.utils import ModelResponse, ModelResponseStream

PICTURE = {"type": "image_url", "index": 0, "image_url": {"url": "data:image/png;base64,AAAA"}}
STATE = Path("seen.json")  # LiteLLM executes a module beside the config once for each mention

def seen():
    return json.loads(STATE.read_text()) if STATE.exists() else {}

def note(**facts):
    whole = STATE.with_suffix(".new")
    whole.write_text(json.dumps({**seen(), **facts}, default=repr))
    whole.replace(STATE)  # LiteLLM notes its log after the answer: nobody may read half a file

def chunk(delta, finish_reason=None, **extras):
    choices = [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    return ModelResponseStream(id="one", model="m", choices=choices, **extras)

class Handler(litellm.CustomLLM):
    async def acompletion(self, **given):
        note(handler=given["optional_params"], handler_model=given["model"],
             same_logging_object=id(given["logging_obj"]) == seen().get("logging_object"),
             api_key=given["api_key"], headers=given["headers"],
             model_info=given["litellm_params"].get("model_info"))
        prompt = given["messages"][-1]["content"]
        if prompt == "quota":
            error = litellm.RateLimitError(message="slow down", model="m", llm_provider="probe")
            error.headers = {"retry-after": "17"}
            raise error
        if prompt == "slow":
            await asyncio.sleep(1.5)
        message = {"role": "assistant", "content": "", "images": [PICTURE], "refusal": "because"}
        choice = {"index": 0, "finish_reason": "content_filter", "message": message}
        response = ModelResponse(model="m", choices=[choice],
                                 usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3,
                                        "completion_tokens_details": {"image_tokens": 2}})
        response.provider_metadata = {"probe": 1}
        response._hidden_params["response_cost"] = 0.25
        return response

    async def astreaming(self, **given):
        yield chunk({"role": "assistant", "content": ""})
        yield chunk({"content": "hi"})
        yield chunk({"images": [PICTURE]})
        yield chunk({"refusal": "because"})
        yield chunk({"content": ""}, provider_metadata={"lost": 1})
        yield chunk({"content": ""}, provider_metadata={"kept": 1}, provider_specific_fields={})
        usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.25,
                 "completion_tokens_details": {"image_tokens": 2}}
        yield chunk({}, usage=usage)
        if given["messages"][-1]["content"] == "picture with finish":
            yield chunk({"images": [PICTURE]}, "stop")
        yield chunk({}, "content_filter")

class Callback(CustomLogger):
    async def async_pre_call_deployment_hook(self, kwargs, call_type):
        note(call_type=str(call_type), hook=dict(kwargs), logging_object=id(kwargs["litellm_logging_obj"]))
        if kwargs["messages"][-1]["content"] == "refused in hook":
            error = litellm.BadRequestError(message="no", model="m", llm_provider="probe")
            error.param = "some.field"
            raise error
        kwargs["imagegen_token"] = "abc"
        return kwargs

    async def async_post_call_response_headers_hook(self, data, user_api_key_dict, response, **more):
        note(headers_hook_has_logging_object=data.get("litellm_logging_obj") is not None)
        return {"x-probe": "1"}

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        note(logged_cost=kwargs.get("response_cost"))

handler, callback = Handler(), Callback()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("facts")


@pytest.fixture(scope="module")
def probe(folder: Path) -> Iterator[Proxy]:
    (folder / "probe.py").write_text(PROBE)
    settings = {
        "custom_provider_map": [{"provider": "probe", "custom_handler": "probe.handler"}],
        "callbacks": ["probe.callback"],
        "imagegen_settings": {"policy": "strict"},
    }
    parameters = {"model": "probe/gemini/model", "api_key": "k", "aspect_ratio": "16:9"}
    deployment = {
        "model_name": "m",
        "litellm_params": parameters,
        "model_info": {"imagegen": {"output": "images"}},
    }
    with running_proxy({"model_list": [deployment], "litellm_settings": settings}, folder) as proxy:
        yield proxy


def seen(folder: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((folder / "seen.json").read_text())
    return facts


def streamed(probe: Proxy, prompt: str = "x", **fields: Any) -> Frames:
    return probe.draw_streamed("m", prompt, **fields)


def test_the_hook_gets_everything_and_can_leave_a_token_for_the_handler(probe: Proxy, folder: Path) -> None:
    probe.draw("m", "x", image_config={"a": 1}, max_completion_tokens=5, extra_body={"b": 2}, user="u")
    facts = seen(folder)
    hook, handler = facts["hook"], facts["handler"]
    assert facts["call_type"] == "CallTypes.acompletion"
    assert hook["model"] == "probe/gemini/model"
    assert facts["handler_model"] == "gemini/model"
    assert (hook["image_config"], hook["extra_body"], hook["user"]) == ({"a": 1}, {"b": 2}, "u")
    assert hook["max_completion_tokens"] == 5
    assert hook["aspect_ratio"] == "16:9", "a deployment's free keys come merged with the client's"
    assert hook["model_info"]["imagegen"] == {"output": "images"}
    assert hook["proxy_server_request"]["body"]["image_config"] == {"a": 1}
    assert "aspect_ratio" not in hook["proxy_server_request"]["body"], (
        "the client's own body can be told apart"
    )
    assert handler["imagegen_token"] == "abc"
    assert handler["max_tokens"] == 5
    assert facts["same_logging_object"], "plans are kept by the logging object"
    assert facts["headers_hook_has_logging_object"]


def test_a_client_cannot_set_model_info(probe: Proxy, folder: Path) -> None:
    probe.draw("m", "x", model_info={"imagegen": {"output": "mine"}})
    assert seen(folder)["model_info"]["imagegen"] == {"output": "images"}


def test_without_a_timeout_litellm_passes_its_own_default(probe: Proxy, folder: Path) -> None:
    probe.draw("m", "x")
    assert seen(folder)["hook"]["timeout"] == _NOBODYS_TIMEOUT_SECONDS
    probe.draw("m", "x", timeout=30)
    assert seen(folder)["hook"]["timeout"] == 30


def test_litellm_does_not_enforce_a_timeout_on_custom_handlers(probe: Proxy) -> None:
    assert probe.draw("m", "slow", timeout=1).status_code == 200


def test_images_refusal_and_metadata_survive_in_an_answer(probe: Proxy) -> None:
    answer = probe.draw("m", "x").json()
    [choice] = answer["choices"]
    assert choice["finish_reason"] == "content_filter"
    assert choice["message"]["content"] == ""
    assert choice["message"]["refusal"] == "because"
    assert choice["message"]["images"][0]["image_url"]["url"] == "data:image/png;base64,AAAA"
    assert answer["provider_metadata"] == {"probe": 1}
    assert answer["usage"]["completion_tokens_details"]["image_tokens"] == 2


def test_hidden_response_cost_becomes_the_cost_header(probe: Proxy) -> None:
    assert float(probe.draw("m", "x").headers["x-litellm-response-cost"]) == 0.25


def test_the_order_of_chunks_that_keeps_everything(probe: Proxy) -> None:
    frames = streamed(probe, stream_options={"include_usage": True})
    assert [sorted(delta) for delta in frames.deltas] == [
        ["content", "role"],
        ["content"],
        ["images"],
        ["refusal"],
        ["content"],
        ["content"],
        [],
        [],
    ]
    assert frames.finish_reasons == ["content_filter"]
    assert frames.chunks[-1]["usage"]["cost"] == 0.25, (
        "the usage comes last, when it was given before the finish"
    )
    metadata = [chunk["provider_metadata"] for chunk in frames.chunks if "provider_metadata" in chunk]
    assert metadata == [{"kept": 1}], "extra keys need provider_specific_fields on the chunk"


def test_a_picture_on_the_finishing_chunk_is_lost(probe: Proxy) -> None:
    assert len(streamed(probe, "picture with finish").images) == 1


def test_usage_is_shown_only_when_asked_for(probe: Proxy) -> None:
    assert not any(chunk.get("usage") for chunk in streamed(probe).chunks)


def test_headers_of_the_hook_reach_answers_and_streams(probe: Proxy) -> None:
    assert probe.draw("m", "x").headers["x-probe"] == "1"
    assert streamed(probe).headers["x-probe"] == "1"


def test_an_error_raised_in_the_hook_keeps_status_and_param(probe: Proxy) -> None:
    for answer in (probe.draw("m", "refused in hook"), streamed(probe, "refused in hook")):
        error = answer.error if isinstance(answer, Frames) else answer.json()["error"]
        assert error is not None
        assert (error["code"], error["param"]) == ("400", "some.field")


def test_headers_of_an_exception_reach_the_client(probe: Proxy) -> None:
    assert probe.draw("m", "quota").headers["retry-after"] == "17"


def test_litellm_itself_has_no_name_like_that_of_our_settings() -> None:
    asked = "import litellm, sys; sys.exit(hasattr(litellm, 'imagegen_settings'))"
    assert subprocess.run([sys.executable, "-c", asked], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "api_base",
        "metadata",
        "proxy_server_request",
        "litellm_logging_obj",
        "model_info",
        "fallbacks",
        "tags",
    ],
)
def test_litellm_lists_its_own_arguments(name: str) -> None:
    assert name in all_litellm_params


@pytest.mark.parametrize(
    "name", ["aspect_ratio", "image_size", "image_config", "modalities", "seed", "extra_body", "n"]
)
def test_no_field_of_ours_is_an_argument_of_litellms(name: str) -> None:
    assert name not in all_litellm_params
