"""How an operator brings the package into a proxy, and what its log says when something is missing."""

from pathlib import Path
from typing import Any

import pytest

from tests.pictures import look_at
from tests.proxy.support import running_proxy

SANDBOX: dict[str, Any] = {
    "model_name": "picture",
    "litellm_params": {"model": "imagegen/sandbox/gemini-2.5-flash-image"},
}
HANDLER = {"custom_provider_map": [{"provider": "imagegen", "custom_handler": "litellm_imagegen.handler"}]}
CALLBACK = {"callbacks": ["litellm_imagegen.callback"]}
OURS = "litellm_imagegen: "


def said_at_start(log: str) -> list[str]:
    return [line for line in log.splitlines() if line.startswith(OURS)]


@pytest.mark.parametrize(
    "settings",
    [{**HANDLER, **CALLBACK}, {**CALLBACK, **HANDLER}],
    ids=["handler then callback", "callback then handler"],
)
def test_each_complete_registration_draws_and_has_nothing_to_say(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    with running_proxy({"model_list": [SANDBOX], "litellm_settings": settings}, tmp_path) as proxy:
        [image] = proxy.draw("picture", "x", image_config={"aspect_ratio": "16:9"}).json()["choices"][0][
            "message"
        ]["images"]
        assert look_at(image["image_url"]["url"])[:2] == ("PNG", (1344, 768))
        assert said_at_start(proxy.log) == []


def test_a_foreign_provider_map_after_ours_does_not_lose_our_provider(tmp_path: Path) -> None:
    (tmp_path / "foreign.py").write_text("from litellm import CustomLLM\nhandler = CustomLLM()\n")
    foreign = {"custom_provider_map": [{"provider": "foreign", "custom_handler": "foreign.handler"}]}
    with running_proxy(
        {"model_list": [SANDBOX], "litellm_settings": {**CALLBACK, **foreign}}, tmp_path
    ) as proxy:
        assert proxy.draw("picture", "x").status_code == 200


def test_the_handler_alone_draws_and_says_once_what_is_lost(tmp_path: Path) -> None:
    with running_proxy({"model_list": [SANDBOX], "litellm_settings": HANDLER}, tmp_path) as proxy:
        for _ in range(2):
            answer = proxy.draw("picture", "x", image_config={"aspect_ratio": "16:9"})
            [image] = answer.json()["choices"][0]["message"]["images"]
            assert look_at(image["image_url"]["url"]).size == (1344, 768)
        assert proxy.draw("picture", "x", image_size="9K").status_code == 400
        [line] = said_at_start(proxy.log)
        assert 'callbacks lacks "litellm_imagegen.callback"' in line


def test_everything_that_is_missing_is_said_in_one_line_at_start(tmp_path: Path) -> None:
    deployments = [
        SANDBOX,
        {"model_name": "keyless", "litellm_params": {"model": "imagegen/gemini/gemini-3-pro-image"}},
        {"model_name": "astray", "litellm_params": {"model": "imagegen/nowhere/model", "api_key": "k"}},
        {"model_name": "odd", "litellm_params": {**SANDBOX["litellm_params"], "aspect_ration": "1:1"}},
        {"model_name": "bad", "litellm_params": {**SANDBOX["litellm_params"], "aspect_ratio": "wide"}},
        {**SANDBOX, "model_name": "misspelt", "model_info": {"imagegen": {"polici": "strict"}}},
    ]
    settings = {**CALLBACK, "imagegen_settings": {"on_no_imag": "error"}}
    with running_proxy({"model_list": deployments, "litellm_settings": settings}, tmp_path) as proxy:
        [line] = said_at_start(proxy.log)
        assert "imagegen_settings.on_no_imag is unknown; known: " in line
        assert "keyless: no api_key, and none of GEMINI_API_KEY, GOOGLE_API_KEY in the environment" in line
        assert "astray: " in line
        assert "odd: nobody understands the default aspect_ration" in line
        assert "bad: aspect_ratio: 'wide' is not allowed" in line
        assert "misspelt: model_info.imagegen.polici is unknown" in line
        refused = proxy.draw("picture", "x")
        assert refused.status_code == 500
        assert "imagegen_settings.on_no_imag is unknown" in refused.json()["error"]["message"]


def test_the_callback_alone_is_enough_and_settings_from_the_yaml_are_in_force(tmp_path: Path) -> None:
    settings = {**CALLBACK, "imagegen_settings": {"policy": "strict", "limits": {"n": 1}, "timeout": 1}}
    with running_proxy({"model_list": [SANDBOX], "litellm_settings": settings}, tmp_path) as proxy:
        assert said_at_start(proxy.log) == []
        assert proxy.draw("picture", "x").status_code == 200
        assert proxy.draw("picture", "x", image_size="4K").status_code == 400
        assert "limits.n" in proxy.draw("picture", "x", n=2).json()["error"]["message"]
        assert proxy.draw("picture", "x [sandbox: slow 5]").status_code == 408
