"""Providers and clients that break every rule, over real sockets, through a real proxy.

Each row of a table is one fault of a provider's socket; most are tried whole and streamed.
"""

import base64
import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.faulty_upstream import End, FaultyUpstream, Script, running_faulty_upstream
from tests.pictures import data_url, look_at
from tests.proxy.conftest import PROVIDER_KEY, SETTINGS, gemini
from tests.proxy.support import Proxy, running_proxy
from tests.proxy.test_outcomes import assert_harmless

PICTURE_BYTES = 1_000_000
REFERENCE_BYTES = 100_000
REPLY_BYTES = 4 * PICTURE_BYTES  # what is read of one reply at most
DEADLINE_SECONDS = 2
ENDLESS = 10**9

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
END_OF_CHUNKS = b"0\r\n\r\n"
PICTURE = base64.b64decode(data_url().partition(",")[2])
MAY_BE_CHARGED = "may be charged"
DEADLINE = f"within the deadline of {DEADLINE_SECONDS} s"


@pytest.fixture(scope="module")
def faulty() -> Iterator[FaultyUpstream]:
    with running_faulty_upstream() as started:
        yield started


@pytest.fixture(scope="module")
def abused(faulty: FaultyUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy of all tests here. "hasty" has a short deadline, "faulty" a long one."""
    with socket.socket() as refusing:  # bound and not listening: nobody else can answer there
        refusing.bind(("127.0.0.1", 0))
        deployments = [
            gemini("faulty", faulty.url, litellm_params={"timeout": 100}),
            gemini("hasty", faulty.url, litellm_params={"timeout": DEADLINE_SECONDS}),
            gemini("refused", f"http://127.0.0.1:{refusing.getsockname()[1]}"),
            gemini("no-tls", f"https://127.0.0.1:{faulty.port}"),
        ]
        limits = {"picture_bytes": PICTURE_BYTES, "reference_bytes": REFERENCE_BYTES}
        config = {
            "model_list": deployments,
            "litellm_settings": {**SETTINGS, "imagegen_settings": {"limits": limits}},
            "general_settings": {"cancel_on_disconnect": True},
        }
        with running_proxy(config, tmp_path_factory.mktemp("abused")) as started:
            yield started


@pytest.fixture(autouse=True)
def _nothing_leaks(abused: Proxy) -> Iterator[None]:
    """After each test: no mistake of ours in the log, no key, and no picture."""
    before = len(abused.log)
    yield
    written = abused.log[before:]
    assert "litellm_imagegen: unexpected" not in written
    assert PROVIDER_KEY not in written
    assert not re.search(r"[A-Za-z0-9+/]{201}", written)


@dataclass(frozen=True)
class Outcome:
    """What a client was told, whole or streamed: `status` is that of an error wherever it stood."""

    status: int
    message: str
    text: str
    images: tuple[str, ...]
    began: bool  # with a status of 200

    @property
    def pictures(self) -> list[bytes]:
        """The bytes of the pictures."""
        return [base64.b64decode(url.partition(",")[2], validate=True) for url in self.images]


def ask(proxy: Proxy, model: str, prompt: str, *, streamed: bool) -> Outcome:
    """Ask for a picture. An error is harmless, and no stream with an error ends as a success does."""
    if not streamed:
        answer = proxy.draw(model, prompt)
        if answer.status_code != 200:
            message = answer.json()["error"]["message"]
            assert_harmless(message)
            return Outcome(answer.status_code, message, "", (), began=False)
        said = answer.json()["choices"][0]["message"]
        return Outcome(200, "", said["content"], _urls(said.get("images", [])), began=True)
    frames = proxy.draw_streamed(model, prompt)
    status, message = frames.status, ""
    if frames.error is not None:
        assert not frames.done
        assert not frames.finish_reasons
        message = frames.error["message"]
        assert_harmless(message)
        status = int(frames.error["code"])
    else:
        assert frames.done
        assert len(frames.finish_reasons) == 1
    text = frames.text if frames.status == 200 else ""
    images = frames.images if frames.status == 200 else []
    return Outcome(status, message, text, _urls(images), began=frames.status == 200)


def _urls(images: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(image["image_url"]["url"] for image in images)


def words(text: str) -> dict[str, Any]:
    return {"text": text}


def picture(data: str | None = None) -> dict[str, Any]:
    """A part with a picture, or with text in a picture's place."""
    return {"inlineData": {"mimeType": "image/png", "data": b64(PICTURE) if data is None else data}}


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def reply(*parts: Mapping[str, Any], finish: str | None = "STOP") -> bytes:
    """One GenerateContentResponse."""
    ending = {} if finish is None else {"finishReason": finish}
    return json.dumps({"candidates": [{"content": {"parts": parts}, **ending}]}).encode()


def http(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """A reply whose head tells the truth."""
    lines = [b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body), b"", body]
    return b"\r\n".join(lines)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(data: bytes, line_end: bytes = b"\n") -> bytes:
    return b"data: " + data + 2 * line_end


def spelled(body: bytes, *, streamed: bool) -> bytes:
    """A reply as it stands in a body: alone, or as an event of a stream."""
    return event(body) if streamed else body


def rows(names: str, table: Sequence[tuple[Any, ...]]) -> pytest.MarkDecorator:
    """A test for each row; what stands first in it is what the row is called."""
    parameters = [pytest.param(*row[1:], id=row[0]) for row in table]
    return pytest.mark.parametrize(names.split(), parameters)


both_ways = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


@dataclass(frozen=True)
class Fault:
    """What a provider does with a good body, and what a client is told."""

    name: str
    script: Callable[[bytes], Script]
    status: int = 502
    message: str = ""
    model: str = "faulty"


def named(faults: list[Fault]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", faults, ids=[fault.name for fault in faults])


def headed(*headers: bytes, end: End = End.CLOSE) -> Callable[[bytes], Script]:
    """The body after a head with these headers."""
    head = b"\r\n".join([OK.rstrip(), *headers, b"", b""])
    return lambda body: Script((head + body,), end)


def cut(kept: Callable[[bytes], bytes], end: End) -> Callable[[bytes], Script]:
    return lambda body: Script((kept(body),), end)


def stays(*pieces: bytes) -> Callable[[bytes], Script]:
    """The same whatever the body, and then nothing for as long as the caller waits."""
    return lambda body: Script(pieces, End.SILENCE)


def drips(head: bytes) -> Callable[[bytes], Script]:
    return lambda body: Script((head, b"x"), repeats=ENDLESS, pause=0.05)


FRAMING = [
    Fault("a huge length", headed(b"Content-Length: 99999999999"), message=MAY_BE_CHARGED),
    Fault("a length beyond any integer", headed(b"Content-Length: " + b"9" * 400)),
    Fault("a short length", headed(b"Content-Length: 30", end=End.SILENCE)),
    Fault("a negative length", headed(b"Content-Length: -5")),
    Fault("two lengths", headed(b"Content-Length: 2", b"Content-Length: 3")),
    Fault("a length that is a word", headed(b"Content-Length: many")),
    Fault("a chunk of odd size", headed(b"Transfer-Encoding: chunked")),
    Fault("an unknown transfer encoding", headed(b"Transfer-Encoding: rot13")),
    Fault("a header of 64 KiB", headed(b"X-Long: " + b"y" * 65_536 * 4)),
    Fault("10,000 headers", headed(*(b"X-%d: %s" % (number, b"y" * 20) for number in range(10_000)))),
    Fault("another protocol", lambda body: Script((b"SSH-2.0-OpenSSH_9.6\r\n",))),
    Fault("no content", lambda body: Script((b"HTTP/1.1 204 No Content\r\n\r\n",), End.SILENCE)),
    Fault("other protocols only", lambda body: Script((b"HTTP/1.1 101 Switching Protocols\r\n\r\n",))),
    Fault("a compression that is none", headed(b"Content-Encoding: gzip")),
    Fault("a compression never asked for", headed(b"Content-Encoding: br")),
]
CUT_OFF = [
    Fault("reset before it answers", lambda body: Script((), End.RESET), message=MAY_BE_CHARGED),
    Fault("closed before it answers", lambda body: Script(), message=MAY_BE_CHARGED),
    Fault("reset within the head", cut(lambda body: OK, End.RESET), message=MAY_BE_CHARGED),
    Fault("reset after the head", cut(lambda body: CHUNKED, End.RESET), message=MAY_BE_CHARGED),
    Fault(
        "reset in the middle of a picture",
        cut(lambda body: CHUNKED + chunk(body[: len(body) // 2]), End.RESET),
        message=MAY_BE_CHARGED,
    ),
    Fault(
        "closed in the middle of a picture",
        cut(lambda body: http(body)[: -len(body) // 2], End.CLOSE),
        message=MAY_BE_CHARGED,
    ),
]
HANGS = [
    Fault("silent from the start", stays(), 408, DEADLINE, "hasty"),
    Fault("silent after the head", stays(CHUNKED), 408, DEADLINE, "hasty"),
    Fault("drips in the head", drips(OK + b"X: "), 408, DEADLINE, "hasty"),
    Fault("drips in the body", drips(OK + b"Content-Length: 1000000\r\n\r\n"), 408, DEADLINE, "hasty"),
]
ENDLESS_BODIES = [
    Fault("chunks", lambda body: Script((CHUNKED, chunk(b'"' + b"x" * 65_536)), repeats=ENDLESS)),
    Fault("a line", lambda body: Script((OK + b"\r\ndata: ", b"x" * 65_536), repeats=ENDLESS)),
    Fault("comments", lambda body: Script((CHUNKED, chunk(b": x\n\n" * 10_000)), repeats=ENDLESS)),
    Fault("empty events", lambda body: Script((CHUNKED, chunk(b"data:\n\n" * 10_000)), repeats=ENDLESS)),
]


@both_ways
@named(FRAMING + CUT_OFF + HANGS)
def test_a_provider_that_breaks_http_is_one_typed_error_and_is_called_once(
    abused: Proxy, faulty: FaultyUpstream, fault: Fault, streamed: bool
) -> None:
    body = spelled(reply(words("A dot"), picture()), streamed=streamed)
    with faulty.says(fault.script(body)) as exchange:
        outcome = ask(abused, fault.model, exchange.prompt, streamed=streamed)
        assert outcome.status == fault.status, outcome
        assert "gemini: " in outcome.message
        assert fault.message in outcome.message
        assert len(exchange.requests) == 1


@both_ways
@named(ENDLESS_BODIES)
def test_of_an_endless_body_only_so_much_is_read(
    abused: Proxy, faulty: FaultyUpstream, fault: Fault, streamed: bool
) -> None:
    with faulty.says(fault.script(b"")) as exchange:
        outcome = ask(abused, fault.model, exchange.prompt, streamed=streamed)
        assert outcome.status == 502, outcome
        exchange.wait_until_hung_up()
        assert exchange.sent_bytes < 10 * REPLY_BYTES  # what the sockets' buffers hold included
        assert len(exchange.requests) == 1


@both_ways
def test_a_body_without_a_length_ends_with_the_connection(
    abused: Proxy, faulty: FaultyUpstream, streamed: bool
) -> None:
    body = spelled(reply(words("A dot"), picture()), streamed=streamed)
    with faulty.says(headed()(body)) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=streamed)
    assert (outcome.status, outcome.text, outcome.pictures) == (200, "A dot", [PICTURE])


@both_ways
def test_what_follows_a_reply_is_not_taken_for_the_next_one(
    abused: Proxy, faulty: FaultyUpstream, streamed: bool
) -> None:
    first, forged = (spelled(reply(words(text)), streamed=streamed) for text in ("first", "forged"))
    second = http(spelled(reply(words("second")), streamed=streamed))
    with (
        faulty.says(Script((http(first) + http(forged),), End.SILENCE)) as one,
        faulty.says(Script((second,))) as other,
    ):
        assert ask(abused, "faulty", one.prompt, streamed=streamed).text == "first"
        assert ask(abused, "faulty", other.prompt, streamed=streamed).text == "second"


@both_ways
@pytest.mark.parametrize("model", ["refused", "no-tls"])
def test_a_provider_that_cannot_be_reached_is_a_503_without_a_charge(
    abused: Proxy, model: str, streamed: bool
) -> None:
    outcome = ask(abused, model, "x", streamed=streamed)
    assert outcome.status == 503
    assert "gemini: cannot be reached" in outcome.message
    assert "charged" not in outcome.message


PAGE = b"<html><head><title>Sorry</title></head><body>" + b"<p>upstream \x00\xff error</p>" * 5_000
KEY = PROVIDER_KEY.encode()
# How a provider repeats the key that it got; the last two have it where a long text is cut.
REPEATS: list[tuple[str, bytes]] = [
    ("an HTML page", b"<h1>Bad</h1>x-goog-api-key: " + KEY + PAGE),
    ("an error object", json.dumps({"error": {"message": f"bad key {PROVIDER_KEY}."}}).encode()),
    ("a query", b"POST /v1beta/models/m?key=" + KEY + b"&alt=sse failed"),
    ("the quoted part's end", b"y " * 245 + KEY),
]


@both_ways
@pytest.mark.parametrize(
    ("status", "told"),
    [(b"500 Oops", 500), (b"502 Bad Gateway", 503), (b"503 Busy", 503), (b"529 Overloaded", 503)],
)
@rows("body", REPEATS)
def test_an_error_page_keeps_its_meaning_and_neither_its_length_nor_the_key(
    abused: Proxy, faulty: FaultyUpstream, *, status: bytes, told: int, body: bytes, streamed: bool
) -> None:
    page = http(body, b"Content-Type: text/html", b"X-Echo: " + KEY, status=status)
    with faulty.says(Script((page,))) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=streamed)
        assert outcome.status == told
        assert PROVIDER_KEY[:8] not in outcome.message
        assert len(outcome.message) < 700
        assert len(exchange.requests) == 1


def test_a_key_at_the_end_of_what_is_read_of_an_error_page_is_not_told_in_part(
    abused: Proxy, faulty: FaultyUpstream
) -> None:
    page = http(b"\n" * 1_980 + KEY, status=b"500 Oops")
    with faulty.says(Script((page,))) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=False)
    assert outcome.status == 500
    assert PROVIDER_KEY[:8] not in outcome.message


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ([b"Retry-After: 17"], "17"),
        ([b"Retry-After: 0.2"], "1"),
        ([b"Date: Fri, 01 Aug 2025 10:00:00 GMT", b"Retry-After: Fri, 01 Aug 2025 10:00:30 GMT"], "30"),
        ([b"Date: Fri, 01 Aug 2025 10:00:00 GMT", b"Retry-After: Fri, 01 Aug 2025 09:00:00 GMT"], None),
        ([b"Retry-After: Fri, 01 Aug 2025 10:00:30 GMT"], None),
        ([b"Retry-After: soon"], None),
        ([b"Retry-After: 1000000000"], None),
        ([b"Retry-After: -1"], None),
        ([b"Retry-After: nan"], None),
        ([b"Retry-After: inf"], None),
        ([b"Retry-After: 1e400"], None),
        ([b"Retry-After: 5", b"Retry-After: 6"], None),
        ([], None),
    ],
    ids=["seconds", "a part of a second", "a date", "a date that is past", "a date without a clock", "a word",
         "a billion", "negative", "nan", "inf", "beyond any number", "two", "none"],
)  # fmt: skip
def test_a_quota_is_a_429_that_tells_a_plausible_wait_at_once(
    abused: Proxy, faulty: FaultyUpstream, headers: list[bytes], told: str | None
) -> None:
    body = json.dumps({"error": {"code": 429, "message": "Quota"}}).encode()
    with faulty.says(Script((http(body, *headers, status=b"429 Too Many Requests"),))) as exchange:
        answer = abused.draw("faulty", exchange.prompt)
        assert (answer.status_code, answer.headers.get("retry-after")) == (429, told)
        streamed = ask(abused, "faulty", exchange.prompt, streamed=True)
        assert streamed.status == 429
        assert ("retry after" in streamed.message) == (told is not None)
        assert len(exchange.requests) == 2


def deep(opening: bytes, closing: bytes, levels: int = 100_000) -> bytes:
    return opening * levels + closing * levels


def inside(field: bytes, value: bytes) -> bytes:
    """A good reply whose candidate has one more field."""
    return reply(words("A dot"), picture())[:-3] + b', "' + field + b'": ' + value + b"}]}"


GOOD = reply(words("A dot"), picture())
UNREADABLE: list[tuple[str, bytes, int]] = [
    ("an error object", b'{"error": {"code": 503, "message": "down"}}', 503),
    ("an error object without a code", b'{"error": {"message": "down"}}', 502),
    ("an error that is a word", b'{"error": "down"}', 502),
    ("an error with a code beyond any status", b'{"error": {"code": 99999999999, "message": "x"}}', 503),
    ("an error with a code that is a text", b'{"error": {"code": "503", "message": "x"}}', 502),
    ("no candidates", b'{"candidates": []}', 502),
    ("no parts", reply(), 502),
    ("an empty object", b"{}", 502),
    ("nothing", b"", 502),
    ("null", b"null", 502),
    ("a number", b"17", 502),
    ("an HTML page", PAGE, 502),
    ("candidates of a wrong kind", b'{"candidates": [17]}', 502),
    ("candidates that are an object", b'{"candidates": {"0": {}}}', 502),
    ("parts of a wrong kind", b'{"candidates": [{"content": {"parts": [1, "x", null, []]}}]}', 502),
    ("100,000 nested arrays", b'{"candidates": ' + deep(b"[", b"]") + b"}", 502),
    ("100,000 nested arrays never closed", b'{"candidates": ' + b"[" * 100_000, 502),
    ("100,000 nested objects", deep(b'{"candidates":', b"}"), 502),
    ("100,000 nested arrays beside a picture", inside(b"safetyRatings", deep(b"[", b"]")), 502),
    ("NaN", inside(b"avgLogprobs", b"NaN"), 502),
    ("Infinity", inside(b"avgLogprobs", b"-Infinity"), 502),
    ("a number beyond any float", inside(b"avgLogprobs", b"1e400"), 502),
    ("a byte order mark in UTF-16", GOOD.decode().encode("utf-16"), 502),
    ("a lone surrogate, escaped", rb'{"candidates": [{"content": {"parts": [{"text": "\ud800"}]}}]}', 502),
    ("a lone surrogate in UTF-8", reply(words("#")).replace(b"#", b"\xed\xa0\x80"), 502),
    ("long text that is not UTF-8", reply(words("#" + "x" * 70_000)).replace(b"#", b"\xff"), 502),
    ("a control character in a string", reply(words("#")).replace(b"#", b"\x00"), 502),
    ("cut off", GOOD[: len(GOOD) // 2], 502),
    ("two replies in one", GOOD + GOOD, 502),
]


@both_ways
@rows("body status", UNREADABLE)
def test_a_success_that_is_none_is_one_typed_error(
    abused: Proxy, faulty: FaultyUpstream, body: bytes, status: int, streamed: bool
) -> None:
    with faulty.says(Script((http(spelled(body, streamed=streamed)),))) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=streamed)
        assert outcome.status == status, outcome
        assert len(exchange.requests) == 1


READABLE: list[tuple[str, bytes]] = [
    ("duplicate keys, of which the last counts", b'{"candidates": [], ' + GOOD[1:]),
    ("an array of one reply", b"[" + GOOD + b"]"),
    ("unknown fields", b'{"novel": [1, {"x": null}], ' + GOOD[1:]),
    ("blanks around it", b" \r \t" + GOOD + b" "),
    ("a hundred nested arrays among the facts", inside(b"groundingMetadata", deep(b"[", b"]", 100))),
    ("a number of 300 digits among the facts", inside(b"groundingMetadata", b'{"n": ' + b"9" * 300 + b"}")),
    ("facts of a wrong kind", inside(b"safetyRatings", b'"none"')),
    ("counts of wrong kinds", GOOD[:-1] + b', "usageMetadata": {"totalTokenCount": "many"}}'),
    ("negative counts", GOOD[:-1] + b', "usageMetadata": {"promptTokenCount": -5, "totalTokenCount": -9}}'),
    ("huge counts", GOOD[:-1] + b', "usageMetadata": {"totalTokenCount": 18446744073709551615}}'),
]


@both_ways
@rows("body", READABLE)
def test_an_odd_reply_with_a_good_picture_gives_the_picture(
    abused: Proxy, faulty: FaultyUpstream, body: bytes, streamed: bool
) -> None:
    with faulty.says(Script((http(spelled(body.replace(b"\r", b" "), streamed=streamed)),))) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=streamed)
    assert (outcome.status, outcome.text, outcome.pictures) == (200, "A dot", [PICTURE]), outcome


@pytest.mark.parametrize(("levels", "streamed"), [(300, True), (1_010, True), (1_010, False)])
def test_facts_that_are_nested_deeply_do_not_cost_the_picture(
    abused: Proxy, faulty: FaultyUpstream, levels: int, streamed: bool
) -> None:
    body = inside(b"groundingMetadata", deep(b"[", b"]", levels))
    with faulty.says(Script((http(spelled(body, streamed=streamed)),))) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=streamed)
    assert (outcome.status, outcome.pictures) == (200, [PICTURE])


# Bytes whose base64 has both characters that the URL-safe alphabet spells otherwise, and padding.
ODD = PICTURE + b"\xfb\xff\xfe\xfb\xef" + b"\x00" * ((1 - len(PICTURE) - 5) % 3)
LINES = "\n".join(b64(ODD)[start : start + 60] for start in range(0, len(b64(ODD)), 60))
FORMS: list[tuple[str, str]] = [
    ("standard", b64(ODD)),
    ("without padding", b64(ODD).rstrip("=")),
    ("URL-safe", base64.urlsafe_b64encode(ODD).decode()),
    ("URL-safe without padding", base64.urlsafe_b64encode(ODD).decode().rstrip("=")),
    ("in lines", LINES),
    ("in lines of CRLF", LINES.replace("\n", "\r\n")),
]
NO_BASE64: list[tuple[str, str]] = [
    ("junk", "!!!! not base64 !!!!"),
    ("not ASCII", "\u00e4\u00f6\u00fc" * 20),
    ("a character too many", b64(PICTURE).rstrip("=")[:80] + "A"),
    ("padding in the middle", b64(PICTURE)[:40] + "==" + b64(PICTURE)[40:]),
    ("a data URL", f"data:image/png;base64,{b64(PICTURE)}"),
    ("a picture that is cut off", b64(PICTURE[:-20])),
    ("text", b64(b"<html>no picture</html>")),
    ("blanks", " \n "),
    ("empty", ""),
]


@both_ways
@rows("data", FORMS)
def test_a_form_of_base64_that_is_seen_on_the_wire_reaches_the_client_in_the_standard_one(
    abused: Proxy, faulty: FaultyUpstream, data: str, streamed: bool
) -> None:
    with faulty.says(Script((http(spelled(reply(picture(data)), streamed=streamed)),))) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=streamed)
    assert (outcome.status, outcome.images) == (200, (f"data:image/png;base64,{b64(ODD)}",))


