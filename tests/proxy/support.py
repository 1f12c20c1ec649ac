"""A real `litellm --config` process, and clients that show exactly what came over the wire."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

_START_SECONDS = 90


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

    def _headers(self, given: Mapping[str, str]) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in given.items()}}


@contextmanager
def running_proxy(config: Mapping[str, Any], folder: Path, **variables: str) -> Iterator[Proxy]:
    """A proxy with `config`, for as long as the block lasts. Without keys, retries and cooldowns."""
    key = f"sk-{secrets.token_hex(16)}"
    whole = {"router_settings": {"num_retries": 0, "disable_cooldowns": True}, **config}
    whole["general_settings"] = {"master_key": key, **config.get("general_settings", {})}
    (folder / "config.yaml").write_text(yaml.safe_dump(whole))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    environment |= variables
    program = shutil.which("litellm", path=str(Path(sys.executable).parent)) or "litellm"
    log_path = folder / "proxy.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [program, "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
        )
    proxy = Proxy(f"http://127.0.0.1:{port}", key, log_path)
    try:
        _wait_until_ready(process, proxy)
        yield proxy
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(process: "subprocess.Popen[bytes]", proxy: Proxy) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, proxy.log
        try:
            if httpx.get(f"{proxy.url}/health/liveliness", timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)  # polls a program's start; no test waits for time to pass
    raise AssertionError(f"the proxy was not ready within {_START_SECONDS} s: {proxy.log}")
