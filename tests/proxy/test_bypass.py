"""Pictures that pass LiteLLM by arrive as those that do not, and whoever has to see one sees it."""

import base64
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from litellm_imagegen.plugin import references
from litellm_imagegen.sandbox import server
from tests.pictures import data_url, look_at
from tests.proxy.conftest import SETTINGS, gemini, settings_of
from tests.proxy.responding import pictures_of, respond, text_of
from tests.proxy.support import Frames, Proxy, running_proxy
from tests.upstream import Recorded, Upstream, running_upstream

PROBE = """
import gc
import json
from pathlib import Path
import litellm
from fastapi import HTTPException
from litellm.exceptions import GuardrailRaisedException
from litellm.integrations.custom_guardrail import CustomGuardrail
from litellm.integrations.custom_logger import CustomLogger
from litellm.types.utils import ModelResponse
from litellm_imagegen.plugin import records
from litellm_imagegen.plugin.vault import Vault

if not hasattr(Vault, "kept"):  # LiteLLM executes a module beside the config once for each mention
    Vault.kept, keep = 0, Vault.keep

    def counting(self, picture, **how):
        reference = keep(self, picture, **how)
        Vault.kept += reference is not None
        return reference

    Vault.keep = counting

def note(what, value):
    with Path("seen.log").open("a") as log:
        log.write(json.dumps([what, value.model_dump_json(exclude_none=True)]) + "\\n")

def asks_to_block(data):
    return "[block]" in str(data.get("messages") or data.get("input"))

class State(litellm.CustomLLM):
    async def acompletion(self, **given):
        if given["messages"][0]["content"] == "What is left?":  # takes a second in a process of this size
            gc.collect()
        told = {"held_bytes": Vault.held_bytes, "kept": Vault.kept, "records": len(records._records)}
        message = {"role": "assistant", "content": json.dumps(told)}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return ModelResponse(model="state", choices=[choice])

class Bystander(CustomLogger):
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        return data

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        return

class Observer(CustomLogger):
    async def async_post_call_success_hook(self, data, user_api_key_dict, response):
        note("whole", response)
        return response

    async def async_post_call_streaming_iterator_hook(self, user_api_key_dict, response, request_data):
        async for chunk in response:
            note("chunk", chunk)
            yield chunk

class Blocker(CustomGuardrail):
    async def async_post_call_success_hook(self, data, user_api_key_dict, response):
        if asks_to_block(data):
            note("guarded", response)
            raise HTTPException(status_code=400, detail={"error": "blocked after the handler"})
        return response

    async def async_post_call_streaming_iterator_hook(self, user_api_key_dict, response, request_data):
        async for chunk in response:
            if asks_to_block(request_data) and ("image_url" in repr(chunk) or "image_gen" in repr(chunk)):
                note("guarded", chunk)
                raise GuardrailRaisedException(message="blocked after the handler")
            yield chunk

state, before, after, observer = State(), Bystander(), Bystander(), Observer()
"""
PROVIDERS = [
    *SETTINGS["custom_provider_map"],  # type: ignore[misc]  # a mapping of settings of every kind
    {"provider": "probe", "custom_handler": "probe.state"},
]
SANDBOX = "imagegen/sandbox/gemini-3-pro-image"
OUTCOMES = [
    "nothing special",
    "pictures 3",
    "drafts",
    "words only",
    "refuse prompt",
    "refuse picture",
    "max tokens",
    "empty",
    "cut off",
    "not json",
    "bad base64",
    "error mid-stream",
    "400",
    "401",
    "402",
    "403",
    "404",
    "429 after 17",
    "500",
    "503",
    "slow 5",
    "stall 5",
]
WITHOUT_PICTURES = {wish for wish in OUTCOMES if wish not in ("nothing special", "pictures 3", "drafts")}
IN_TIME = {"slow 5": "hasty", "stall 5": "hasty"}
# A deadline takes its time; usage comes with an end alone.
WAYS = [
    *(("whole", wish) for wish in OUTCOMES if wish != "stall 5"),
    *(("streamed", wish) for wish in OUTCOMES if wish != "slow 5"),
    *(("streamed with usage", wish) for wish in OUTCOMES[:7]),
]
LOOK_ALIKES = [
    references.PREFIX.decode() + "0123456789abcdef" * 2,
    references.PREFIX.decode(),
    references.make({"mime": "image/png", "width": 64, "height": 48, "bytes": 9, "sha256": "ab" * 32}),
]
_UNLIKE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|chatcmpl-[\w-]+|-(?:auto|off)\b"
)
_OWN_TO_EACH_ANSWER = frozenset(
    {"id", "created", "responseId", "response_id", "litellm_call_id", "system_fingerprint"}
)
_HEADERS = ("content-type", "llm_provider-", "retry-after", "x-imagegen-", "x-litellm-", "x-ratelimit-")
_POLLS = 200
# `make campaign` asks for more.
_MIXED_REQUESTS = int(os.environ.get("IMAGEGEN_MIXED_REQUESTS", "60"))


