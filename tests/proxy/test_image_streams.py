"""`stream: true` on the Images API of a real proxy: LiteLLM makes a whole answer, and it is told in events.

Each answer is compared with the whole one of the same request; logs, spend and upstreams are looked at for
what LiteLLM has done behind them.
"""

import json
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import pytest

from litellm_imagegen.plugin import references
from tests.pictures import Seen, data_url, look_at
from tests.proxy.conftest import SETTINGS, settings_of
from tests.proxy.support import NO_TLS, FormFile, Proxy, running_proxy, running_sandbox
from tests.proxy.test_bypass import comparable
from tests.proxy.test_images import RED, RED_URL, WIRES, deployment
from tests.proxy.test_jobs import counts_of, open_requests, wait_until
from tests.proxy.test_logs import RUN
from tests.proxy.test_outcomes import assert_harmless

PROBE = """
import gc
import json
from pathlib import Path
import litellm
from fastapi import HTTPException
from litellm.integrations.custom_guardrail import CustomGuardrail
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import UserAPIKeyAuth
from litellm.types.utils import ModelResponse
from litellm_imagegen.plugin import records
from litellm_imagegen.plugin.vault import Vault

def write(name, *values):
    with Path(name).open("a") as log:
        log.write(json.dumps(values, default=repr) + "\\n")

class State(litellm.CustomLLM):
    async def acompletion(self, **given):
        if given["messages"][0]["content"] == "What is left?":  # takes a second in a process of this size
            gc.collect()
        told = {"held_bytes": Vault.held_bytes, "records": len(records._records)}
        message = {"role": "assistant", "content": json.dumps(told)}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return ModelResponse(model="state", choices=[choice])

class Sink(CustomLogger):
    def log_success_event(self, kwargs, response_obj, start_time, end_time):
        write("dump.log", "sync success", repr(kwargs), repr(response_obj))

    def log_failure_event(self, kwargs, response_obj, start_time, end_time):
        write("dump.log", "sync failure", repr(kwargs), repr(response_obj))

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        write("booked.log", kwargs["litellm_call_id"], "success", kwargs.get("response_cost"))
        write("dump.log", "success", repr(kwargs), repr(response_obj))
        write("dump.log", "payload", kwargs["standard_logging_object"])

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time):
        write("booked.log", kwargs["litellm_call_id"], "failure", None)
        write("dump.log", "failure", repr(kwargs), repr(response_obj))

    async def async_post_call_failure_hook(
        self, request_data, original_exception, user_api_key_dict, traceback_str=None
    ):
        write("dump.log", "hook failure", repr(request_data), repr(original_exception), traceback_str)

class Guard(CustomGuardrail):
    async def async_post_call_success_hook(self, data, user_api_key_dict, response):
        write("seen.log", response.model_dump_json(exclude_none=True))
        if "[block]" in str(data.get("prompt")):
            raise HTTPException(status_code=400, detail={"error": "blocked after the handler"})
        return response

async def auth(request, api_key):
    if not api_key.startswith("sk-limited"):
        return UserAPIKeyAuth(api_key=api_key, user_role="proxy_admin")
    budget = {"openai": {"budget_limit": 0.09, "time_period": "1d"}} if "poor" in api_key else {}
    limits = {"max_parallel_requests": 1, "model_max_budget": budget}
    return UserAPIKeyAuth(api_key=api_key, user_role="proxy_admin", **limits)

state, sink = State(), Sink()
"""
PROVIDERS = [
    *SETTINGS["custom_provider_map"],  # type: ignore[misc]  # a mapping of settings of every kind
    {"provider": "probe", "custom_handler": "probe.state"},
]
# Small pictures are drawn sooner.
SIZES = {"openai": (1024, 640), "bfl": (256, 256)}
ORDINARY_SIZE = (1024, 1024)
# Of gpt-image-2: what a picture of that size and one on its way to it take, and what a token costs.
PICTURE_TOKENS, PARTIAL_TOKENS, TOKEN_COST = 1098, 100, 30e-6
PICTURE_COST = 3 * 5e-6 + PICTURE_TOKENS * TOKEN_COST
COMPLETED_FIELDS = {
    "type",
    "b64_json",
    "background",
    "created_at",
    "output_format",
    "quality",
    "size",
    "usage",
}
ERROR_FIELDS = {"message", "type", "param", "code"}


@dataclass(frozen=True)
class Events:
    """An answer as it came: its status and headers, and its events in order, each under its name."""

    status: int
    headers: Mapping[str, str]
    events: list[tuple[str, dict[str, Any]]]
    body: bytes

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    @property
    def told(self) -> list[dict[str, Any]]:
        return [event for _, event in self.events]

    @property
    def error(self) -> dict[str, Any]:
        """What an error status, or an error event at the end, says."""
        last = json.loads(self.body) if self.status != 200 else self.told[-1]
        error: dict[str, Any] = last["error"]
        assert error.keys() >= ERROR_FIELDS
        assert_harmless(error["message"].partition("\n")[0])
        return error


