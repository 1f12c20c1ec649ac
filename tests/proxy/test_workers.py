"""Two workers of one proxy, with a real Redis: a conversation goes on in whichever its next request lands."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from litellm_imagegen.plugin import references
from litellm_imagegen.sandbox import server
from tests.pictures import data_url, look_at
from tests.proxy.conftest import SETTINGS, gemini
from tests.proxy.responding import pictures_of
from tests.proxy.support import NO_TLS, Proxy, running_proxy
from tests.proxy.test_responses import contents, said
from tests.upstream import Upstream, running_upstream

redis = pytest.importorskip("redis")
REDIS = shutil.which("redis-server") or ""
pytestmark = pytest.mark.skipif(not REDIS, reason="there is no Redis to start")
# Executed once for each mention, in each worker.
PROBE = """
import json
import os
import time
from pathlib import Path
import litellm
from litellm.integrations.custom_logger import CustomLogger
from litellm.types.utils import ModelResponse
from litellm_imagegen.plugin.vault import Vault

if not hasattr(Vault, "kept"):
    Vault.kept, keep = 0, Vault.keep

    def counting(self, picture, **how):
        reference = keep(self, picture, **how)
        Vault.kept += reference is not None
        return reference

    Vault.keep = counting

class Worker(litellm.CustomLLM):
    async def acompletion(self, **given):
        if given["messages"][0]["content"] == "Hold":
            Path("held").touch()
            for _ in range(6000):
                if Path("let-go").exists():
                    break
                time.sleep(0.01)
        told = json.dumps({"process": os.getpid(), "kept": Vault.kept, "held": Vault.held_bytes})
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": told}}
        return ModelResponse(model="worker", choices=[choice])

class Signature(CustomLogger):
    async def async_post_call_response_headers_hook(self, data, user_api_key_dict, response, **more):
        return {"x-worker": str(os.getpid())}

worker, signature = Worker(), Signature()
"""
AUTHORIZE = """
from litellm.proxy._types import UserAPIKeyAuth

async def authorize(request, api_key):
    return UserAPIKeyAuth(api_key=api_key, team_id=api_key.removeprefix("sk-"))
"""
HOLD = {"model": "worker", "messages": [{"role": "user", "content": "Hold"}]}
WHO = {"model": "worker", "messages": [{"role": "user", "content": "Who?"}]}
PREFIX = references.TEXT_PREFIX
_POLLS = 200


@dataclass(frozen=True)
class Redis:
    """A Redis that keeps nothing on disk."""

    port: int
    process: "subprocess.Popen[bytes]"

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


@contextmanager
def running_redis(folder: Path) -> Iterator[Redis]:
    """A Redis for as long as the block lasts, or until a test ends it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
    started = Redis(port, process)
    try:
        for _ in range(_POLLS):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)  # polls a program's start
        yield started
    finally:
        started.end()


def key_of(team: str) -> dict[str, str]:
    return {"authorization": f"Bearer sk-{team}"}


def night_of(response: Mapping[str, Any]) -> dict[str, Any]:
    """A request that goes on from a response."""
    return {"model": "drawn", "input": "Make it night", "previous_response_id": response["id"]}


def assert_unknown(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "previous_response_id"), answer.text


def parts_of(upstream: Upstream) -> list[dict[str, Any]]:
    """The parts of all turns of the latest request to the upstream."""
    return [part for turn in upstream.requests[-1].body["contents"] for part in turn["parts"]]


@dataclass(frozen=True)
class Worker:
    """One worker, over a connection that it has accepted."""

    process: int
    client: httpx.Client

    def post(self, path: str, body: Mapping[str, Any], team: str = "red") -> httpx.Response:
        answer = self.client.post(path, json=body, headers=key_of(team))
        if answer.status_code == 200:
            assert answer.headers["x-worker"] == str(self.process), "the connection has ended meanwhile"
        return answer

    def respond(
        self, model: str, given: Any, *, streamed: bool = False, team: str = "red", **fields: Any
    ) -> dict[str, Any]:
        """A response, whichever way it came."""
        fields = {**fields, "stream": True} if streamed else fields
        answer = self.post("/v1/responses", {"model": model, "input": given, **fields}, team)
        assert answer.status_code == 200, answer.text
        assert PREFIX not in answer.text
        if not streamed:
            whole: dict[str, Any] = answer.json()
            return whole
        frames = [frame for frame in answer.text.split("\n\n") if frame.startswith("event: ")]
        last: dict[str, Any] = json.loads(frames[-1].partition("data: ")[2])["response"]
        return last

    @property
    def state(self) -> dict[str, int]:
        answer = self.post("/v1/chat/completions", WHO)
        told: dict[str, int] = json.loads(answer.json()["choices"][0]["message"]["content"])
        return told


