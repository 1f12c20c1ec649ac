"""What a caller names is fetched from public addresses only, and every refusal sounds the same."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_imagegen import fetching
from litellm_imagegen.errors import InvalidParameter, LimitExceeded
from litellm_imagegen.fetching import FetchRules, fetch

PICTURE = b"\x89PNG\r\n\x1a\n" + b"x" * 1000
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PICTURE) + PICTURE
ANY = FetchRules()

FORBIDDEN = [
    *(
        "0.0.0.0",  # noqa: S104  # judged, not bound
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
    ),
    *("172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"),
    *("198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    *("255.255.255.255", "168.63.129.16"),
    *(
        "::",
        "::1",
        "::ffff:8.8.8.8",
        "::ffff:127.0.0.1",
        "::7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
    ),
    *(
        "2001::1",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
    ),
    *("fe80::1%eth0", "fec0::1", "ff02::1", "5f00::1", "not an address"),
]
PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.255.255", "172.32.0.1", "192.0.1.1"),
    *("2606:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001::1"),
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_told(address: str) -> None:
    assert not fetching._is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_told(address: str) -> None:
    assert fetching._is_public(address)


class Server:
    """Answers each path from a table, and counts who came."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {"/a.png": OK}
        self.paths: list[str] = []
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode()
        self.paths.append(path)
        writer.write(
            self.answers.get(path.partition("?")[0], b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


def listed(*hosts: str) -> FetchRules:
    return FetchRules(hosts=hosts)


def run(
    path: str,
    *,
    rules: FetchRules | None = None,
    maximum: int = 10_000,
    answers: Mapping[str, bytes] | None = None,
) -> tuple[Any, Server]:
    """What comes of an address on a loopback server whose host the operator has listed."""

    async def talk() -> tuple[Any, Server]:
        async with serving() as server:
            for name, answer in (answers or {}).items():
                server.answers[f"/{name}"] = answer.replace(b"PORT", str(server.port).encode())
            url = f"http://127.0.0.1:{server.port}{path}"
            try:
                found: Any = await fetch(
                    "image", url, rules=rules or listed("127.0.0.1"), maximum_bytes=maximum
                )
            except (InvalidParameter, LimitExceeded) as error:
                found = error
            return found, server

    return asyncio.run(talk())


def test_a_listed_host_may_be_anywhere() -> None:
    found, server = run("/a.png?signature=s")
    assert found == PICTURE
    assert server.paths == ["/a.png?signature=s"]


@pytest.mark.parametrize("rules", [ANY, listed("example.com"), listed("*.0.0.1")])
def test_a_private_host_that_is_not_listed_is_never_dialled(rules: FetchRules) -> None:
    found, server = run("/a.png", rules=rules)
    assert isinstance(found, InvalidParameter)
    assert found.status == 400
    assert server.paths == []


def moved(location: bytes) -> bytes:
    return b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"


def test_a_redirect_is_judged_like_the_first_address() -> None:
    for target in (
        b"http://localhost:PORT/a.png",
        b"file:///etc/passwd",
        b"ftp://127.0.0.1/a",
        b"//[::1]:PORT/a.png",
    ):
        found, server = run("/go", answers={"go": moved(target)})
        assert isinstance(found, InvalidParameter), target
        assert server.paths == ["/go"]
    found, server = run("/go", answers={"go": moved(b"/a.png")})
    assert found == PICTURE
    assert server.paths == ["/go", "/a.png"]


def test_redirects_have_an_end() -> None:
    found, server = run("/go", answers={"go": moved(b"/go")})
    assert isinstance(found, InvalidParameter)
    assert len(server.paths) == 4


def test_a_body_is_bounded_by_what_is_read() -> None:
    found, _ = run("/a.png", maximum=len(PICTURE))
    assert found == PICTURE
    found, _ = run("/a.png", maximum=len(PICTURE) - 1)
    assert isinstance(found, LimitExceeded)
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 50_000
    found, _ = run("/long", answers={"long": endless})
    assert isinstance(found, LimitExceeded)


REFUSALS = {
    "missing": b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
    "forbidden": b"HTTP/1.1 403 No\r\nContent-Length: 6\r\n\r\nsecret",
    "compressed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
    "broken": b"hello",
    "short": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx",
}


def test_every_refusal_sounds_the_same() -> None:
    told = set()
    for name, answer in REFUSALS.items():
        found, server = run(f"/{name}?token=hidden", answers={name: answer})
        assert isinstance(found, InvalidParameter)
        told.add(found.message.replace(f"{server.port}/{name}", "<where>"))
        assert "hidden" not in found.message
    found, server = run("/a.png", rules=listed("localhost"))
    private, other = run("/a.png", rules=ANY)
    told_of_private = private.message.replace(str(other.port), "")
    assert len(told) == 1, told
    assert "not public" not in told_of_private
    assert "127.0.0.1" in told_of_private


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "a.png",
            "//example.com/a.png",
            "ftp://example.com/a",
            "gopher://example.com",
            "file:///etc/passwd",
        ),
        *(
            "http://",
            "http:///a.png",
            "http://user:pw@example.com/",
            "http://user@example.com/",
            "http://a\\b.com/",
        ),
        *(
            "http://exam\tple.com/",
            "http://example.com/\0",
            "http://example.com:1:2/",
            "http://example.com:99999/",
        ),
        *(
            "http://[::1/",
            "http://example.com/" + "a" * 9_000,
            "http://example.com/a b",
            "javascript:alert(1)",
        ),
        *("http://example.com:22/a", "http://example.com:6379/", "https://example.com:80/"),
    ],
)
def test_an_odd_address_is_a_400_and_nothing_is_resolved(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: Any, **options: Any) -> Any:
        raise AssertionError("resolved")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    with pytest.raises(InvalidParameter) as caught:
        asyncio.run(fetch("image", url, rules=ANY, maximum_bytes=100))
    assert caught.value.field == "image"
    assert len(caught.value.message) < 600


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: Sequence[str]) -> list[str]:
    """Names resolve to these addresses, one list a lookup; the names that were looked up."""
    looked_up: list[str] = []
    coming = iter(answers)

    def getaddrinfo(host: str, port: int, **options: Any) -> list[Any]:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(coming)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return looked_up


