"""What a picture costs, as LiteLLM books it, and what happens when a client hangs up."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from litellm_imagegen.sandbox import server
from tests.proxy.conftest import SETTINGS
from tests.proxy.responding import respond, respond_streamed
from tests.proxy.support import Proxy, running_proxy

LOGGER = """
from pathlib import Path
from litellm.integrations.custom_logger import CustomLogger

class Logger(CustomLogger):
    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        with Path("costs.log").open("a") as log:
            log.write(f"{kwargs.get('response_cost')}\\n")

logger = Logger()
"""
# Input, words and pictures of gemini-3-pro-image, USD per token.
INPUT, WORDS, PICTURES = 2e-6, 12e-6, 120e-6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cost")


@pytest.fixture(scope="module")
def booking(folder: Path) -> Iterator[Proxy]:
    (folder / "costs.py").write_text(LOGGER)
    parameters = {"model": "imagegen/sandbox/gemini-3-pro-image"}
    own = {
        "input_cost_per_token": 0.001,
        "output_cost_per_token": 0.002,
        "output_cost_per_image_token": 0.003,
    }
    deployments = [
        {"model_name": "listed", "litellm_params": parameters},
        {"model_name": "own price", "litellm_params": parameters, "model_info": own},
    ]
    settings = {**SETTINGS, "callbacks": ["litellm_imagegen.callback", "costs.logger"]}
    with running_proxy({"model_list": deployments, "litellm_settings": settings}, folder) as proxy:
        yield proxy


def expected(usage: dict[str, Any], prices: tuple[float, float, float]) -> float:
    pictures: int = usage["completion_tokens_details"]["image_tokens"]
    words: int = usage["completion_tokens"] - pictures
    prompt: int = usage["prompt_tokens"]
    return prompt * prices[0] + words * prices[1] + pictures * prices[2]


def test_a_picture_costs_its_tokens(booking: Proxy) -> None:
    answer = booking.draw("listed", "A lighthouse")
    cost = float(answer.headers["x-litellm-response-cost"])
    assert cost == pytest.approx(expected(answer.json()["usage"], (INPUT, WORDS, PICTURES)))
    assert cost > 0.134


def test_a_streamed_picture_is_booked_with_its_cost(booking: Proxy, folder: Path) -> None:
    frames = booking.draw_streamed("listed", "A lighthouse", stream_options={"include_usage": True})
    usage = frames.chunks[-1]["usage"]
    assert usage["cost"] == pytest.approx(expected(usage, (INPUT, WORDS, PICTURES)))
    booking.draw("own price", "the log of one request is written before the next one's")
    assert usage["cost"] in [pytest.approx(cost) for cost in booked(folder)]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_response_is_booked_once_with_its_cost(booking: Proxy, folder: Path, streamed: bool) -> None:
    booking.draw("own price", "what came before is written by now")
    before = len(booked(folder))
    if streamed:
        usage = respond_streamed(booking, "listed", "A lighthouse").last["usage"]
    else:
        answer = respond(booking, "listed", "A lighthouse")
        usage = answer.json()["usage"]
        assert float(answer.headers["x-litellm-response-cost"]) == pytest.approx(usage["cost"])
    pictures = usage["output_tokens_details"]["image_tokens"]
    words = usage["output_tokens"] - pictures
    cost = usage["input_tokens"] * INPUT + words * WORDS + pictures * PICTURES
    assert usage["cost"] == pytest.approx(cost)
    booking.draw("own price", "the log of one request is written before the next one's")
    assert [one for one in booked(folder)[before:] if one == pytest.approx(cost)] == [pytest.approx(cost)]


def booked(folder: Path) -> list[float]:
    return [float(line) for line in (folder / "costs.log").read_text().splitlines()]


def test_an_operators_own_price_counts(booking: Proxy) -> None:
    answer = booking.draw("own price", "A lighthouse")
    usage = answer.json()["usage"]
    assert "cost" not in usage
    cost = float(answer.headers["x-litellm-response-cost"])
    assert cost == pytest.approx(expected(usage, (0.001, 0.002, 0.003)))


def test_a_client_that_hangs_up_mid_stream_closes_the_upstream(proxy: Proxy) -> None:
    body = {
        "model": "nano-banana-pro",
        "messages": [{"role": "user", "content": "x [sandbox: stall 60]"}],
        "stream": True,
    }
    headers = {"authorization": f"Bearer {proxy.key}"}
    with httpx.Client(trust_env=False, timeout=30) as client:
        with client.stream(
            "POST", f"{proxy.url}/v1/chat/completions", json=body, headers=headers
        ) as response:
            lines = response.iter_lines()  # letting go of it would close the stream
            assert next(lines).startswith("data: ")
            assert client.get(server.base_url()).json()["open_requests"] == 1
        for _ in range(1000):
            if client.get(server.base_url()).json()["open_requests"] == 0:
                return
    pytest.fail("the upstream's request went on")
