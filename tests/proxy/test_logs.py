"""No log sink sees a picture's base64, from the request or from the answer; they see its facts."""

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.pictures import data_url, look_at
from tests.proxy.responding import pictures_of, respond, respond_streamed
from tests.proxy.support import Proxy, running_proxy

RUN = re.compile(r"[A-Za-z0-9+/_-]{201,}")
DUMPER = """
import json
from pathlib import Path
import litellm
from litellm.integrations.custom_logger import CustomLogger

def dump(what, *values):
    with Path("dump.log").open("a") as log:
        log.write(f"{what} {[repr(value) for value in values]}\\n")

class Dumper(CustomLogger):
    def log_success_event(self, kwargs, response_obj, start_time, end_time):
        dump("sync success", kwargs, response_obj)

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        dump("success", kwargs, response_obj)
        dump("payload " + json.dumps(kwargs["standard_logging_object"], default=repr))

    def log_failure_event(self, kwargs, response_obj, start_time, end_time):
        dump("sync failure", kwargs, response_obj)

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time):
        dump("failure", kwargs, response_obj)

    async def async_post_call_failure_hook(
        self, request_data, original_exception, user_api_key_dict, traceback_str=None
    ):
        dump("hook failure", request_data, original_exception, traceback_str)

def plain(kwargs, response_obj, start_time, end_time):
    dump("plain function", kwargs, response_obj)

before, after = Dumper(), Dumper()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def noisy(folder: Path) -> Iterator[Proxy]:
    """A proxy at DEBUG with sinks that write down all they get."""
    (folder / "dumper.py").write_text(DUMPER)
    model = {"model": "imagegen/sandbox/gemini-3-pro-image"}
    deployments = [
        {"model_name": "auto", "litellm_params": model},
        {"model_name": "off", "litellm_params": model, "model_info": {"imagegen": {"bypass": "off"}}},
    ]
    settings = {
        "callbacks": ["dumper.before", "litellm_imagegen.callback", "dumper.after"],
        "success_callback": ["dumper.plain"],
    }
    config = {"model_list": deployments, "litellm_settings": settings}
    with running_proxy(config, folder, variables={"LITELLM_LOG": "DEBUG"}) as proxy:
        yield proxy


def large_picture() -> str:
    """A data URL of more than 300 kB."""
    noise = Image.effect_noise((700, 700), 90).convert("RGB")
    url = data_url(picture=noise)
    assert len(url) > 300_000
    return url


def messages(prompt: str, picture: str) -> list[dict[str, Any]]:
    parts = [{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": picture}}]
    return [{"role": "user", "content": parts}]


def test_sinks_and_debug_lines_hold_facts_and_no_base64(noisy: Proxy, folder: Path) -> None:
    picture = large_picture()
    seen: list[str] = []
    for model in ("auto", "off"):
        body = {"model": model, "messages": messages("A lighthouse [sandbox: big 1]", picture)}
        answer = noisy.post(body)
        seen.append(answer.json()["choices"][0]["message"]["images"][0]["image_url"]["url"])
        seen.append(noisy.stream(body).images[0]["image_url"]["url"])
        for wish in ("500", "refuse picture", "cut off"):
            noisy.post({"model": model, "messages": messages(f"A lighthouse [sandbox: {wish}]", picture)})
        assert noisy.post({**body, "image_size": "9K"}).status_code == 400
        parts = [
            {"type": "input_text", "text": "[sandbox: big 1]"},
            {"type": "input_image", "image_url": picture},
        ]
        given = [{"role": "user", "content": parts}]
        drawn = respond(noisy, model, given).json()
        seen += [*pictures_of(drawn), *pictures_of(respond_streamed(noisy, model, given).last)]
        respond(noisy, model, [*given, *drawn["output"]])
        respond(noisy, model, "And now at night", previous_response_id=drawn["id"])
        for wish in ("500", "cut off"):
            respond_streamed(noisy, model, [*given, {"role": "user", "content": f"[sandbox: {wish}]"}])
    noisy.draw("auto", "the last one: what came before has been logged")

    dumped = (folder / "dump.log").read_text()
    for what in ("success", "payload", "failure", "hook failure"):
        assert f"\n{what} " in f"\n{dumped}", f"{what} was never called"
    for name, text in (("a sink", dumped), ("the proxy's log", noisy.log)):
        found = RUN.search(text)
        assert found is None, f"{name} saw base64: {text[found.start() - 300 : found.start() + 100]}"
    assert "imagegen-picture:" not in dumped, "a sink saw a reference in a picture's place"
    for url in seen:
        facts = look_at(url)
        assert facts.sha256 in dumped
    assert hashlib.sha256(b64decode(picture.partition(",")[2])).hexdigest() in dumped


def test_the_facts_are_all_there(noisy: Proxy, folder: Path) -> None:
    answer = noisy.draw("auto", "A lighthouse with facts").json()
    noisy.draw("auto", "the last one: what came before has been logged")
    [told] = answer["provider_metadata"]["imagegen"]["images"]
    payloads = [
        json.loads(line.removeprefix("payload ").rpartition(" [")[0])
        for line in (folder / "dump.log").read_text().splitlines()
        if line.startswith("payload ")
    ]
    urls = [
        image["image_url"]["url"]
        for payload in payloads
        for choice in payload["response"].get("choices") or ()
        for image in choice["message"].get("images") or ()
    ]
    expected = {name: told[name] for name in ("sha256", "mime", "bytes", "width", "height")}
    assert expected in [json.loads(url) for url in urls]
