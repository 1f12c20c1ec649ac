"""Jobs that a provider is asked for until they end, and pictures from addresses that clients name.

A job is paid for once. What takes long is asked for at the beginning, all of it at once, each with a
simulated provider of its own that counts.
"""

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from tests.pictures import data_url, look_at
from tests.proxy.conftest import PROVIDER_KEY, SETTINGS
from tests.proxy.support import NO_TLS, Canary, Frames, Proxy, running_canary, running_proxy, running_sandbox
from tests.proxy.test_outcomes import assert_error_frame, assert_harmless
from tests.unit.test_fetching import FORBIDDEN

RED = data_url("red", (640, 480))
REFERENCE_BYTES = 100_000
_POLLS = 3000


@dataclass(frozen=True)
class Scenario:
    """A wish that takes long. `CANARY` in it is the port of a listener that nobody may call.

    With `retries` the router has LiteLLM's default retries; `timeout` is the deployment's, in seconds.
    """

    wish: str
    retries: bool = False
    timeout: float | None = None
    n: int = 1


SCENARIOS = {
    "every poll fails": Scenario("poll 500 999"),
    "every poll is cut": Scenario("poll cut 999"),
    "every download fails": Scenario("sample 500"),
    "every download is cut": Scenario("cut off"),
    "the job is lost": Scenario("job lost"),
    "retries, every poll fails": Scenario("poll 500 999", retries=True, timeout=2),
    "retries, every poll of two jobs fails": Scenario("poll 500 999", retries=True, timeout=2, n=2),
    "retries, every download fails": Scenario("sample 500", retries=True, timeout=2),
    "retries, never ready": Scenario("never ready", retries=True, timeout=1),
    "retries, refused": Scenario("refuse picture", retries=True),
    "retries, the submit fails": Scenario("500", retries=True),
    "two polls fail with 500": Scenario("poll 500 2"),
    "two polls fail with 503": Scenario("poll 503 2"),
    "two polls are cut": Scenario("poll cut 2"),
    "two polls find nothing": Scenario("poll 404 2"),
    "two polls come too soon": Scenario("poll 429 2 after 0.1"),
    "two downloads fail": Scenario("sample 500 2"),
    "a download comes too early": Scenario("sample 404 1"),
    "an unknown status": Scenario("unknown status"),
    "another name of the status": Scenario("state"),
    "an address without the id": Scenario("poll without id"),
    "Pending for ever": Scenario("never ready", timeout=1),
    "polls elsewhere": Scenario("poll elsewhere http://127.0.0.1:CANARY/v1/get_result?id=1"),
    "polls at a foreign host": Scenario("poll elsewhere http://localhost:CANARY/v1/get_result?id=1"),
    "polls are sent elsewhere": Scenario("poll redirect http://127.0.0.1:CANARY/"),
    "a picture at a foreign host": Scenario("sample elsewhere http://localhost:CANARY/a.png"),
    "a picture at a private host": Scenario("sample elsewhere https://10.0.0.1/a.png"),
    "a picture in a file": Scenario("sample elsewhere file:///etc/passwd"),
    "a picture sent elsewhere": Scenario("sample redirect http://localhost:CANARY/a.png"),
}


@dataclass(frozen=True)
class Ended:
    """What came of a scenario."""

    answer: httpx.Response
    counts: Mapping[str, int]

    @property
    def message(self) -> str:
        """Of an error, which is harmless."""
        message: str = self.answer.json()["error"]["message"]
        assert_harmless(message)
        return message


class Pictures:
    """A server of reference pictures on loopback, and the paths that it was asked for."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.url = ""
        self.elsewhere = ""

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body by the beginning of a path."""
        picture = base64.b64decode(RED.partition(",")[2])
        match path.partition("?")[0]:
            case "/red.png":
                return 200, {"content-type": "text/plain"}, picture
            case "/mask.png":
                mask = data_url(picture=Image.new("RGBA", (640, 480)))
                return 200, {}, base64.b64decode(mask.partition(",")[2])
            case "/text":
                return 200, {"content-type": "image/png"}, b"hello, I am a text"
            case "/large":
                return 200, {"content-type": "image/png"}, picture + bytes(REFERENCE_BYTES)
            case "/compressed":
                return 200, {"content-encoding": "gzip"}, picture
            case "/moved":
                return 302, {"location": "/red.png"}, b""
            case "/elsewhere":
                return 302, {"location": self.elsewhere}, b""
            case "/file":
                return 302, {"location": "file:///etc/passwd"}, b""
            case "/round":
                return 302, {"location": "/round"}, b""
        return 404, {}, b"a secret"


