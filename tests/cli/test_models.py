"""`litellm-imagegen models`: what is known here, and what a provider itself lists."""

import json
import runpy
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.cli.main import main
from litellm_imagegen.cli.models import cells
from litellm_imagegen.geometry import PixelRule
from litellm_imagegen.profiles import FAMILIES, Price, Profile
from litellm_imagegen.profiles.facts import facts
from litellm_imagegen.providers import PROVIDERS

ROOT = Path(__file__).parents[2]
KEY = "key-that-nobody-may-see"
MADE_UP = (
    Profile(
        id="by-ratio",
        family="made_up",
        former_ids=("by-ratio-preview",),
        names=frozenset({Name.ASPECT_RATIO, Name.IMAGE_SIZE, Name.N, Name.OUTPUT_FORMAT}),
        aspect_ratios=("1:1", "16:9"),
        image_sizes=("1K", "2K"),
        choices={Name.OUTPUT_FORMAT: ("png", "jpeg"), Name.QUALITY: ("low", "high")},
        maximum_n=4,
        maximum_reference_images=3,
        price=Price(input=0.3, text_output=2.5, image_output=30),
    ),
    Profile(
        id="by-range",
        family="made_up",
        names=frozenset({Name.ASPECT_RATIO}),
        ratio_range=("9:21", "21:9"),
        image_sizes=("1K",),
        image_size_is_fixed=True,
        maximum_n=8,
        maximum_reference_images=0,
        price=Price(pictures={"1K": 0.04, "2K": 0.08}),
    ),
    Profile(
        id="by-dimensions",
        family="made_up",
        output=(Modality.IMAGE,),
        gone="2026-05-12",
        successor="by-rule",
        names=frozenset({Name.DIMENSIONS}),
        sizes=((1024, 1024), (1536, 1024)),
        granted={Name.OUTPUT_FORMAT: ("webp",)},
        price=Price(
            picture=0.05, pictures={f"{edge}x{edge}": edge / 10_000 for edge in range(100, 600, 100)}
        ),
    ),
    Profile(
        id="by-rule",
        family="made_up",
        output=(Modality.IMAGE,),
        names=frozenset({Name.DIMENSIONS}),
        pixel_rule=PixelRule(multiple=16, minimum_edge=64, maximum_edge=2048),
        price=Price(first_megapixel=0.03, further_megapixel=0.015),
    ),
    Profile(id="unknown-shape", family="made_up", names=frozenset()),
)
TABLE = """\
made_up

model          aspect ratios or dimensions           sizes       formats    a call  references  USD
-------------  ------------------------------------  ----------  ---------  ------  ----------  ----------------------------------------
by-ratio       1:1, 16:9                             1K, 2K      png, jpeg  4       at most 3   a million tokens: input 0.3, text 2.5,
                                                                                                image 30
by-range       9:21 to 21:9                          1K (fixed)             1       none        a picture: 1K 0.04, 2K 0.08
by-dimensions  1024x1024, 1536x1024                              webp       1                   a picture: 0.05; a picture: 0.01 to 0.05
by-rule        multiples of 16, edges of 64 to 2048                         1                   the first megapixel: 0.03, each further
                                                                                                one: 0.015
unknown-shape                                                               1

No provider here serves this family yet.
An id that is not listed is taken for the newest of its family (unknown-shape).
Former ids: by-ratio-preview is served by by-ratio; a notice says so.
by-dimensions: gone 2026-05-12, successor by-rule.

png, jpeg and webp can be asked of every model: where it lacks the format the picture is converted.
"""  # noqa: E501


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["models", *arguments])


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "made_up", MADE_UP)


@pytest.mark.usefixtures("made_up")
def test_a_family_is_shown_as_a_table() -> None:
    answer = run("--family", "made_up")
    assert (answer.exit_code, answer.output) == (0, TABLE)


