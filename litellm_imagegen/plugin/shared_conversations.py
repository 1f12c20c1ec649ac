"""What responses have led to, in the Redis that LiteLLM itself uses: every worker of a proxy finds it there.

A conversation is a document of its turns, found by the ids of its response. Pictures stand apart, under their
hashes: all turns of a conversation that show one share it. Everything is under keys that only its owner's
requests can name, for a day, and within bounds: the Redis has other things to do. No request fails for it, or
waits for long: what it cannot do is not done, and the log says so.
"""

import asyncio
import hashlib
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import litellm
import pybase64
from litellm.caching.redis_cache import RedisCache

from litellm_imagegen.blob import Blob
from litellm_imagegen.plugin.conversation_documents import Drawn, picture_in, pictures_in, turns_in, written
from litellm_imagegen.plugin.conversations import KEPT_SECONDS, Conversation, Recalled

_logger = logging.getLogger("litellm_imagegen")

_WAITS_SECONDS = 3.0
_RESTS_SECONDS = 10.0  # after a failure: of a Redis that hangs not every request has to find out
_WARNS_SECONDS = 60.0
_KEPT_WHOLE_SECONDS = int(KEPT_SECONDS)
_MAXIMUM_BYTES = 256 * 1024**2  # of all conversations, as they are kept
_MAXIMUM_KEYS = 10_000
_MAXIMUM_CONVERSATION_BYTES = 64 * 1024**2
_MAXIMUM_NAMES = 100  # that one request may ask for
_MAXIMUM_NAME_CHARACTERS = 4096

Result = TypeVar("Result")


class Redis(Protocol):
    """What is used of LiteLLM's `RedisCache`. Its client gives bytes, or text where it is so configured."""

    def init_async_client(self) -> Any:
        """The client of the running event loop."""

    def check_and_fix_namespace(self, key: str) -> str:
        """`key` in the operator's namespace."""


def redis_of_litellm() -> Redis | None:
    """The Redis that workers share by LiteLLM's settings, None where there is none.

    First the one that LiteLLM's proxy coordinates its workers by, which is the one for things that only they
    need; it is that of its cache where no other is set. Then the router's, then that of the cache alone.
    Source: https://docs.litellm.ai/docs/proxy/config_settings.
    """
    proxy = sys.modules.get("litellm.proxy.proxy_server")
    router = getattr(proxy, "llm_router", None)
    places = (
        getattr(proxy, "redis_usage_cache", None),
        getattr(getattr(router, "cache", None), "redis_cache", None),
        getattr(litellm.cache, "cache", None),
    )
    return next((place for place in places if isinstance(place, RedisCache)), None)


class SharedConversations:
    """The conversations of all workers, by their owner and their response's id."""

    def __init__(self, redis: Callable[[], Redis | None] = redis_of_litellm) -> None:
        self._redis = redis
        self._warns_again = 0.0
        # Apart: one that is full can be read from.
        self._reads_again = self._writes_again = 0.0

    async def keep(self, owner: Hashable, response_id: str, conversation: Conversation) -> None:
        """Keep a conversation, within its bounds, if there is a Redis. Raises nothing."""
        redis = self._redis()
        if redis is None or time.monotonic() < self._writes_again:
            return
        if conversation.held_bytes > _MAXIMUM_CONVERSATION_BYTES:
            self._warn("a conversation is too large for it", "previous_response_id is known to one worker")
            return
        names = [response_id, *filter(None, [conversation.public_id])]
        work = _keep(_Owned(redis, owner), names, conversation)
        _, failed = await self._attempt(work, "other workers do not find the responses of this one")
        if failed:
            self._writes_again = time.monotonic() + _RESTS_SECONDS

    async def find(self, owner: Hashable, responses: Collection[str], items: Collection[str]) -> Recalled:
        """The turns up to the first of `responses` that is found, and the pictures of items by their ids.

        What is not there, not whole, or not this owner's is not found. Raises nothing.
        """
        responses, items = _askable(responses), _askable(items)
        redis = self._redis() if responses or items else None
        if redis is None or time.monotonic() < self._reads_again:
            return Recalled()
        work = _find(_Owned(redis, owner), responses, items)
        found, failed = await self._attempt(work, "responses of other workers are not found")
        if failed:
            self._reads_again = time.monotonic() + _RESTS_SECONDS
        return found or Recalled()

    async def _attempt(self, work: Awaitable[Result], means: str) -> tuple[Result | None, bool]:
        """What `work` comes to in time, and whether it failed."""
        try:
            async with asyncio.timeout(_WAITS_SECONDS):
                return await work, False
        except Exception as error:  # noqa: BLE001  # whatever its client raises: the request goes on
            self._warn(type(error).__name__, means)
            return None, True

    def _warn(self, what: str, means: str) -> None:
        """Say it, once a minute at most. An error is told by its name: others may hold a Redis's address."""
        if time.monotonic() >= self._warns_again:
            self._warns_again = time.monotonic() + _WARNS_SECONDS
            _logger.warning("litellm_imagegen: Redis: %s: %s", what, means)