@dataclass(frozen=True)
class Setup:
    """What the tests of this module talk to."""

    proxy: Proxy
    retrying: Proxy
    canary: Canary
    environment_proxy: Canary
    pictures: Pictures
    sandboxes: Mapping[str, str]
    futures: Mapping[str, "Future[httpx.Response]"]

    def ended(self, name: str) -> Ended:
        """A scenario once it has ended, which none of them does with an unexpected error."""
        answer = self.futures[name].result()
        return Ended(answer, counts_of(self.sandboxes[name]))


def counts_of(sandbox: str) -> dict[str, int]:
    """How often each kind of address was called."""
    told: dict[str, int] = httpx.get(f"{sandbox}/v1/sandbox/bfl", trust_env=False, verify=NO_TLS).json()
    return told


def open_requests(sandbox: str) -> int:
    told: int = httpx.get(sandbox, trust_env=False, verify=NO_TLS).json()["open_requests"]
    return told


def deployment(name: str, model: str, base: str, **parameters: Any) -> dict[str, Any]:
    given = {"model": f"imagegen/{model}", "api_key": PROVIDER_KEY, "api_base": base, **parameters}
    return {"model_name": name, "litellm_params": given}


def deployments_of(sandboxes: Mapping[str, str], *, retries: bool) -> list[dict[str, Any]]:
    listed = []
    for name, scenario in SCENARIOS.items():
        if scenario.retries == retries:
            timeout = {} if scenario.timeout is None else {"timeout": scenario.timeout}
            listed.append(deployment(name, "bfl/flux-2-pro", sandboxes[name], **timeout))
    live = sandboxes["live"]
    listed += [
        deployment("patient", "bfl/flux-2-pro", live),
        deployment("hasty", "bfl/flux-2-pro", live, timeout=1),
        deployment("left alone", "bfl/flux-2-pro", live, timeout=20),
        deployment("openai", "openai/gpt-image-2", f"{live}/v1"),
    ]
    return listed


@pytest.fixture(scope="module")
def pictures() -> Iterator[Pictures]:
    served = Pictures()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.paths.append(self.path)
            status, headers, body = served.answer(self.path)
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def setup(pictures: Pictures, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """Two proxies: one without retries, and one with LiteLLM's own and an allow-list of hosts to fetch from.

    The second has a proxy in its environment that its providers do not need and its references must not use.
    """
    with ExitStack() as stack:
        enter = stack.enter_context
        canary, environment_proxy = enter(running_canary()), enter(running_canary())
        pictures.elsewhere = f"http://localhost:{canary.port}/red.png"
        sandboxes = {name: enter(running_sandbox()) for name in [*SCENARIOS, "live"]}
        by_name = {name: url.replace("127.0.0.1", "localhost") for name, url in sandboxes.items()}
        limits = {"reference_bytes": REFERENCE_BYTES}
        plain = {
            "model_list": deployments_of(sandboxes, retries=False),
            "litellm_settings": {**SETTINGS, "imagegen_settings": {"limits": limits}},
            "general_settings": {"cancel_on_disconnect": True},
        }
        listing = {
            "model_list": deployments_of(by_name, retries=True),
            "litellm_settings": {
                **SETTINGS,
                "imagegen_settings": {"limits": limits, "fetch": {"hosts": ["127.0.0.1"]}},
            },
            "router_settings": {"disable_cooldowns": True},
        }
        through = f"http://127.0.0.1:{environment_proxy.port}"
        variables = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), through)
        variables |= {"NO_PROXY": "localhost", "no_proxy": "localhost"}
        starting = [
            running_proxy(plain, tmp_path_factory.mktemp("jobs")),
            running_proxy(listing, tmp_path_factory.mktemp("retrying"), variables=variables),
        ]
        with ThreadPoolExecutor(2) as both:
            proxy, retrying = both.map(enter, starting)
        threads = enter(ThreadPoolExecutor(len(SCENARIOS)))
        futures = {
            name: threads.submit(
                (retrying if scenario.retries else proxy).generate,
                name,
                f"A lighthouse [sandbox: {scenario.wish.replace('CANARY', str(canary.port))}]",
                n=scenario.n,
            )
            for name, scenario in SCENARIOS.items()
        }
        yield Setup(proxy, retrying, canary, environment_proxy, pictures, sandboxes, futures)


