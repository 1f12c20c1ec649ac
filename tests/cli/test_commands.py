"""The `litellm-imagegen` command as a newcomer types it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PROGRAM = str(Path(sys.executable).with_name("litellm-imagegen"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [PROGRAM, "sandbox", "--port", str(port), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}/v1beta" in process.stdout.readline().decode()
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                httpx.get(url, trust_env=False)
                break
            except httpx.ConnectError:
                time.sleep(0.05)  # polls a program's start; no test waits for time to pass
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        if process.stdout is not None:
            process.stdout.close()


def test_sandbox_serves_the_wire_on_a_port() -> None:
    with serving() as url:
        reply = httpx.post(
            f"{url}/v1beta/models/gemini-3-pro-image:generateContent",
            headers={"x-goog-api-key": "any"},
            json={"contents": [{"role": "user", "parts": [{"text": "A lighthouse"}]}]},
            trust_env=False,
        )
    kinds = [next(iter(part)) for part in reply.json()["candidates"][0]["content"]["parts"]]
    assert kinds == ["text", "inlineData"]


def test_a_port_in_use_is_told_without_a_traceback(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments in (
            ["sandbox", "--port", port],
            ["demo", "--port", port, "--config", f"{ROOT}/config.example.yaml"],
        ):
            finished = subprocess.run(
                [PROGRAM, *arguments], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
            )
            assert finished.returncode == 1
            assert f"{port}" in finished.stderr
            assert "in use" in finished.stderr
            assert "Traceback" not in finished.stderr


def test_demo_leaves_a_picture_and_a_proxy_that_answers(tmp_path: Path) -> None:
    shutil.copy(ROOT / "config.example.yaml", tmp_path)
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "LITELLM_MASTER_KEY"}
    finished = subprocess.run(
        [PROGRAM, "demo", "--port", str(port)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=110,
        check=True,
    )
    stop = re.search(r"Stop it: kill (\d+)", finished.stdout)
    assert stop is not None
    try:
        with Image.open(tmp_path / "picture.png") as picture:
            picture.load()
            assert (picture.format, picture.size) == ("PNG", (1024, 1024))
        command = re.search(r"curl .*?}'", finished.stdout, re.DOTALL)
        assert command is not None, "it says how to go on"
        again = subprocess.run(
            ["sh", "-c", f"{command[0]} --silent"], capture_output=True, text=True, timeout=60, check=True
        )
        assert "data:image/png;base64," in again.stdout
    finally:
        os.kill(int(stop[1]), signal.SIGTERM)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        *([command, "--help"] for command in ("sandbox", "demo", "models", "explain", "check")),
        ["--version"],
    ],
)
def test_help_needs_nothing_but_the_package(arguments: list[str]) -> None:
    finished = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=True)
    assert finished.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["models", "--family", "gemini", "--json"],
        ["explain", "--model", "gemini/gemini-3-pro-image", "--json", "{}"],
    ],
)
def test_json_is_all_that_is_printed(arguments: list[str]) -> None:
    finished = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(finished.stdout)
    assert finished.stderr == ""


def test_checking_the_example_names_the_key_that_is_missing() -> None:
    hidden = [f"{name}_API_KEY" for name in ("GEMINI", "BFL", "OPENAI", "OPENROUTER", "RECRAFT")]
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    finished = subprocess.run(
        [PROGRAM, "check", "config.example.yaml"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=60,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (1, "")
    assert finished.stdout.endswith(": 7 deployments of imagegen, 5 findings\n")
    for variable in hidden:
        assert f"the environment has no {variable}" in finished.stdout