class _Owned:
    """What one owner has in a Redis, under keys that nobody can tell owner or response from."""

    def __init__(self, redis: Redis, owner: Hashable) -> None:
        self._redis = redis
        self._owner = owner
        self.index = redis.check_and_fix_namespace("litellm_imagegen:index")

    def key(self, kind: str, name: str) -> str:
        told = json.dumps([self._owner, kind, name], default=str)
        return self._redis.check_and_fix_namespace(
            f"litellm_imagegen:{kind}:{hashlib.sha256(told.encode()).hexdigest()}"
        )

    async def ask(self, add: Callable[[Any], None]) -> list[Any]:
        """The answers to the commands that `add` gives a pipeline, in one round trip."""
        async with self._redis.init_async_client().pipeline(transaction=False) as pipeline:
            add(pipeline)
            answers: list[Any] = await pipeline.execute()
            return answers

    async def values(self, kind: str, names: Iterable[str]) -> dict[str, bytes]:
        """What is kept by these names; those of which nothing is are left out."""
        names = list(names)
        if not names:
            return {}

        def add(pipeline: Any) -> None:
            for name in names:
                pipeline.get(self.key(kind, name))

        answers = await self.ask(add)
        return {name: _as_bytes(kept) for name, kept in zip(names, answers, strict=True) if kept is not None}


async def _find(owned: _Owned, responses: Sequence[str], items: Sequence[str]) -> Recalled:
    kept = await owned.values("response", responses)
    text = next((kept[name] for name in responses if name in kept), b"")
    shown = await asyncio.to_thread(pictures_in, text)
    told = await owned.values("item", items)
    drawn = {item: one for item, document in told.items() if (one := picture_in(document)) is not None}
    wanted = {*(shown or ()), *drawn.values()}
    if sum(picture.length for picture in wanted) > _MAXIMUM_CONVERSATION_BYTES:
        return Recalled()
    base64 = await owned.values("picture", {picture.sha256 for picture in wanted})
    pictures = await asyncio.to_thread(_pictures_of, base64, wanted)
    turns = None if shown is None else await asyncio.to_thread(turns_in, text, pictures)
    return Recalled(turns, {item: pictures[one] for item, one in drawn.items() if one in pictures})


async def _keep(owned: _Owned, names: Sequence[str], conversation: Conversation) -> None:
    try:
        made = await asyncio.to_thread(written, conversation)
    except ValueError:  # a picture that is none; the provider has said so, or will
        return
    keys = {owned.key("picture", drawn.sha256): drawn for drawn in made.pictures}
    items = {owned.key("item", item): text for item, text in made.items.items()}
    documents = {owned.key("response", name): made.turns for name in names}
    used = {f"{key}:{drawn.kept_bytes}": time.time() for key, drawn in keys.items()}

    def touch(pipeline: Any) -> None:
        """Let those that are there stay for another day."""
        pipeline.zadd(owned.index, used)
        for key in keys:
            pipeline.expire(key, _KEPT_WHOLE_SECONDS)

    found = (await owned.ask(touch))[1:] if keys else []
    missing = {key: drawn for (key, drawn), there in zip(keys.items(), found, strict=True) if not there}
    new = await asyncio.to_thread(_base64_of, {key: made.pictures[drawn] for key, drawn in missing.items()})

    def write(pipeline: Any) -> None:
        """Pictures first: who finds the document finds them."""
        for key, value in (*new.items(), *items.items(), *documents.items()):
            pipeline.set(key, value, ex=_KEPT_WHOLE_SECONDS)
        pipeline.zadd(owned.index, {f"{key}:{len(made.turns)}": time.time() for key in documents})
        pipeline.expire(owned.index, _KEPT_WHOLE_SECONDS)
        pipeline.zremrangebyscore(owned.index, "-inf", time.time() - KEPT_SECONDS)
        pipeline.zrange(owned.index, 0, -1)

    members = [_as_bytes(member).decode() for member in (await owned.ask(write))[-1]]
    if surplus := _surplus(members):

        def drop(pipeline: Any) -> None:
            for member in surplus:
                pipeline.delete(member.rpartition(":")[0])
            pipeline.zrem(owned.index, *surplus)

        await owned.ask(drop)


def _surplus(members: Sequence[str]) -> Sequence[str]:
    """Those for which there is no room; `members` are in the order of their last use, with their bytes."""
    held = 0
    for number, member in enumerate(reversed(members), 1):
        held += int(member.rpartition(":")[2])
        if held > _MAXIMUM_BYTES or number > _MAXIMUM_KEYS:
            return members[: len(members) - number + 1]
    return ()


def _pictures_of(base64: Mapping[str, bytes], wanted: Iterable[Drawn]) -> dict[Drawn, Blob]:
    """The pictures by what tells of them, without those that are not what was kept."""
    pictures = {}
    for drawn in wanted:
        if drawn.sha256 not in base64:
            continue
        blob = Blob.from_base64(base64[drawn.sha256], drawn.mime)
        try:
            is_right = blob.facts["sha256"] == drawn.sha256
        except ValueError:
            continue
        if is_right:
            pictures[drawn] = blob
    return pictures


def _base64_of(blobs: Mapping[str, Blob]) -> dict[str, bytes]:
    """Base64, of which no picture remembers anything: it may be kept for long."""
    return {key: pybase64.b64encode(blob.raw) for key, blob in blobs.items()}


def _as_bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _askable(names: Collection[str]) -> list[str]:
    """Names as they may have been given out, each once, and no more than anybody needs."""
    distinct = (name for name in dict.fromkeys(names) if len(name) <= _MAXIMUM_NAME_CHARACTERS)
    return [name for name, _ in zip(distinct, range(_MAXIMUM_NAMES), strict=False)]


SHARED_CONVERSATIONS = SharedConversations()