# A job that was taken is paid for: it is asked for again and never sent again.


@pytest.mark.parametrize(
    ("name", "status", "words", "counts"),
    [
        ("every poll fails", 500, "bfl: The service met an internal error.", (4, 0)),
        ("every poll is cut", 502, "the reply was cut off; the call may be charged", (4, 0)),
        ("every download fails", 502, "its picture could not be fetched; the call may be charged", (1, 4)),
        ("every download is cut", 502, "its picture could not be fetched; the call may be charged", (1, 4)),
        ("the job is lost", 502, "it does not know its own job any more; the call may be charged", (5, 0)),
    ],
)
def test_what_fails_after_a_job_was_taken_is_asked_for_four_times_and_sent_once(
    setup: Setup, name: str, status: int, words: str, counts: tuple[int, int]
) -> None:
    ended = setup.ended(name)
    assert ended.answer.status_code == status
    assert words in ended.message
    assert ended.counts == {"submits": 1, "polls": counts[0], "downloads": counts[1]}


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("retries, every poll of two jobs fails", 500),
        ("retries, every poll fails", 500),
        ("retries, every download fails", 408),
        ("retries, never ready", 408),
        ("retries, refused", 400),
    ],
)
def test_litellms_retries_send_no_job_again(setup: Setup, name: str, status: int) -> None:
    ended = setup.ended(name)
    assert ended.answer.status_code == status, ended.answer.text[:500]
    assert ended.counts["submits"] == SCENARIOS[name].n


def test_equal_requests_are_jobs_of_their_own(setup: Setup) -> None:
    live = setup.sandboxes["live"]
    before = counts_of(live)
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(setup.proxy.generate, ["patient"] * 2, ["A lighthouse"] * 2))
    failed = setup.proxy.generate("hasty", "A boat [sandbox: poll 500 999]")
    again = setup.proxy.generate("hasty", "A boat [sandbox: poll 500 999]")
    assert (failed.status_code, again.status_code) == (500, 500)
    assert len({answer.json()["data"][0]["b64_json"] for answer in answers}) == 2
    assert counts_of(live)["submits"] - before["submits"] == 4


def test_litellms_retries_send_again_what_was_not_taken(setup: Setup) -> None:
    ended = setup.ended("retries, the submit fails")
    assert ended.answer.status_code == 500
    assert ended.counts["submits"] == 3
    assert ended.counts["polls"] == 0


@pytest.mark.parametrize(
    ("name", "polls", "downloads"),
    [
        ("two polls fail with 500", 3, 1),
        ("two polls fail with 503", 3, 1),
        ("two polls are cut", 3, 1),
        ("two polls find nothing", 3, 1),
        ("two polls come too soon", 3, 1),
        ("two downloads fail", 1, 3),
        ("a download comes too early", 1, 2),
        ("an unknown status", 3, 1),
        ("another name of the status", 1, 1),
        ("an address without the id", 1, 1),
    ],
)
def test_what_fails_for_a_while_ends_with_its_picture(
    setup: Setup, name: str, polls: int, downloads: int
) -> None:
    ended = setup.ended(name)
    assert ended.answer.status_code == 200, ended.answer.text[:500]
    [image] = ended.answer.json()["data"]
    assert look_at(f"data:image/jpeg;base64,{image['b64_json']}").size == (1024, 1024)
    assert ended.counts == {"submits": 1, "polls": polls, "downloads": downloads}
    assert float(ended.answer.headers["x-litellm-response-cost"]) == pytest.approx(0.03, abs=1e-9, rel=0)


def test_a_job_that_stays_pending_ends_with_our_deadline(setup: Setup) -> None:
    ended = setup.ended("Pending for ever")
    assert ended.answer.status_code == 408
    assert "bfl: no complete answer within the deadline of 1 s" in ended.message
    assert ended.counts["submits"] == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("polls elsewhere", "goes on at 127.0.0.1, which is none of its hosts"),
        ("polls at a foreign host", "goes on at localhost, which is none of its hosts"),
        ("polls are sent elsewhere", "302"),
        ("a picture at a foreign host", "its picture could not be fetched"),
        ("a picture at a private host", "its picture could not be fetched"),
        ("a picture in a file", "a picture at an address that is not https"),
        ("a picture sent elsewhere", "its picture could not be fetched"),
    ],
)
def test_an_address_of_a_reply_that_leads_elsewhere_is_refused_and_not_called(
    setup: Setup, name: str, words: str
) -> None:
    ended = setup.ended(name)
    assert ended.answer.status_code == 502, ended.answer.text[:500]
    assert words in ended.message
    assert ended.counts["submits"] == 1
    assert max(ended.counts.values()) == 1, "a second try would be refused too"
    assert setup.canary.received == []


