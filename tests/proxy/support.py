"""A real `litellm --config` process, and clients that show exactly what came over the wire."""

import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import uvicorn
import yaml

from litellm_imagegen.sandbox.app import create_app
from tests.proxy import serving
from tests.proxy.secrecy import RECORD, assert_holds_nothing_secret, secrets_of

OUR_CALLBACK = "litellm_imagegen.callback"
_START_SECONDS = 90

# For each call httpx would read all certificates, which takes longer than the call.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
FormFile = tuple[str, tuple[str, bytes, str]]


@dataclass(frozen=True)
class Frames:
    """A streamed answer: its status and headers, every chunk, and whether it ended as a success does."""

    status: int
    headers: Mapping[str, str]
    chunks: list[dict[str, Any]]
    done: bool

    @property
    def deltas(self) -> list[dict[str, Any]]:
        """The deltas of choice 0, in order."""
        return [chunk["choices"][0]["delta"] for chunk in self.chunks if chunk.get("choices")]

    @property
    def text(self) -> str:
        return "".join(delta.get("content") or "" for delta in self.deltas)

    @property
    def images(self) -> list[dict[str, Any]]:
        return [image for delta in self.deltas for image in delta.get("images") or ()]

    @property
    def finish_reasons(self) -> list[str]:
        reasons = [
            choice.get("finish_reason") for chunk in self.chunks for choice in chunk.get("choices", ())
        ]
        return [reason for reason in reasons if reason]

    @property
    def error(self) -> dict[str, Any] | None:
        """What an error frame, or the body of an error status, says."""
        return next((chunk["error"] for chunk in self.chunks if "error" in chunk), None)


@dataclass(frozen=True)
class Proxy:
    """A running proxy."""

    url: str
    key: str
    log_path: Path

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def post(self, body: Mapping[str, Any], **headers: str) -> httpx.Response:
        """A chat completion, whole."""
        return httpx.post(
            f"{self.url}/v1/chat/completions",
            json=body,
            headers=self._headers(headers),
            timeout=60,
            trust_env=False,
            verify=NO_TLS,
        )

    def stream(self, body: Mapping[str, Any], **headers: str) -> Frames:
        """A chat completion, streamed."""
        with httpx.stream(
            "POST",
            f"{self.url}/v1/chat/completions",
            json={**body, "stream": True},
            headers=self._headers(headers),
            timeout=60,
            trust_env=False,
            verify=NO_TLS,
        ) as response:
            response.read()
        if response.status_code != 200:
            return Frames(response.status_code, response.headers, [response.json()], done=False)
        frames = [frame for frame in response.text.split("\n\n") if frame.strip()]
        assert all(frame.startswith("data: ") for frame in frames), frames
        payloads = [frame.removeprefix("data: ") for frame in frames]
        done = payloads[-1] == "[DONE]"
        chunks = [json.loads(payload) for payload in (payloads[:-1] if done else payloads)]
        return Frames(response.status_code, response.headers, chunks, done)

    def draw(self, model: str, prompt: str, **fields: Any) -> httpx.Response:
        """A picture of `prompt`."""
        return self.post({"model": model, "messages": [{"role": "user", "content": prompt}], **fields})

    def draw_streamed(self, model: str, prompt: str, **fields: Any) -> Frames:
        """The same, streamed."""
        return self.stream({"model": model, "messages": [{"role": "user", "content": prompt}], **fields})

    def generate(self, model: str, prompt: str, **fields: Any) -> httpx.Response:
        """Pictures of `prompt`, from the Images API."""
        return self.post_images("generations", {"model": model, "prompt": prompt, **fields})

    def post_images(self, operation: str, body: Mapping[str, Any], **headers: str) -> httpx.Response:
        """Any JSON body to the Images API."""
        return httpx.post(
            f"{self.url}/v1/images/{operation}",
            json=body,
            headers=self._headers(headers),
            timeout=60,
            trust_env=False,
            verify=NO_TLS,
        )

    def edit(self, files: Sequence[FormFile], **fields: str) -> httpx.Response:
        """A form with files to the Images API's edits."""
        return httpx.post(
            f"{self.url}/v1/images/edits",
            data=fields,
            files=list(files),
            headers=self._headers({}),
            timeout=60,
            trust_env=False,
            verify=NO_TLS,
        )

    def _headers(self, given: Mapping[str, str]) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in given.items()}}


