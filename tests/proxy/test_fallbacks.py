"""LiteLLM's router goes on to another deployment with the same request, or tries again, streamed or not.

What fails is wished for at one simulated provider that keeps what it is sent; which deployment has answered
is read off LiteLLM's header, and what it was asked for off the picture.
"""

import base64
import io
import json
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from PIL import Image

from litellm_imagegen.sandbox.app import create_app
from tests.pictures import data_url
from tests.proxy.conftest import SETTINGS, gemini
from tests.proxy.support import NO_TLS, Proxy, running_proxy
from tests.proxy.test_jobs import wait_until

PROBE = """
import asyncio
import gc
import json
import os
import httpx
import litellm
from fastapi import HTTPException
from litellm.integrations.custom_guardrail import CustomGuardrail
from litellm.integrations.custom_logger import CustomLogger
from litellm.types.utils import ModelResponse, ModelResponseStream
from litellm_imagegen.plugin import records
from litellm_imagegen.plugin.vault import Vault

async def chunks(*deltas):
    for delta in deltas:
        finish_reason = None if delta else "stop"
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        yield ModelResponseStream(id="one", model="m", choices=[choice])

class Provider(litellm.CustomLLM):
    async def acompletion(self, **given):
        if given["model"] == "begun":
            stream = chunks({"role": "assistant", "content": "begun"}, {})
            return litellm.CustomStreamWrapper(stream, "begun", given["logging_obj"], "probe")
        if given["model"] == "words":
            told = "foreign words"
        else:
            gc.collect()
            told = json.dumps({"held_bytes": Vault.held_bytes, "records": len(records._records)})
        message = {"role": "assistant", "content": told}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return ModelResponse(model="state", choices=[choice])

    async def astreaming(self, **given):
        if given["model"] == "lazy":
            raise litellm.AuthenticationError(message="too late", model="lazy", llm_provider="probe")
        async for chunk in chunks({"role": "assistant", "content": "foreign"}, {"content": " words"}, {}):
            yield chunk

class Callback(CustomLogger):
    async def async_pre_call_deployment_hook(self, kwargs, call_type):
        if kwargs["model"] == "probe/begun":
            assert kwargs.pop("stream") is True
        return kwargs

class Judge(CustomGuardrail):
    async def async_moderation_hook(self, data, user_api_key_dict, call_type):
        if "[judge]" not in str(data.get("messages") or data.get("input")):
            return
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(1000):  # until the provider has the request
                if (await client.get(os.environ["UPSTREAM"])).json()["open_requests"]:
                    break
        raise HTTPException(status_code=400, detail={"error": "judged meanwhile"})

provider, callback = Provider(), Callback()
"""
PATHS = {
    "chat": "chat/completions",
    "response": "responses",
    "generation": "images/generations",
    "edit": "images/edits",
}
KINDS = [f"{kind}{how}" for kind in PATHS for how in ("", " streamed")]
# Where LiteLLM has a stream of its own; it makes whole answers of those of the Images API.
LITELLMS_STREAMS = ["chat streamed", "response streamed"]
# What the provider does, and what it is to a client whom nobody else serves.
FAULTS = {"401": 401, "429 after 17": 429, "500": 500, "never": 408}
PROBED = ("state", "words", "lazy", "begun")
MODEL = "gemini-3.1-flash-image"
SHAPE = {"aspect_ratio": "16:9", "image_size": "512"}
WIDE = (688, 384)
HASTY_SECONDS = 0.3
# How long LiteLLM waits before it tries again.
SOON = {"INITIAL_RETRY_DELAY": "0.05", "JITTER": "0"}
RED = base64.b64decode(data_url("red").partition(",")[2])
Message = MutableMapping[str, Any]


@dataclass(frozen=True)
class Call:
    """One request to the provider: what was wished for it, its path and its body."""

    wish: str | None
    path: str
    body: bytes