@dataclass(frozen=True)
class Setup:
    """A proxy of two workers, the upstream of its deployment "recorded", and its Redis."""

    proxy: Proxy
    upstream: Upstream
    redis: Redis
    workers: tuple[Worker, Worker]


@contextmanager
def both_workers(proxy: Proxy, folder: Path) -> Iterator[tuple[Worker, Worker]]:
    """A connection to each of two workers: whoever accepts one serves all that comes over it.

    While one is held up the other has to accept.
    """

    def opened() -> httpx.Client:
        return httpx.Client(base_url=proxy.url, timeout=60, trust_env=False, verify=NO_TLS)

    def process_of(client: httpx.Client, body: Mapping[str, Any] = WHO) -> int:
        return int(client.post("/v1/chat/completions", json=body, headers=key_of("red")).headers["x-worker"])

    with opened() as first, opened() as second, ThreadPoolExecutor(1) as threads:
        held = threads.submit(process_of, first, HOLD)
        try:
            for _ in range(_POLLS):
                if (folder / "held").exists():
                    break
                time.sleep(0.05)  # polls a program's state
            other = process_of(second)
        finally:
            (folder / "let-go").touch()
        assert held.result() != other
        yield Worker(held.result(), first), Worker(other, second)


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    folder = tmp_path_factory.mktemp("workers")
    (folder / "probe.py").write_text(PROBE)
    (folder / "authorize.py").write_text(AUTHORIZE)
    providers = [
        *SETTINGS["custom_provider_map"],  # type: ignore[misc]  # a mapping of settings of every kind
        {"provider": "probe", "custom_handler": "probe.worker"},
    ]
    callbacks = ["litellm_imagegen.callback", "probe.signature"]
    with running_redis(folder) as redis, running_upstream() as upstream:
        config = {
            "model_list": [
                {"model_name": "worker", "litellm_params": {"model": "probe/worker"}},
                gemini("drawn", server.base_url()),
                gemini("recorded", upstream.url),
            ],
            "litellm_settings": {"custom_provider_map": providers, "callbacks": callbacks},
            "general_settings": {
                "custom_auth": "authorize.authorize",
                "coordination_redis": {"host": "127.0.0.1", "port": redis.port},
            },
        }
        arguments = ("--num_workers", "2", "--keepalive_timeout", "600")
        with (
            running_proxy(config, folder, arguments=arguments) as proxy,
            both_workers(proxy, folder) as workers,
        ):
            yield Setup(proxy, upstream, redis, workers)


@pytest.fixture(autouse=True)
def _fresh_upstream(setup: Setup) -> None:
    setup.upstream.requests.clear()


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_conversation_goes_on_in_the_other_worker(setup: Setup, streamed: bool) -> None:
    one, other = setup.workers
    [url] = pictures_of(one.respond("drawn", "A lighthouse"))
    data = url.partition(",")[2]
    part = {"inlineData": {"mimeType": "image/jpeg", "data": data}}

    def ask(worker: Worker, given: Any, **fields: Any) -> dict[str, Any]:
        text = given if isinstance(given, str) else "items"
        reply = said({"text": f"Answer to {text}"}, part)
        (setup.upstream.will_stream if streamed else setup.upstream.will_say)(reply)
        return worker.respond("recorded", given, streamed=streamed, **fields)

    first = ask(one, "one", instructions="Be brief.")
    second = ask(other, "two", previous_response_id=first["id"])
    assert second["previous_response_id"] == first["id"]
    third = ask(one, "three", previous_response_id=second["id"])
    drawn = data[-20:]
    turns = [
        ("user", ["one"]),
        ("model", ["Answer to one"]),
        ("user", [drawn, "two"]),
        ("model", ["Answer to two"]),
        ("user", [drawn, "three"]),
    ]
    assert contents(setup.upstream) == turns
    assert "systemInstruction" not in setup.upstream.requests[-1].body, "instructions are for one response"
    ask(other, "four", previous_response_id=third["id"])
    assert contents(setup.upstream)[:5] == turns
    ask(other, "another two", previous_response_id=first["id"])
    assert [turn[1][-1] for turn in contents(setup.upstream)] == ["one", "Answer to one", "another two"]
    for kind, (worker, response) in zip(
        ("image_generation_call", "item_reference"), ((other, first), (one, second)), strict=True
    ):
        again = {"role": "user", "content": [{"type": "input_text", "text": "as then"}]}
        ask(worker, [{"type": kind, "id": response["output"][1]["id"]}, again])
        assert contents(setup.upstream) == [("user", [drawn, "as then"])]