@both_ways
@rows("data", NO_BASE64)
def test_what_is_no_picture_is_a_502(
    abused: Proxy, faulty: FaultyUpstream, data: str, streamed: bool
) -> None:
    with faulty.says(Script((http(spelled(reply(picture(data)), streamed=streamed)),))) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=streamed)
    assert (outcome.status, outcome.images) == (502, ())


@both_ways
@pytest.mark.parametrize(("extra", "status"), [(-1, 200), (0, 200), (1, 502)], ids=["under", "at", "over"])
def test_a_picture_is_as_large_as_the_limit_at_most(
    abused: Proxy, faulty: FaultyUpstream, extra: int, status: int, streamed: bool
) -> None:
    data = b64(PICTURE + bytes(PICTURE_BYTES + extra - len(PICTURE)))
    with faulty.says(Script((http(spelled(reply(picture(data)), streamed=streamed)),))) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=streamed)
    assert outcome.status == status
    assert ("limits.picture_bytes" in outcome.message) == (status == 502)


ANSWER = (
    reply(words("A dot,"), finish=None),
    reply(picture(), finish=None),
    reply(words(" as \u2028 asked\u0085 \x00 for.")),
)
TEXT = "A dot, as \u2028 asked\u0085 \x00 for."
LINE_ENDS = {"LF": b"\n", "CR": b"\r", "CRLF": b"\r\n"}


