"""`litellm.completion` and its kin without a proxy: synchronous, asynchronous, streamed."""

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any

import litellm
import pytest
from litellm import exceptions

import litellm_imagegen
from litellm_imagegen.errors import ConfigurationError
from litellm_imagegen.plugin import blocking
from litellm_imagegen.sandbox import server
from tests.pictures import data_url, look_at
from tests.upstream import running_upstream

MODEL = "imagegen/sandbox/gemini-3-pro-image"
WIDE: dict[str, Any] = {"image_config": {"aspect_ratio": "16:9", "image_size": "1K"}}
Draw = Callable[..., tuple[str, list[str], Any]]


def ask(prompt: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": prompt}]


def whole(**fields: Any) -> tuple[str, list[str], Any]:
    answer = litellm.completion(**fields)
    message = answer.choices[0].message
    return message.content, [image["image_url"]["url"] for image in message.images], answer.usage


def whole_async(**fields: Any) -> tuple[str, list[str], Any]:
    answer = asyncio.run(litellm.acompletion(**fields))
    message = answer.choices[0].message
    return message.content, [image["image_url"]["url"] for image in message.images], answer.usage


def put_together(chunks: list[Any]) -> tuple[str, list[str], Any]:
    deltas = [chunk.choices[0].delta for chunk in chunks]
    urls = [image["image_url"]["url"] for delta in deltas for image in getattr(delta, "images", None) or ()]
    usage = next((chunk.usage for chunk in chunks if getattr(chunk, "usage", None)), None)
    return "".join(delta.content or "" for delta in deltas), urls, usage


def streamed(**fields: Any) -> tuple[str, list[str], Any]:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    return put_together(list(litellm.completion(**fields, **options)))


def streamed_async(**fields: Any) -> tuple[str, list[str], Any]:
    async def collect() -> list[Any]:
        options = {"stream": True, "stream_options": {"include_usage": True}}
        return [chunk async for chunk in await litellm.acompletion(**fields, **options)]

    return put_together(asyncio.run(collect()))


WAYS = [whole, whole_async, streamed, streamed_async]


@pytest.mark.parametrize("draw", WAYS)
def test_a_picture_comes(registered: str, draw: Draw) -> None:
    text, urls, usage = draw(model=MODEL, messages=ask("A lighthouse"), **WIDE)
    assert text
    assert [look_at(url).size for url in urls] == [(1376, 768)]
    assert usage.completion_tokens_details.image_tokens == 1120
    assert usage.cost == pytest.approx(3 * 2e-6 + 1120 * 120e-6 + (usage.completion_tokens - 1120) * 12e-6)


@pytest.mark.parametrize("draw", WAYS)
@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"aspect_ratio": "9:16"}, (768, 1376)),
        ({"image_generation": {"aspect_ratio": "1:1", "image_size": "2K"}}, (2048, 2048)),
        ({"extra_body": {"generationConfig": {"imageConfig": {"aspectRatio": "3:2"}}}}, (1264, 848)),
    ],
)
def test_every_spelling_counts(
    registered: str, draw: Draw, fields: dict[str, Any], size: tuple[int, int]
) -> None:
    _, urls, _ = draw(model=MODEL, messages=ask("A lighthouse"), **fields)
    assert [look_at(url).size for url in urls] == [size]


@pytest.mark.parametrize("draw", WAYS)
@pytest.mark.parametrize(
    ("prompt", "fields", "exception"),
    [
        ("x", {"image_size": "9K"}, exceptions.BadRequestError),
        ("x [sandbox: 401]", {}, exceptions.AuthenticationError),
        ("x [sandbox: 403]", {}, exceptions.PermissionDeniedError),
        ("x [sandbox: 404]", {}, exceptions.NotFoundError),
        ("x [sandbox: 429]", {}, exceptions.RateLimitError),
        ("x [sandbox: 500]", {}, exceptions.InternalServerError),
        ("x [sandbox: 503]", {}, exceptions.ServiceUnavailableError),
        ("x [sandbox: cut off]", {}, exceptions.BadGatewayError),
        ("x [sandbox: slow 5]", {"timeout": 0.3}, exceptions.Timeout),
        (
            "x [sandbox: words only]",
            {"imagegen": {"on_no_image": "error"}},
            exceptions.UnprocessableEntityError,
        ),
    ],
)
def test_errors_are_litellms_own(
    registered: str, draw: Draw, prompt: str, fields: dict[str, Any], exception: type[Exception]
) -> None:
    with pytest.raises((exception, exceptions.MidStreamFallbackError)) as caught:
        draw(model=MODEL, messages=ask(prompt), num_retries=0, **fields)
    original = getattr(caught.value, "original_exception", None) or caught.value
    assert isinstance(original, exception)
    assert "Traceback" not in str(caught.value)