class ScriptedUpstream:
    """Answers each request with the next of its `replies`: a status, and events or a body."""

    def __init__(self) -> None:
        self.url = ""
        self.replies: list[tuple[int, Any]] = []
        self.bodies: list[bytes] = []

    def next_reply(self, body: bytes) -> tuple[int, str, bytes]:
        self.bodies.append(body)
        status, said = self.replies.pop(0)
        if isinstance(said, list):
            frames = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in said]
            return status, "text/event-stream", "".join(frames).encode()
        return status, "application/json", json.dumps(said).encode()


@dataclass(frozen=True)
class Setup:
    """A proxy, one whose guardrail looks at answers, and their upstreams."""

    proxy: Proxy
    guarded: Proxy
    sandbox: str
    scripted: ScriptedUpstream
    folder: Path

    def booked(self, call_id: str) -> list[tuple[str, Any]]:
        """What was logged of a call, success or failure with its cost, once LiteLLM has logged it all."""
        for last in (call_id, self._ask("Log this behind it.")[0]):
            wait_until(partial(self._is_booked, last), f"{last} was never logged")
        return [(what, cost) for booked, what, cost in self._lines() if booked == call_id]

    def settled(self) -> tuple[int, int]:
        """Bytes that are held and requests that are known, once they are none or after a while."""
        found = [(-1, -1)]

        def is_settled() -> bool:
            told = self._ask("What is left?")[1]
            found.append((told["held_bytes"], told["records"]))
            return found[-1] == (0, 0)

        wait_until(is_settled, f"something is left: {found[-1]}")
        return found[-1]

    def _ask(self, question: str) -> tuple[str, dict[str, int]]:
        answer = self.proxy.draw("state", question)
        told: dict[str, int] = json.loads(answer.json()["choices"][0]["message"]["content"])
        return answer.headers["x-litellm-call-id"], told

    @property
    def dumped(self) -> str:
        """All that log sinks have got."""
        path = self.folder / "dump.log"
        return path.read_text() if path.exists() else ""

    def _is_booked(self, call_id: str) -> bool:
        httpx.get(self.sandbox, trust_env=False, verify=NO_TLS)  # as long as this takes
        return any(booked == call_id for booked, *_ in self._lines())

    def _lines(self) -> list[list[Any]]:
        path = self.folder / "booked.log"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def running_script() -> Iterator[ScriptedUpstream]:
    scripted = ScriptedUpstream()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"] or 0))
            status, kind, said = scripted.next_reply(body)
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scripted.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def deployments_at(sandbox: str, scripted: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = [{"model_name": "state", "litellm_params": {"model": "probe/state"}}]
    for name, wire in WIRES.items():
        listed += [
            deployment(name, wire, sandbox),
            deployment(f"{name}-off", wire, sandbox, model_info=settings_of(bypass="off")),
            deployment(f"{name}-hasty", wire, sandbox, litellm_params={"timeout": 1}),
        ]
    at_script = {"api_base": scripted}
    foreign = {"model": "openai/gpt-image-1.5", "api_key": "k", "api_base": f"{sandbox}/v1"}
    listed += [
        deployment("forced", WIRES["openai"], sandbox, model_info=settings_of(bypass="force")),
        deployment("no-key", WIRES["openai"], sandbox, litellm_params={"api_key": None}),
        deployment("scripted", WIRES["openai"], "", litellm_params=at_script),
        deployment("to another", WIRES["openai"], "", litellm_params=at_script),
        deployment("to one without partial", WIRES["openai"], "", litellm_params=at_script),
        deployment("to foreign", WIRES["openai"], "", litellm_params=at_script),
        {"model_name": "foreign", "litellm_params": foreign},
        {"model_name": "foreign first", "litellm_params": {**foreign, **at_script}},
    ]
    return listed


FALLBACKS = {
    "to another": "openai",
    "to one without partial": "imagen",
    "to foreign": "foreign",
    "foreign first": "openai",
}


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """Two proxies beside each other, of which one has a guardrail behind the handler."""
    with ExitStack() as stack:
        enter = stack.enter_context
        sandbox, scripted = enter(running_sandbox()), enter(running_script())
        config: dict[str, Any] = {
            "model_list": deployments_at(sandbox, scripted.url),
            "router_settings": {
                "num_retries": 0,
                "disable_cooldowns": True,
                "fallbacks": [{name: [other]} for name, other in FALLBACKS.items()],
            },
            "general_settings": {"custom_auth": "probe.auth"},
            "litellm_settings": {
                "custom_provider_map": PROVIDERS,
                "callbacks": ["litellm_imagegen.callback", "probe.sink"],
                "enable_post_custom_auth_checks": True,
            },
        }
        guardrail = {"guardrail": "probe.Guard", "mode": "post_call", "default_on": True}
        guarded = {**config, "guardrails": [{"guardrail_name": "guard", "litellm_params": guardrail}]}
        folders = [tmp_path_factory.mktemp(name) for name in ("image-streams", "guarded")]
        for folder in folders:
            (folder / "probe.py").write_text(PROBE)
        starting = [
            running_proxy(given, folder) for given, folder in zip((config, guarded), folders, strict=True)
        ]
        with ThreadPoolExecutor(2) as both:
            plain, looked_at = both.map(enter, starting)
        yield Setup(plain, looked_at, sandbox, scripted, folders[0])


@pytest.fixture(scope="module")
def proxy(setup: Setup) -> Proxy:
    return setup.proxy


def size_of(model: str) -> tuple[int, int]:
    """What is asked of a deployment, by its name."""
    wire = model.partition("-")[0]
    return SIZES.get(wire, ORDINARY_SIZE)


@dataclass(frozen=True)
class Request:
    """A request for pictures, as JSON or as a form."""

    operation: str
    fields: Mapping[str, Any]
    files: Sequence[FormFile] | None = None

    @property
    def event(self) -> str:
        """What its events are named after."""
        return "image_generation" if self.operation == "generations" else "image_edit"

    def to(self, model: str, text: str = "A lighthouse", /, **more: Any) -> "Request":
        own = {"model": model, "prompt": text, "size": "{}x{}".format(*size_of(model))}
        return Request(self.operation, {**self.fields, **own, **more}, self.files)

    def sent(self, proxy: Proxy, **headers: str) -> httpx.Response:
        with self.opened(proxy, **headers) as response:
            response.read()
            return response

    def streamed(self, proxy: Proxy, **headers: str) -> Events:
        """The same as a stream; each event under its type, and nothing between them."""
        fields = {**self.fields, "stream": True if self.files is None else "true"}
        response = replace(self, fields=fields).sent(proxy, **headers)
        if response.status_code != 200:
            return Events(response.status_code, response.headers, [], response.content)
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-cache"
        assert {"content-length", "content-encoding"}.isdisjoint(response.headers)
        assert references.PREFIX not in response.content
        return Events(200, response.headers, list(events_of(response.text)), response.content)

    @contextmanager
    def opened(self, proxy: Proxy, **headers: str) -> Iterator[httpx.Response]:
        given: dict[str, Any] = {"json": self.fields}
        if self.files is not None:
            texts = {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in self.fields.items()
            }
            given = {"data": texts, "files": list(self.files)}
        spelled = {name.replace("_", "-"): value for name, value in headers.items()}
        with (
            httpx.Client(trust_env=False, verify=NO_TLS, timeout=60) as client,
            client.stream(
                "POST",
                f"{proxy.url}/v1/images/{self.operation}",
                headers={"authorization": f"Bearer {proxy.key}", **spelled},
                **given,
            ) as response,
        ):
            yield response


def events_of(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of a stream that ends with one of them."""
    *frames, rest = text.split("\n\n")
    assert rest == ""
    for frame in frames:
        name, data = frame.split("\n")
        event: dict[str, Any] = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        yield event["type"], event


GENERATION = Request("generations", {})
JSON_EDIT = Request("edits", {"images": [{"image_url": RED_URL}]})
FORM_EDIT = Request("edits", {}, [RED])
REQUESTS = {"generation": GENERATION, "JSON edit": JSON_EDIT, "form edit": FORM_EDIT}
# The pictures of a request are the same each time, of FLUX with a seed alone.
CASES = [*(("generation", name) for name in WIRES), ("JSON edit", "openai"), ("form edit", "openai")]


def wished(text: str) -> str:
    return f"A lighthouse [sandbox: {text}]"


def seen(event: Mapping[str, Any]) -> Seen:
    """The picture of an event, which is of the size and the format that the event tells."""
    picture = look_at(f"data:image/{event['output_format']};base64,{event['b64_json']}")
    assert event["size"] == "{}x{}".format(*picture.size)
    return picture


def as_events(request: Request, whole: httpx.Response) -> list[dict[str, Any]]:
    """What a whole answer is told by."""
    assert whole.status_code == 200, whole.text[:500]
    body = whole.json()
    settings = {name: body[name] or "auto" for name in ("background", "output_format", "quality", "size")}
    common = {"type": f"{request.event}.completed", "created_at": body["created"], **settings}
    details = {"text_tokens": 0, "image_tokens": 0}
    nothing = {"input_tokens": 0, "input_tokens_details": details, "output_tokens": 0, "total_tokens": 0}
    earlier = nothing if body.get("usage") else None  # a sum over all events counts nothing twice
    events = [{**common, "b64_json": item["b64_json"], "usage": earlier} for item in body["data"]]
    events[-1] |= {"usage": body.get("usage"), "provider_metadata": body["provider_metadata"]}
    return events


def without_times(events: Sequence[Mapping[str, Any]]) -> Any:
    return comparable([{**event, "created_at": "..."} for event in events])


# Events.


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_a_stream_tells_all_that_the_whole_answer_does(proxy: Proxy, kind: str, name: str) -> None:
    request = REQUESTS[kind].to(name, style="vivid", **dict(WIRES[name].seed))
    whole, streamed = request.sent(proxy), request.streamed(proxy)
    [event] = streamed.told
    assert streamed.names == [f"{request.event}.completed"]
    assert event.keys() == COMPLETED_FIELDS | {"provider_metadata"}
    assert without_times([event]) == without_times(as_events(request, whole))
    assert abs(event["created_at"] - whole.json()["created"]) < 60
    assert seen(event).size == size_of(name)
    [notice] = event["provider_metadata"]["imagegen"]["notices"]
    assert (notice["field"], notice["asked"]) == ("style", "vivid")
    for header in ("x-imagegen-notices", "x-litellm-response-cost", "x-litellm-model-group"):
        assert streamed.headers.get(header) == whole.headers.get(header)
    assert b"[DONE]" not in streamed.body


@pytest.mark.parametrize(
    ("kind", "count"), [*(("generation", count) for count in range(4)), ("JSON edit", 1), ("form edit", 2)]
)
def test_pictures_on_the_way_come_before_the_picture(proxy: Proxy, kind: str, count: int) -> None:
    request = REQUESTS[kind].to("openai", partial_images=count)
    streamed = request.streamed(proxy)
    *partial, event = streamed.told
    names = [f"{request.event}.partial_image"] * count
    assert streamed.names == [*names, f"{request.event}.completed"]
    assert [shown["partial_image_index"] for shown in partial] == list(range(count))
    for shown in partial:
        assert shown.keys() == COMPLETED_FIELDS - {"usage"} | {"partial_image_index"}
        assert abs(shown["created_at"] - event["created_at"]) < 60
    pictures = [seen(shown) for shown in (*partial, event)]
    assert {picture.size for picture in pictures} == {SIZES["openai"]}
    assert len({picture.sha256 for picture in pictures}) == count + 1
    [whole] = as_events(request, REQUESTS[kind].to("openai").sent(proxy))
    assert event["b64_json"] == whole["b64_json"]
    expected = whole["usage"]
    expected["output_tokens"] += count * PARTIAL_TOKENS
    expected["output_tokens_details"]["image_tokens"] += count * PARTIAL_TOKENS
    expected["total_tokens"] += count * PARTIAL_TOKENS
    assert event["usage"] == expected
    assert event["provider_metadata"]["imagegen"]["notices"] == []
    assert "x-imagegen-notices" not in streamed.headers


@pytest.mark.parametrize("name", ["gemini", "bfl", "imagen"])
def test_pictures_on_the_way_are_a_notice_where_a_model_has_none(proxy: Proxy, name: str) -> None:
    streamed = GENERATION.to(name, partial_images=2).streamed(proxy)
    assert streamed.names == ["image_generation.completed"]
    assert streamed.headers["x-imagegen-notices"] == "partial_images=unsupported"
    [notice] = streamed.told[0]["provider_metadata"]["imagegen"]["notices"]
    assert (notice["field"], notice["asked"], notice["used"]) == ("partial_images", 2, None)


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_each_of_n_pictures_has_its_event_and_the_last_tells_of_all(
    proxy: Proxy, kind: str, name: str
) -> None:
    request = REQUESTS[kind].to(name, n=2, **dict(WIRES[name].seed))
    whole, streamed = request.sent(proxy), request.streamed(proxy)
    assert streamed.names == [f"{request.event}.completed"] * 2
    assert without_times(streamed.told) == without_times(as_events(request, whole))
    pictures = [seen(event).sha256 for event in streamed.told]
    assert len(set(pictures)) == (1 if name == "gemini" else 2), "two calls without a seed give the same here"
    assert len(streamed.told[-1]["provider_metadata"]["imagegen"]["images"]) == 2


def test_there_are_no_pictures_on_the_way_to_several_and_that_is_told(proxy: Proxy) -> None:
    streamed = GENERATION.to("openai", n=2, partial_images=2).streamed(proxy)
    assert streamed.names == ["image_generation.completed"] * 2
    assert streamed.headers["x-imagegen-notices"] == "partial_images=unsupported"
    assert streamed.told[-1]["usage"]["output_tokens"] == 2 * PICTURE_TOKENS


@pytest.mark.parametrize(
    "request_",
    [
        GENERATION.to("openai", stream=False),
        JSON_EDIT.to("openai", stream=False),
        FORM_EDIT.to("openai", stream="false"),
        GENERATION.to("openai", stream=None),
    ],
    ids=["generation", "JSON edit", "form edit", "null"],
)
def test_what_is_not_to_be_streamed_is_whole(proxy: Proxy, request_: Request) -> None:
    answer = request_.sent(proxy)
    assert answer.headers["content-type"] == "application/json"
    [event] = as_events(request_, answer)
    seen(event)


def test_streams_at_the_same_time_get_their_own_pictures(proxy: Proxy) -> None:
    requests = [GENERATION.to("openai", f"Boat number {number}", partial_images=1) for number in range(4)]

    def pictures(request: Request) -> list[str]:
        return [seen(event).sha256 for event in request.streamed(proxy).told]

    alone = [pictures(request) for request in requests]
    assert len({sha256 for shown in alone for sha256 in shown}) == 8
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(pictures, requests)) == alone


@pytest.fixture(scope="module")
def client(proxy: Proxy) -> Iterator[openai.OpenAI]:
    """The official client."""
    with (
        httpx.Client(trust_env=False, timeout=60, verify=NO_TLS) as transport,
        openai.OpenAI(
            api_key=proxy.key, base_url=f"{proxy.url}/v1", max_retries=0, http_client=transport
        ) as made,
    ):
        yield made


def test_the_official_client_reads_the_events(client: openai.OpenAI) -> None:
    with client.images.generate(
        model="openai",
        prompt="A lighthouse",
        size="1024x640",
        stream=True,
        partial_images=1,
    ) as generation:
        events: list[Any] = list(generation)
    assert [event.type for event in events] == [
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert events[0].partial_image_index == 0
    assert events[1].usage.total_tokens == 3 + PICTURE_TOKENS + PARTIAL_TOKENS
    picture = ("a.png", RED[1][1])
    with client.images.edit(model="openai", prompt="x", image=picture, stream=True, partial_images=1) as edit:
        assert [event.type for event in edit] == ["image_edit.partial_image", "image_edit.completed"]


def test_the_official_client_raises_errors_before_and_on_the_way(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError):
        client.images.generate(model="openai", prompt=wished("429"), stream=True)
    with client.images.generate(
        model="openai", prompt=wished("error mid-stream"), stream=True, partial_images=1
    ) as events:
        assert next(events).type == "image_generation.partial_image"
        with pytest.raises(openai.APIError, match="overloaded"):
            next(events)


# Errors.

BEFORE = [
    ("openai", "400", 400),
    ("openai", "401", 401),
    ("openai", "402", 402),
    ("openai", "403", 403),
    ("openai", "404", 404),
    ("openai", "429 after 17", 429),
    ("openai", "500", 500),
    ("openai", "503", 503),
    ("openai", "not json", 502),
    ("openai", "refuse prompt", 400),
    ("imagen", "refuse picture", 400),
    ("gemini", "words only", 422),
    ("bfl", "job failed", 500),
    ("openai-hasty", "slow 60", 408),
    ("bfl-hasty", "never ready", 408),
    ("no-key", "400", 401),
]
BEFORE_EDITS = [("openai", "429 after 17", 429), ("openai", "500", 500), ("openai", "refuse prompt", 400)]


@pytest.mark.parametrize(
    ("kind", "cases"), [("generation", BEFORE), ("JSON edit", BEFORE_EDITS), ("form edit", BEFORE_EDITS)]
)
def test_an_error_before_the_first_event_is_that_of_a_whole_answer(
    proxy: Proxy, kind: str, cases: list[tuple[str, str, int]]
) -> None:
    def both(case: tuple[str, str, int]) -> tuple[httpx.Response, Events]:
        request = REQUESTS[kind].to(case[0], wished(case[1]), partial_images=0)
        return request.sent(proxy), request.streamed(proxy)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(both, cases))
    for (_, wish, status), (whole, streamed) in zip(cases, answers, strict=True):
        assert (wish, whole.status_code, streamed.status) == (wish, status, status)
        assert streamed.headers["content-type"] == "application/json"
        assert (wish, streamed.error) == (wish, whole.json()["error"])
        assert int(streamed.headers["content-length"]) == len(streamed.body)
        assert streamed.headers.get("retry-after") == whole.headers.get("retry-after")


@pytest.mark.parametrize("fields", [{"n": 0}, {"size": "big"}, {"partial_images": 4}], ids=str)
def test_a_bad_parameter_is_a_400_that_names_it(proxy: Proxy, fields: dict[str, Any]) -> None:
    streamed = GENERATION.to("openai", **fields).streamed(proxy)
    assert (streamed.status, streamed.error["param"]) == (400, next(iter(fields)))


@dataclass(frozen=True)
class Trouble:
    """What goes wrong after so many pictures on the way, and what is said about it."""

    wish: str
    status: int
    words: str
    model: str = "openai"
    pictures: int = 2


ON_THE_WAY = [
    Trouble("error mid-stream", 503, "overloaded"),
    Trouble("refuse picture", 400, "refused the picture"),
    Trouble("cut off", 502, "the reply was cut off"),
    Trouble("stall 60", 408, "within the deadline of 1 s", model="openai-hasty", pictures=1),
]


@pytest.mark.parametrize(
    ("kind", "trouble"),
    [
        *(("generation", trouble) for trouble in ON_THE_WAY),
        ("JSON edit", ON_THE_WAY[0]),
        ("form edit", ON_THE_WAY[2]),
    ],
)
def test_an_error_on_the_way_is_the_last_event(proxy: Proxy, kind: str, trouble: Trouble) -> None:
    request = REQUESTS[kind].to(trouble.model, wished(trouble.wish), partial_images=2)
    streamed = request.streamed(proxy)
    *partial, last_name = streamed.names
    assert (set(partial), last_name) == ({f"{request.event}.partial_image"}, "error")
    # Where a connection breaks it is chance how much of what came before is read.
    assert len(partial) == trouble.pictures or (trouble.wish == "cut off" and len(partial) < trouble.pictures)
    assert streamed.error["code"] == str(trouble.status)
    assert trouble.words in streamed.error["message"]
    last = streamed.told[-1]
    for name in ("code", "message", "param"):
        assert last[name] == streamed.error[name], "clients look for it in either place"


# What LiteLLM notes: logs, spend, limits.


def new_id() -> str:
    return str(uuid.uuid4())


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_a_streamed_picture_is_logged_once_with_its_cost(setup: Setup, kind: str, name: str) -> None:
    streamed_id, whole_id = new_id(), new_id()
    request = REQUESTS[kind].to(name)
    streamed = request.streamed(setup.proxy, x_litellm_call_id=streamed_id)
    whole = request.sent(setup.proxy, x_litellm_call_id=whole_id)
    cost = float(whole.headers["x-litellm-response-cost"])
    assert streamed.headers["x-litellm-call-id"] == streamed_id
    for call_id in (streamed_id, whole_id):
        assert setup.booked(call_id) == [("success", pytest.approx(cost, abs=1e-9, rel=0))]


@pytest.mark.parametrize("name", ["openai", "openai-off"])
def test_pictures_on_the_way_are_logged_with_what_they_cost(setup: Setup, name: str) -> None:
    call_id = new_id()
    streamed = GENERATION.to(name, partial_images=2).streamed(setup.proxy, x_litellm_call_id=call_id)
    assert streamed.headers["x-litellm-call-id"] == call_id
    cost = PICTURE_COST + 2 * PARTIAL_TOKENS * TOKEN_COST
    assert setup.booked(call_id) == [("success", pytest.approx(cost, abs=1e-9, rel=0))]


@pytest.mark.parametrize(
    ("kind", "wish"),
    [
        ("generation", "500"),
        ("generation", "error mid-stream"),
        ("JSON edit", "cut off"),
        ("form edit", "refuse prompt"),
        ("form edit", "error mid-stream"),
    ],
)
def test_an_error_is_logged_once(setup: Setup, kind: str, wish: str) -> None:
    call_id = new_id()
    request = REQUESTS[kind].to("openai", wished(wish), partial_images=1)
    assert request.streamed(setup.proxy, x_litellm_call_id=call_id).error
    assert setup.booked(call_id) == [("failure", None)]


def test_no_sink_sees_a_picture(setup: Setup) -> None:
    seen_before = len(setup.dumped)
    for name in ("openai", "openai-off"):
        for request in REQUESTS.values():
            for wish in ("big 0.01", "error mid-stream"):
                call_id = new_id()
                asked = request.to(name, wished(wish), partial_images=1)
                asked.streamed(setup.proxy, x_litellm_call_id=call_id)
                assert setup.booked(call_id)
    dumped = setup.dumped[seen_before:]
    kinds = {json.loads(line)[0] for line in dumped.splitlines()}
    assert {"success", "payload", "failure", "hook failure"} <= kinds
    for name, text in (("a sink", dumped), ("the proxy's log", setup.proxy.log)):
        found = RUN.search(text)
        assert found is None, f"{name} saw base64: {text[found.start() - 300 : found.start() + 100]}"
    assert references.TEXT_PREFIX not in dumped, "a sink saw a reference in a picture's place"


def limited(name: str) -> str:
    """A key of its own, for one request at a time."""
    return f"Bearer sk-limited-{name}-{uuid.uuid4().hex}"


def chatted(proxy: Proxy, **headers: str) -> bool:
    messages = [{"role": "user", "content": "A lighthouse"}]
    return proxy.stream({"model": "imagen", "messages": messages}, **headers).done


def responded(proxy: Proxy, **headers: str) -> bool:
    body = {"model": "imagen", "input": "A lighthouse", "stream": True}
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{proxy.url}/v1/responses"
    answer = httpx.post(url, json=body, headers=spelled, timeout=60, trust_env=False, verify=NO_TLS)
    return "event: response.completed\n" in answer.text


def generated(proxy: Proxy, **headers: str) -> bool:
    return GENERATION.to("openai").streamed(proxy, **headers).names == ["image_generation.completed"]


def edited(proxy: Proxy, **headers: str) -> bool:
    return FORM_EDIT.to("openai").streamed(proxy, **headers).names == ["image_edit.completed"]


@pytest.mark.parametrize("works", [generated, edited, chatted, responded])
def test_a_key_for_one_request_at_a_time_streams_several_in_a_row(
    setup: Setup, works: Callable[..., bool]
) -> None:
    key = limited("rich")
    for _ in range(3):
        call_id = new_id()
        assert works(setup.proxy, authorization=key, x_litellm_call_id=call_id)
        if works in (
            chatted,
            responded,
        ):  # of a stream of its own LiteLLM frees the key when it has logged it
            setup.booked(call_id)


@pytest.mark.parametrize(
    ("kind", "wish"), [("generation", "500"), ("generation", "error mid-stream"), ("form edit", "cut off")]
)
def test_a_key_for_one_request_at_a_time_is_free_after_an_error(proxy: Proxy, kind: str, wish: str) -> None:
    key = limited("rich")
    for _ in range(2):
        broken = REQUESTS[kind].to("openai", wished(wish), partial_images=1)
        assert broken.streamed(proxy, authorization=key).error["code"] in ("500", "502", "503")
    streamed = REQUESTS[kind].to("openai").streamed(proxy, authorization=key)
    assert streamed.names == [f"{REQUESTS[kind].event}.completed"]


def test_a_budget_is_spent_by_what_each_picture_costs(setup: Setup) -> None:
    """The third picture goes beyond it, so that a fourth is not drawn."""
    key = limited("poor")
    names: list[str] = []
    for _ in range(3):
        call_id = new_id()
        streamed = GENERATION.to("openai").streamed(setup.proxy, authorization=key, x_litellm_call_id=call_id)
        names += streamed.names
        setup.booked(call_id)
    assert names == ["image_generation.completed"] * 3
    refused = GENERATION.to("openai").streamed(setup.proxy, authorization=key)
    assert "budget" in refused.error["message"].lower()


# A client that hangs up.


@contextmanager
def listening(setup: Setup, request: Request, authorization: str = "") -> Iterator[str]:
    """A client that goes at the end of the block, until the call has ended; the call's id.

    Where it asks for pictures on the way it has got the first one. LiteLLM may try twice more.
    """
    call_id = new_id()
    content = json.dumps({**request.fields, "stream": True, "num_retries": 2}).encode()
    address = urlsplit(setup.proxy.url)
    head = (
        f"POST /v1/images/{request.operation} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: {authorization or f'Bearer {setup.proxy.key}'}\r\nx-litellm-call-id: {call_id}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    wait_until(lambda: open_requests(setup.sandbox) == 0, "an earlier test has left a request open")
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=60) as client:
        client.sendall(head.encode() + content)
        read = b"" if request.fields.get("partial_images") else b"partial_image_index"
        while b"partial_image_index" not in read:
            piece = client.recv(65536)
            assert piece, read[-500:]
            read += piece
        wait_until(lambda: open_requests(setup.sandbox) > 0, "nobody was asked for the picture")
        yield call_id
    wait_until(lambda: open_requests(setup.sandbox) == 0, "the picture was still drawn")


@pytest.mark.parametrize(
    ("kind", "name", "wish", "count"),
    [
        ("generation", "openai", "slow 600", 0),
        ("generation", "gemini", "stall 600", 0),
        ("generation", "openai", "stall 600", 1),
        ("JSON edit", "openai", "slow 600", 0),
        ("JSON edit", "openai", "stall 600", 1),
    ],
)
def test_a_client_that_hangs_up_ends_the_call(
    setup: Setup, kind: str, name: str, wish: str, count: int
) -> None:
    key = limited("rich")
    ordinary = REQUESTS[kind].to("openai")
    request = REQUESTS[kind].to(name, wished(wish), partial_images=count)
    with listening(setup, request, key) as call_id:
        assert ordinary.streamed(setup.proxy, authorization=key).status == 429, "the only slot is taken"
    assert setup.booked(call_id) == [("failure", None)]
    assert setup.settled() == (0, 0)
    assert ordinary.streamed(setup.proxy, authorization=key).status == 200, "and free again"


@pytest.mark.parametrize("kind", ["generation", "JSON edit"])
def test_a_client_that_hangs_up_ends_the_wait_for_a_job(setup: Setup, kind: str) -> None:
    before = counts_of(setup.sandbox)
    request = REQUESTS[kind].to("bfl", wished("never ready; poll slow 600"))
    with listening(setup, request):
        wait_until(lambda: counts_of(setup.sandbox)["polls"] > before["polls"], "the job was never asked for")
    assert setup.settled() == (0, 0)
    after = counts_of(setup.sandbox)
    assert (after["submits"] - before["submits"], after["polls"] - before["polls"]) == (1, 1)


# LiteLLM's router.

BROKEN = {"error": {"message": "It broke.", "type": "server_error", "param": None, "code": None}}
SMALL = data_url("teal", (64, 48)).partition(",")[2]
PARTIAL = {
    "type": "image_generation.partial_image",
    "partial_image_index": 0,
    "b64_json": data_url("gray", (64, 48)).partition(",")[2],
}
COMPLETED = {"type": "image_generation.completed", "b64_json": SMALL, "created_at": 7, "output_format": "png"}
BROKEN_EVENT = {"type": "error", **BROKEN}


def script(setup: Setup, *replies: tuple[int, Any]) -> None:
    setup.scripted.replies[:] = replies
    setup.scripted.bodies.clear()


def test_a_retry_gives_events(setup: Setup) -> None:
    script(setup, (500, BROKEN), (200, [PARTIAL, COMPLETED]))
    call_id = new_id()
    request = GENERATION.to("scripted", partial_images=1, num_retries=1)
    streamed = request.streamed(setup.proxy, x_litellm_call_id=call_id)
    assert streamed.names == ["image_generation.partial_image", "image_generation.completed"]
    assert streamed.told[-1]["b64_json"] == SMALL
    assert len(setup.scripted.bodies) == 2
    assert [what for what, _ in setup.booked(call_id)].count("success") == 1


def test_a_retry_after_a_picture_on_the_way_goes_on_in_the_same_stream(setup: Setup) -> None:
    script(setup, (200, [PARTIAL, BROKEN_EVENT]), (200, [PARTIAL, COMPLETED]))
    streamed = GENERATION.to("scripted", partial_images=1, num_retries=1).streamed(setup.proxy)
    assert streamed.names == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    assert all(json.loads(body)["stream"] is True for body in setup.scripted.bodies)


def test_retries_that_all_fail_give_one_error(setup: Setup) -> None:
    script(setup, (200, [PARTIAL, BROKEN_EVENT]), (200, [PARTIAL, BROKEN_EVENT]))
    streamed = GENERATION.to("scripted", partial_images=1, num_retries=1).streamed(setup.proxy)
    assert streamed.names == ["image_generation.partial_image"] * 2 + ["error"]


@pytest.mark.parametrize("kind", ["generation", "form edit"])
def test_a_fallback_gives_events(setup: Setup, kind: str) -> None:
    script(setup, (500, BROKEN))
    streamed = REQUESTS[kind].to("to another", partial_images=1).streamed(setup.proxy)
    event = REQUESTS[kind].event
    assert streamed.names == [f"{event}.partial_image", f"{event}.completed"]
    seen(streamed.told[-1])


def test_a_fallback_after_a_picture_on_the_way_goes_on_in_the_same_stream(setup: Setup) -> None:
    script(setup, (200, [PARTIAL, BROKEN_EVENT]))
    call_id = new_id()
    request = GENERATION.to("to one without partial", partial_images=1)
    streamed = request.streamed(setup.proxy, x_litellm_call_id=call_id)
    assert streamed.names == ["image_generation.partial_image", "image_generation.completed"]
    assert streamed.told[-1]["provider_metadata"]["imagegen"]["model"] == "imagen-4.0-generate-001"
    [notice] = streamed.told[-1]["provider_metadata"]["imagegen"]["notices"]
    assert notice["field"] == "partial_images"
    successes = [cost for what, cost in setup.booked(call_id) if what == "success"]
    assert successes == [pytest.approx(0.04, abs=1e-9, rel=0)]


@pytest.mark.parametrize("kind", ["generation", "form edit"])  # LiteLLM's own provider takes no JSON edits
def test_a_fallback_to_a_foreign_model_gives_events(setup: Setup, kind: str) -> None:
    script(setup, (500, BROKEN))
    call_id = new_id()
    streamed = REQUESTS[kind].to("to foreign").streamed(setup.proxy, x_litellm_call_id=call_id)
    assert streamed.names == [f"{REQUESTS[kind].event}.completed"]
    [event] = streamed.told
    assert event.keys() >= COMPLETED_FIELDS
    assert event["usage"]["output_tokens"] > 0
    seen(event)
    successes = [cost for what, cost in setup.booked(call_id) if what == "success"]
    assert len(successes) == 1


def test_a_fallback_from_a_foreign_model_gives_events(setup: Setup) -> None:
    script(setup, (400, BROKEN))
    streamed = GENERATION.to("foreign first", partial_images=1).streamed(setup.proxy)
    assert streamed.names == ["image_generation.partial_image", "image_generation.completed"]


# Pictures that pass LiteLLM by, and those that somebody looks at.


@pytest.mark.parametrize(("kind", "count"), [("generation", 0), ("generation", 2), ("JSON edit", 1)])
def test_a_stream_is_the_same_whichever_way_its_pictures_go(proxy: Proxy, kind: str, count: int) -> None:
    given: dict[str, Any] = {"style": "vivid", "n": 1 if count else 2, "partial_images": count}
    own, litellms = (REQUESTS[kind].to(name, **given).streamed(proxy) for name in ("openai", "openai-off"))
    assert without_times(own.told) == without_times(litellms.told)
    assert sorted(own.headers) == sorted(litellms.headers)


def looked_at(setup: Setup) -> list[str]:
    path = setup.guarded.log_path.parent / "seen.log"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("kind", ["generation", "form edit"])
def test_a_guardrail_sees_the_picture_before_the_client_sees_anything(setup: Setup, kind: str) -> None:
    before = len(looked_at(setup))
    streamed = REQUESTS[kind].to("openai", partial_images=2).streamed(setup.guarded)
    assert streamed.names == [f"{REQUESTS[kind].event}.completed"]
    [shown] = looked_at(setup)[before:]
    assert streamed.told[0]["b64_json"] in shown
    blocked = REQUESTS[kind].to("openai", "A lighthouse [block]", partial_images=2).streamed(setup.guarded)
    assert blocked.status == 400
    assert "blocked after the handler" in blocked.error["message"]
    assert len(looked_at(setup)) == before + 2


def test_force_shows_pictures_on_the_way_and_hides_the_picture_from_a_guardrail(setup: Setup) -> None:
    before = len(looked_at(setup))
    streamed = GENERATION.to("forced", partial_images=1).streamed(setup.guarded)
    assert streamed.names == ["image_generation.partial_image", "image_generation.completed"]
    [shown] = looked_at(setup)[before:]
    assert seen(streamed.told[-1]).sha256
    assert streamed.told[-1]["b64_json"] not in shown
    blocked = GENERATION.to("forced", "A lighthouse [block]", partial_images=1).streamed(setup.guarded)
    assert blocked.names == ["image_generation.partial_image", "error"]
    assert "blocked after the handler" in blocked.error["message"]