@contextmanager
def running_proxy(
    config: Mapping[str, Any],
    folder: Path,
    *,
    recorded: bool = True,
    arguments: Sequence[str] = (),
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Proxy]:
    """A proxy with `config`, for as long as the block lasts. Without keys, retries and cooldowns.

    `arguments` go behind those of its command, `variables` into its environment.

    Where our callback is, a log sink records all that LiteLLM gives to one; it and the proxy's own log hold
    no secret and no picture, or the block fails. `recorded=False` is for tests that let LiteLLM tell them.
    """
    key = f"sk-{secrets.token_hex(16)}"
    whole = {"router_settings": {"num_retries": 0, "disable_cooldowns": True}, **config}
    whole["general_settings"] = {"master_key": key, **config.get("general_settings", {})}
    if recorded:
        whole["litellm_settings"] = _with_recorder(config.get("litellm_settings", {}), folder)
    (folder / "config.yaml").write_text(yaml.safe_dump(whole))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    environment |= {"PYTHONFAULTHANDLER": "1", **variables}  # a crash tells where
    where = ("--host", "127.0.0.1", "--port", str(port))
    command = ["--config", str(folder / "config.yaml"), *where, *arguments]
    log_path = folder / "proxy.log"
    # LiteLLM reads some variables while it is imported; its workers are processes of their own kind.
    start = serving.start if variables or arguments else serving.start_fork
    process = start(command, folder, log_path, environment)
    proxy = Proxy(f"http://127.0.0.1:{port}", key, log_path)
    try:
        _wait_until_ready(process, proxy)
        yield proxy
    finally:
        ended_by_itself = process.poll()
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()  # a request that never ends
            process.wait(timeout=30)
    assert ended_by_itself is None, f"the proxy ended by itself ({ended_by_itself}): {proxy.log[-6000:]}"
    if recorded:
        hidden = secrets_of(whole, variables)
        for log_path in (folder / RECORD, proxy.log_path):
            assert_holds_nothing_secret(log_path, hidden)


def _with_recorder(settings: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """`settings` with a sink that records, behind our callback where there is one."""
    (folder / RECORD).touch()
    callbacks = settings.get("callbacks", ())
    if OUR_CALLBACK not in callbacks:
        return settings
    shutil.copy(Path(__file__).with_name("recorder.py"), folder)
    return {**settings, "callbacks": [*callbacks, "recorder.recorder"]}


def _wait_until_ready(process: "subprocess.Popen[bytes] | serving.Fork", proxy: Proxy) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, proxy.log
        try:
            if httpx.get(
                f"{proxy.url}/health/liveliness", timeout=5, trust_env=False, verify=NO_TLS
            ).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)  # polls a program's start; no test waits for time to pass
    raise AssertionError(f"the proxy was not ready within {_START_SECONDS} s: {proxy.log}")


@contextmanager
def running_sandbox() -> Iterator[str]:
    """The address of a simulated provider of its own: what it counts are the calls of one test."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(), loop="asyncio", http="h11", ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"  # connections wait until it serves
    finally:
        server.should_exit = server.force_exit = True
        thread.join(timeout=30)
        listener.close()


class Canary:
    """A listener on loopback that nobody may call: it counts connections and keeps what they say."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.port: int = listener.getsockname()[1]
        self.received: list[bytes] = []

    def listen(self) -> None:
        """Take connections, say nothing and hang up, until the listener is closed."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    self.received.append(connection.recv(65536))
                except OSError:
                    self.received.append(b"")


@contextmanager
def running_canary() -> Iterator[Canary]:
    """A canary for as long as the block lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        canary = Canary(listener)
        thread = threading.Thread(target=canary.listen, daemon=True)
        thread.start()
        yield canary
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=30)