def test_no_key_goes_with_a_download(setup: Setup) -> None:
    """The simulated provider refuses downloads that bring the key; the same host may have them elsewhere."""
    with running_canary() as other:
        wish = f"sample elsewhere http://127.0.0.1:{other.port}/a.png"
        answer = setup.proxy.generate("hasty", f"A lighthouse [sandbox: {wish}]")
        assert answer.status_code in (408, 502)
        assert other.received
        for request in other.received:
            assert request.startswith(b"GET /a.png HTTP/1.1\r\n")
            assert PROVIDER_KEY.encode() not in request
            assert b"x-key" not in request.lower()


# A stream over a job.


def test_a_stream_begins_when_the_job_was_taken(setup: Setup) -> None:
    """It is never done here, and begins all the same."""
    with listening(setup.proxy, "patient", "A lighthouse [sandbox: never ready]") as lines:
        first = json.loads(next(lines).removeprefix("data: "))
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}


def test_a_stream_over_a_job_ends_with_its_picture(setup: Setup) -> None:
    frames = setup.proxy.draw_streamed(
        "patient", "A lighthouse [sandbox: ready after 1]", stream_options={"include_usage": True}
    )
    assert frames.done
    assert "role" in frames.deltas[0]
    assert look_at(frames.images[0]["image_url"]["url"]).size == (1024, 1024)
    assert frames.finish_reasons == ["stop"]
    assert frames.chunks[-1]["usage"]["cost"] == pytest.approx(0.03, abs=1e-9, rel=0)


@pytest.mark.parametrize(
    ("wish", "status"),
    [("500", 500), ("402", 402), ("400", 400), ("not json", 502), ("429 after 17", 429), ("slow 60", 408)],
)
def test_what_fails_before_the_job_was_taken_is_a_status(setup: Setup, wish: str, status: int) -> None:
    frames = setup.proxy.draw_streamed("hasty", f"A lighthouse [sandbox: {wish}]")
    assert frames.status == status
    assert frames.error is not None
    assert frames.error["code"] == str(status)
    assert_harmless(frames.error["message"])


@pytest.mark.parametrize(
    ("wish", "status", "words"),
    [
        ("job failed", 500, "the job failed"),
        ("never ready", 408, "within the deadline of 1 s"),
        ("poll 500 999", 500, "bfl: "),
        ("empty", 502, "an empty answer"),
        ("poll elsewhere http://localhost:1/x", 502, "goes on at localhost"),
    ],
)
def test_what_fails_after_the_job_was_taken_is_an_error_frame(
    setup: Setup, wish: str, status: int, words: str
) -> None:
    frames = setup.proxy.draw_streamed("hasty", f"A lighthouse [sandbox: {wish}]")
    assert words in assert_error_frame(frames, status)["message"]


# A client that hangs up.

POLLING = "A lighthouse [sandbox: never ready; poll slow 600]"


class listening:  # noqa: N801  # used as a function is
    """The lines of a streamed answer, while the client listens."""

    def __init__(self, proxy: Proxy, model: str, text: str) -> None:
        self._client = httpx.Client(trust_env=False, timeout=60)
        body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": True}
        self._request = self._client.stream(
            "POST",
            f"{proxy.url}/v1/chat/completions",
            json=body,
            headers={"authorization": f"Bearer {proxy.key}"},
        )

    def __enter__(self) -> Iterator[str]:
        self._response = self._request.__enter__()
        self._lines = self._response.iter_lines()
        return self._lines

    def __exit__(self, *error: Any) -> None:
        self._request.__exit__(None, None, None)
        self._client.close()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    for _ in range(_POLLS):
        if condition():
            return
    pytest.fail(what)