def test_without_a_family_all_are_shown() -> None:
    answer = run()
    assert answer.exit_code == 0
    lines = answer.output.splitlines()
    assert set(FAMILIES) <= set(lines)
    shown = {line.split()[0] for line in lines if line.strip()}
    assert {row.id for rows in FAMILIES.values() for row in rows} <= shown


@pytest.mark.usefixtures("made_up")
def test_json_holds_all_that_is_known() -> None:
    answer = run("--family", "made_up", "--json")
    assert answer.exit_code == 0
    rows = json.loads(answer.output)
    assert [row["id"] for row in rows] == [row.id for row in MADE_UP]
    assert rows[0] == {
        "id": "by-ratio",
        "family": "made_up",
        "former_ids": ["by-ratio-preview"],
        "gone": None,
        "successor": None,
        "aspect_ratios": ["1:1", "16:9"],
        "ratio_range": None,
        "dimensions": [],
        "pixel_rule": None,
        "sizes": ["1K", "2K"],
        "size_is_fixed": False,
        "formats": ["png", "jpeg"],
        "choices": {"output_format": ["png", "jpeg"], "quality": ["low", "high"]},
        "answers_with": ["text", "image"],
        "pictures_a_call": 4,
        "reference_pictures": 3,
        "price": Price(input=0.3, text_output=2.5, image_output=30).model_dump(mode="json"),
        "fields": ["aspect_ratio", "image_size", "n", "output_format"],
    }
    assert rows[2]["dimensions"] == ["1024x1024", "1536x1024"]
    assert (rows[2]["gone"], rows[2]["successor"]) == ("2026-05-12", "by-rule")
    assert rows[3]["pixel_rule"] == "multiples of 16, edges of 64 to 2048"
    assert all(row.keys() == rows[0].keys() for row in rows)


def test_json_of_all_families_can_be_read() -> None:
    answer = run("--json")
    assert {row["family"] for row in json.loads(answer.output)} >= {"gemini"}


def test_a_family_that_is_unknown_is_told_with_those_that_are_known() -> None:
    answer = run("--family", "nowhere")
    assert answer.exit_code == 2
    assert "there is no family 'nowhere'; there are: " in answer.output
    assert "gemini" in answer.output


@pytest.mark.parametrize("family", FAMILIES)
def test_every_row_has_cells_and_facts(family: str) -> None:
    for row in FAMILIES[family]:
        assert cells(row).model == facts(row)["id"] == row.id
        assert "|" not in "".join(vars(cells(row)).values()), "it would end a cell of the generated page"


@pytest.mark.usefixtures("made_up")
def test_the_generated_page_has_the_same_cells() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "generate.py"))["models"]()
    assert "| `by-dimensions` | 1024x1024, 1536x1024 |  | image | 1 |  | a picture: 0.05; " in page
    assert "* by-dimensions: gone 2026-05-12, successor by-rule.\n" in page


@dataclass
class Listing:
    """What a made-up provider answers, and what it was asked."""

    status: int = 200
    body: bytes = b""
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)


@contextmanager
def listing(status: int, body: Any) -> Iterator[tuple[str, Listing]]:
    held = Listing(status, body if isinstance(body, bytes) else json.dumps(body).encode())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            held.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(held.status)
            self.end_headers()
            self.wfile.write(held.body)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1beta", held
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def gemini_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


MODELS = {
    "models": [
        {"name": "models/gemini-3-pro-image"},
        {"name": "models/gemini-2.5-flash-image-preview"},
        {"name": "models/gemini-9-ultra-image"},
        {"name": "models/imagen-9"},
        {"name": "models/gemini-2.5-flash"},
    ]
}


