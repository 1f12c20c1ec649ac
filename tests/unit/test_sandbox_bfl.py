"""The simulated Black Forest Labs: what it draws, what it refuses, how its jobs go, each fault of its own.

Time stands still unless a test moves it, so that the state of a job is never a matter of luck.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette

from litellm_imagegen.sandbox import bfl, bfl_faults, bfl_jobs
from litellm_imagegen.sandbox.bfl_models import MODELS
from litellm_imagegen.sandbox.faults import WORDS

PRO = "flux-2-pro"
NEWEST = "flux-3-image"
KONTEXT = "flux-kontext-pro"
FILL = "flux-pro-1.0-fill"
EXPAND = "flux-pro-1.0-expand"
BASE = "http://sandbox.test"


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class InProcess(httpx.BaseTransport):
    """Calls an app without a socket. An unfinished body is handed over as far as it came."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent: list[Any] = []
        received = [{"type": "http.request", "body": request.read()}]

        async def receive() -> Any:
            # A client that stays: nothing comes after its request.
            return received.pop() if received else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self._app(_scope(request), receive, send))
        body = b"".join(message["body"] for message in sent[1:])
        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], stream=httpx.ByteStream(body))


def _scope(request: httpx.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
    }


class Sandbox:
    """An app of this wire alone: `api` sends the key, `delivery` does not."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.app = Starlette(routes=bfl.routes(self.clock))
        self.delivery = httpx.Client(transport=InProcess(self.app), base_url=BASE)
        self.api = self.caller("any key")

    def caller(self, key: str) -> httpx.Client:
        return httpx.Client(transport=InProcess(self.app), base_url=BASE, headers={"x-key": key})

    def submit(self, body: dict[str, Any] | str, model: str = PRO, **options: Any) -> httpx.Response:
        """Post a body, or a prompt for the smallest picture."""
        if isinstance(body, str):
            body = {"prompt": body, "width": 64, "height": 64}
        return self.api.post(f"/v1/{model}", json=body, **options)

    def started(self, body: dict[str, Any] | str, model: str = PRO, **options: Any) -> str:
        reply = self.submit(body, model, **options)
        assert reply.status_code == 200, reply.text
        address: str = reply.json()["polling_url"]
        return address

    def poll(self, address: str) -> httpx.Response:
        return self.api.get(address)

    def result(self, body: dict[str, Any] | str, model: str = PRO, **options: Any) -> dict[str, Any]:
        address = self.started(body, model, **options)
        self.clock.seconds += 1
        answer = self.poll(address).json()
        assert answer["status"] == "Ready", answer
        found: dict[str, Any] = answer["result"]
        return found

    def file(self, body: dict[str, Any] | str, model: str = PRO, **options: Any) -> bytes:
        reply = self.delivery.get(self.result(body, model, **options)["sample"])
        assert reply.status_code == 200, reply.text
        return reply.content

    def picture(self, body: dict[str, Any] | str, model: str = PRO, **options: Any) -> Image.Image:
        picture = Image.open(io.BytesIO(self.file(body, model, **options)))
        picture.load()
        return picture

    def statuses(self, wish: str, polls: int) -> list[str]:
        address = self.started(f"a fox [sandbox: {wish}]")
        found = []
        for _ in range(polls):
            found.append(self.poll(address).json()["status"])
            self.clock.seconds += 0.03
        return found


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


def _file(
    size: tuple[int, int] = (320, 256), kind: str = "PNG", mode: str = "RGB", colour: Any = None
) -> str:
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


def _smallest_body(model: str) -> dict[str, Any]:
    if model in (FILL, EXPAND):
        return {"prompt": "a fox", "image": _file(mode="RGBA")}
    return {"prompt": "a fox"}


def _faults(reply: httpx.Response) -> dict[str, str]:
    """The place and the kind of each fault of a 422."""
    assert reply.status_code == 422, reply.text
    detail = reply.json()["detail"]
    assert all(fault["msg"] for fault in detail)
    return {".".join(map(str, fault["loc"])): fault["type"] for fault in detail}


# The flow


@pytest.mark.parametrize("model", MODELS)
def test_every_model_goes_from_submit_to_picture(sandbox: Sandbox, model: str) -> None:
    reply = sandbox.submit(_smallest_body(model), model)
    assert reply.status_code == 200
    assert set(reply.json()) == {"id", "polling_url", "cost", "input_mp", "output_mp"}
    address = reply.json()["polling_url"]
    assert address == f"{BASE}/v1/get_result?id={reply.json()['id']}"
    pending = sandbox.poll(address).json()
    assert (pending["status"], pending["result"], pending["progress"]) == ("Pending", None, 0.0)
    sandbox.clock.seconds += 0.05
    ready = sandbox.poll(address).json()
    assert (ready["id"], ready["status"], ready["progress"]) == (reply.json()["id"], "Ready", None)
    assert set(ready["result"]) == {"sample", "prompt", "seed", "start_time", "end_time", "duration"}
    assert ready["result"]["prompt"] == "a fox"
    assert ready["cost"] == reply.json()["cost"]
    sample = sandbox.delivery.get(ready["result"]["sample"])
    kind = MODELS[model].formats[0]
    assert sample.headers["content-type"] == f"image/{kind}"
    assert str(Image.open(io.BytesIO(sample.content)).format).lower() == kind


def test_addresses_follow_the_host_that_was_asked(sandbox: Sandbox) -> None:
    headers = {"host": "other.test:8080"}
    reply = sandbox.submit("a fox [sandbox: ready after 0]", headers=headers)
    address = reply.json()["polling_url"]
    assert address.startswith("http://other.test:8080/v1/get_result?id=")
    ready = sandbox.api.get(address).json()
    assert ready["result"]["sample"].startswith("http://other.test:8080/results/")


def test_newest_family_tells_its_phases(sandbox: Sandbox) -> None:
    address = sandbox.started({"prompt": "a fox [sandbox: ready after 3]"}, NEWEST)
    seen = []
    for _ in range(4):
        answer = sandbox.poll(address).json()
        seen.append((answer["status"], answer["progress"]))
        sandbox.clock.seconds += 1
    assert seen == [("Pending", 0.0), ("Reasoning", 0.333), ("Generating", 0.667), ("Ready", None)]


def test_job_is_found_by_its_own_key_only(sandbox: Sandbox) -> None:
    address = sandbox.started("a fox")
    other = sandbox.caller("another key").get(address)
    assert (other.status_code, other.json()["status"]) == (200, "Task not found")
    assert sandbox.delivery.get(address).status_code == 403
    assert sandbox.poll(address).json()["status"] == "Pending"


def test_unknown_job_is_not_found_and_the_id_is_required(sandbox: Sandbox) -> None:
    reply = sandbox.api.get("/v1/get_result", params={"id": "nobody"})
    assert reply.status_code == 200
    assert reply.json() == {"id": "nobody", "status": "Task not found", "result": None}
    assert _faults(sandbox.api.get("/v1/get_result")) == {"query.id": "missing"}


@pytest.mark.parametrize("headers", [{}, {"x-key": ""}, {"x-key": "invalid-1"}])
def test_missing_or_wrong_key_is_403_everywhere(sandbox: Sandbox, headers: dict[str, str]) -> None:
    replies = [
        sandbox.delivery.post(f"/v1/{PRO}", json={"prompt": "x"}, headers=headers),
        sandbox.delivery.get("/v1/get_result?id=1", headers=headers),
        sandbox.delivery.get("/v1/credits", headers=headers),
    ]
    assert {reply.status_code for reply in replies} == {403}
    assert all(reply.json() == {"detail": "Not authenticated"} for reply in replies)


@pytest.mark.parametrize("model", ["flux-9", "flux-2-pro-2", "flux-tools/erase-v1"])
def test_unknown_model_is_404(sandbox: Sandbox, model: str) -> None:
    reply = sandbox.submit("a fox", model)
    assert (reply.status_code, reply.json()) == (404, {"detail": "Not Found"})


def test_addresses_of_other_wires_are_left_alone() -> None:
    patterns = [route.path_regex for route in bfl.WIRE.routes()]
    for path in ("/v1/models", "/v1/images/generations", "/v1/chat/completions", "/v1beta/models/x"):
        assert not any(pattern.match(path) for pattern in patterns)


def test_credits_and_counts_are_told_per_app(sandbox: Sandbox) -> None:
    assert sandbox.api.get("/v1/credits").json() == {"credits": 1000.0}
    assert sandbox.api.get("/v1/credits", headers={"x-sandbox": "402"}).status_code == 402
    sandbox.file("a fox")
    sandbox.submit("a fox [sandbox: 429]")
    assert sandbox.delivery.get("/v1/sandbox/bfl").json() == {"submits": 2, "polls": 1, "downloads": 1}
    assert Sandbox().delivery.get("/v1/sandbox/bfl").json() == {"submits": 0, "polls": 0, "downloads": 0}


def test_webhook_is_named_instead_of_an_address_to_poll(sandbox: Sandbox) -> None:
    body = {"prompt": "a fox", "webhook_url": "https://example.com/hook", "webhook_secret": "s"}
    reply = sandbox.submit(body).json()
    assert (reply["status"], reply["webhook_url"]) == ("Pending", "https://example.com/hook")
    assert "polling_url" not in reply
    assert sandbox.poll(f"/v1/get_result?id={reply['id']}").json()["status"] == "Pending"


# The delivery


def test_sample_needs_its_signature_and_no_key(sandbox: Sandbox) -> None:
    sample = sandbox.result("a fox")["sample"]
    parts = urlsplit(sample)
    assert re.fullmatch(r"/results/[^/]+/sample\.jpeg", parts.path)
    assert len(parse_qs(parts.query)["sig"][0]) >= 24
    leaked = sandbox.api.get(sample)
    assert leaked.status_code == 400
    assert "The key was sent to a delivery host" in leaked.text
    assert sandbox.delivery.get(parts.path).status_code == 403
    assert sandbox.delivery.get(sample + "x").status_code == 403
    assert sandbox.delivery.get(sample.replace("sample.jpeg", "sample.png")).status_code == 404
    assert sandbox.delivery.get(f"/results/nobody/sample.png?{parts.query}").status_code == 404
    first, again = sandbox.delivery.get(sample), sandbox.delivery.get(sample)
    assert first.status_code == 200
    assert first.content == again.content


def test_sample_expires_after_ten_minutes(sandbox: Sandbox) -> None:
    sample = sandbox.result("a fox [sandbox: ready after 0]")["sample"]
    sandbox.clock.seconds += 599
    assert sandbox.delivery.get(sample).status_code == 200
    sandbox.clock.seconds += 1
    assert sandbox.delivery.get(sample).status_code == 403


def test_old_jobs_are_forgotten(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bfl_jobs, "_MOST_JOBS", 2)
    addresses = [sandbox.started("a fox") for _ in range(3)]
    found = [sandbox.poll(address).json()["status"] for address in addresses]
    assert found == ["Task not found", "Pending", "Pending"]


def test_heavy_jobs_are_forgotten_but_never_the_newest(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bfl_jobs, "_MOST_BYTES", 100_000)
    light = sandbox.started({"prompt": "a fox"})
    heavy = sandbox.started({"prompt": "a fox", "input_image": _file()})
    assert sandbox.poll(light).json()["status"] == "Task not found"
    assert sandbox.poll(heavy).json()["status"] == "Pending"


# What it draws

DEFAULT_SIZES = {
    "flux-pro-1.1": (1024, 768),
    "flux-dev": (1024, 768),
    "flux-pro": (1024, 768),
    "flux-pro-1.1-ultra": (2736, 1536),
    FILL: (320, 256),
    EXPAND: (320, 256),
}


@pytest.mark.parametrize("model", MODELS)
def test_default_size(sandbox: Sandbox, model: str) -> None:
    picture = sandbox.picture(_smallest_body(model), model)
    assert picture.size == DEFAULT_SIZES.get(model, (1024, 1024))


SIZES: list[tuple[str, dict[str, Any], tuple[int, int]]] = [
    (PRO, {"width": 1344, "height": 768}, (1344, 768)),
    (PRO, {"width": 2720, "height": 1536}, (2720, 1536)),
    (PRO, {"width": 512}, (512, 1024)),
    (PRO, {"width": 0, "height": 0}, (1024, 1024)),
    (PRO, {"input_image": _file((330, 250))}, (336, 256)),
    (PRO, {"input_image": _file((40, 30))}, (64, 64)),
    (PRO, {"input_image": _file((4096, 2048))}, (2896, 1440)),
    (PRO, {"input_image": _file((640, 480)), "width": 64, "height": 128}, (64, 128)),
    (PRO, {"input_image": "https://example.com/fox.png"}, (1024, 1024)),
    ("flux-2-klein-4b", {"width": 256, "height": 64}, (256, 64)),
    (KONTEXT, {"aspect_ratio": "16:9"}, (1360, 768)),
    (KONTEXT, {"aspect_ratio": "9:21"}, (672, 1568)),
    (KONTEXT, {"input_image": _file((300, 200))}, (1248, 832)),
    (KONTEXT, {"input_image": _file((900, 100))}, (1568, 672)),
    (KONTEXT, {"input_image": _file((300, 200)), "aspect_ratio": "1:1"}, (1024, 1024)),
    ("flux-pro-1.1", {"width": 256, "height": 1440}, (256, 1440)),
    ("flux-pro-1.1-ultra", {"aspect_ratio": "1:1", "image_prompt": _file()}, (2048, 2048)),
    (NEWEST, {"resolution": "768sq"}, (768, 768)),
    (NEWEST, {"resolution": "768sq", "aspect_ratio": "16:9"}, (1024, 576)),
    (NEWEST, {"resolution": "1.5k", "aspect_ratio": "1:2"}, (1088, 2176)),
    (NEWEST, {"resolution": "2k"}, (2048, 2048)),
    (NEWEST, {"aspect_ratio": "auto", "images": _file((400, 300))}, (1184, 880)),
    ("flux-3-image-klein", {"aspect_ratio": "21:9"}, (1568, 672)),
    (FILL, {"image": _file((77, 33)), "mask": _file((77, 33), mode="L")}, (77, 33)),
    (FILL, {"image": _file((20, 300), mode="RGBA")}, (20, 300)),
    (EXPAND, {"image": _file((100, 80)), "top": 10, "left": 7, "right": 13}, (120, 90)),
]


@pytest.mark.parametrize(("model", "fields", "size"), SIZES)
def test_picture_has_exactly_the_pixels_of_its_request(
    sandbox: Sandbox, model: str, fields: dict[str, Any], size: tuple[int, int]
) -> None:
    assert sandbox.picture({"prompt": "a fox", **fields}, model).size == size


@pytest.mark.parametrize(
    ("model", "kind"),
    [(PRO, "jpeg"), (PRO, "png"), (PRO, "webp"), (KONTEXT, "webp"), ("flux-dev", "png")],
)
def test_picture_has_the_format_of_its_request(sandbox: Sandbox, model: str, kind: str) -> None:
    result = sandbox.result({"prompt": "a fox", "output_format": kind}, model)
    assert urlsplit(result["sample"]).path.endswith(f"/sample.{kind}")
    reply = sandbox.delivery.get(result["sample"])
    assert reply.headers["content-type"] == f"image/{kind}"
    assert Image.open(io.BytesIO(reply.content)).format == kind.upper()


def test_picture_depends_on_the_seed_and_the_prompt_and_not_on_wishes(sandbox: Sandbox) -> None:
    def file(prompt: str, seed: int) -> bytes:
        return sandbox.file({"prompt": prompt, "seed": seed, "width": 256, "height": 256})

    first = file("a fox", 1)
    assert file("a fox", 1) == first
    assert file("a fox [sandbox: ready after 0]", 1) == first
    assert len({first, file("a fox", 2), file("a hare", 1)}) == 3


def test_seed_is_told_and_drawn_by_lot_when_not_given(sandbox: Sandbox) -> None:
    assert sandbox.result({"prompt": "a fox", "seed": 42})["seed"] == 42
    assert sandbox.result({"prompt": "a fox", "seed": -(2**63)})["seed"] == -(2**63)
    drawn = {sandbox.result({"prompt": "a fox", "seed": None})["seed"] for _ in range(3)}
    assert len(drawn) == 3


def test_input_pictures_are_shown_in_the_picture(sandbox: Sandbox) -> None:
    red, blue = _file(colour="#ff0000"), _file(colour="#0000ff")
    body = {
        "prompt": "join these",
        "input_image": red,
        "input_image_2": f"data:image/png;base64,{blue}",
        "output_format": "png",
        "width": 512,
        "height": 512,
    }
    picture = sandbox.picture(body).convert("RGB")
    counted = {colour: count for count, colour in picture.getcolors(2**24) or []}
    assert counted[(255, 0, 0)] > 5_000
    assert counted[(0, 0, 255)] > 5_000


# What it costs


@pytest.mark.parametrize(
    ("model", "fields", "cost", "megapixels"),
    [
        (PRO, {}, 3.0, (0.0, 1.0)),
        (PRO, {"width": 1344, "height": 768}, 3.0, (0.0, 0.984)),
        (PRO, {"width": 2048, "height": 2048}, 7.5, (0.0, 4.0)),
        (PRO, {"input_image": _file((1024, 1024))}, 4.5, (1.0, 1.0)),
        (PRO, {"input_image": "https://example.com/fox.png"}, 4.5, (1.0, 1.0)),
        ("flux-2-pro-preview", {}, None, (0.0, 1.0)),
        ("flux-2-max", {"width": 1040, "height": 1024}, 10.0, (0.0, 1.016)),
        ("flux-2-flex", {"width": 64, "height": 64}, 5.0, (0.0, 0.004)),
        ("flux-2-klein-4b", {"width": 2048, "height": 1024}, 1.5, (0.0, 2.0)),
        ("flux-2-klein-9b", {}, 1.5, (0.0, 1.0)),
        (KONTEXT, {"input_image": _file((2048, 1024))}, 4.0, (2.0, 1.0)),
        ("flux-kontext-max", {}, 8.0, (0.0, 1.0)),
        (NEWEST, {}, 4.8, (0.0, 1.0)),
        (NEWEST, {"resolution": "4k"}, 60.7, (0.0, 16.0)),
        (NEWEST, {"resolution": "1.5k"}, None, (0.0, 2.25)),
        ("flux-3-image-klein", {"resolution": "2k"}, 1.4, (0.0, 4.0)),
    ],
)
def test_cost_in_credits(
    sandbox: Sandbox, model: str, fields: dict[str, Any], cost: float | None, megapixels: tuple[float, float]
) -> None:
    reply = sandbox.submit({"prompt": "a fox", **fields}, model).json()
    assert reply["cost"] == cost
    assert (reply["input_mp"], reply["output_mp"]) == megapixels


# What it refuses

REFUSED: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    (PRO, {}, {"body.prompt": "missing"}),
    (PRO, {"prompt": None}, {"body.prompt": "string_type"}),
    (PRO, {"prompt": "x", "n": 2}, {"body.n": "extra_forbidden"}),
    (PRO, {"prompt": "x", "width": 63}, {"body.width": "greater_than_equal"}),
    (PRO, {"prompt": "x", "width": 100}, {"body.width": "multiple_of"}),
    (PRO, {"prompt": "x", "width": 64.5}, {"body.width": "int_from_float"}),
    (PRO, {"prompt": "x", "width": "64"}, {"body.width": "int_type"}),
    (PRO, {"prompt": "x", "width": True}, {"body.width": "int_type"}),
    (PRO, {"prompt": "x", "width": 10**400}, {"body.width": "less_than_equal"}),
    (PRO, {"prompt": "x", "width": 2064, "height": 2048}, {"body.width": "value_error"}),
    (PRO, {"prompt": "x", "aspect_ratio": "1:1"}, {"body.aspect_ratio": "extra_forbidden"}),
    (PRO, {"prompt": "x", "safety_tolerance": 6}, {"body.safety_tolerance": "less_than_equal"}),
    (PRO, {"prompt": "x", "output_format": "jpg"}, {"body.output_format": "literal_error"}),
    (PRO, {"prompt": "x", "prompt_upsampling": 1}, {"body.prompt_upsampling": "bool_type"}),
    (PRO, {"prompt": "x", "steps": 20}, {"body.steps": "extra_forbidden"}),
    (PRO, {"prompt": "x", "webhook_url": "ftp://x"}, {"body.webhook_url": "url_parsing"}),
    (PRO, {"prompt": "x", "input_image_9": _file()}, {"body.input_image_9": "extra_forbidden"}),
    (PRO, {"prompt": 1, "seed": "1"}, {"body.prompt": "string_type", "body.seed": "int_type"}),
    ("flux-2-flex", {"prompt": "x", "steps": 51}, {"body.steps": "less_than_equal"}),
    ("flux-2-flex", {"prompt": "x", "guidance": 1.4}, {"body.guidance": "greater_than_equal"}),
    ("flux-2-flex", {"prompt": "x", "guidance": "4"}, {"body.guidance": "float_type"}),
    ("flux-2-klein-9b", {"prompt": "x", "disable_pup": True}, {"body.disable_pup": "extra_forbidden"}),
    ("flux-2-klein-4b", {"prompt": "x", "input_image_5": _file()}, {"body.input_image_5": "extra_forbidden"}),
    (NEWEST, {"prompt": "x", "seed": 1}, {"body.seed": "extra_forbidden"}),
    (NEWEST, {"prompt": "x", "output_format": "png"}, {"body.output_format": "extra_forbidden"}),
    (NEWEST, {"prompt": "x", "webhook_url": "https://x.y"}, {"body.webhook_url": "extra_forbidden"}),
    (NEWEST, {"prompt": "x", "resolution": "1K"}, {"body.resolution": "literal_error"}),
    (NEWEST, {"prompt": "x", "aspect_ratio": "10:9"}, {"body.aspect_ratio": "literal_error"}),
    (NEWEST, {"prompt": "x", "version": "1"}, {"body.version": "literal_error"}),
    (NEWEST, {"prompt": "x", "safety_tolerance": 5}, {"body.safety_tolerance": "less_than_equal"}),
    (NEWEST, {"prompt": "x", "images": []}, {"body.images": "too_short"}),
    (NEWEST, {"prompt": "x", "images": [_file()] * 11}, {"body.images": "too_long"}),
    (NEWEST, {"prompt": "x", "images": [_file(), "%"]}, {"body.images.1": "value_error"}),
    (NEWEST, {"prompt": "x", "images": _file((255, 400))}, {"body.images": "value_error"}),
    (KONTEXT, {"prompt": "x", "aspect_ratio": "22:9"}, {"body.aspect_ratio": "value_error"}),
    (KONTEXT, {"prompt": "x", "aspect_ratio": "16x9"}, {"body.aspect_ratio": "value_error"}),
    (KONTEXT, {"prompt": "x", "width": 1024}, {"body.width": "extra_forbidden"}),
    (
        KONTEXT,
        {"prompt": "x", "input_image": _file(), "safety_tolerance": 3},
        {"body.safety_tolerance": "less_than_equal"},
    ),
    ("flux-pro-1.1", {"prompt": "x", "width": 1456}, {"body.width": "less_than_equal"}),
    ("flux-pro-1.1", {"prompt": "x", "height": 272}, {"body.height": "multiple_of"}),
    ("flux-pro-1.1", {"prompt": "x", "output_format": "webp"}, {"body.output_format": "literal_error"}),
    ("flux-pro-1.1", {"prompt": "x", "input_image": _file()}, {"body.input_image": "extra_forbidden"}),
    ("flux-pro-1.1", {}, {"body.prompt": "missing"}),
    (
        "flux-pro-1.1-ultra",
        {"prompt": "x", "image_prompt_strength": 1.1},
        {"body.image_prompt_strength": "less_than_equal"},
    ),
    ("flux-dev", {"prompt": "x", "interval": 2}, {"body.interval": "extra_forbidden"}),
    ("flux-pro", {"prompt": "x", "guidance": 5.1}, {"body.guidance": "less_than_equal"}),
    (FILL, {"prompt": "x"}, {"body.image": "missing"}),
    (FILL, {"image": _file()}, {"body.mask": "missing"}),
    (FILL, {"image": _file(), "mask": _file((10, 10))}, {"body.mask": "value_error"}),
    (FILL, {"image": _file(), "mask": _file(), "steps": 14}, {"body.steps": "greater_than_equal"}),
    (EXPAND, {"image": _file(), "top": 2049}, {"body.top": "less_than_equal"}),
    (EXPAND, {"image": _file(), "mask": _file()}, {"body.mask": "extra_forbidden"}),
    (EXPAND, {"image": _file((16_000, 1)), "left": 1}, {"body": "value_error"}),
]


@pytest.mark.parametrize(("model", "body", "faults"), REFUSED)
def test_wrong_field_is_refused_by_name(
    sandbox: Sandbox, model: str, body: dict[str, Any], faults: dict[str, str]
) -> None:
    assert _faults(sandbox.submit(body, model)) == faults


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (PRO, {"prompt": "x", "width": 64.0, "seed": None, "input_image": None, "output_format": None}),
        (PRO, {"prompt": "x", "disable_pup": True, "prompt_upsampling": False, "safety_tolerance": 5}),
        ("flux-2-flex", {"prompt": "x", "steps": 1, "guidance": 10}),
        (NEWEST, {"prompt": "x", "images": [_file()] * 10, "grounding": False, "version": "latest"}),
        ("flux-pro-1.1", {"image_prompt": _file()}),
        ("flux-pro-1.1-ultra", {"prompt": "x", "raw": True, "image_prompt_strength": 0.5}),
        ("flux-dev", {"prompt": "x", "steps": 50, "guidance": 5}),
        ("flux-pro", {"prompt": "x", "interval": 2}),
        (FILL, {"image": _file(mode="LA"), "guidance": 100, "steps": 15, "prompt_upsampling": True}),
        (FILL, {"image": "https://example.com/fox.png", "mask": _file()}),
    ],
)
def test_fields_at_their_limits_are_taken(sandbox: Sandbox, model: str, body: dict[str, Any]) -> None:
    assert sandbox.submit(body, model).status_code == 200


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_kinds_of_pictures_that_are_taken(sandbox: Sandbox, kind: str) -> None:
    for form in (_file(kind=kind), f"data:image/{kind.lower()};base64,{_file(kind=kind)}"):
        assert sandbox.submit({"prompt": "x", "input_image": form}).status_code == 200


@pytest.mark.parametrize(
    "value",
    [
        "",
        "not base64!",
        "data:image/png;base64,",
        "data:image/png,abc",
        "http://example.com/fox.png",
        base64.b64encode(b"GIF89a no picture").decode(),
        _file(kind="GIF"),
        _file((5000, 4300), mode="1"),
        base64.b64encode(bytes(20_000_001)).decode(),
        7,
        {"url": "https://example.com/fox.png"},
    ],
    ids=lambda value: str(value)[:24],
)
def test_picture_that_cannot_be_used_is_refused(sandbox: Sandbox, value: Any) -> None:
    reply = sandbox.submit({"prompt": "x", "input_image": value})
    assert set(_faults(reply)) == {"body.input_image"}
    assert len(reply.content) < 1000


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b'{"prompt": NaN}'])
def test_body_that_is_no_object_is_refused(sandbox: Sandbox, content: bytes) -> None:
    assert sandbox.api.post(f"/v1/{PRO}", content=content).status_code == 422


# The faults of the submit


@pytest.mark.parametrize("code", [400, 402, 403, 404, 429, 500, 503, 504])
def test_error_codes_have_a_detail(sandbox: Sandbox, code: int) -> None:
    reply = sandbox.submit(f"x [sandbox: {code}]")
    assert reply.status_code == code
    assert set(reply.json()) == {"detail"}
    assert "retry-after" not in reply.headers


def test_flat_shape_of_errors(sandbox: Sandbox) -> None:
    for wish, code in (("401", 401), ("429; flat errors", 429)):
        reply = sandbox.submit(f"x [sandbox: {wish}]")
        assert reply.status_code == code
        assert set(reply.json()) == {"error", "message", "details"}


@pytest.mark.parametrize("code", [429, 503])
def test_wait_is_told_on_wish_only(sandbox: Sandbox, code: int) -> None:
    assert sandbox.submit(f"x [sandbox: {code} after 17]").headers["retry-after"] == "17"


def test_pages_and_shapes_that_are_no_reply(sandbox: Sandbox) -> None:
    html = sandbox.submit("x [sandbox: html 502]")
    assert (html.status_code, html.headers["content-type"][:9]) == (502, "text/html")
    bare = sandbox.submit("x [sandbox: status 529]")
    assert (bare.status_code, bare.content) == (529, b"")
    with pytest.raises(json.JSONDecodeError):
        sandbox.submit("x [sandbox: not json]").json()
    assert sandbox.submit("x [sandbox: unknown shape]").json() == {"hello": "world"}
    packed = sandbox.submit("x [sandbox: encoded gzip]")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json()["polling_url"]


def test_never_answers_nothing_and_ends_with_the_client(sandbox: Sandbox) -> None:
    sent: list[Any] = []
    request = httpx.Request(
        "POST", f"{BASE}/v1/{PRO}", headers={"x-key": "any"}, json={"prompt": "[sandbox: never]"}
    )
    received = iter([{"type": "http.request", "body": request.read()}])

    async def receive() -> Any:
        return next(received, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(sandbox.app(_scope(request), receive, send))
    assert sent == []


def test_slow_submit_still_starts_the_job(sandbox: Sandbox) -> None:
    assert sandbox.submit("x [sandbox: slow 0.01]").json()["id"]


@pytest.mark.parametrize(
    "wish", ["words only", "words", "drafts", "pictures 2", "max tokens", "error mid-stream", "bad base64"]
)
def test_fault_that_this_wire_does_not_have_is_named(sandbox: Sandbox, wish: str) -> None:
    reply = sandbox.submit(f"x [sandbox: {wish}]")
    assert _faults(reply) == {"body.prompt": "sandbox_fault"}
    assert f"'{wish.replace('2', 'N')}'" in reply.json()["detail"][0]["msg"]


@pytest.mark.parametrize("wish", ["explode", "poll 418 1", "poll 429 0", "poll elsewhere", "ready after"])
def test_unknown_fault_is_refused_with_all_the_known(sandbox: Sandbox, wish: str) -> None:
    (fault,) = sandbox.submit(f"x [sandbox: {wish}]").json()["detail"]
    assert f"'{wish}'" in fault["msg"]
    assert all(word.syntax in fault["msg"] for word in (*WORDS, *bfl_faults.WORDS))


def test_header_wins_over_the_prompt(sandbox: Sandbox) -> None:
    prompt = "x [sandbox: 500; poll 500 1]"
    assert sandbox.submit(prompt, headers={"x-sandbox": "429; never ready"}).status_code == 429
    address = sandbox.started(prompt, headers={"x-sandbox": ""})
    assert sandbox.poll(address).status_code == 200


# The faults of the job


@pytest.mark.parametrize(
    ("wish", "status", "reasons"),
    [
        ("refuse prompt", "Request Moderated", ["PROHIBITED_CONTENT"]),
        ("block Violence", "Request Moderated", ["Violence"]),
        ("refuse picture", "Content Moderated", None),
    ],
)
def test_moderation_is_a_status_with_reasons(
    sandbox: Sandbox, wish: str, status: str, reasons: list[str] | None
) -> None:
    address = sandbox.started(f"x [sandbox: {wish}]")
    assert sandbox.poll(address).json()["status"] == "Pending"
    sandbox.clock.seconds += 1
    answer = sandbox.poll(address)
    assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert not (answer.json()["result"] or {}).get("sample")
    found = answer.json()["details"]["Moderation Reasons"]
    assert found == reasons if reasons else found


@pytest.mark.parametrize("wish", ["no image", "empty"])
def test_ready_without_a_picture(sandbox: Sandbox, wish: str) -> None:
    assert sandbox.result(f"x [sandbox: {wish}]")["sample"] is None


@pytest.mark.parametrize(
    ("wish", "statuses"),
    [
        ("ready after 0", ["Ready"]),
        ("ready after 0.05", ["Pending", "Pending", "Ready"]),
        ("never ready", ["Pending"] * 5),
        ("job failed", ["Pending", "Pending", "Error"]),
        ("finish Failed", ["Pending", "Pending", "Failed"]),
        ("job lost", ["Pending", "Task not found", "Task not found"]),
        ("unknown status", ["Thinking", "Thinking", "Ready"]),
    ],
)
def test_course_of_a_job(sandbox: Sandbox, wish: str, statuses: list[str]) -> None:
    assert sandbox.statuses(wish, len(statuses)) == statuses


def test_failed_job_has_details_and_no_result(sandbox: Sandbox) -> None:
    answer = sandbox.poll(sandbox.started("x [sandbox: job failed; ready after 0]")).json()
    assert answer["result"] is None
    assert answer["details"]["error"]


def test_state_in_place_of_status(sandbox: Sandbox) -> None:
    answer = sandbox.poll(sandbox.started("x [sandbox: state; ready after 0]")).json()
    assert answer["state"] == "Ready"
    assert "status" not in answer


def test_faults_of_polls_come_in_order_and_then_end(sandbox: Sandbox) -> None:
    address = sandbox.started("x [sandbox: poll 429 1 after 2; poll 500 2; unknown status; ready after 0]")
    replies = [sandbox.poll(address) for _ in range(6)]
    assert [reply.status_code for reply in replies] == [429, 500, 500, 200, 200, 200]
    assert replies[0].headers["retry-after"] == "2"
    assert "retry-after" not in replies[1].headers
    assert replies[1].json()["detail"]
    assert [reply.json()["status"] for reply in replies[3:]] == ["Thinking", "Thinking", "Ready"]


def test_cut_poll_ends_in_the_middle(sandbox: Sandbox) -> None:
    address = sandbox.started("x [sandbox: poll cut 1; ready after 0; poll slow 0.01]")
    cut, whole = sandbox.poll(address), sandbox.poll(address)
    assert 0 < len(cut.content) < int(cut.headers["content-length"])
    assert whole.json()["status"] == "Ready"


def test_addresses_and_redirects_elsewhere(sandbox: Sandbox) -> None:
    elsewhere = "http://169.254.169.254/latest?x=1"
    assert sandbox.started(f"x [sandbox: poll elsewhere {elsewhere}]") == elsewhere
    assert sandbox.result(f"x [sandbox: sample elsewhere {elsewhere}]")["sample"] == elsewhere
    poll = sandbox.poll(sandbox.started(f"x [sandbox: poll redirect {elsewhere}]"))
    assert (poll.status_code, poll.headers["location"]) == (302, elsewhere)
    sample = sandbox.delivery.get(sandbox.result(f"x [sandbox: sample redirect {elsewhere}]")["sample"])
    assert (sample.status_code, sample.headers["location"]) == (302, elsewhere)


def test_polling_address_without_the_id(sandbox: Sandbox) -> None:
    reply = sandbox.submit("x [sandbox: poll without id]").json()
    assert reply["polling_url"] == f"{BASE}/v1/get_result"
    assert sandbox.api.get(reply["polling_url"], params={"id": reply["id"]}).json()["status"] == "Pending"


# The faults of the download


def test_failing_downloads(sandbox: Sandbox) -> None:
    sample = sandbox.result("x [sandbox: sample 500 2]")["sample"]
    assert [sandbox.delivery.get(sample).status_code for _ in range(3)] == [500, 500, 200]
    gone = sandbox.result("x [sandbox: sample 404]")["sample"]
    assert {sandbox.delivery.get(gone).status_code for _ in range(3)} == {404}


def test_cut_off_stops_in_the_middle_of_the_picture(sandbox: Sandbox) -> None:
    reply = sandbox.delivery.get(sandbox.result("x [sandbox: cut off]")["sample"])
    assert 0.4 < len(reply.content) / int(reply.headers["content-length"]) < 0.6


def test_stall_still_delivers_the_whole(sandbox: Sandbox) -> None:
    assert sandbox.picture("x [sandbox: stall 0.01]").size == (64, 64)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_big_picture_still_decodes(sandbox: Sandbox, kind: str) -> None:
    body = {"prompt": "x [sandbox: big 0.300001]", "width": 64, "height": 64, "output_format": kind}
    data = sandbox.file(body)
    assert 300_000 < len(data) < 400_000
    picture = Image.open(io.BytesIO(data))
    picture.load()
    assert picture.size == (64, 64)