def stream_of(*events: bytes, line_end: bytes = b"\n") -> bytes:
    return b"".join(event(data, line_end) for data in events)


def in_chunks(body: bytes, size: int) -> bytes:
    """A chunked body whose chunks are `size` bytes long: the caller gets it in just these pieces."""
    cuts = range(0, len(body), size)
    return CHUNKED + b"".join(chunk(body[start : start + size]) for start in cuts) + END_OF_CHUNKS


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("line_end", LINE_ENDS.values(), ids=LINE_ENDS)
def test_a_stream_means_the_same_wherever_it_is_split(
    abused: Proxy, faulty: FaultyUpstream, line_end: bytes, size: int
) -> None:
    with faulty.says(Script((in_chunks(stream_of(*ANSWER, line_end=line_end), size),))) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=True)
    assert (outcome.status, outcome.text, outcome.pictures) == (200, TEXT, [PICTURE])


@pytest.mark.parametrize("line_end", LINE_ENDS.values(), ids=LINE_ENDS)
def test_a_stream_that_is_cut_gives_what_was_complete_and_then_an_error(
    abused: Proxy, faulty: FaultyUpstream, line_end: bytes
) -> None:
    body = stream_of(*ANSWER, line_end=line_end)
    ends = [len(stream_of(*ANSWER[:count], line_end=line_end)) - 2 * len(line_end) for count in (1, 2, 3)]
    for position in sorted({*range(0, len(body), 61), *ends, *(end - 1 for end in ends), len(body)}):
        with faulty.says(Script((in_chunks(body[:position], 50),))) as exchange:
            outcome = ask(abused, "faulty", exchange.prompt, streamed=True)
        complete = sum(end <= position for end in ends)
        assert outcome.status == (200 if complete == 3 else 502), position
        assert outcome.began == (complete > 0), position
        assert outcome.text == ("", "A dot,", "A dot,", TEXT)[complete], position
        assert outcome.pictures == ([PICTURE] if complete > 1 else []), position


