"""A first picture: a real `litellm` proxy process, a request as any client sends it, the picture on disk."""

import base64
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import httpx

_START_SECONDS = 120.0
_LOG = Path("litellm-proxy.log")
_ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}


class DemonstrationFailed(Exception):
    """Something is missing or did not come up; the message says what, and what to do."""


def run(*, port: int, config_path: Path, model: str, prompt: str, output: Path) -> None:
    """Start the proxy, have it draw, write the picture to `output`. Raises `DemonstrationFailed`."""
    key = os.environ.get("LITELLM_MASTER_KEY") or f"sk-{secrets.token_hex(16)}"
    proxy = _start_proxy(port, config_path, key)
    try:
        _wait_until_ready(proxy, port)
        picture, mime = _draw(port, key, model, prompt)
    except BaseException:
        proxy.terminate()
        raise
    output = output.with_suffix(_ENDINGS.get(mime, output.suffix))
    output.write_bytes(picture)
    click.echo(f"{output}: {mime}, {len(picture)} bytes, drawn through http://127.0.0.1:{port}\n")
    click.echo(f"The proxy goes on running (process {proxy.pid}, log in {_LOG}). Try it:")
    click.echo(f"  curl http://127.0.0.1:{port}/v1/chat/completions -H 'Authorization: Bearer {key}' \\")
    click.echo("    -H 'Content-Type: application/json' \\")
    body = f'{{"model": "{model}", "messages": [{{"role": "user", "content": "A blue owl"}}]}}'
    click.echo(f"    -d '{body}'")
    click.echo(f"Stop it: kill {proxy.pid}")


def _start_proxy(port: int, config_path: Path, key: str) -> "subprocess.Popen[bytes]":
    program = shutil.which("litellm", path=str(Path(sys.executable).parent)) or shutil.which("litellm")
    if program is None:
        raise DemonstrationFailed("there is no litellm program here: pip install 'litellm_imagegen[proxy]'")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemonstrationFailed(f"port {port} is in use; choose another one with --port") from error
    environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"} | os.environ | {"LITELLM_MASTER_KEY": key}
    with _LOG.open("wb") as log:
        return subprocess.Popen(  # noqa: S603  # our own arguments
            [program, "--config", str(config_path), "--host", "127.0.0.1", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )


def _wait_until_ready(proxy: "subprocess.Popen[bytes]", port: int) -> None:
    click.echo(f"Starting a LiteLLM proxy on port {port} ...")
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if proxy.poll() is not None:
            raise DemonstrationFailed(f"the proxy ended at once; its last words:\n{_last_words()}")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health/liveliness", timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.25)
    raise DemonstrationFailed(
        f"the proxy was not ready within {_START_SECONDS:g} s; its last words:\n{_last_words()}"
    )


def _draw(port: int, key: str, model: str, prompt: str) -> tuple[bytes, str]:
    reply = httpx.post(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        headers={"authorization": f"Bearer {key}"},
        json={
            "model": model,
            "messages": [{"role": "user", "content": prompt}],
            "modalities": ["image", "text"],
        },
        timeout=300,
        trust_env=False,
    )
    if reply.status_code != 200:
        raise DemonstrationFailed(f"the proxy answered {reply.status_code}: {reply.text[:500]}")
    message: dict[str, Any] = reply.json()["choices"][0]["message"]
    if not message.get("images"):
        raise DemonstrationFailed(f"no picture came back: {message.get('refusal') or message.get('content')}")
    head, _, data = message["images"][0]["image_url"]["url"].partition(",")
    return base64.b64decode(data), head.removeprefix("data:").removesuffix(";base64")


def _last_words() -> str:
    return "\n".join(_LOG.read_text(errors="replace").splitlines()[-20:])