def test_an_answer_can_be_handed_back_as_it_came(registered: str) -> None:
    with running_upstream() as upstream:
        upstream.will_say(
            {"candidates": [{"content": {"parts": [{"text": "hello"}]}, "finishReason": "STOP"}]}
        )
        answer = litellm.completion(model=MODEL, messages=ask("A lighthouse"))
        litellm.completion(
            model="imagegen/gemini/gemini-3-pro-image",
            api_key="k",
            api_base=f"{upstream.url}/v1beta",
            messages=[*ask("A lighthouse"), answer.choices[0].message, *ask("Make it night")],
        )
    [request] = upstream.requests
    roles = [content["role"] for content in request.body["contents"]]
    assert roles == ["user", "model", "user"]
    assert [next(iter(part)) for part in request.body["contents"][2]["parts"]] == ["inlineData", "text"]


def test_a_stream_that_is_left_early_closes_the_upstream(registered: str) -> None:
    stream = litellm.completion(model=MODEL, messages=ask("x [sandbox: stall 30]"), stream=True, timeout=60)
    next(iter(stream))
    stream.completion_stream.close()
    del stream
    gc.collect()
    assert _sandbox_falls_idle()


LEFT_OPEN = """
import litellm, litellm_imagegen
litellm_imagegen.register()
stream = litellm.completion(
    model="imagegen/sandbox/gemini-2.5-flash-image", messages=[{"role": "user", "content": "x"}], stream=True
)
next(iter(stream))
"""


def test_a_program_that_leaves_a_stream_open_can_end() -> None:
    finished = subprocess.run([sys.executable, "-c", LEFT_OPEN], timeout=60, check=False, capture_output=True)
    assert finished.returncode == 0


def test_the_garbage_collector_may_close_a_stream_on_any_thread() -> None:
    async def numbers() -> AsyncGenerator[int, None]:
        for number in range(3):
            yield number

    async def collect() -> None:
        gc.collect()

    abandoned: list[Any] = [blocking.iterate(numbers())]
    next(abandoned[0])
    abandoned.append(abandoned)  # only the collector can find it
    del abandoned
    blocking.run(asyncio.wait_for(collect(), 30))
    assert list(blocking.iterate(numbers())) == [0, 1, 2]


def test_an_interrupted_call_cancels_the_upstream(registered: str) -> None:
    async def interrupt() -> None:
        task = asyncio.ensure_future(
            litellm.acompletion(model=MODEL, messages=ask("x [sandbox: never]"), timeout=60)
        )
        while not _open_requests():  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # polls another thread's server
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupt())
    assert _sandbox_falls_idle()


def test_threads_can_draw_at_the_same_time(registered: str) -> None:
    results: list[list[str]] = []

    def draw() -> None:
        results.append(whole(model=MODEL, messages=ask("A lighthouse"), **WIDE)[1])

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(urls) for urls in results] == [1, 1, 1, 1]


def test_a_reference_picture_is_taken(registered: str) -> None:
    content = [
        {"type": "text", "text": "Make it blue"},
        {"type": "image_url", "image_url": {"url": data_url("red", (160, 90), "WEBP")}},
    ]
    _, [url], usage = whole(model=MODEL, messages=[{"role": "user", "content": content}])
    assert look_at(url).size == (1376, 768), "without a ratio the answer follows the reference"
    assert usage.prompt_tokens_details.image_tokens


def test_settings_from_python_are_checked_and_in_force() -> None:
    with pytest.raises(ConfigurationError, match=r"imagegen_settings\.polici is unknown; known: .*policy"):
        litellm_imagegen.register(settings={"polici": "strict"})
    litellm_imagegen.register(settings={"policy": "strict"})
    with pytest.raises(exceptions.BadRequestError, match="image_size"):
        whole(model="imagegen/sandbox/gemini-2.5-flash-image", messages=ask("x"), image_size="4K")


def test_registering_twice_registers_once() -> None:
    litellm_imagegen.register()
    litellm_imagegen.register()
    assert [item["provider"] for item in litellm.custom_provider_map] == ["imagegen"]
    assert litellm.callbacks == [litellm_imagegen.callback]


def test_an_unknown_provider_is_a_404_that_names_the_known_ones(registered: str) -> None:
    with pytest.raises(
        exceptions.NotFoundError,
        match=r"aione, azure, bfl, gemini, helicone, litellm, openai, openrouter, sandbox",
    ):
        whole(model="imagegen/nowhere/model", messages=ask("x"))


def _open_requests() -> int:
    import httpx  # noqa: PLC0415

    state: int = httpx.get(f"{server.base_url()}/", trust_env=False).json()["open_requests"]
    return state


def _sandbox_falls_idle() -> bool:
    """Whether every simulated provider's request ends, and soon: the tests' fault would hold it for 30 s."""
    return any(_open_requests() <= 0 for _ in range(500))