ODD_STREAMS: list[tuple[str, bytes]] = [
    ("a byte order mark", b"\xef\xbb\xbf" + stream_of(*ANSWER)),
    ("comments between", b": hi\n\n".join([b"", *map(event, ANSWER), b""])),
    ("other fields", b"".join(b"event: x\nid: 7\nretry: 1\nnovel\n" + event(data) for data in ANSWER)),
    ("no blank after the colon", stream_of(*ANSWER).replace(b"data: ", b"data:")),
    ("an event in several lines", stream_of(*ANSWER).replace(b'"parts": ', b'"parts":\ndata: ')),
    ("NUL and NEL in comments", b": \x00 \xc2\x85 \xe2\x80\xa8\n" + stream_of(*ANSWER)),
    ("no blank line at the end", stream_of(*ANSWER).rstrip(b"\n")),
    ("[DONE] after the finish", stream_of(*ANSWER, b"[DONE]")),
    ("junk after the finish", stream_of(*ANSWER, b"{{{", b"\xff\xfe")),
    (
        "separators as they are",
        stream_of(*ANSWER).replace(rb"\u2028", b"\xe2\x80\xa8").replace(rb"\u0085", b"\xc2\x85"),
    ),
]


@rows("body", ODD_STREAMS)
def test_an_odd_stream_with_a_good_picture_gives_the_picture(
    abused: Proxy, faulty: FaultyUpstream, body: bytes
) -> None:
    with faulty.says(Script((http(body),))) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=True)
    assert (outcome.status, outcome.text, outcome.pictures) == (200, TEXT, [PICTURE])