@pytest.mark.usefixtures("gemini_key")
def test_a_providers_own_list_is_compared_with_ours() -> None:
    with listing(200, MODELS) as (url, held):
        answer = run("--live", "--provider", "gemini", "--api-base", url)
    assert answer.exit_code == 0
    unlisted = sorted(row.id for row in FAMILIES["gemini"] if row.id != "gemini-3-pro-image")
    assert answer.output.splitlines() == [
        f"gemini: 4 image models at {url}/models?pageSize=1000",
        "with a row here:",
        "  gemini-2.5-flash-image-preview",
        "  gemini-3-pro-image",
        "without a row here:",
        "  gemini-9-ultra-image",
        "  imagen-9",
        "with a row here, and not in that list:",
        *(f"  {model}" for model in unlisted),
    ]
    [(path, headers)] = held.asked
    assert path == "/v1beta/models?pageSize=1000"
    assert headers["x-goog-api-key"] == KEY


@pytest.mark.usefixtures("gemini_key")
def test_a_providers_own_list_as_json() -> None:
    with listing(200, MODELS) as (url, _):
        answer = run("--live", "--provider", "gemini", "--api-base", url, "--json")
    told = json.loads(answer.output)
    assert told.keys() == {"provider", "address", "known", "unknown", "unlisted"}
    assert told["unknown"] == ["gemini-9-ultra-image", "imagen-9"]


def test_all_that_openrouter_lists_as_drawing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    models = {"data": [{"id": "google/gemini-3-pro-image"}, {"id": "acme/painter-1"}]}
    with listing(200, models) as (url, held):
        told = json.loads(run("--live", "--provider", "openrouter", "--api-base", url, "--json").output)
    assert (told["known"], told["unknown"]) == (["google/gemini-3-pro-image"], ["acme/painter-1"])
    [(path, headers)] = held.asked
    assert path == "/v1beta/models?output_modalities=image"
    assert headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (403, {"error": {"message": f"the key {KEY} may not"}}, "answered 403: the key [key] may not"),
        (500, b"<html>\nout of order", "answered 500: <html> out of order"),
        (302, b"", "answered 302: "),
        (200, b"<html>", "answered with no list of models"),
        (200, {"data": []}, "answered with no list of models"),
        (200, {"models": [{"id": "a"}]}, "answered with no list of models"),
    ],
)
@pytest.mark.usefixtures("gemini_key")
def test_a_list_that_does_not_come_is_told_in_one_line(status: int, body: Any, told: str) -> None:
    with listing(status, body) as (url, _):
        answer = run("--live", "--provider", "gemini", "--api-base", url)
    assert answer.exit_code == 1
    assert answer.output == f"Error: gemini: {url}/models?pageSize=1000 {told}\n"


@pytest.mark.usefixtures("gemini_key")
def test_nobody_there_is_told_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        answer = run("--live", "--provider", "gemini", "--api-base", url)
    assert answer.exit_code == 1
    assert answer.output == f"Error: gemini: {url}/models?pageSize=1000 cannot be reached (ConnectError)\n"


@pytest.mark.parametrize("key", ["kéy", "key\nkey"])
def test_a_key_that_cannot_be_sent_is_not_told(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", key)
    answer = run("--live", "--provider", "gemini", "--api-base", "http://127.0.0.1:9")
    assert answer.exit_code == 1
    assert answer.output.startswith("Error: gemini: ")
    assert len(answer.output.splitlines()) == 1
    assert key not in answer.output


def test_without_a_key_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in PROVIDERS["gemini"].key_variables:
        monkeypatch.delenv(variable, raising=False)
    answer = run("--live", "--provider", "gemini", "--api-base", "http://127.0.0.1:9")
    assert answer.exit_code == 1
    assert answer.output == "Error: gemini: no key; set GEMINI_API_KEY or GOOGLE_API_KEY in the environment\n"


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--live"], 2, "--live and --provider go together"),
        (["--provider", "gemini"], 2, "--live and --provider go together"),
        (["--live", "--provider", "gemini", "--family", "gemini"], 2, "takes no --family"),
        (["--live", "--provider", "nowhere"], 1, "'nowhere' is no provider with a list of models"),
    ],
)
def test_what_cannot_be_asked(arguments: list[str], status: int, told: str) -> None:
    answer = run(*arguments)
    assert answer.exit_code == status
    assert told in answer.output
