"""Pictures from addresses that somebody else names: nothing inside the operator's network can be reached.

A name is resolved once, every answer is judged, and only a judged address is dialled. Redirects are followed
by hand and judged like the first address. What is refused, closed, filtered or slow is told in the same
words, so that nobody can learn from them what stands behind an address.
Sources of the address table: https://www.iana.org/assignments/iana-ipv4-special-registry and
.../iana-ipv6-special-registry; the metadata services of Azure (168.63.129.16) and Alibaba (100.100.100.200).
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult

from litellm_imagegen.errors import InvalidParameter, LimitExceeded
from litellm_imagegen.transport import tls_context

_MAXIMUM_CHARACTERS = 8192
_MAXIMUM_REDIRECTS = 3
_RESOLVE_SECONDS = 5.0
_RESOLVERS = 16
_FETCH_SECONDS = 30.0
_PORTS = {"http": 80, "https": 443}
_CHUNK_BYTES = 256 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FORBIDDEN_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"),
        *("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
# Inside of the global space, but special, or a way to carry an IPv4 address.
_FORBIDDEN_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)


@dataclass(frozen=True)
class FetchRules:
    """Where pictures may come from. Without `hosts` from every public address, else from these alone.

    A host is a name, or `*.` and a name for all names below it. Listed hosts may have private addresses
    and any port: the operator has named them.
    """

    hosts: tuple[str, ...] | None = None

    def lists(self, host: str) -> bool:
        """Whether the operator has named this host."""
        name = host.rstrip(".").lower()
        is_name = not name.replace(".", "").isdecimal() and ":" not in name
        return any(
            is_name and name.endswith(known[1:]) if known.startswith("*.") else name == known
            for known in map(str.lower, self.hosts or ())
        )


class ForbiddenAddress(InvalidParameter):
    """An address that is not to be dialled: in words the same as one that cannot be read."""


class _Refused(Exception):
    """An address that is not to be dialled. The reason stays here."""


class _Unreadable(Exception):
    """An address that could not be read. The reason stays here."""


async def fetch(field: str, url: str, *, rules: FetchRules, maximum_bytes: int) -> bytes:
    """The bytes at an http or https address.

    Raises `InvalidParameter` that names `field` for an address that may not be, or cannot be, fetched, and
    `LimitExceeded` for more than `maximum_bytes`.
    """
    address = _parsed(field, url)
    try:
        async with asyncio.timeout(_FETCH_SECONDS):
            return await _followed(field, address, rules, maximum_bytes)
    except (_Refused, _Unreadable, TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        allowed = "an address that a picture can be fetched from"
        if rules.hosts is not None:
            allowed += f" at one of {', '.join(rules.hosts[:10])}"
        kind = ForbiddenAddress if isinstance(error, _Refused) else InvalidParameter
        raise kind(field, _shown(address), allowed) from error


def _parsed(field: str, url: str) -> yarl.URL:
    """The address, if it is written as an address should be. Nothing is resolved yet."""
    allowed = f"an http or https URL of at most {_MAXIMUM_CHARACTERS} characters, without a password"
    is_clean = len(url) <= _MAXIMUM_CHARACTERS and url.isprintable() and "\\" not in url and " " not in url
    try:
        address = yarl.URL(url) if is_clean else yarl.URL()
        port = address.port
    except ValueError as error:
        raise InvalidParameter(field, url[:100], allowed) from error
    is_whole = address.scheme in _PORTS and address.host and port
    if not is_whole or address.user is not None or address.password is not None:
        raise InvalidParameter(field, url[:100], allowed)
    return address


def _shown(address: yarl.URL) -> str:
    """Without what may be a secret: the query of a signed address."""
    return str(address.with_query(None).with_fragment(None))


async def _followed(field: str, address: yarl.URL, rules: FetchRules, maximum_bytes: int) -> bytes:
    for _ in range(_MAXIMUM_REDIRECTS + 1):
        pinned = await _judged(address, rules)
        headers = {"accept": "image/*", "accept-encoding": "identity"}
        async with (
            _session(pinned) as session,
            session.get(address, allow_redirects=False, headers=headers) as response,
        ):
            if response.status not in _REDIRECTS:
                return await _body(field, response, maximum_bytes)
            target = address.join(yarl.URL(response.headers.get("location", "")))
        if address.scheme == "https" and target.scheme != "https":
            raise _Refused("a redirect away from https")
        try:
            address = _parsed(field, str(target))
        except InvalidParameter as error:
            raise _Refused("a redirect to no address") from error
    raise _Refused("too many redirects")


async def _judged(address: yarl.URL, rules: FetchRules) -> Sequence[ResolveResult]:
    """The addresses that may be dialled for a host: all that it has, if every one of them may."""
    host = (address.raw_host or "").lower()
    port = address.port or _PORTS[address.scheme]
    is_listed = rules.lists(host)
    if rules.hosts is not None and not is_listed:
        raise _Refused("a host that is not listed")
    if not is_listed and port != _PORTS[address.scheme]:
        raise _Refused("a port that is not the scheme's own")
    resolved = await _resolved(host, port)
    if not resolved or not (is_listed or all(_is_public(result["host"]) for result in resolved)):
        raise _Refused("an address that is not public")
    return resolved


async def _resolved(host: str, port: int) -> list[ResolveResult]:
    resolve = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    async with asyncio.timeout(_RESOLVE_SECONDS):
        found = await asyncio.get_running_loop().run_in_executor(_resolvers(), resolve)
    return [
        ResolveResult(
            hostname=host,
            host=str(where[0]),
            port=port,
            family=family,
            proto=proto,
            flags=socket.AI_NUMERICHOST,
        )
        for family, _, proto, _, where in found
        if family in (socket.AF_INET, socket.AF_INET6)
    ]


@lru_cache(maxsize=1)
def _resolvers() -> ThreadPoolExecutor:
    """Threads of their own: a dead name server must not hold up anybody else's work."""
    return ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="imagegen-resolve")


def _is_public(address: str) -> bool:
    """Whether an address belongs to the public Internet, in whatever form it is written."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:  # with a scope, for one
        return False
    if isinstance(known, ipaddress.IPv4Address):
        return not any(known in network for network in _FORBIDDEN_V4)
    return known in _GLOBAL_V6 and not any(known in network for network in _FORBIDDEN_V6)


class _Pinned(AbstractResolver):
    """Answers with what was judged, whatever a name server would say now."""

    def __init__(self, answers: Sequence[ResolveResult]) -> None:
        self._answers = answers

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return list(self._answers)

    async def close(self) -> None:
        return None


def _session(pinned: Sequence[ResolveResult]) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            resolver=_Pinned(pinned), force_close=True, use_dns_cache=False, ssl=tls_context()
        ),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


async def _body(field: str, response: aiohttp.ClientResponse, maximum_bytes: int) -> bytes:
    if response.status != 200:
        raise _Unreadable(f"HTTP status {response.status}")
    if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise _Unreadable("a compressed body")
    collected = bytearray()
    async for piece in response.content.iter_chunked(_CHUNK_BYTES):
        collected += piece
        if len(collected) > maximum_bytes:
            raise LimitExceeded(field, f"more than {maximum_bytes} bytes", f"{maximum_bytes} bytes")
    return bytes(collected)