def test_a_large_conversation_is_whole_in_the_other_worker(setup: Setup) -> None:
    one, other = setup.workers
    given = [{"role": "user", "content": [{"type": "input_image", "image_url": data_url("olive")}]}]
    last = one.respond("drawn", [*given, {"role": "user", "content": "Bigger"}], image_size="4K")
    shown = pictures_of(last)
    for worker in (other, one, other):
        last = worker.respond(
            "drawn", "And now", image_size="4K", previous_response_id=last["id"], streamed=True
        )
        shown += pictures_of(last)
    setup.upstream.will_say(said({"text": "done"}))
    one.respond("recorded", "And?", previous_response_id=last["id"])
    sent = [part["inlineData"]["data"] for part in parts_of(setup.upstream) if "inlineData" in part]
    assert sent == [url.partition(",")[2] for url in (data_url("olive"), *shown)]


def test_no_other_team_goes_on_from_a_response_or_uses_its_picture(setup: Setup) -> None:
    one, other = setup.workers
    first = one.respond("drawn", "A lighthouse", team="red", modalities=["image"])
    item = first["output"][0]["id"]
    for worker in (one, other):
        named = [{"type": "item_reference", "id": item}, {"role": "user", "content": "Make it night"}]
        by_item = {"model": "drawn", "input": named}
        answer = worker.post("/v1/responses", by_item, team="blue")
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input[0].id"), answer.text
        assert worker.post("/v1/responses", by_item).status_code == 200
        answer = worker.post("/v1/responses", night_of(first), team="blue")
        assert answer.status_code in (400, 403), "LiteLLM itself knows whose its ids are"
    unstored = one.respond("drawn", "A lighthouse", store=False)
    assert_unknown(other.post("/v1/responses", night_of(unstored)))


def test_redis_holds_no_names_and_everything_ends(setup: Setup) -> None:
    first = setup.workers[0].respond("drawn", "A lighthouse", team="team-of-whales")
    names = ("team-of-whales", "sk-", "chatcmpl-", first["id"], first["output"][-1]["id"])
    with closing(redis.Redis(port=setup.redis.port)) as client:
        keys = list(client.scan_iter("litellm_imagegen:*"))
        assert {key.split(b":")[1] for key in keys} == {b"response", b"item", b"picture", b"index"}
        for key in keys:
            assert 0 < client.ttl(key) <= 24 * 3600
            held = client.zrange(key, 0, -1) if key.endswith(b"index") else [client.get(key)]
            for text in (key, *held):
                assert not any(name.encode() in text for name in names)


def test_pictures_notices_and_costs_are_right_on_both_workers(setup: Setup) -> None:
    body = {
        "model": "drawn",
        "messages": [{"role": "user", "content": "A lighthouse"}],
        "image_size": "1K",
        "quality": "high",
    }
    told = []
    for worker in setup.workers:
        before = worker.state
        answer = worker.post("/v1/chat/completions", body)
        [image] = answer.json()["choices"][0]["message"]["images"]
        look_at(image["image_url"]["url"])
        images = worker.post("/v1/images/generations", {"model": "drawn", "prompt": "A lighthouse", "n": 2})
        assert len(images.json()["data"]) == 2
        response = worker.respond("drawn", "A lighthouse", streamed=True, quality="high")
        after = worker.state
        assert after["process"] == worker.process
        assert after["kept"] - before["kept"] == 4, "all of them pass LiteLLM by"
        assert after["held"] == 0
        told.append(
            (
                answer.headers["x-imagegen-notices"],
                float(answer.headers["x-litellm-response-cost"]),
                float(images.headers["x-litellm-response-cost"]),
                [notice["field"] for notice in response["provider_metadata"]["imagegen"]["notices"]],
                answer.json()["usage"]["completion_tokens"],
            )
        )
        assert told[-1][1] == pytest.approx(answer.json()["usage"]["cost"])
    assert told[0] == told[1]
    assert "quality" in told[0][0]


def test_without_its_redis_a_worker_goes_on_with_what_it_knows(setup: Setup) -> None:
    one, other = setup.workers
    before = one.respond("drawn", "A lighthouse")
    setup.redis.end()
    first = one.respond("drawn", "A lighthouse")
    for known in (before, first):
        again = one.respond("drawn", "Night", previous_response_id=known["id"], streamed=True)
        assert len(pictures_of(again)) == 1
        assert_unknown(other.post("/v1/responses", night_of(known)))
    warnings = [line for line in setup.proxy.log.splitlines() if "litellm_imagegen: Redis:" in line]
    assert len(warnings) == 2, "each worker says it once"
