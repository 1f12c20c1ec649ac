"""A proxy with LiteLLM's own deployments alone, without the line that adopts them and with it.

Both proxies have one config and call one simulated provider that keeps what it is sent. The table of
docs/adopt.md says what the first test has seen; `make adopt` writes it anew.
"""

import base64
import io
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from PIL import Image

from litellm_imagegen.sandbox.app import create_app
from tests.pictures import data_url
from tests.proxy.support import NO_TLS, OUR_CALLBACK, Proxy, running_proxy
from tests.proxy.test_fallbacks import Message, Provider, running_provider
from tests.proxy.test_jobs import wait_until

PAGE = Path(__file__).parents[2] / "docs" / "adopt.md"
IS_WRITTEN = "IMAGEGEN_WRITE_ADOPT" in os.environ
HEAD = "| model | endpoint | the request has | LiteLLM 1.106 without the line | with it |"
IS_THAT_LITELLM = version("litellm").startswith("1.106.")
HELPERS = '''
import json
import litellm
from litellm.integrations.custom_logger import CustomLogger

class Helper(CustomLogger):
    """Writes down what LiteLLM gives to log sinks; a call of the model "settings" is a change of ours."""

    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        if data.get("model") == "settings":
            litellm.imagegen_settings = json.loads(data["messages"][0]["content"])

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        with open("payloads.log", "a") as log:
            payload = {"call": kwargs["litellm_call_id"], **kwargs["standard_logging_object"]}
            log.write(json.dumps(payload, default=str) + "\\n")

    async_log_failure_event = async_log_success_event

helper = Helper()
'''
CHAT, RESPONSES, GENERATIONS, EDITS = PATHS = (
    "chat/completions",
    "responses",
    "images/generations",
    "images/edits",
)
PROMPT = "A red fox"
GIVEN = data_url("teal")
NANO = "gemini/gemini-3-pro-image"
MODELS = {
    "nano": NANO,
    "flash": "gemini/gemini-2.5-flash-image",
    "gemini/*": "gemini/*",
    "vertex": "vertex_ai/gemini-3-pro-image",
    "flux": "black_forest_labs/flux-2-pro",
    "gpt": "openai/gpt-image-2",
    "azure": "azure/gpt-image-2",
    "gpt-5": "openai/gpt-5",
    "openrouter": "openrouter/google/gemini-3-pro-image",
    "vercel": "vercel_ai_gateway/google/gemini-3-pro-image",
    "helicone": "helicone/gemini-3-pro-image/google-ai-studio",
    "gateway": "openai/google/gemini-3-pro-image",
    "text": "openai/gpt-4o",
    "embeddings": "openai/text-embedding-3-small",
    "settings": "openai/gpt-4o",
    "priced-gpt": "openai/gpt-image-2",
    **dict.fromkeys(("strict", "left", "kept", "own-key", "first", "priced", "named"), NANO),
}
# Where the simulated provider has each wire. At /openai/v1 it has OpenAI's Images API alone.
BASES = {
    "gemini": "/v1beta",
    "vertex_ai": "/v1",
    "black_forest_labs": "",
    "openai": "/openai/v1",
    "azure": "",
    "openrouter": "/api/v1",
    "vercel_ai_gateway": "/v1",
    "helicone": "/v1",
}
TOKEN = "a-token-of-googles"
# Tokens of a picture of 1K or 2K of NANO that was asked for with PROMPT, and what they cost (USD).
INPUT, THOUGHTS, WORDS, PICTURE = 3, 180, 14, 1120
PRICE = (INPUT * 2 + (THOUGHTS + WORDS) * 12 + PICTURE * 120) / 1e6