BAD_STREAMS: list[tuple[str, Script, int, bool]] = [
    ("comments only", Script((http(b": hello\n\n" * 100),)), 502, False),
    ("[DONE] alone", Script((http(stream_of(b"[DONE]")),)), 502, False),
    ("no finish", Script((http(stream_of(*ANSWER[:2])),)), 502, True),
    ("JSON instead of events", Script((http(GOOD),)), 502, False),
    ("fields of unknown names only", Script((http(b"datum: {}\n\n" * 100),)), 502, False),
    (
        "a NUL in the field's name",
        Script((http(stream_of(*ANSWER).replace(b"data", b"da\0ta")),)),
        502,
        False,
    ),
    ("junk after a picture", Script((http(stream_of(*ANSWER[:2], b"{{{")),)), 502, True),
    ("an error after a picture", Script((http(stream_of(*ANSWER[:2], UNREADABLE[0][1])),)), 503, True),
    (
        "a broken picture after a good one",
        Script((http(stream_of(ANSWER[1], reply(picture("!!")))),)),
        502,
        True,
    ),
    ("reset after a picture", Script((CHUNKED + chunk(stream_of(*ANSWER[:2])),), End.RESET), 502, True),
]


@rows("script status began", BAD_STREAMS)
def test_a_stream_that_fails_ends_with_one_error_and_no_finish(
    abused: Proxy, faulty: FaultyUpstream, script: Script, status: int, began: bool
) -> None:
    with faulty.says(script) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=True)
        assert (outcome.status, outcome.began) == (status, began)
        assert outcome.pictures == [PICTURE] * began
        assert len(exchange.requests) == 1


