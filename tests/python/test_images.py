"""`litellm.aimage_generation`, `litellm.aimage_edit` and their synchronous kin without a proxy."""

import asyncio
import base64
import contextlib
import io
import threading
from collections.abc import Callable, Iterator
from typing import Any

import litellm
import orjson
import pytest
from litellm import exceptions
from litellm.integrations.custom_logger import CustomLogger
from PIL import Image

import litellm_imagegen
from tests.unit.helpers import base64_of, picture_bytes
from tests.vendor import running_vendor

SANDBOX = "imagegen/sandbox/"
SECRET = "a-private-key-that-nobody-may-see"
CREDENTIALS = orjson.dumps({"type": "service_account", "private_key": SECRET, "project_id": "p"}).decode()


def sizes(answer: Any) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(base64.b64decode(picture.b64_json))).size for picture in answer.data]


@pytest.mark.parametrize(
    ("model", "asked", "expected"),
    [
        ("gemini-3-pro-image", {"n": 2, "size": "1376x768"}, [(1376, 768)] * 2),
        ("flux-2-pro", {"n": 2, "width": 1344, "height": 768}, [(1344, 768)] * 2),
        ("gpt-image-2", {"n": 2, "size": "1536x1024", "quality": "low"}, [(1536, 1024)] * 2),
        ("imagen-4.0-generate-001", {"n": 2, "aspect_ratio": "16:9"}, [(1408, 768)] * 2),
    ],
)
def test_pictures_come_as_they_were_asked_for(
    model: str, asked: dict[str, Any], expected: list[tuple[int, int]]
) -> None:
    litellm_imagegen.register()
    answer = asyncio.run(litellm.aimage_generation(model=f"{SANDBOX}{model}", prompt="a fox", **asked))
    assert sizes(answer) == expected
    assert answer.provider_metadata["imagegen"]["notices"] == []


@pytest.mark.parametrize("model", ["gemini-3-pro-image", "gpt-image-2", "flux-kontext-pro"])
@pytest.mark.parametrize("form", ["file", "named bytes"])
def test_a_picture_is_edited_in_every_form_that_openais_client_takes(model: str, form: str) -> None:
    litellm_imagegen.register()
    raw = picture_bytes(size=(640, 480))
    given: Any = io.BytesIO(raw) if form == "file" else ("fox.png", raw)
    answer = asyncio.run(
        litellm.aimage_edit(model=f"{SANDBOX}{model}", prompt="make it night", image=given, size="1:1")
    )
    [(width, height)] = sizes(answer)
    assert width == height


def test_synchronous_callers_get_pictures_too() -> None:
    litellm_imagegen.register()
    answer = litellm.image_generation(
        model=f"{SANDBOX}gemini-3-pro-image", prompt="a fox", aspect_ratio="16:9"
    )
    assert sizes(answer) == [(1376, 768)]
    answer = litellm.image_edit(
        model=f"{SANDBOX}flux-kontext-pro", prompt="x", image=picture_bytes(size=(64, 64))
    )
    assert len(answer.data) == 1


def test_a_refusal_is_litellms_own_exception() -> None:
    litellm_imagegen.register()
    with pytest.raises(exceptions.ContentPolicyViolationError, match="sandbox: refused the prompt"):
        asyncio.run(
            litellm.aimage_generation(model=f"{SANDBOX}flux-2-pro", prompt="x [sandbox: refuse prompt]")
        )


class Sink(CustomLogger):
    """Looks for the secret in everything that a log sink is given."""

    def __init__(self) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.called = threading.Semaphore(0)

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self._look(kwargs)

    async def async_log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self._look(kwargs)

    def _look(self, kwargs: Any) -> None:
        self.places.update(_places("", kwargs, 8))
        self.called.release()


def _places(place: str, value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str) and SECRET in value:
        yield place
    if depth == 0:
        return
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list | tuple):
        inner = list(enumerate(value))
    else:
        inner = list(vars(value).items()) if hasattr(value, "__dict__") else []
    for key, item in inner:
        yield from _places(f"{place}.{key}", item, depth - 1)


CALLS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (litellm.aimage_generation, {"prompt": "x"}),
    (litellm.aimage_edit, {"prompt": "x", "image": picture_bytes()}),
    (litellm.acompletion, {"messages": [{"role": "user", "content": "x"}]}),
]


ASKED: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "drawn": (litellm.image_generation, {"prompt": "x"}),
    "edited": (litellm.image_edit, {"prompt": "x", "image": picture_bytes()}),
    "in chat": (litellm.completion, {"messages": [{"role": "user", "content": "x"}]}),
}


@pytest.mark.parametrize("way", ASKED)
def test_a_synchronous_caller_shows_key_and_address_to_litellms_own_providers(way: str) -> None:
    litellm_imagegen.register()
    call, asked = ASKED[way]
    with running_vendor() as vendor:
        vendor.will_say({"created": 1, "data": [{"b64_json": base64_of(picture_bytes())}]})
        call(model="imagegen/litellm/recraft/recraftv3", api_key=SECRET, api_base=vendor.url, **asked)
    (sent,) = vendor.asked
    assert sent.headers["authorization"] == f"Bearer {SECRET}"
    assert sent.path == ("/v1/images/imageToImage" if way == "edited" else "/v1/images/generations")


NOVA = "imagegen/litellm/bedrock/amazon.nova-canvas-v1:0"
SHOWN_TO_AWS = {
    "aws_access_key_id": SECRET,
    "aws_secret_access_key": SECRET,
    "aws_region_name": "us-east-1",
    "api_base": "http://127.0.0.1:9",
}


def test_no_log_sink_sees_a_deployments_credentials() -> None:
    sink = Sink()
    litellm.callbacks.append(sink)
    litellm_imagegen.register()

    async def run() -> None:  # in one loop: LiteLLM's worker belongs to the first that it sees
        for model in ("imagegen/vertex/imagen-3.0-capability-001", f"{SANDBOX}gpt-image-2"):
            for call, asked in CALLS:
                # Those of Vertex AI are no whole credentials.
                with contextlib.suppress(exceptions.AuthenticationError):
                    await call(model=model, vertex_credentials=CREDENTIALS, **asked)
                assert await asyncio.to_thread(sink.called.acquire, timeout=30)
        for call, asked in CALLS:
            with pytest.raises(exceptions.ServiceUnavailableError):
                await call(model=NOVA, **SHOWN_TO_AWS, **asked)
            assert await asyncio.to_thread(sink.called.acquire, timeout=30)

    asyncio.run(run())
    assert sink.places == set()