@dataclass(frozen=True)
class Call:
    """One request to a provider."""

    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Upstream:
    """An ASGI application: the sandbox, a text model at /text, Google's tokens at /token. `calls` came."""

    app: Any = field(default_factory=create_app)
    calls: list[Call] = field(default_factory=list)

    async def __call__(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        first = await receive()
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        call = Call(scope["path"], scope["query_string"].decode(), headers, first.get("body", b""))
        if call.path == "/token":
            await _reply(send, {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
            return
        if scope["method"] == "POST":
            self.calls.append(call)
        if call.path.startswith("/text/"):
            await _say(call, send)
            return
        given = [first]

        async def read() -> Any:
            return given.pop() if given else await receive()

        await self.app(scope, read, send)


async def _say(call: Call, send: Callable[..., Any]) -> None:
    """What a text model, or one of embeddings, answers in OpenAI's language."""
    sent = json.loads(call.body or b"{}")
    if call.path.endswith("/embeddings"):
        data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        await _reply(send, {"object": "list", "model": sent["model"], "data": data, "usage": usage})
        return
    if call.path.endswith("/responses"):
        content = [{"type": "output_text", "text": "just words", "annotations": []}]
        item = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant"}
        usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
        whole = {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "status": "completed",
            "model": "gpt-4o",
            "output": [{**item, "content": content}],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": usage,
        }
        delta = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "just words"}
        events = [
            {"type": "response.created", "response": {**whole, "output": [], "usage": None}},
            {"type": "response.output_text.delta", **delta},
            {"type": "response.completed", "response": whole},
        ]
    else:
        message = {"role": "assistant", "content": "just words"}
        usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
        whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o"}
        chunk = {**whole, "object": "chat.completion.chunk"}
        whole |= {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
        events = [
            {**chunk, "choices": [{"index": 0, "delta": message, "finish_reason": None}]},
            {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage},
        ]
    if not sent.get("stream"):
        await _reply(send, whole)
        return
    frames = [f"data: {json.dumps(event)}\n\n" for event in events]
    await _reply(send, "".join(frames) + "data: [DONE]\n\n")


async def _reply(send: Callable[..., Any], body: Any) -> None:
    kind = b"text/event-stream" if isinstance(body, str) else b"application/json"
    whole = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(whole)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": whole})


@dataclass(frozen=True)
class Side:
    """One of the two proxies, and its folder."""

    proxy: Proxy
    folder: Path
    upstream: Upstream

    def ask(
        self, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """The answer to a request, without a body to a GET. `upstream.calls` are those it has led to."""
        self.upstream.calls.clear()
        return httpx.request(
            "GET" if body is None else "POST",
            f"{self.proxy.url}/{path}",
            json=body,
            headers={"authorization": f"Bearer {self.proxy.key}", **(headers or {})},
            timeout=60,
            trust_env=False,
            verify=NO_TLS,
        )

    def draw(self, path: str, model: str, prompt: str = PROMPT, **fields: Any) -> httpx.Response:
        """A picture of `prompt` on one of our endpoints; an edit is one of a picture."""
        given: dict[str, Any] = {"prompt": prompt}
        if path == CHAT:
            given = {"messages": [{"role": "user", "content": prompt}]}
        elif path == RESPONSES:
            given = {"input": prompt}
        elif path == EDITS:
            given["images"] = [{"image_url": GIVEN}]
        return self.ask(f"v1/{path}", {"model": model, **given, **fields})

    def logged(self, answer: httpx.Response) -> dict[str, Any]:
        """What LiteLLM's log sinks get of the call that an answer came from, the last one of several."""
        log, call = self.folder / "payloads.log", answer.headers["x-litellm-call-id"]

        def payloads() -> list[dict[str, Any]]:
            self.ask("health/liveliness", None)  # LiteLLM logs meanwhile
            lines = log.read_text().splitlines(keepends=True) if log.exists() else []
            whole = [json.loads(line) for line in lines if line.endswith("\n")]
            return [payload for payload in whole if payload["call"] == call]

        wanted = "success" if answer.is_success else "failure"
        wait_until(lambda: any(one["status"] == wanted for one in payloads()), f"no {wanted} was logged")
        return [one for one in payloads() if one["status"] == wanted][-1]

    def health(self, model: str) -> dict[str, Any]:
        """LiteLLM's health checks of a model."""
        told: dict[str, Any] = self.ask(f"health?model={model}", None).json()
        return told

    @contextmanager
    def settings(self, **imagegen: Any) -> Iterator[None]:
        """Other `imagegen_settings` for as long as the block lasts."""
        assert self.ask("v1/chat/completions", _for_helper(imagegen)).status_code == 200
        try:
            yield
        finally:
            assert self.ask("v1/chat/completions", _for_helper({})).status_code == 200


def _for_helper(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"model": "settings", "messages": [{"role": "user", "content": json.dumps(settings)}]}


@dataclass(frozen=True)
class Pair:
    """A proxy without our line, one with it, and the provider of both."""

    without: Side
    adopting: Side
    provider: Provider

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.without, self.adopting


def operators_key(name: str) -> str:
    """The key of a deployment."""
    return f"operators-key-of-{name}"


def deployments(url: str) -> list[dict[str, Any]]:
    """What an operator of LiteLLM has: image models of LiteLLM's own providers, and others among them."""
    more: dict[str, dict[str, Any]] = {
        "nano": {"tags": ["of-the-config"]},
        "azure": {"api_version": "2025-04-01-preview"},
        "priced": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002},
        "priced-gpt": {"input_cost_per_token": 0.001, "output_cost_per_image_token": 0.002},
        "named": {
            "api_key": None,
            "litellm_credential_name": "named",
            "extra_headers": {"x-operators": "1"},
        },
        "own-key": {"configurable_clientside_auth_params": ["api_key"]},
        "vertex": {"api_key": None, "vertex_credentials": service_account(f"{url}/token")},
        "gateway": {"api_base": "https://openrouter.ai/api/v1"},
        "gpt-5": {"api_base": f"{url}/v1"},
        **{name: {"api_base": f"{url}/text/v1"} for name in ("text", "settings", "embeddings")},
    }
    ours = {"strict": {"policy": "strict"}, "left": {"adopt": False}, "kept": {"adopt": True}}
    return [
        {
            "model_name": name,
            "litellm_params": {
                "model": model,
                "api_key": operators_key(name),
                "api_base": url + BASES[model.partition("/")[0]],
                **more.get(name, {}),
            },
            "model_info": {"id": f"the {name}", **({"imagegen": ours[name]} if name in ours else {})},
        }
        for name, model in MODELS.items()
    ]


def service_account(token_url: str) -> str:
    """Credentials of a Google project, whose tokens come from `token_url`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "own-project",
            "client_email": "painter@own-project.iam.gserviceaccount.com",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "token_uri": token_url,
        }
    )


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with running_provider() as provider, ExitStack() as stack:
        provider.app = upstream = Upstream()
        listed = deployments(provider.url)

        def started(folder: Path, callbacks: list[str]) -> Side:
            (folder / "helpers.py").write_text(HELPERS)
            config = {
                "model_list": listed,
                "credential_list": [
                    {
                        "credential_name": "named",
                        "credential_values": {"api_key": operators_key("named")},
                        "credential_info": {},
                    }
                ],
                "litellm_settings": {"callbacks": callbacks},
                "router_settings": {
                    "num_retries": 0,
                    "disable_cooldowns": True,
                    "fallbacks": [{"first": ["gpt"]}],
                },
            }
            # LiteLLM shows its log sinks the keys of what it answers itself.
            proxy = stack.enter_context(running_proxy(config, folder, recorded=False))
            return Side(proxy, folder, upstream)

        folders = [tmp_path_factory.mktemp(name) for name in ("without", "adopting")]
        callbacks = (["helpers.helper"], ["helpers.helper", OUR_CALLBACK])
        with ThreadPoolExecutor() as threads:  # each takes seconds to start
            without, adopting = threads.map(started, folders, callbacks)
        yield Pair(without, adopting, provider)


# What the table tells.


class Case(NamedTuple):
    """A request that lost something or failed, and what it gives without the line and with it."""

    deployment: str
    path: str
    fields: dict[str, Any]
    without: str
    adopted: str
    prompt: str = PROMPT


CHOICE, CALL = "`choices[0].message.images`: ", "`image_generation_call`: "
TWO_CHOICES = "`choices[0].message.images`: {0}; `choices[1].message.images`: {0}"
IN_GOOGLES_FORM = {"generationConfig": {"imageConfig": {"aspectRatio": "16:9", "imageSize": "1K"}}}
IN_OPENROUTERS_FORM = {"image_config": {"aspect_ratio": "16:9", "image_size": "1K"}}
TOO_LARGE = {"image_config": {"aspect_ratio": "16:9", "image_size": "2K"}}
TOOL = {"tools": [{"type": "image_generation", "size": "1376x768"}]}
WIDE = {"size": "1376x768"}
NOT_FOUND = "404: Not Found"
UNMAPPED = "400: Unmapped LLM provider for this endpoint"
NO_CANDIDATES = "400: generation_config.candidate_count: Is out of range: 2; it takes 1 to 1"
NO_QUALITY = "quality: 'high' is not allowed; allowed: leaving it out (gemini-3-pro-image has no such field)"
REFUSED = (
    "gemini: refused the answer: IMAGE_SAFETY: The picture was made but cannot be shown, as it may go "
    "against the rules for generated pictures"
)
IS_REFUSED = f"{PROMPT} [sandbox: refuse picture]"
CASES = [
    Case("nano", CHAT, WIDE, f"{CHOICE}1024x1024", f"{CHOICE}1376x768"),
    Case(
        "nano", CHAT, {"aspect_ratio": "16:9", "image_size": "1K"}, f"{CHOICE}1024x1024", f"{CHOICE}1376x768"
    ),
    Case("nano", CHAT, IN_GOOGLES_FORM, f"{CHOICE}1024x1024", f"{CHOICE}1376x768"),
    Case("nano", CHAT, TOOL, f"{CHOICE}1024x1024", f"{CHOICE}1376x768"),
    Case("nano", CHAT, {"n": 2}, NO_CANDIDATES, TWO_CHOICES.format("1024x1024")),
    Case("nano", CHAT, {"stream": True, **WIDE}, "`delta.images`: 1024x1024", "`delta.images`: 1376x768"),
    Case(
        "nano",
        CHAT,
        {"quality": "high"},
        f"{CHOICE}1024x1024",
        f"{CHOICE}1024x1024; notices: quality=unsupported",
    ),
    Case("strict", CHAT, {"quality": "high"}, f"{CHOICE}1024x1024", f"400: {NO_QUALITY}"),
    Case("nano", RESPONSES, TOOL, f"{CALL}1024x1024", f"words; {CALL}1376x768"),
    Case(
        "nano",
        GENERATIONS,
        {"n": 2, "quality": "high"},
        "400: Setting `quality` is not supported by gemini, gemini-3-pro-image",
        "`data`: 1024x1024, 1024x1024; notices: quality=unsupported",
    ),
    Case(
        "nano",
        GENERATIONS,
        {"stream": True},
        "`data`: 1024x1024",
        "`image_generation.completed`: 1024x1024",
    ),
    Case(
        "nano",
        GENERATIONS,
        {"size": "1536x1024"},
        "`data`: 1264x848",
        "`data`: 2528x1696; notices: size=adapted",
    ),
    Case("nano", GENERATIONS, {}, "200, nothing", f"400: {REFUSED}", prompt=IS_REFUSED),
    Case("nano", EDITS, WIDE, "500: Gemini image edit requires at least one image", "`data`: 1376x768"),
    Case(
        "flash",
        CHAT,
        TOO_LARGE,
        "400: generation_config.image_config.image_size: This is not supported for this model",
        f"{CHOICE}1344x768; notices: image_config.image_size=adapted",
    ),
    Case("vertex", CHAT, WIDE, f"{CHOICE}1024x1024", f"{CHOICE}1376x768"),
    Case("flux", CHAT, {}, UNMAPPED, f"{CHOICE}1024x1024"),
    Case(
        "flux",
        EDITS,
        {"size": "1536x1024"},
        "400: The following parameters are not supported for model flux-2-pro: size",
        "`data`: 1536x1024",
    ),
    Case("gpt", CHAT, {}, NOT_FOUND, f"{CHOICE}1024x1024"),
    Case("gpt", RESPONSES, {}, NOT_FOUND, f"{CALL}1024x1024"),
    Case(
        "gpt",
        GENERATIONS,
        {"aspect_ratio": "3:2"},
        "400: Unknown parameter: 'aspect_ratio'",
        "`data`: 1248x832",
    ),
    Case(
        "gpt",
        GENERATIONS,
        {"stream": True, "partial_images": 1},
        "500: 'str' object has no attribute 'model_dump'",
        "`image_generation.partial_image`: 1024x1024; `image_generation.completed`: 1024x1024",
    ),
    Case("azure", CHAT, {}, NOT_FOUND, f"{CHOICE}1024x1024"),
    Case(
        "gpt-5",
        CHAT,
        {"modalities": ["image", "text"]},
        "400: openai does not support parameters: ['modalities'], for model=gpt-5",
        f"{CHOICE}1024x1024",
    ),
    Case(
        "openrouter",
        CHAT,
        {**WIDE, "n": 2},
        "400: Unknown parameter: 'n'",
        TWO_CHOICES.format("1376x768"),
    ),
    Case("openrouter", GENERATIONS, WIDE, "`data`: 1024x1024", "`data`: 1376x768"),
    Case("vercel", CHAT, IN_OPENROUTERS_FORM, "400: Unknown parameter: 'image_config'", f"{CHOICE}1376x768"),
    Case(
        "vercel",
        GENERATIONS,
        WIDE,
        "400: Model 'google/gemini-3-pro-image' is not an image model",
        "`data`: 1376x768",
    ),
    Case(
        "helicone", CHAT, IN_OPENROUTERS_FORM, "400: Unknown parameter: 'image_config'", f"{CHOICE}1376x768"
    ),
    Case(
        "helicone",
        GENERATIONS,
        {},
        "404: Model 'gemini-3-pro-image/google-ai-studio' not found",
        "`data`: 1024x1024",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{c.deployment} {c.path} {[*c.fields]}" for c in CASES])
def test_what_was_lost_or_refused_is_drawn_and_the_page_says_so(pair: Pair, case: Case) -> None:
    answers = [side.draw(case.path, case.deployment, case.prompt, **case.fields) for side in pair.sides]
    without, adopted = (measured(answer) for answer in answers)
    assert adopted == case.adopted
    if IS_THAT_LITELLM:
        assert without == case.without
    if IS_WRITTEN:
        before, rows, behind = _page()
        rows[cells_of(case)] = f" {case.without} | {adopted} |"
        ordered = [f"{cells}{rows[cells]}" for cells in map(cells_of, CASES) if cells in rows]
        PAGE.write_text("\n".join([*before, *ordered, *behind]) + "\n")
    assert _page()[1].get(cells_of(case)) == f" {case.without} | {adopted} |", "run `make adopt`"


def test_the_page_tells_of_nothing_else() -> None:
    assert [*_page()[1]] == [*map(cells_of, CASES)], "run `make adopt`"


def _page() -> tuple[list[str], dict[str, str], list[str]]:
    """The lines of the page before the rows of the table, the rows, and the lines behind them."""
    lines = PAGE.read_text().splitlines()
    begin = lines.index(HEAD) + 2
    end = next((place for place in range(begin, len(lines)) if not lines[place].startswith("|")), len(lines))
    rows = [line.split(" | ") for line in lines[begin:end]]
    told = {f"{' | '.join(cells[:3])} |": f" {' | '.join(cells[3:])}" for cells in rows}
    return lines[:begin], told, lines[end:]


def cells_of(case: Case) -> str:
    """The cells of a row that name its request."""
    asked = f"`{json.dumps(case.fields)[1:-1]}`" if case.fields else "a prompt alone"
    if case.path == EDITS:
        asked += " and a picture in `images`"
    if case.deployment == "strict":
        asked += ", and the deployment `policy: strict`"
    if case.prompt == IS_REFUSED:
        asked = "a prompt whose picture the model refuses"
    return f"| `{MODELS[case.deployment]}` | {case.path} | {asked} |"


def measured(answer: httpx.Response) -> str:
    """What an answer holds: words of a response, each picture's place and size, notices; or an error."""
    if not answer.is_success:
        return f"{answer.status_code}: {reason_of(answer.json()['error']['message'])}"
    places: dict[str, list[str]] = {}
    for place, text in shown(answer):
        places.setdefault(place, []).append(size_of(text))
    told = [f"`{place}`: {', '.join(sizes)}" for place, sizes in places.items()] or ["200, nothing"]
    if "output_text" in answer.text:
        told.insert(0, "words")
    if notices := answer.headers.get("x-imagegen-notices"):
        told.append(f"notices: {notices}")
    return "; ".join(told)


def shown(answer: httpx.Response) -> Iterator[tuple[str, str]]:
    """Each picture of an answer, and the place where it stands."""
    if answer.headers["content-type"].startswith("text/event-stream"):
        for event in events_of(answer):
            for choice in event.get("choices", ()):
                for image in choice["delta"].get("images") or ():
                    yield "delta.images", image["image_url"]["url"]
            if event.get("b64_json"):
                yield event["type"], event["b64_json"]
        return
    body = answer.json()
    for choice in body.get("choices", ()):
        for image in choice["message"].get("images") or ():
            yield f"choices[{choice['index']}].message.images", image["image_url"]["url"]
    for item in body.get("output", ()):
        if item["type"] == "image_generation_call":
            yield "image_generation_call", item["result"]
    for image in body.get("data", ()):
        yield "data", image["b64_json"]


def events_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """The events, or chunks, of a stream."""
    frames = (line.removeprefix("data: ") for line in answer.text.splitlines())
    return [json.loads(frame) for frame in frames if frame.startswith("{")]


def size_of(picture: str) -> str:
    with Image.open(io.BytesIO(base64.b64decode(picture.rpartition(",")[2], validate=True))) as seen:
        seen.load()
        return "{}x{}".format(*seen.size)


def reason_of(message: str) -> str:
    """The first sentence of what an error says, without what LiteLLM puts around it."""
    told = message.partition("\n\nLiteLLM: ")[0].rpartition("Error: ")[2].rpartition("Exception - ")[2]
    if (found := re.search(r'"message": "([^"]*)"', told)) is not None:
        told = found[1]
    told = told.rpartition("Error - ")[2]
    return re.split(r"\.(?: |$)|\n", told)[0]


# What is not ours stays as it is.

IMAGE_TOOL, SEARCH_TOOL = {"type": "image_generation"}, {"type": "web_search"}
WORDS_ONLY = {"max_tokens": 50, "messages": [{"role": "user", "content": PROMPT}]}
ASKED = {"messages": [{"role": "user", "content": PROMPT}]}
NOT_OURS: list[tuple[str, dict[str, Any]]] = [
    ("v1/chat/completions", {"model": "text", **ASKED, **WIDE}),
    ("v1/chat/completions", {"model": "text", **ASKED, "stream": True}),
    ("v1/responses", {"model": "text", "input": PROMPT}),
    ("v1/responses", {"model": "text", "input": PROMPT, "stream": True}),
    ("v1/embeddings", {"model": "embeddings", "input": PROMPT}),
    ("v1/chat/completions", {"model": "nobodys", **ASKED}),
    # Image models on LiteLLM's other routes, and where the model is to search.
    ("v1/messages", {"model": "nano", **WORDS_ONLY}),
    ("v1/messages", {"model": "nano", **WORDS_ONLY, "stream": True}),
    ("v1/messages", {"model": "flux", **WORDS_ONLY}),
    ("v1/completions", {"model": "nano", "prompt": PROMPT}),
    ("v1beta/models/nano:generateContent", {"contents": [{"role": "user", "parts": [{"text": PROMPT}]}]}),
    ("v1/chat/completions", {"model": "nano", **ASKED, "web_search_options": {}}),
    ("v1/chat/completions", {"model": "nano", **ASKED, "tools": [{"googleSearch": {}}]}),
    ("v1/responses", {"model": "nano", "input": PROMPT, "tools": [SEARCH_TOOL]}),
    # GPT-5 where no picture is asked for, or where LiteLLM has it draw itself; what an operator leaves.
    ("v1/responses", {"model": "gpt-5", "input": PROMPT, "tools": [IMAGE_TOOL]}),
    ("v1/chat/completions", {"model": "gpt-5", **ASKED}),
    ("v1/chat/completions", {"model": "left", **ASKED, **WIDE}),
    ("v1/images/generations", {"model": "left", "prompt": PROMPT, **WIDE}),
]
# What differs from one call to the next.
VARYING = re.compile(r'"(?:id|item_id|created|created_at|completed_at)": ?(?:"[^"]*"|\d+)')


@pytest.mark.parametrize(("path", "body"), NOT_OURS, ids=[f"{p} {[*b.values()]}"[:70] for p, b in NOT_OURS])
def test_a_request_that_is_not_ours_is_untouched(pair: Pair, path: str, body: dict[str, Any]) -> None:
    seen = []
    for side in pair.sides:
        answer = side.ask(path, body)
        names = {name for name in answer.headers if not _is_cost_of_messages(path, name)}
        told = VARYING.sub("", answer.text)
        sent = [(call.path, call.query, call.headers, call.body) for call in side.upstream.calls]
        seen.append((answer.status_code, names, told, sent))
    assert seen[0] == seen[1]


def _is_cost_of_messages(path: str, header: str) -> bool:
    """LiteLLM has the cost of /v1/messages in time for the headers, or not, as it happens."""
    return path == "v1/messages" and header.startswith(("x-litellm-response-cost", "x-litellm-key-spend"))


# What is booked, and under which names.

BOOKED: list[tuple[str, str, dict[str, Any]]] = [
    ("nano", CHAT, {"metadata": {"tags": ["of-the-client"]}}),
    ("nano", CHAT, {"stream": True, "stream_options": {"include_usage": True}}),
    ("nano", RESPONSES, {}),
    ("nano", RESPONSES, {"stream": True}),
    ("gemini/gemini-3.1-flash-image", CHAT, {}),
    ("vertex", CHAT, {}),
    ("openrouter", CHAT, {}),
    ("gpt", GENERATIONS, {}),
    ("gpt", GENERATIONS, {"n": 2, "size": "1536x1024", "quality": "low"}),
    ("azure", GENERATIONS, {}),
    ("priced-gpt", GENERATIONS, {}),
]
ATTRIBUTED = (
    "status",
    "call_type",
    "model",
    "custom_llm_provider",
    "model_group",
    "model_id",
    "request_tags",
    "stream",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "end_user",
)
COSTS = ("x-litellm-response-cost", "x-litellm-key-spend")


@pytest.mark.parametrize(
    ("model", "path", "fields"), BOOKED, ids=[f"{b[0]} {b[1]} {[*b[2]]}" for b in BOOKED]
)
def test_what_litellm_serves_too_is_booked_as_by_litellm(
    pair: Pair, model: str, path: str, fields: dict[str, Any]
) -> None:
    answers = [side.draw(path, model, **fields, user="somebody") for side in pair.sides]
    booked = [side.logged(answer) for side, answer in zip(pair.sides, answers, strict=True)]
    without, adopted = booked
    assert {name: adopted[name] for name in ATTRIBUTED} == {name: without[name] for name in ATTRIBUTED}
    names = {"model_map_key", "model_map_value"}
    assert {name: adopted["model_map_information"][name] for name in names} == {
        name: without["model_map_information"][name] for name in names
    }
    for name in ("user_api_key_hash", "user_api_key_alias", "user_api_key_user_id"):
        assert adopted["metadata"][name] == without["metadata"][name]
    assert adopted["response_cost"] == pytest.approx(without["response_cost"])
    assert adopted["response_cost"] > 0
    for name in COSTS:
        assert [answer.headers.get(name) is None for answer in answers] in ([True] * 2, [False] * 2), name
        if name in answers[1].headers:
            assert float(answers[1].headers[name]) == pytest.approx(float(answers[0].headers[name])), name
    if not fields.get("stream") and path != GENERATIONS:
        assert answers[1].json()["model"] == answers[0].json()["model"] == model


def test_thoughts_are_booked_on_the_images_api_too(pair: Pair) -> None:
    without, adopted = (float(side.draw(GENERATIONS, "nano").headers[COSTS[0]]) for side in pair.sides)
    assert adopted == pytest.approx(PRICE)
    assert without == pytest.approx(PRICE - THOUGHTS * 12e-6)


@pytest.mark.parametrize(
    ("model", "path", "fields", "cost"),
    [
        ("nano", CHAT, {"n": 2}, 2 * PRICE),
        ("nano", GENERATIONS, {"n": 2}, 2 * PRICE),
        ("nano", GENERATIONS, {"stream": True}, PRICE),
        ("vercel", CHAT, {}, PRICE),
        ("flux", CHAT, {}, 0.03),
        ("flux", GENERATIONS, {"size": "1536x1024"}, 0.045),
        ("flux", RESPONSES, {"stream": True}, 0.03),
    ],
)
def test_what_litellm_could_not_serve_or_price_is_booked_to_the_deployment(
    pair: Pair, model: str, path: str, fields: dict[str, Any], cost: float
) -> None:
    answer = pair.adopting.draw(path, model, **fields)
    booked = pair.adopting.logged(answer)
    assert booked["response_cost"] == pytest.approx(cost)
    assert (booked["model"], booked["model_group"], booked["model_id"]) == (
        MODELS[model],
        model,
        f"the {model}",
    )
    assert booked["custom_llm_provider"] == MODELS[model].partition("/")[0]


def test_what_was_billed_for_a_refused_picture_is_booked(pair: Pair) -> None:
    without, adopted = (side.draw(CHAT, "nano", IS_REFUSED) for side in pair.sides)
    booked = pair.adopting.logged(adopted)
    assert adopted.json()["choices"][0]["finish_reason"] == "content_filter"
    prompt = adopted.json()["usage"]["prompt_tokens"]
    assert booked["response_cost"] == pytest.approx((prompt * 2 + THOUGHTS * 12) / 1e6)
    assert pair.without.logged(without)["response_cost"] == pytest.approx(prompt * 2e-6), (
        "without its thoughts"
    )


def test_a_fallback_is_booked_to_the_deployment_that_has_drawn(pair: Pair) -> None:
    for side in pair.sides:
        pair.provider.wishes.append("500")
        answer = side.draw(GENERATIONS, "first")
        assert measured(answer) == "`data`: 1024x1024"
        booked = side.logged(answer)
        assert (booked["model"], booked["model_group"], booked["model_id"]) == (
            MODELS["gpt"],
            "gpt",
            "the gpt",
        )
        assert booked["custom_llm_provider"] == "openai"
        assert booked["response_cost"] == pytest.approx(
            float(side.draw(GENERATIONS, "gpt").headers[COSTS[0]])
        )


def test_a_failure_is_booked_under_the_names_of_the_deployment(pair: Pair) -> None:
    seen = []
    for side in pair.sides:
        pair.provider.wishes.append("500")
        answer = side.draw(CHAT, "nano")
        assert answer.status_code == 500
        booked = side.logged(answer)
        seen.append({name: booked[name] for name in (*ATTRIBUTED, "response_cost")})
    assert seen[0] == seen[1]
    assert seen[1]["model"] == NANO


# Whom to call, and with what, as the operator says.


@pytest.mark.parametrize("path", PATHS)
def test_named_credentials_and_headers_of_an_operator_are_shown(pair: Pair, path: str) -> None:
    assert len([*shown(pair.adopting.draw(path, "named"))]) == 1
    (call,) = pair.adopting.upstream.calls
    assert call.headers["x-goog-api-key"] == operators_key("named")
    assert call.headers["x-operators"] == "1"


# What a client may not choose.

CLIENTS: dict[str, Any] = {
    "api_key": "clients-key-1234567",
    "custom_llm_provider": "clients-provider",
    "extra_headers": {"x-clients": "1", "authorization": "clients-authorization"},
    "headers": {"x-clients-too": "1"},
    "organization": "clients-organization",
    "vertex_project": "clients-project",
    "vertex_location": "clients-location",
    "vertex_ai_location": "clients-location",
    "api_version": "clients-version",
    "aws_region_name": "clients-region",
}
BY_LITELLM = ("api_base", "base_url", "vertex_credentials", "azure_ad_token")
SHOWN_KEY = {
    "nano": ("x-goog-api-key", operators_key("nano")),
    "gpt": ("authorization", f"Bearer {operators_key('gpt')}"),
    "azure": ("api-key", operators_key("azure")),
    "vertex": ("authorization", f"Bearer {TOKEN}"),
    "openrouter": ("authorization", f"Bearer {operators_key('openrouter')}"),
    "flux": ("x-key", operators_key("flux")),
}


@pytest.mark.parametrize(
    ("model", "path"),
    [
        *(("nano", path) for path in PATHS),
        ("gpt", GENERATIONS),
        ("gpt", CHAT),
        ("azure", GENERATIONS),
        ("vertex", CHAT),
        ("vertex", EDITS),
        ("openrouter", RESPONSES),
        ("flux", EDITS),
    ],
)
def test_what_a_client_sends_to_choose_whom_to_call_never_reaches_a_provider(
    pair: Pair, model: str, path: str
) -> None:
    side = pair.adopting
    answer = side.draw(path, model, **CLIENTS)
    assert answer.status_code == 200, answer.text
    assert len([*shown(answer)]) == 1
    told = dict(part.split("=") for part in answer.headers["x-imagegen-notices"].split("; "))
    assert {name for name in told if told[name] == "unsupported"} == {*CLIENTS}
    assert "clients" not in repr(side.upstream.calls)
    header, key = SHOWN_KEY[model]
    for call in side.upstream.calls:
        assert call.headers[header] == key
        if model == "vertex":
            assert "/projects/own-project/locations/us-central1/" in call.path
        if model == "azure":
            assert call.query == "api-version=2025-04-01-preview"


@pytest.mark.parametrize("name", CLIENTS)
def test_under_the_strict_policy_it_is_refused(pair: Pair, name: str) -> None:
    answer = pair.adopting.draw(CHAT, "strict", **{name: CLIENTS[name]})
    assert answer.status_code == 400
    assert f"{name}: " in answer.json()["error"]["message"]
    assert "it belongs to operators" in answer.json()["error"]["message"]
    assert pair.adopting.upstream.calls == []


@pytest.mark.parametrize("name", BY_LITELLM)
def test_litellm_itself_refuses_addresses_and_credentials(pair: Pair, name: str) -> None:
    statuses = [side.draw(CHAT, "nano", **{name: "http://127.0.0.1:9"}).status_code for side in pair.sides]
    assert statuses[0] == statuses[1] >= 400
    assert pair.adopting.upstream.calls == []


@pytest.mark.parametrize("path", PATHS)
def test_a_key_of_a_client_is_used_where_litellms_settings_say_so(pair: Pair, path: str) -> None:
    answer = pair.adopting.draw(path, "own-key", api_key=CLIENTS["api_key"])
    assert answer.status_code == 200
    assert "x-imagegen-notices" not in answer.headers
    assert [call.headers["x-goog-api-key"] for call in pair.adopting.upstream.calls] == [CLIENTS["api_key"]]
    pair.adopting.draw(path, "own-key")
    assert pair.adopting.upstream.calls[0].headers["x-goog-api-key"] == operators_key("own-key")


# What LiteLLM tells of models, and how it asks how they are.


def test_model_info_knows_what_draws_and_leaves_the_rest(pair: Pair) -> None:
    without, adopted = (
        {one["model_name"]: one["model_info"] for one in side.ask("v1/model/info", None).json()["data"]}
        for side in pair.sides
    )
    assert [*adopted] == [*without]
    drawing = {name for name, info in adopted.items() if "imagegen_capabilities" in info}
    # LiteLLM lists what it knows of a wildcard's provider.
    of_wildcard = drawing - MODELS.keys()
    assert MODELS["flash"] in of_wildcard
    assert all("image" in name or "banana" in name for name in of_wildcard)
    ours = drawing - of_wildcard
    assert ours == MODELS.keys() - {"gemini/*", "gpt-5", "text", "settings", "embeddings", "left"}
    for name in adopted.keys() - drawing:
        assert adopted[name] == without[name]
    for name in ours:
        kept = without[name].keys() - {"mode", "supported_output_modalities", "supported_openai_params"}
        assert {field: adopted[name][field] for field in kept} == {
            field: without[name][field] for field in kept
        }
    told = {name: adopted[name]["imagegen_capabilities"] for name in ours}
    assert {name: capabilities["provider"] for name, capabilities in told.items()} == {
        **dict.fromkeys(("nano", "flash", "strict", "kept", "own-key", "first", "priced", "named"), "gemini"),
        **{name: name for name in ("vertex", "azure", "openrouter", "vercel", "helicone")},
        "flux": "bfl",
        **dict.fromkeys(("gpt", "priced-gpt"), "openai"),
        "gateway": "openrouter",
    }
    assert (adopted["nano"]["mode"], adopted["nano"]["supported_output_modalities"]) == (
        "image_generation",
        ["text", "image"],
    )
    assert (adopted["flux"]["mode"], adopted["flux"]["supported_output_modalities"]) == (
        "image_generation",
        ["image"],
    )
    assert {"size", "modalities", "seed", "n"} <= {*adopted["nano"]["supported_openai_params"]}
    assert {"size", "quality", "partial_images"} <= {*adopted["gpt"]["supported_openai_params"]}
    assert "tools" not in adopted["gpt"]["supported_openai_params"]
    assert (told["nano"]["sizes"], "21:9" in told["nano"]["aspect_ratios"]) == (["1K", "2K", "4K"], True)


@pytest.mark.parametrize("model", ["nano", "flux", "gpt", "vertex", "openrouter"])
def test_a_health_check_draws_nothing_unless_it_is_told_to(pair: Pair, model: str) -> None:
    told = pair.adopting.health(model)
    assert (told["healthy_count"], told["unhealthy_count"]) == (1, 0)
    assert pair.adopting.upstream.calls == []
    with pair.adopting.settings(health="probe"):
        told = pair.adopting.health(model)
        assert (told["healthy_count"], told["unhealthy_count"]) == (1, 0)
        assert len(pair.adopting.upstream.calls) >= 1
        pair.provider.wishes.append("500")
        told = pair.adopting.health(model)
        assert (told["healthy_count"], told["unhealthy_count"]) == (0, 1)


def test_a_health_check_of_a_text_model_asks_it(pair: Pair) -> None:
    assert pair.adopting.health("text")["healthy_count"] == 1
    assert [call.path for call in pair.adopting.upstream.calls] == ["/text/v1/chat/completions"]


# How to choose.


@pytest.mark.parametrize(
    ("adopt", "adopted"),
    [
        (True, {"nano", "openrouter", "kept"}),
        (False, {"kept"}),
        (["openrouter/*", "openai/*"], {"openrouter", "kept"}),
        (["gemini/*"], {"nano", "kept"}),
    ],
)
def test_an_operator_chooses_what_is_adopted(
    pair: Pair, adopt: bool | Sequence[str], adopted: set[str]
) -> None:
    with pair.adopting.settings(adopt=adopt):
        for model in ("nano", "openrouter", "kept", "left"):
            answer = pair.adopting.draw(CHAT, model, aspect_ratio="16:9")
            assert (answer.is_success and "provider_metadata" in answer.json()) is (model in adopted), model
            assert ("1376x768" in measured(answer)) is (model in adopted)


# Faults that are known.


def test_an_edit_is_booked_to_the_deployment(pair: Pair) -> None:
    form = [("image", ("red.png", base64.b64decode(GIVEN.partition(",")[2]), "image/png"))]
    without, adopted = (
        side.logged(side.proxy.edit(form, model="gpt", prompt=PROMPT, user="somebody")) for side in pair.sides
    )
    assert {name: adopted[name] for name in ATTRIBUTED} == {name: without[name] for name in ATTRIBUTED}


def test_an_operators_price_of_an_adopted_chat_model_counts(pair: Pair) -> None:
    without, adopted = (float(side.draw(CHAT, "priced").headers[COSTS[0]]) for side in pair.sides)
    assert adopted == pytest.approx(without)


def test_a_health_check_of_what_is_left_to_litellm_is_litellms(pair: Pair) -> None:
    pair.without.health("left")
    sent = [call.path for call in pair.without.upstream.calls]
    pair.adopting.health("left")
    assert [call.path for call in pair.adopting.upstream.calls] == sent


def test_a_picture_of_gpt_5_on_the_images_api_has_a_cost(pair: Pair) -> None:
    assert pair.adopting.logged(pair.adopting.draw(GENERATIONS, "gpt-5"))["response_cost"] > 0


@pytest.mark.xfail(strict=True, reason="LiteLLM gives a request with a key another deployment's id")
def test_a_key_of_a_client_that_is_not_used_does_not_change_what_is_booked(pair: Pair) -> None:
    answer = pair.adopting.draw(CHAT, "nano", api_key=CLIENTS["api_key"])
    assert pair.adopting.logged(answer)["model_id"] == "the nano"


@pytest.mark.xfail(strict=True, reason="`user` is LiteLLM's; to OpenAI it was sent as well")
def test_openai_is_told_the_user(pair: Pair) -> None:
    for side in pair.sides:
        side.draw(GENERATIONS, "gpt", user="somebody")
        assert json.loads(side.upstream.calls[0].body)["user"] == "somebody"