@dataclass(frozen=True)
class State:
    """What the proxy's process says of itself."""

    held_bytes: int
    kept: int
    records: int


@dataclass(frozen=True)
class Setup:
    """A proxy, the upstream of its deployments named "recorded", and what its probes have noted."""

    proxy: Proxy
    upstream: Upstream
    folder: Path

    @property
    def state(self) -> State:
        return self._told("What is left?")

    @property
    def kept(self) -> int:
        """Pictures that have taken their own way so far."""
        return self._told("How many?").kept

    def _told(self, question: str) -> State:
        answer = self.proxy.draw("state", question).json()
        return State(**json.loads(answer["choices"][0]["message"]["content"]))

    def settled(self) -> State:
        """The state once LiteLLM has logged what it has to; the last one where that never happens."""
        for _ in range(_POLLS):
            state = self.state
            if not state.held_bytes and not state.records:
                break
            time.sleep(0.05)  # polls a program's state
        return state

    @property
    def seen(self) -> list[tuple[str, str]]:
        path = self.folder / "seen.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(what, value) for what, value in map(json.loads, lines)]


@contextmanager
def setup(
    folder: Path,
    callbacks: Iterable[str] = (),
    **config: Any,
) -> Iterator[Setup]:
    """A proxy with the deployments of this module; `litellm_settings` come beside ours."""
    (folder / "probe.py").write_text(PROBE)
    simulated = server.base_url()
    with running_upstream() as upstream:
        deployments: list[dict[str, Any]] = [
            {"model_name": "state", "litellm_params": {"model": "probe/state"}},
            {
                "model_name": "words",
                "litellm_params": {"model": "openai/gpt-4o", "api_key": "k", "mock_response": "just words"},
            },
            gemini("fails-to-picture", simulated, litellm_params={"api_key": "invalid-key"}),
            gemini("fails-to-words", simulated, litellm_params={"api_key": "invalid-key"}),
            gemini("is-down-to-picture", "http://127.0.0.1:9"),
            {"model_name": "mask", "litellm_params": {"model": "imagegen/sandbox/gpt-image-2"}},
            gemini("is-down-to-words", "http://127.0.0.1:9"),
        ]
        for way in ("auto", "off", "force"):
            info = settings_of(bypass=way)
            hasty = {"model": SANDBOX, "timeout": 1}
            deployments += [
                {"model_name": f"plain-{way}", "litellm_params": {"model": SANDBOX}, "model_info": info},
                {"model_name": f"hasty-{way}", "litellm_params": hasty, "model_info": info},
                gemini(f"recorded-{way}", upstream.url, model_info=info),
            ]
        fallbacks = [
            {f"{what}-to-{where}": [model]}
            for what in ("fails", "is-down")
            for where, model in (("picture", "plain-auto"), ("words", "words"))
        ]
        settings = {"callbacks": list(callbacks) or ["litellm_imagegen.callback"]}
        whole = {
            "model_list": deployments,
            "router_settings": {"num_retries": 0, "disable_cooldowns": True, "fallbacks": fallbacks},
            **config,
        }
        whole["litellm_settings"] = {
            "custom_provider_map": PROVIDERS,
            **settings,
            **config.get("litellm_settings", {}),
        }
        with running_proxy(whole, folder) as proxy:
            yield Setup(proxy, upstream, folder)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """Callbacks stand before and after ours; none of them looks at answers."""
    callbacks = ["probe.before", "litellm_imagegen.callback", "probe.after"]
    with setup(tmp_path_factory.mktemp("plain"), callbacks) as started:
        yield started


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """A callback looks at answers and passes them on."""
    callbacks = ["litellm_imagegen.callback", "probe.observer"]
    with setup(tmp_path_factory.mktemp("observed"), callbacks) as started:
        yield started


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """A guardrail looks at answers and blocks those whose prompt asks for it."""
    guardrail = {"guardrail": "probe.Blocker", "mode": "post_call", "default_on": True}
    guardrails = [{"guardrail_name": "blocker", "litellm_params": guardrail}]
    with setup(tmp_path_factory.mktemp("guarded"), guardrails=guardrails) as started:
        yield started