def test_a_name_is_looked_up_once_and_only_what_was_judged_is_dialled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "_is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setitem(fetching._PORTS, "http", 0)

    async def talk() -> tuple[bytes, list[str], list[str]]:
        async with serving() as server:
            monkeypatch.setitem(fetching._PORTS, "http", server.port)
            looked_up = resolving(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
            url = f"http://rebinding.example:{server.port}/a.png"
            found = await fetch("image", url, rules=ANY, maximum_bytes=10_000)
            return found, looked_up, server.paths

    found, looked_up, paths = asyncio.run(talk())
    assert found == PICTURE
    assert (looked_up, paths) == (["rebinding.example"], ["/a.png"])


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = resolving(monkeypatch, ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(InvalidParameter):
        asyncio.run(fetch("image", "http://mixed.example/a.png", rules=ANY, maximum_bytes=10))
    assert looked_up == ["mixed.example"]


@pytest.mark.parametrize(
    "host",
    [
        *("2130706433", "0x7f.1", "127.1", "017700000001", "[::ffff:127.0.0.1]", "[::1]", "localhost"),
        *("127.0.0.1.", "①②⑦.⓪.⓪.①"),
    ],
)
def test_no_spelling_of_a_private_address_passes(host: str) -> None:
    with pytest.raises(InvalidParameter):
        asyncio.run(fetch("image", f"http://{host}/a.png", rules=ANY, maximum_bytes=10))


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    found, _ = run("/a.png")
    assert found == PICTURE


PRIVATE_NETWORKS = ("10.0.0.0/8", "127.0.0.0/8", "fc00::/7", "::ffff:0:0/96")


@given(st.one_of([st.ip_addresses(network=network) for network in PRIVATE_NETWORKS]))
def test_no_address_of_a_private_network_is_public(address: Any) -> None:
    assert not fetching._is_public(str(address))
