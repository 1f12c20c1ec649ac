"""Chat completions with large pictures: the bare upstream, LiteLLM's own gemini provider, and ours.

One proxy process serves both providers with the same settings, against one upstream process; every
figure of a table comes from one run. `python -m benchmarks.chat` writes docs/performance.md,
`--quick` measures less and only prints.
"""

import argparse
import asyncio
import os
import platform
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import yaml

from litellm_imagegen import __version__

ROOT = Path(__file__).parents[1]
LITELLM, OURS, BARE = "LiteLLM's gemini", "imagegen", "bare upstream"
KEY = f"sk-{secrets.token_hex(16)}"


@dataclass(frozen=True)
class Case:
    """What is asked for: millions of base64 characters, streamed or not, how many at once, how often in all.

    `accept_encoding` is what official clients send by default; LiteLLM compresses whole answers for it.
    """

    millions: int
    streamed: bool
    concurrency: int
    requests: int
    accept_encoding: str = "gzip, deflate"


@dataclass(frozen=True)
class Measured:
    """Seconds a request, requests a second, growth of the proxy's memory at its peak in bytes."""

    median: float
    p95: float
    rate: float
    growth: int


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running() -> Iterator[tuple[str, str, int]]:
    """(address of the upstream, address of the proxy, process of the proxy)."""
    upstream_port, proxy_port = free_port(), free_port()
    base = f"http://127.0.0.1:{upstream_port}/v1beta"
    parameters = {"api_key": "k", "api_base": base}
    deployments = [
        {"model_name": LITELLM, "litellm_params": {"model": "gemini/gemini-3-pro-image", **parameters}},
        {"model_name": OURS, "litellm_params": {"model": "imagegen/gemini/gemini-3-pro-image", **parameters}},
    ]
    # Else we would answer LiteLLM's deployment too.
    settings = {"callbacks": ["litellm_imagegen.callback"], "imagegen_settings": {"adopt": False}}
    config = {
        "model_list": deployments,
        "litellm_settings": settings,
        "general_settings": {"master_key": KEY},
    }
    program = shutil.which("litellm", path=str(Path(sys.executable).parent)) or "litellm"
    environment = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.yaml").write_text(yaml.safe_dump(config))
        upstream = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.upstream", str(upstream_port)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        proxy = subprocess.Popen(
            [program, "--config", f"{folder}/config.yaml", "--host", "127.0.0.1", "--port", str(proxy_port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        try:
            if upstream.stdout is not None:
                upstream.stdout.readline()
            address = f"http://127.0.0.1:{proxy_port}"
            _wait_for(f"{address}/health/liveliness")
            yield base, address, proxy.pid
        finally:
            for process in (proxy, upstream):
                process.terminate()
                process.wait(timeout=30)
            if upstream.stdout is not None:
                upstream.stdout.close()


def _wait_for(url: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(url, timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the proxy did not start")


async def request(client: httpx.AsyncClient, subject: str, upstream: str, proxy: str, case: Case) -> float:
    """One request; the seconds until its last byte."""
    prompt = f"picture {case.millions}"
    if subject == BARE:
        method = "streamGenerateContent?alt=sse" if case.streamed else "generateContent"
        url, body = f"{upstream}/models/m:{method}", {"contents": [{"parts": [{"text": prompt}]}]}
    else:
        url = f"{proxy}/v1/chat/completions"
        body = {"model": subject, "messages": [{"role": "user", "content": prompt}], "stream": case.streamed}  # type: ignore[dict-item]
    begun = time.perf_counter()
    received = 0
    async with client.stream("POST", url, json=body, headers={"authorization": f"Bearer {KEY}"}) as response:
        async for chunk in response.aiter_raw():
            received += len(chunk)
        if response.status_code != 200 or received < case.millions * 500_000:
            raise SystemExit(
                f"{subject}: {response.status_code}, {received} bytes of {case.millions} million"
            )
    return time.perf_counter() - begun


async def measure(subject: str, upstream: str, proxy: str, process: int, case: Case) -> Measured:
    """All requests of a case, after one that does not count."""
    limits = httpx.Limits(max_connections=case.concurrency)
    headers = {"accept-encoding": case.accept_encoding}
    async with httpx.AsyncClient(timeout=600, limits=limits, trust_env=False, headers=headers) as client:
        await request(client, subject, upstream, proxy, case)
        before = _reset_peak(process)
        gate = asyncio.Semaphore(case.concurrency)

        async def one() -> float:
            async with gate:
                return await request(client, subject, upstream, proxy, case)

        begun = time.perf_counter()
        seconds = await asyncio.gather(*(one() for _ in range(case.requests)))
        elapsed = time.perf_counter() - begun
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return Measured(
        statistics.median(ordered), p95, case.requests / elapsed, _memory(process, "VmHWM") - before
    )


def _memory(process: int, name: str) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _reset_peak(process: int) -> int:
    """Start the peak anew; the memory in use now."""
    Path(f"/proc/{process}/clear_refs").write_text("5")
    return _memory(process, "VmRSS")


def cases(quick: bool) -> list[Case]:
    """What is measured."""
    sizes = (0, 24) if quick else (0, 2, 10, 24)
    plain = [
        Case(millions, streamed, concurrency, _requests(millions, concurrency, quick))
        for millions in sizes
        for streamed in (False, True)
        for concurrency in (1, 8)
    ]
    uncompressed = [
        replace(case, accept_encoding="identity") for case in plain if case.millions and not case.streamed
    ]
    return [*plain, *uncompressed]


def _requests(millions: int, concurrency: int, quick: bool) -> int:
    """Enough for a median, few enough for an end."""
    few = 5 if concurrency == 1 else 16
    return few if millions >= 10 else few * 8


def table(results: dict[Case, dict[str, Measured]]) -> str:
    """The results with ratios; ours against LiteLLM's."""
    lines = [
        "| base64 | | at once | "
        + " | ".join((BARE, LITELLM, OURS))
        + " | times faster | requests/s | memory |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for case, measured in results.items():
        theirs, ours = measured[LITELLM], measured[OURS]
        times = [
            f"{_ms(measured[name].median)} ({_ms(measured[name].p95)})" for name in (BARE, LITELLM, OURS)
        ]
        lines.append(
            f"| {case.millions} MB | {_way(case)} | {case.concurrency} | "
            + " | ".join(times)
            + f" | **{theirs.median / ours.median:.1f}** | {theirs.rate:.1f} -> {ours.rate:.1f}"
            + f" (x{ours.rate / theirs.rate:.1f}) | {_mb(theirs.growth)} -> {_mb(ours.growth)} |"
        )
    return "\n".join(lines)


def _way(case: Case) -> str:
    way = "streamed" if case.streamed else "whole"
    return way if case.accept_encoding != "identity" else f"{way}, client takes no gzip"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB"


def page(results: dict[Case, dict[str, Measured]]) -> str:
    """docs/performance.md."""
    litellm_version = (
        subprocess.run(
            [sys.executable, "-m", "pip", "show", "litellm"], capture_output=True, text=True, check=True
        )
        .stdout.partition("Version: ")[2]
        .partition("\n")[0]
    )
    return "\n".join(
        [
            "# Performance",
            "",
            "Written by `make bench`: one run on one machine, every figure of a row measured in it.",
            f"litellm_imagegen {__version__}, LiteLLM {litellm_version}, Python {platform.python_version()}, "
            f"{os.cpu_count()} cores shared by client, proxy and upstream, loopback.",
            "",
            "A chat completion whose answer holds one picture of that many characters of base64, through",
            "a LiteLLM proxy: median milliseconds to the last byte (95th percentile), requests a second, and",
            "growth of the proxy's memory at its peak; LiteLLM's gemini provider and ours on one proxy.",
            "",
            table(results),
            "",
        ]
    )


async def run(quick: bool) -> dict[Case, dict[str, Measured]]:
    """Measure everything, subjects in turn for each case."""
    results: dict[Case, dict[str, Measured]] = {}
    with running() as (upstream, proxy, process):
        for case in cases(quick):
            results[case] = {
                subject: await measure(subject, upstream, proxy, process, case)
                for subject in (BARE, LITELLM, OURS)
            }
            sys.stdout.write(f"{table({case: results[case]}).splitlines()[-1]}\n")
            sys.stdout.flush()
    return results


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="measure less, under two minutes, and only print"
    )
    arguments = parser.parse_args()
    results = asyncio.run(run(arguments.quick))
    if not arguments.quick:
        (ROOT / "docs" / "performance.md").write_text(page(results))


if __name__ == "__main__":
    main()