def test_silence_after_the_first_event_is_an_error_frame_at_the_deadline(
    abused: Proxy, faulty: FaultyUpstream
) -> None:
    with faulty.says(Script((CHUNKED + chunk(stream_of(ANSWER[1])),), End.SILENCE)) as exchange:
        outcome = ask(abused, "hasty", exchange.prompt, streamed=True)
        assert (outcome.status, outcome.began, outcome.pictures) == (408, True, [PICTURE])
        assert DEADLINE in outcome.message
        exchange.wait_until_hung_up()


def test_one_long_line_is_one_event(abused: Proxy, faulty: FaultyUpstream) -> None:
    large = PICTURE + bytes(225_000)
    with faulty.says(Script((in_chunks(stream_of(reply(picture(b64(large)))), 4_096),))) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=True)
    assert (outcome.status, outcome.pictures) == (200, [large])


def test_thousands_of_tiny_events_arrive_in_order(abused: Proxy, faulty: FaultyUpstream) -> None:
    count = 5_000
    events = [reply(words(f"{number} "), finish=None) for number in range(count)]
    with faulty.says(Script((http(stream_of(*events, GOOD)),))) as exchange:
        outcome = ask(abused, "faulty", exchange.prompt, streamed=True)
    assert outcome.text == "".join(f"{number} " for number in range(count)) + "A dot"
    assert outcome.pictures == [PICTURE]