def test_polling_stops_when_the_client_of_a_stream_hangs_up(setup: Setup) -> None:
    live = setup.sandboxes["live"]
    before = counts_of(live)
    wait_until(lambda: open_requests(live) == 0, "an earlier test has left a request open")
    with listening(setup.proxy, "patient", POLLING) as lines:
        assert next(lines).startswith("data: ")
        wait_until(lambda: counts_of(live)["polls"] > before["polls"], "the job was never asked for")
    wait_until(lambda: open_requests(live) == 0, "the job was still asked for")
    after = counts_of(live)
    assert after["polls"] - before["polls"] == 1
    assert after["submits"] - before["submits"] == 1


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/images/generations", "/v1/images/edits"])
def test_polling_stops_when_the_client_of_a_whole_answer_hangs_up(setup: Setup, path: str) -> None:
    live = setup.sandboxes["live"]
    wait_until(lambda: open_requests(live) == 0, "an earlier test has left a request open")
    before = counts_of(live)
    body: dict[str, Any] = {"model": "left alone"}
    if path.startswith("/v1/chat"):
        body["messages"] = [{"role": "user", "content": POLLING}]
    else:
        body |= {"prompt": POLLING, "images": [{"image_url": RED}]}
    content = json.dumps(body).encode()
    address = urlsplit(setup.proxy.url)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {setup.proxy.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection((address.hostname or "", address.port or 0)) as client:
        client.sendall(head.encode() + content)
        wait_until(lambda: counts_of(live)["polls"] > before["polls"], "the job was never asked for")
    wait_until(lambda: open_requests(live) == 0, "the job was still asked for")
    assert counts_of(live)["polls"] - before["polls"] == 1


# Pictures from addresses that a client names, for wires that take none.


def host_of(address: str) -> str:
    return f"[{address.replace('%', '%25')}]" if ":" in address else address


def forbidden_urls(port: int) -> list[str]:
    """Addresses of the network that the proxy runs in, in every spelling."""
    loopback = ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1"]
    loopback += [
        "127.0.0.1.",
        "localhost.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "127。0。0。1",
        "\uff11\uff12\uff17.0.0.1",
    ]
    odd = [f"https://user:password@localhost:{port}/", f"https://localhost:{port}@example.com/"]
    odd += [f"https://localhost:{port}\\@example.com/", "https://", "https:///a.png", "https://[::1/"]
    odd += ["ftp://localhost/a", "gopher://localhost/", "file:///etc/passwd", "javascript:alert(1)"]
    odd += [f"https://localhost:{port}/" + "a" * 9_000, "https://exam\tple.com/", "https://localhost/\0"]
    odd += ["https://localhost:22/", "https://localhost:6379/", "https://localhost:1:2/"]
    odd += ["https://localhost:99999/", "https://local host/", "http://"]
    return [
        *(f"https://{host_of(address)}/a.png" for address in FORBIDDEN if " " not in address),
        *(f"{scheme}://{host}:{port}/a.png" for host in loopback for scheme in ("https", "http")),
        *(f"https://{host}/a.png" for host in loopback),
        *odd,
    ]


def chat_about(model: str, url: str, **fields: Any) -> dict[str, Any]:
    parts = [{"type": "text", "text": "Like this"}, {"type": "image_url", "image_url": {"url": url}}]
    return {"model": model, "messages": [{"role": "user", "content": parts}], **fields}


def edit_of(model: str, url: str) -> dict[str, Any]:
    return {"model": model, "prompt": "Like this", "images": [{"image_url": url}]}


IN_EDITS, IN_CHAT = "images[0].image_url", "messages[0].content[1].image_url.url"


def test_no_address_of_the_operators_network_is_called_for_a_client(setup: Setup) -> None:
    urls = forbidden_urls(setup.canary.port)
    assert len(urls) >= 79

    def ask(url: str) -> list[tuple[int, Any, str]]:
        edited = setup.proxy.post_images("edits", edit_of("openai", url))
        chatted = setup.proxy.post(chat_about("openai", url))
        return [
            (answer.status_code, answer.json()["error"]["param"], answer.json()["error"]["message"])
            for answer in (edited, chatted)
        ]

    with ThreadPoolExecutor(8) as threads:
        outcomes = dict(zip(urls, threads.map(ask, urls), strict=True))
    for url, (edited, chatted) in outcomes.items():
        assert (url, *edited[:2]) == (url, 400, IN_EDITS)
        assert (url, *chatted[:2]) == (url, 400, IN_CHAT)
        for message in (edited[2], chatted[2]):
            assert_harmless(message)
    assert setup.canary.received == []


def test_the_same_for_a_stream_a_mask_and_several_pictures(setup: Setup) -> None:
    url = f"https://localhost:{setup.canary.port}/a.png"
    frames = setup.proxy.stream(chat_about("openai", url))
    assert isinstance(frames, Frames)
    assert frames.status == 400
    assert frames.error is not None
    assert frames.error["param"] == IN_CHAT
    body = {**edit_of("openai", RED), "mask": {"image_url": url}}
    assert setup.proxy.post_images("edits", body).json()["error"]["param"] == "mask.image_url"
    body = {**edit_of("openai", RED), "images": [{"image_url": RED}, {"image_url": url}]}
    assert setup.proxy.post_images("edits", body).json()["error"]["param"] == "images[1].image_url"
    assert setup.canary.received == []


def test_what_is_refused_closed_or_missing_sounds_the_same(setup: Setup) -> None:
    """Nobody learns from the words what stands behind an address."""
    with socket.socket() as unused:  # bound and not listening
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/x"
        urls = [
            closed,
            f"http://localhost:{setup.canary.port}/x",
            f"{setup.pictures.url}/missing",
            f"{setup.pictures.url}/elsewhere",
            f"{setup.pictures.url}/file",
            f"{setup.pictures.url}/round",
            f"{setup.pictures.url}/compressed",
        ]
        answers = [setup.retrying.post_images("edits", edit_of("openai", url)) for url in urls]
    told = set()
    for url, answer in zip(urls, answers, strict=True):
        error = answer.json()["error"]
        assert (url, answer.status_code, error["param"]) == (url, 400, IN_EDITS)
        _, _, reason = error["message"].partition(" is not allowed; ")
        told.add(reason)
    assert len(told) == 1, told
    assert "an address that a picture can be fetched from at one of " in told.pop()
    assert setup.canary.received == []


@pytest.mark.parametrize("path", ["/red.png?signature=s", "/moved"])
def test_a_picture_at_a_host_that_the_operator_lists_is_fetched(setup: Setup, path: str) -> None:
    asked = [path] if path != "/moved" else ["/moved", "/red.png"]
    given = f"{setup.pictures.url}{path}"
    setup.pictures.paths.clear()
    fetched = setup.retrying.post_images("edits", edit_of("openai", given))
    assert fetched.status_code == 200, fetched.text[:500]
    same = setup.retrying.post_images("edits", edit_of("openai", RED))
    assert fetched.json()["data"] == same.json()["data"], "it is drawn by as if it had been sent"
    assert setup.pictures.paths == asked
    urls = []
    for url in (given, RED):
        chatted = setup.retrying.post(chat_about("openai", url)).json()
        urls += [image["image_url"]["url"] for image in chatted["choices"][0]["message"]["images"]]
    assert urls[0] == urls[1]
    assert setup.pictures.paths == asked * 2
    assert setup.environment_proxy.received == []


def test_a_mask_at_a_listed_host_is_fetched_too(setup: Setup) -> None:
    setup.pictures.paths.clear()
    mask = {"image_url": f"{setup.pictures.url}/mask.png"}
    answer = setup.retrying.post_images("edits", {**edit_of("openai", RED), "mask": mask})
    assert answer.status_code == 200, answer.text[:500]
    assert setup.pictures.paths == ["/mask.png"]
    sent = {"image_url": data_url(picture=Image.new("RGBA", (640, 480)))}
    same = setup.retrying.post_images("edits", {**edit_of("openai", RED), "mask": sent})
    assert answer.json()["data"] == same.json()["data"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/text", "allowed: image/png, image/jpeg, image/webp"),
        ("/large", f"over the limit of {REFERENCE_BYTES} bytes"),
    ],
)
def test_what_is_fetched_has_to_be_a_picture_within_the_limits(setup: Setup, path: str, words: str) -> None:
    answer = setup.retrying.post_images("edits", edit_of("openai", f"{setup.pictures.url}{path}"))
    assert answer.status_code == 400, answer.text[:500]
    error = answer.json()["error"]
    assert error["param"] == IN_EDITS
    assert words in error["message"]


def test_where_a_list_stands_public_hosts_are_not_called(setup: Setup) -> None:
    answer = setup.retrying.post_images("edits", edit_of("openai", "https://example.com/a.png"))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, IN_EDITS)
    assert setup.environment_proxy.received == []


def test_an_address_is_passed_on_to_a_provider_that_takes_addresses(setup: Setup) -> None:
    url = f"https://localhost:{setup.canary.port}/a.png"
    answer = setup.proxy.post_images("edits", edit_of("patient", url))
    assert answer.status_code == 200
    assert answer.json()["provider_metadata"]["bfl"]["input_mp"] == 1.0, "the provider counts it as one"
    assert setup.canary.received == []