@dataclass
class Provider:
    """A sandbox that does with each call the next thing of `wishes`, and keeps all `calls`."""

    app: Any = field(default_factory=create_app)
    url: str = ""
    wishes: deque[str] = field(default_factory=deque)
    calls: list[Call] = field(default_factory=list)

    async def __call__(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        wish = self.wishes.popleft() if self.wishes else None
        if wish is not None:
            scope["headers"] = [*scope["headers"], (b"x-sandbox", wish.encode())]
        self.calls.append(Call(wish, scope["path"], body))
        given = deque([{"type": "http.request", "body": body, "more_body": False}])

        async def read() -> Any:
            return given.popleft() if given else await receive()

        await self.app(scope, read, send)

    @property
    def open_requests(self) -> int:
        told: int = httpx.get(self.url, trust_env=False).json()["open_requests"]
        return told


@dataclass(frozen=True)
class Setup:
    """A proxy and the provider of all its deployments."""

    proxy: Proxy
    provider: Provider

    def will(self, *wishes: str) -> None:
        """What the provider does with the calls from now on; nothing special after these."""
        self.provider.wishes = deque(wishes)
        self.provider.calls.clear()

    @property
    def done(self) -> list[str | None]:
        """What the provider has done with its calls since then."""
        return [call.wish for call in self.provider.calls]

    @property
    def state(self) -> dict[str, int]:
        told: dict[str, int] = json.loads(
            self.proxy.draw("state", "?").json()["choices"][0]["message"]["content"]
        )
        return told


@dataclass(frozen=True)
class Answer:
    """What a client is told, in whichever form."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def deployment(self) -> str | None:
        """Which one LiteLLM says has answered."""
        return self.headers.get("x-litellm-model-id")

    @property
    def pictures(self) -> list[tuple[int, int]]:
        """The size of each picture, all its pixels decoded."""
        sizes = []
        for shown in dict.fromkeys(re.findall(r"[A-Za-z0-9+/]{2000,}={0,2}", self.text)):
            with Image.open(io.BytesIO(base64.b64decode(shown, validate=True))) as picture:
                picture.load()
                sizes.append(picture.size)
        return sizes

    @property
    def error(self) -> dict[str, Any]:
        """The one error that there is instead of an answer."""
        error: dict[str, Any] = json.loads(self.text)["error"]
        return error


@contextmanager
def running_provider() -> Iterator[Provider]:
    provider = Provider()
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(provider, loop="asyncio", http="h11", ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    provider.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield provider
    finally:
        server.should_exit = server.force_exit = True
        thread.join(timeout=30)
        listener.close()


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    folder: Path = tmp_path_factory.mktemp("fallbacks")
    (folder / "probe.py").write_text(PROBE)
    with running_provider() as provider:

        def deployment(name: str, model: str = MODEL, **parameters: Any) -> dict[str, Any]:
            return gemini(
                name, provider.url, model, litellm_params=parameters, model_info={"id": f"the {name}"}
            )

        foreign = {"model": "openai/gpt-4o", "api_key": "k", "api_base": f"{provider.url}/foreign"}
        deployments = [
            deployment("first"),
            deployment("hasty first", timeout=HASTY_SECONDS),
            deployment("second"),
            deployment("third"),
            deployment("older", "gemini-2.5-flash-image"),
            deployment("alone"),
            deployment("hasty", timeout=HASTY_SECONDS),
            deployment("retrying", num_retries=1),
            deployment("refusing"),
            deployment("to words"),
            # LiteLLM shows its log sinks the key of what it answers itself.
            deployment("mocked", mock_response="just words", api_key="k"),
            deployment("patient"),
            deployment("patient with ours"),
            {"model_name": "foreign", "litellm_params": foreign},
            *({"model_name": name, "litellm_params": {"model": f"probe/{name}"}} for name in PROBED),
        ]
        router = {
            "num_retries": 0,
            "disable_cooldowns": True,
            "fallbacks": [
                {"first": ["second", "third"]},
                {"hasty first": ["second"]},
                {"older": ["second"]},
                {"patient": ["foreign"]},
                {"patient with ours": ["second"]},
                {"lazy": ["second"]},
                {"to words": ["words"]},
            ],
            "content_policy_fallbacks": [{"refusing": ["second"]}],
        }
        settings = {
            "custom_provider_map": [
                *SETTINGS["custom_provider_map"],  # type: ignore[misc]  # a mapping of settings of every kind
                {"provider": "probe", "custom_handler": "probe.provider"},
            ],
            "callbacks": ["litellm_imagegen.callback", "probe.callback"],
        }
        judge = {"guardrail": "probe.Judge", "mode": "during_call", "default_on": True}
        config = {
            "model_list": deployments,
            "router_settings": router,
            "litellm_settings": settings,
            "guardrails": [{"guardrail_name": "judge", "litellm_params": judge}],
        }
        with running_proxy(config, folder, variables={"UPSTREAM": provider.url, **SOON}) as proxy:
            yield Setup(proxy, provider)


def ask(proxy: Proxy, kind: str, model: str, prompt: str = "A lighthouse") -> Answer:
    """A wide picture in the smallest tier."""
    path, is_streamed = PATHS[kind.removesuffix(" streamed")], kind.endswith(" streamed")
    given: dict[str, Any] = {"model": model, **SHAPE}
    given |= {"stream": True} if is_streamed else {}
    how: dict[str, Any] = {"json": {**given, "prompt": prompt}}
    match path:
        case "chat/completions":
            how["json"] = {**given, "messages": [{"role": "user", "content": prompt}]}
        case "responses":
            how["json"] = {**given, "input": prompt}
        case "images/edits":
            form = {name: str(value) for name, value in given.items()}
            how = {"data": {**form, "prompt": prompt}, "files": {"image": ("red.png", RED, "image/png")}}
    answer = httpx.post(
        f"{proxy.url}/v1/{path}",
        headers={"authorization": f"Bearer {proxy.key}"},
        timeout=60,
        trust_env=False,
        verify=NO_TLS,
        **how,
    )
    return Answer(answer.status_code, answer.headers, answer.text)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_fails_at_one_deployment_is_drawn_by_the_next(setup: Setup, kind: str, fault: str) -> None:
    setup.will(fault)
    answer = ask(setup.proxy, kind, "hasty first" if fault == "never" else "first")
    assert (answer.status, answer.deployment) == (200, "the second")
    assert answer.pictures == [WIDE]
    assert setup.done == [fault, None], "each deployment is asked once"
    first, second = setup.provider.calls
    assert (first.path, first.body) == (second.path, second.body)


@pytest.mark.parametrize("kind", ["chat", "generation streamed", *LITELLMS_STREAMS])
def test_the_one_after_the_next_draws_where_both_fail(setup: Setup, kind: str) -> None:
    setup.will("500", "401")
    answer = ask(setup.proxy, kind, "first")
    assert (answer.status, answer.deployment) == (200, "the third")
    assert answer.pictures == [WIDE]
    assert setup.done == ["500", "401", None]


@pytest.mark.parametrize("kind", ["chat", "response", *LITELLMS_STREAMS])
def test_a_model_of_somebody_elses_answers_in_litellms_form(setup: Setup, kind: str) -> None:
    setup.will("401")
    answer = ask(setup.proxy, kind, "to words")
    assert answer.status == 200
    is_stream = answer.headers["content-type"].startswith("text/event-stream")
    assert is_stream == (kind in LITELLMS_STREAMS)
    assert "foreign" in answer.text
    assert " words" in answer.text
    assert "imagegen" not in f"{answer.text}{answer.headers}"
    assert setup.done == ["401"]


@pytest.mark.parametrize("kind", LITELLMS_STREAMS)
def test_a_stream_that_nobody_begins_fails_as_a_whole_answer_does(setup: Setup, kind: str) -> None:
    answers = []
    for one in (kind, kind.removesuffix(" streamed")):
        setup.will("500", "401", "503")
        answers.append(ask(setup.proxy, one, "first"))
        assert setup.done == ["500", "401", "503"]
    streamed, whole = answers
    assert streamed.status == whole.status == 500
    assert streamed.error == whole.error


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", LITELLMS_STREAMS)
def test_without_a_fallback_a_stream_fails_as_a_whole_answer_does(
    setup: Setup, kind: str, fault: str
) -> None:
    setup.will(fault, fault)
    model = "hasty" if fault == "never" else "alone"
    streamed, whole = (ask(setup.proxy, one, model) for one in (kind, kind.removesuffix(" streamed")))
    assert streamed.status == whole.status == FAULTS[fault]
    assert streamed.error == whole.error
    names = [{name for name in answer.headers if name.startswith("x-")} for answer in (streamed, whole)]
    assert names[0] == names[1]
    assert streamed.headers.get("retry-after") == ("17" if "17" in fault else None)
    assert setup.done == [fault, fault]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_deployment_is_tried_again(setup: Setup, kind: str) -> None:
    setup.will("503")
    answer = ask(setup.proxy, kind, "retrying")
    assert (answer.status, answer.deployment) == (200, "the retrying")
    assert answer.pictures == [WIDE]
    assert setup.done == ["503", None]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in LITELLMS_STREAMS])
@pytest.mark.parametrize("wish", ["refuse prompt", "refuse picture"])
def test_what_one_model_refuses_another_one_draws(setup: Setup, kind: str, wish: str) -> None:
    setup.will(wish)
    answer = ask(setup.proxy, kind, "refusing")
    assert (answer.status, answer.deployment) == (200, "the second")
    assert answer.pictures == [WIDE]
    assert setup.done == [wish, None]


@pytest.mark.parametrize("kind", LITELLMS_STREAMS)
def test_a_refusal_that_is_streamed_is_an_answer(setup: Setup, kind: str) -> None:
    setup.will("refuse prompt")
    answer = ask(setup.proxy, kind, "refusing")
    assert (answer.status, answer.deployment, answer.pictures) == (200, "the refusing", [])
    assert "refused the prompt" in answer.text
    assert setup.done == ["refuse prompt"]


@pytest.mark.parametrize("kind", ["chat", "response"])
def test_a_refusal_that_nobody_makes_good_is_an_answer(setup: Setup, kind: str) -> None:
    setup.will("refuse prompt")
    answer = ask(setup.proxy, kind, "to words")  # which has a fallback for failures alone
    assert (answer.status, answer.deployment, answer.pictures) == (200, "the to words", [])
    assert "refused the prompt" in answer.text


@pytest.mark.parametrize("kind", KINDS)
def test_notices_are_those_of_the_deployment_that_answers(setup: Setup, kind: str) -> None:
    older = ask(setup.proxy, kind, "older")
    assert "image_size" in older.headers["x-imagegen-notices"], "it draws one tier alone"
    setup.will("500")
    answer = ask(setup.proxy, kind, "older")
    assert (answer.status, answer.deployment) == (200, "the second")
    assert "x-imagegen-notices" not in answer.headers
    assert MODEL in answer.text
    assert "gemini-2.5-flash-image" not in answer.text


@contextmanager
def hanging_up(setup: Setup, kind: str, model: str) -> Iterator[None]:
    """A client that waits for a stream to begin, and hangs up when the block ends."""
    path = PATHS[kind.removesuffix(" streamed")]
    given = {"input": "x"} if path == "responses" else {"messages": [{"role": "user", "content": "x"}]}
    fields = {"model": model, "stream": True, **given}
    body = json.dumps(fields).encode()
    address = httpx.URL(setup.proxy.url)
    head = (
        f"POST /v1/{path} HTTP/1.1\r\nhost: {address.host}\r\nauthorization: Bearer {setup.proxy.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((address.host, address.port or 80), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        yield


@pytest.mark.parametrize("kind", LITELLMS_STREAMS)
@pytest.mark.parametrize(
    "model", ["patient with ours", "patient"], ids=["a fallback of ours", "a foreign fallback"]
)
def test_who_hangs_up_before_a_stream_begins_ends_it_everywhere(setup: Setup, kind: str, model: str) -> None:
    setup.will("never")
    with hanging_up(setup, kind, model):
        wait_until(lambda: setup.provider.open_requests == 1, "the provider was never asked")
    wait_until(lambda: setup.provider.open_requests == 0, "the provider is still asked")
    answer = ask(setup.proxy, kind, "second")
    assert answer.pictures == [WIDE], "others are served"
    assert setup.done == ["never", None], "nobody else was asked for who has gone"


@pytest.mark.parametrize("kind", LITELLMS_STREAMS)
def test_a_guardrail_that_judges_meanwhile_ends_a_stream_that_has_not_begun(setup: Setup, kind: str) -> None:
    setup.will("never")
    answer = ask(setup.proxy, kind, "patient", "[judge]")
    assert answer.status == 400
    assert "judged meanwhile" in answer.error["message"]
    wait_until(lambda: setup.provider.open_requests == 0, "the provider is still asked")
    assert setup.done == ["never"]


def test_where_litellm_answers_itself_it_streams(setup: Setup) -> None:
    setup.will()
    assert setup.proxy.draw_streamed("mocked", "A lighthouse").text == "just words"
    assert setup.done == []


def test_nothing_is_left(setup: Setup) -> None:
    setup.will("500")
    ask(setup.proxy, "response streamed", "first")
    wait_until(lambda: setup.state == {"held_bytes": 0, "records": 0}, "something is kept")


# Facts about LiteLLM that make it so.


def test_litellm_knows_no_fallback_for_a_stream_of_a_custom_provider_that_fails(setup: Setup) -> None:
    answer = ask(setup.proxy, "chat streamed", "lazy")
    assert answer.status == 401, "where it knows one, nothing has to begin before LiteLLM has the stream"


def test_litellm_takes_a_stream_where_a_hook_has_asked_for_a_whole_answer(setup: Setup) -> None:
    answer = ask(setup.proxy, "chat streamed", "begun")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert '"content":"begun"' in answer.text
    assert answer.text.endswith("data: [DONE]\n\n")