def test_twenty_thousand_events_without_content_are_no_answer(abused: Proxy, faulty: FaultyUpstream) -> None:
    body = stream_of(*[b'{"candidates": []}'] * 20_000)
    with faulty.says(Script((http(body),))) as exchange:
        assert ask(abused, "faulty", exchange.prompt, streamed=True).status == 502


def request_bytes(proxy: Proxy, model: str, prompt: str, *, streamed: bool) -> bytes:
    """A chat request as it goes over the wire."""
    messages = [{"role": "user", "content": prompt}]
    body = json.dumps({"model": model, "messages": messages, "stream": streamed}).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: proxy\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {proxy.key}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def connected(proxy: Proxy) -> Iterator[socket.socket]:
    """A client's socket that takes little at a time."""
    address = urlsplit(proxy.url)
    with closing(socket.socket()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.settimeout(60)
        client.connect((address.hostname, address.port))
        yield client


@both_ways
def test_a_client_that_hangs_up_before_the_answer_closes_the_call(
    abused: Proxy, faulty: FaultyUpstream, streamed: bool
) -> None:
    with faulty.says(Script((), End.SILENCE)) as exchange:
        with connected(abused) as client:
            client.sendall(request_bytes(abused, "faulty", exchange.prompt, streamed=streamed))
            exchange.wait_until_arrived()
        exchange.wait_until_hung_up()
        assert len(exchange.requests) == 1


def test_a_client_that_hangs_up_mid_stream_closes_the_call(abused: Proxy, faulty: FaultyUpstream) -> None:
    with faulty.says(Script((CHUNKED + chunk(stream_of(ANSWER[0])),), End.SILENCE)) as exchange:
        with connected(abused) as client:
            client.sendall(request_bytes(abused, "faulty", exchange.prompt, streamed=True))
            seen = b""
            while b"A dot" not in seen:
                seen += client.recv(1_024)
        exchange.wait_until_hung_up()
        assert len(exchange.requests) == 1


@both_ways
def test_a_client_that_reads_slowly_holds_up_nobody_and_gets_everything(
    abused: Proxy, faulty: FaultyUpstream, streamed: bool
) -> None:
    large = [PICTURE + bytes([number]) * 950_000 for number in range(3)]
    answer = reply(*(picture(b64(raw)) for raw in large))
    with (
        faulty.says(Script((http(spelled(answer, streamed=streamed)),))) as slow,
        faulty.says(Script((http(GOOD),))) as other,
        connected(abused) as client,
    ):
        client.sendall(request_bytes(abused, "faulty", slow.prompt, streamed=streamed))
        seen = [client.recv(1_024)]
        assert ask(abused, "faulty", other.prompt, streamed=False).pictures == [PICTURE]
        while received := client.recv(65_536):
            seen.append(received)
    body = b"".join(seen)
    for raw in large:
        assert b64(raw).encode() in re.sub(rb"\r\n[0-9a-f]+\r\n", b"", body)


def reference(length: int) -> dict[str, Any]:
    """A part with a picture of so many bytes."""
    raw = PICTURE + bytes(length - len(PICTURE))
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64(raw)}"}}