@contextmanager
def running_redis(folder: Path) -> Iterator[int]:
    """A Redis of its own, by its port; it keeps nothing on disk."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not on PATH")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        for _ in range(_POLLS):
            assert process.poll() is None, "Redis did not start"
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)  # polls a program's start
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="module", params=["local", "redis"])
def caching(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """LiteLLM caches answers."""
    folder = tmp_path_factory.mktemp(f"caching-{request.param}")
    if request.param == "local":
        with setup(folder, litellm_settings={"cache": True, "cache_params": {"type": "local"}}) as started:
            yield started
        return
    with running_redis(folder) as port:
        parameters = {"type": "redis", "host": "127.0.0.1", "port": port}
        with setup(folder, litellm_settings={"cache": True, "cache_params": parameters}) as started:
            yield started


def prompt(wish: str, text: str = "A lighthouse") -> str:
    return text if wish == "nothing special" else f"{text} [sandbox: {wish}]"


def said(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """A reply of the Gemini API."""
    return {
        "candidates": [{"content": {"parts": list(parts), "role": "model"}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7},
    }


def picture_part(url: str) -> dict[str, Any]:
    return {"inlineData": {"mimeType": "image/png", "data": url.partition(",")[2]}}


def urls_of(answer: httpx.Response | Frames) -> list[str]:
    if isinstance(answer, Frames):
        images = answer.images
    else:
        images = answer.json()["choices"][0]["message"].get("images") or []
    return [image["image_url"]["url"] for image in images]


def draw(proxy: Proxy, streamed: bool, model: str, text: str, **fields: Any) -> httpx.Response | Frames:
    return (proxy.draw_streamed if streamed else proxy.draw)(model, text, **fields)


def comparable(value: Any) -> Any:
    """`value` without what differs from one answer to the next; a picture by its hash."""
    if isinstance(value, Mapping):
        return {key: "..." if key in _OWN_TO_EACH_ANSWER else comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, str) and value.startswith("data:"):
        return f"{value[:22]} {len(value)} {hashlib.sha256(value.encode()).hexdigest()}"
    return _UNLIKE.sub("...", value) if isinstance(value, str) else value


@pytest.mark.parametrize(("way", "wish"), WAYS)
def test_an_answer_is_the_same_whichever_way_its_pictures_go(plain: Setup, wish: str, way: str) -> None:
    told: dict[str, Any] = {}
    kept: dict[str, int] = {}
    for bypass in ("auto", "off"):
        fields: dict[str, Any] = {"seed": 7}
        if way == "streamed with usage":
            fields["stream_options"] = {"include_usage": True}
        model = f"{IN_TIME.get(wish, 'plain')}-{bypass}"
        before = plain.kept
        answer = draw(plain.proxy, way != "whole", model, prompt(wish), **fields)
        kept[bypass] = plain.kept - before
        if isinstance(answer, Frames):
            chunks = answer.chunks
            if wish == "cut off":  # what of it was read before the connection broke is chance
                chunks = [chunk for chunk in chunks if "error" in chunk]
            body: Any = [chunks, answer.done]
            status = answer.status
        else:
            body, status = answer.json(), answer.status_code
        assert references.PREFIX.decode() not in json.dumps(body)
        names = sorted({name.lower() for name in answer.headers if name.lower().startswith(_HEADERS)})
        told[bypass] = {"status": status, "names": names, "body": comparable(body)}
        if status == 200 and wish not in WITHOUT_PICTURES:
            assert len(urls_of(answer)) == (3 if wish == "pictures 3" else 1)
            assert all(look_at(url).size == (1024, 1024) for url in urls_of(answer))
    assert told["auto"] == told["off"]
    assert kept["off"] == 0
    if wish not in WITHOUT_PICTURES:
        assert kept["auto"] == (3 if wish == "pictures 3" else 1), "pictures did take their own way"


def test_a_picture_on_its_own_way_is_not_compressed_by_litellm(plain: Setup) -> None:
    """LiteLLM spends a second on compressing 24 MB that do not become smaller; we stand inside of that.

    Older ones do not compress at all.
    """
    given = {"messages": [{"role": "user", "content": prompt("big 1")}]}
    own, litellms = (
        plain.proxy.post({"model": model, **given}, accept_encoding="gzip")
        for model in ("plain-auto", "plain-off")
    )
    assert "content-encoding" not in own.headers
    assert litellms.headers.get("content-encoding", "gzip") == "gzip"
    assert urls_of(own) == urls_of(litellms)


def test_the_length_that_an_answer_states_is_its_length(plain: Setup) -> None:
    answer = plain.proxy.draw("plain-auto", "A lighthouse")
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_callback_that_looks_at_answers_sees_the_picture(observed: Setup, streamed: bool) -> None:
    before = observed.kept
    done = len(observed.seen)
    answer = draw(observed.proxy, streamed, "plain-auto", "A lighthouse")
    [url] = urls_of(answer)
    look_at(url)
    seen = [value for what, value in observed.seen[done:] if what == ("chunk" if streamed else "whole")]
    assert any(url in value for value in seen)
    assert not any(references.PREFIX.decode() in value for value in seen)
    assert observed.kept == before


@pytest.mark.parametrize("streamed", [False, True])
def test_force_hides_the_picture_from_a_callback_but_not_from_the_client(
    observed: Setup, streamed: bool
) -> None:
    before = observed.kept
    [url] = urls_of(draw(observed.proxy, streamed, "plain-force", "A lighthouse"))
    look_at(url)
    assert observed.kept == before + 1


def blocked(proxy: Proxy, model: str, streamed: bool) -> None:
    """A picture that the guardrail blocks once it is there: an error and nothing else."""
    if streamed:
        frames = proxy.draw_streamed(model, "A lighthouse [block]")
        assert not frames.done
        assert not frames.images
        told, text = frames.chunks[-1]["error"]["message"], str(frames.chunks)
    else:
        answer = proxy.draw(model, "A lighthouse [block]")
        assert answer.status_code == 400
        told, text = answer.json()["error"]["message"], answer.text
    assert "blocked after the handler" in told
    assert "base64" not in text
    assert references.PREFIX.decode() not in text


@pytest.mark.parametrize("streamed", [False, True])
def test_a_guardrail_sees_the_picture_that_it_blocks(guarded: Setup, streamed: bool) -> None:
    done = len(guarded.seen)
    blocked(guarded.proxy, "plain-auto", streamed)
    seen = [value for what, value in guarded.seen[done:] if what == "guarded"]
    assert any("data:image/" in value for value in seen)
    assert not any(references.PREFIX.decode() in value for value in seen)


def test_a_guardrail_that_lets_an_answer_pass_changes_nothing(guarded: Setup) -> None:
    [url] = urls_of(guarded.proxy.draw("plain-auto", "A lighthouse"))
    look_at(url)


@pytest.mark.parametrize("streamed", [False, True])
def test_what_a_guardrail_blocks_after_the_handler_leaves_nothing(guarded: Setup, streamed: bool) -> None:
    before = guarded.kept
    blocked(guarded.proxy, "plain-force", streamed)
    settled = guarded.settled()
    assert (settled.kept, settled.held_bytes, settled.records) == (before + 1, 0, 0)


@pytest.mark.parametrize("streamed", [False])  # streams are not cached: LiteLLM would lose their pictures
@pytest.mark.parametrize("way", ["auto", "force"])
def test_an_answer_from_litellms_cache_has_its_picture(caching: Setup, way: str, streamed: bool) -> None:
    url = data_url("teal")
    reply = said({"text": "Here."}, picture_part(url))
    text = f"A lighthouse to be cached, {way}, {streamed}"
    caching.upstream.requests.clear()
    (caching.upstream.will_stream if streamed else caching.upstream.will_say)(reply)
    for _ in range(_POLLS):  # LiteLLM caches an answer when it has been sent
        asked = len(caching.upstream.requests)
        assert urls_of(draw(caching.proxy, streamed, f"recorded-{way}", text)) == [url]
        if len(caching.upstream.requests) == asked:
            break
    else:
        pytest.fail("nothing was ever answered from the cache")
    assert caching.kept == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"aspect_ratio": "1:1"}, {"aspect_ratio": "16:9"}),
        ({"image_size": "1K"}, {"image_size": "2K"}),
        ({"image_config": {"aspect_ratio": "1:1"}}, {"image_config": {"aspect_ratio": "16:9"}}),
        (
            {"generationConfig": {"imageConfig": {"aspectRatio": "1:1"}}},
            {"generationConfig": {"imageConfig": {"aspectRatio": "16:9"}}},
        ),
        ({"extra_body": {"aspect_ratio": "1:1"}}, {"extra_body": {"aspect_ratio": "16:9"}}),
        ({}, {"modalities": ["image"]}),
    ],
    ids=["aspect_ratio", "image_size", "image_config", "generationConfig", "extra_body", "modalities"],
)
@pytest.mark.parametrize("streamed", [False])  # streams are not cached: LiteLLM would lose their pictures
def test_requests_that_differ_in_image_parameters_share_no_cached_answer(
    caching: Setup, one: dict[str, Any], other: dict[str, Any], streamed: bool
) -> None:
    text = f"A lighthouse, {json.dumps([one, other])}, {streamed}"
    assert_not_shared(caching, streamed, [(text, one), (text, other)])


@pytest.mark.parametrize("way", ["auto", "force"])
def test_litellms_cache_keeps_shapes_and_does_not_mix_them(caching: Setup, way: str) -> None:
    url = data_url("plum")
    shown = {
        "images": ("Here.", True),
        "parts": (
            [{"type": "text", "text": "Here."}, {"type": "image_url", "image_url": {"url": url}}],
            False,
        ),
        "markdown": (f"Here.\n\n![image]({url})", False),
        "images+markdown": (f"Here.\n\n![image]({url})", True),
    }
    caching.upstream.will_say(said({"text": "Here."}, picture_part(url)))
    for shape in ("images", "markdown", "images+markdown", "parts", "parts", "images"):
        for _ in range(_POLLS):  # LiteLLM caches an answer when it has been sent
            asked = len(caching.upstream.requests)
            answer = caching.proxy.draw(
                f"recorded-{way}", f"A lighthouse in every shape, {way}", imagegen={"output": shape}
            )
            message = answer.json()["choices"][0]["message"]
            assert (message["content"], bool(urls_of(answer))) == shown[shape]
            is_cached = len(caching.upstream.requests) == asked
            if shape == "parts":  # LiteLLM cannot read these from its cache
                assert not is_cached
                assert caching.proxy.draw("state", "How many?").status_code == 200, "time to cache it"
                break
            if is_cached:
                break
        else:
            pytest.fail("nothing was ever answered from the cache")


def test_requests_that_differ_in_their_pictures_share_no_cached_answer(caching: Setup) -> None:
    asked = []
    for color in ("red", "green"):
        parts = [
            {"type": "text", "text": "Paint it at night"},
            {"type": "image_url", "image_url": {"url": data_url(color, size=(640, 480))}},
        ]
        asked.append((parts, dict[str, Any]()))
    assert_not_shared(caching, False, asked)


def assert_not_shared(caching: Setup, streamed: bool, asked: list[tuple[Any, dict[str, Any]]]) -> None:
    """Each of what is asked reaches the upstream, even when the one before is answered from the cache."""
    for color, (content, fields) in zip(("orange", "navy"), asked, strict=True):
        url = data_url(color)
        reply = said(picture_part(url))
        (caching.upstream.will_stream if streamed else caching.upstream.will_say)(reply)
        body = {"model": "recorded-auto", "messages": [{"role": "user", "content": content}], **fields}
        for _ in range(_POLLS):
            before = len(caching.upstream.requests)
            answer = caching.proxy.stream(body) if streamed else caching.proxy.post(body)
            assert urls_of(answer) == [url]
            if len(caching.upstream.requests) == before:
                break
        else:
            pytest.fail("nothing was ever answered from the cache")


class Script(list[Recorded]):
    """Requests of an upstream that gets its replies one after the other, the last one again and again."""

    def __init__(self, upstream: Upstream, *replies: tuple[int, bytes]) -> None:
        super().__init__()
        self._upstream = upstream
        self._replies = list(replies)

    def append(self, request: Recorded) -> None:
        status, body = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        kind = "text/event-stream" if body.startswith(b"data: ") else "application/json"
        self._upstream.reply = (status, {"content-type": kind}, body)
        super().append(request)


def reply_of(streamed: bool, *parts: Mapping[str, Any]) -> bytes:
    whole = json.dumps(said(*parts)).encode()
    return b"data: " + whole + b"\r\n\r\n" if streamed else whole


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("way", ["auto", "off"])
def test_a_request_that_is_tried_again_gets_its_picture(plain: Setup, way: str, streamed: bool) -> None:
    url = data_url("purple")
    error = json.dumps({"error": {"code": 500, "message": "oops", "status": "INTERNAL"}}).encode()
    plain.upstream.requests = Script(
        plain.upstream, (500, error), (200, reply_of(streamed, picture_part(url)))
    )
    given = data_url("green", size=(300, 200))
    parts = [
        {"type": "text", "text": f"Like this, but {LOOK_ALIKES[2]}"},
        {"type": "image_url", "image_url": {"url": given}},
    ]
    body = {"model": f"recorded-{way}", "messages": [{"role": "user", "content": parts}], "num_retries": 1}
    before = plain.kept
    assert urls_of(plain.proxy.stream(body) if streamed else plain.proxy.post(body)) == [url]
    first, second = plain.upstream.requests
    assert first.body == second.body
    sent = json.dumps(second.body)
    assert given.partition(",")[2] in sent, "the second try has the client's picture"
    assert LOOK_ALIKES[2] in sent, "and its words"
    assert plain.kept - before == (way == "auto")


@pytest.mark.parametrize("streamed", [False, True])
def test_a_fallback_to_another_deployment_gives_its_picture(plain: Setup, streamed: bool) -> None:
    [url] = urls_of(draw(plain.proxy, streamed, "fails-to-picture", "A lighthouse"))
    assert look_at(url).size == (1024, 1024)
    assert plain.state.held_bytes == 0


@pytest.mark.parametrize("streamed", [False, True])
def test_a_fallback_to_a_foreign_model_gives_its_words(plain: Setup, streamed: bool) -> None:
    answer = draw(plain.proxy, streamed, "fails-to-words", "A lighthouse")
    text = answer.text if isinstance(answer, Frames) else answer.json()["choices"][0]["message"]["content"]
    assert text == "just words"
    assert urls_of(answer) == []


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("way", ["auto", "off"])
@pytest.mark.parametrize("look_alike", LOOK_ALIKES, ids=["a token", "the prefix", "full length"])
def test_words_that_look_like_a_reference_come_back_as_words(
    plain: Setup, way: str, streamed: bool, look_alike: str
) -> None:
    url = data_url("olive")
    texts = [f"This is {look_alike}", f" and {look_alike[:30]}", f"{look_alike[30:]}."]
    parts = [{"text": texts[0]}, picture_part(url), {"text": texts[1]}, {"text": texts[2]}]
    if streamed:
        plain.upstream.will_stream(*(said(part) for part in parts))
    else:
        plain.upstream.will_say(said(*parts))
    plain.upstream.requests = []
    answer = draw(plain.proxy, streamed, f"recorded-{way}", f"Say {look_alike}")
    text = answer.text if isinstance(answer, Frames) else answer.json()["choices"][0]["message"]["content"]
    assert text == "".join(texts)
    assert urls_of(answer) == [url]
    [request] = plain.upstream.requests
    assert f"Say {look_alike}" in json.dumps(request.body)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("way", ["auto", "off"])
@pytest.mark.parametrize("mime", ['image/"x"', "image/\\x", "image/ü"])
def test_a_strange_media_type_of_a_provider_breaks_no_answer(
    plain: Setup, way: str, streamed: bool, mime: str
) -> None:
    part = {"inlineData": {"mimeType": mime, "data": "b2Ygbm8ga25vd24gZm9ybQ=="}}
    plain.upstream.reply = (200, {"content-type": "application/json"}, reply_of(streamed, part))
    if streamed:
        plain.upstream.reply = (200, {"content-type": "text/event-stream"}, reply_of(streamed, part))
    [url] = urls_of(draw(plain.proxy, streamed, f"recorded-{way}", "x"))
    assert url.endswith(";base64,b2Ygbm8ga25vd24gZm9ybQ==")


def hang_up(proxy: Proxy, streamed: bool, wish: str, after_bytes: int = 1) -> None:
    """Ask, read the beginning of the answer and go."""
    body = {
        "model": "plain-force",
        "messages": [{"role": "user", "content": prompt(wish)}],
        "stream": streamed,
    }
    headers = {"authorization": f"Bearer {proxy.key}"}
    url = f"{proxy.url}/v1/chat/completions"
    with (
        httpx.Client(trust_env=False, timeout=60) as client,
        client.stream("POST", url, json=body, headers=headers) as response,
    ):
        read = b""
        pieces = response.iter_raw()  # without a size: as they come
        while len(read) < after_bytes:
            try:
                read += next(pieces)
            except (StopIteration, httpx.TransportError) as error:
                told = f"{error!r} after {len(read)} bytes, {read[-500:]!r}: {proxy.log[-2000:]}"
                raise AssertionError(told) from error


@pytest.mark.timeout(560)
def test_nothing_is_left_of_many_requests_of_every_kind(guarded: Setup) -> None:
    proxy = guarded.proxy

    def one(number: int) -> None:
        kind = number % 10
        if kind in (0, 1):
            [url] = urls_of(draw(proxy, kind == 1, "plain-force", f"{number}"))
            assert url.startswith("data:image/")
        elif kind == 2:
            assert proxy.draw("plain-force", prompt("refuse picture")).status_code == 200
        elif kind == 3:
            assert proxy.draw("plain-force", prompt("500")).status_code == 500
        elif kind == 4:
            assert not proxy.draw_streamed("plain-force", prompt("cut off")).done
        elif kind in (5, 6):
            hang_up(proxy, kind == 6, "big 4" if number % 100 < 10 else "big 1", 100_000)
        elif kind == 7:
            hang_up(proxy, True, "stall 60")
        elif kind == 8:
            blocked(proxy, "plain-force", streamed=number % 20 > 10)
        else:
            assert proxy.draw_streamed("plain-force", prompt("refuse prompt")).done

    before = guarded.kept
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, range(_MIXED_REQUESTS)))
    settled = guarded.settled()
    assert settled.kept - before >= _MIXED_REQUESTS // 2, "pictures did take their own way"
    assert (settled.held_bytes, settled.records) == (0, 0)


def test_responses_that_differ_in_image_parameters_share_no_cached_answer(caching: Setup) -> None:
    for color, size, shape in (
        ("orange", "1024x1024", "items"),
        ("navy", "1536x1024", "items"),
        ("teal", "1536x1024", "output_image"),
    ):
        url = data_url(color)
        caching.upstream.will_say(said({"text": "Here."}, picture_part(url)))
        tool = {"type": "image_generation", "size": size}
        for _ in range(_POLLS):
            before = len(caching.upstream.requests)
            answer = respond(
                caching.proxy, "recorded-auto", "A lighthouse", tools=[tool], imagegen={"responses": shape}
            ).json()
            assert pictures_of(answer) == [url]
            assert text_of(answer) == "Here."
            if len(caching.upstream.requests) == before:
                break
        else:
            pytest.fail("nothing was ever answered from the cache")


def test_what_goes_on_from_different_responses_shares_no_cached_answer(caching: Setup) -> None:
    asked = {}
    for color in ("red", "green"):
        caching.upstream.will_say(said(picture_part(data_url(color))))
        asked[color] = respond(caching.proxy, "recorded-auto", f"A {color} boat").json()["id"]
    for color, name in (("navy", "red"), ("teal", "green")):
        url = data_url(color)
        caching.upstream.will_say(said(picture_part(url)))
        answer = respond(caching.proxy, "recorded-auto", "Make it blue", previous_response_id=asked[name])
        assert pictures_of(answer.json()) == [url]
        assert answer.json()["previous_response_id"] == asked[name]


def test_a_mask_is_no_hindrance_to_a_cache(caching: Setup) -> None:
    files = [
        (name, ("a.png", base64.b64decode(data_url(picture=layer).partition(",")[2]), "image/png"))
        for name, layer in (
            ("image", Image.new("RGB", (64, 48), "red")),
            ("mask", Image.new("RGBA", (64, 48), (0, 0, 0, 0))),
        )
    ]
    answer = caching.proxy.edit(files, model="mask", prompt="A boat")
    assert answer.status_code == 200, answer.text