@both_ways
@pytest.mark.parametrize(("extra", "fits"), [(-1, True), (0, True), (1, False)], ids=["under", "at", "over"])
def test_a_reference_picture_is_as_large_as_the_limit_at_most(
    abused: Proxy, faulty: FaultyUpstream, extra: int, fits: bool, streamed: bool
) -> None:
    with faulty.says(Script((http(spelled(GOOD, streamed=streamed)),))) as exchange:
        content = [{"type": "text", "text": exchange.prompt}, reference(REFERENCE_BYTES + extra)]
        answer = abused.post(
            {"model": "faulty", "messages": [{"role": "user", "content": content}], "stream": streamed}
        )
        assert answer.status_code == (200 if fits else 400)
        assert len(exchange.requests) == fits
        if not fits:
            assert "limits.reference_bytes" in answer.json()["error"]["message"]
            assert_harmless(answer.json()["error"]["message"])


MEGABYTE = "x " * 500_000
TOO_MUCH: list[tuple[str, dict[str, Any], str]] = [
    ("n of 10,000", {"n": 10_000}, "n"),
    ("n beyond any integer", {"n": 10**18}, "n"),
    ("a ratio of 1 MB", {"image_config": {"aspect_ratio": MEGABYTE}}, "image_config.aspect_ratio"),
    (
        "a ratio of many digits",
        {"image_config": {"aspect_ratio": f"{'9' * 5_000}:1"}},
        "image_config.aspect_ratio",
    ),
    ("a size of 1 MB", {"image_size": MEGABYTE}, "image_size"),
    ("a seed of 1 MB", {"seed": MEGABYTE}, "seed"),
    ("modalities of 1 MB", {"modalities": [MEGABYTE]}, "modalities"),
    ("100,000 modalities", {"modalities": ["audio"] * 100_000}, "modalities"),
    ("a choice of 1 MB", {"imagegen": {"policy": MEGABYTE}}, "imagegen"),
    ("a choice with a name of 1 MB", {"imagegen": {MEGABYTE: 1}}, "imagegen"),
    ("a message of an unknown role", {"messages": [{"role": MEGABYTE, "content": "x"}]}, "messages"),
]


@both_ways
@rows("fields field", TOO_MUCH)
def test_too_much_of_a_field_is_a_400_before_anything_is_sent(
    abused: Proxy, faulty: FaultyUpstream, fields: dict[str, Any], field: str, streamed: bool
) -> None:
    with faulty.says(Script((http(GOOD),))) as exchange:
        messages = [{"role": "user", "content": exchange.prompt}]
        answer = abused.post({"model": "faulty", "messages": messages, "stream": streamed, **fields})
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert str(error["param"]).startswith(field)
        assert_harmless(error["message"])
        assert not exchange.requests


def test_ten_thousand_references_are_a_400_before_anything_is_sent(
    abused: Proxy, faulty: FaultyUpstream
) -> None:
    with faulty.says(Script((http(GOOD),))) as exchange:
        content = [{"type": "text", "text": exchange.prompt}, *[reference(len(PICTURE))] * 10_000]
        answer = abused.post({"model": "faulty", "messages": [{"role": "user", "content": content}]})
        assert answer.status_code == 400
        assert "picture 15 of 10000" in answer.json()["error"]["message"]
        assert not exchange.requests


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"x": value}
    return value


HARMLESS: list[tuple[str, dict[str, Any]]] = [
    ("an unknown field of 1 MB", {"novel": MEGABYTE}),
    ("an unknown field with a name of 1 MB", {MEGABYTE: 1}),
    ("10,000 unknown fields", {f"novel{number}": number for number in range(10_000)}),
    ("a user of 1 MB", {"user": MEGABYTE}),
    ("an unknown field 200 deep", {"novel": nested(200)}),
    ("an image_config 200 deep", {"image_config": nested(200)}),
]


@rows("fields", HARMLESS)
def test_what_nobody_understands_is_left_out_with_few_words(
    abused: Proxy, faulty: FaultyUpstream, fields: dict[str, Any]
) -> None:
    with faulty.says(Script((http(GOOD),))) as exchange:
        answer = abused.draw("faulty", exchange.prompt, **fields)
        assert answer.status_code == 200, answer.text[:1000]
        assert len(answer.content) < 100_000
        assert sum(map(len, answer.headers.values())) < 10_000
        assert len(exchange.requests[0]) < 10_000


def test_a_message_that_is_nested_deeply_is_a_400(abused: Proxy, faulty: FaultyUpstream) -> None:
    with faulty.says(Script((http(GOOD),))) as exchange:
        messages = [{"role": "user", "content": [{"type": "text", "text": exchange.prompt}, nested(500)]}]
        assert abused.post({"model": "faulty", "messages": messages}).status_code == 400
        assert not exchange.requests


@both_ways
def test_after_all_that_an_ordinary_request_is_answered(
    abused: Proxy, faulty: FaultyUpstream, streamed: bool
) -> None:
    with faulty.says(Script((http(spelled(GOOD, streamed=streamed)),))) as exchange:
        outcome = ask(abused, "hasty", exchange.prompt, streamed=streamed)
    assert (outcome.status, outcome.text) == (200, "A dot")
    assert look_at(outcome.images[0]).size == (64, 48)
