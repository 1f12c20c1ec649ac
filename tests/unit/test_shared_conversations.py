"""Conversations in a Redis: whole or not at all, within bounds, for their owner, never in a request's way."""

import asyncio
import logging
from collections.abc import Callable, Hashable
from typing import Any

import pytest

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import ImageInput, Message, TextPart
from litellm_imagegen.plugin import shared_conversations
from litellm_imagegen.plugin.conversations import Conversation, Recalled
from litellm_imagegen.plugin.shared_conversations import SharedConversations
from tests.unit.helpers import picture_bytes


class Pipeline:
    """Commands to a `Memory`, which answers them together."""

    def __init__(self, memory: "Memory") -> None:
        self._memory = memory
        self._commands: list[Callable[[], Any]] = []

    async def __aenter__(self) -> "Pipeline":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._commands.clear()

    async def execute(self) -> list[Any]:
        self._memory.trips += 1
        await self._memory.before_each()
        return [command() for command in self._commands]

    def get(self, key: str) -> None:
        self._commands.append(lambda: self._memory.kept.get(key))

    def set(self, key: str, value: bytes, *, ex: int) -> None:
        assert 0 < ex <= 24 * 3600
        self._commands.append(lambda: self._memory.kept.update({key: value}))

    def delete(self, key: str) -> None:
        self._commands.append(lambda: self._memory.kept.pop(key, None))

    def expire(self, key: str, seconds: int) -> None:
        assert 0 < seconds <= 24 * 3600
        self._commands.append(lambda: key in self._memory.kept)

    def zadd(self, name: str, members: dict[str, float]) -> None:
        self._commands.append(lambda: self._memory.used.update(members))

    def zrem(self, name: str, *members: str) -> None:
        self._commands.append(lambda: [self._memory.used.pop(member, None) for member in members])

    def zremrangebyscore(self, name: str, low: str, high: float) -> None:
        old = [member for member, used in self._memory.used.items() if used <= high]
        self.zrem(name, *old)

    def zrange(self, name: str, first: int, last: int) -> None:
        assert (first, last) == (0, -1)
        self._commands.append(
            lambda: [m.encode() for m in sorted(self._memory.used, key=lambda m: self._memory.used[m])]
        )


class Memory:
    """What is used of LiteLLM's `RedisCache`, in memory; two workers may share one."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.used: dict[str, float] = {}
        self.trips = 0
        self.fails: Exception | None = None
        self.hangs = False

    async def before_each(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails is not None:
            raise self.fails

    def init_async_client(self) -> "Memory":
        return self

    def check_and_fix_namespace(self, key: str) -> str:
        return f"operators:{key}"

    def pipeline(self, *, transaction: bool) -> Pipeline:
        assert not transaction
        return Pipeline(self)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands until somebody moves it."""
    clock = [1_000_000.0]

    class Clock:
        time = monotonic = staticmethod(lambda: clock[0])

    monkeypatch.setattr(shared_conversations, "time", Clock)
    return clock


def a_worker(memory: Memory | None) -> SharedConversations:
    return SharedConversations(lambda: memory)


def blob(color: str) -> Blob:
    return Blob.from_raw(picture_bytes(size=(1200, 800), color=color))


def conversation(*colors: str, words: str = "A fox", item: str = "ig_1", **more: Any) -> Conversation:
    """A turn with words and an answer with pictures, the first of which is an item too."""
    blobs = [blob(color) for color in colors]
    drawn = tuple(ImageInput(blob=one, spelling="previous_response_id") for one in blobs)
    turns = (
        Message(role="user", parts=(TextPart(text=words),)),
        Message(role="assistant", parts=(TextPart(text="Here."), *drawn)),
    )
    return Conversation(turns, {item: blobs[0]} if blobs else {}, **more)


def keep(
    worker: SharedConversations, kept: Conversation, owner: Hashable = ("key", "k"), name: str = "resp_1"
) -> None:
    asyncio.run(worker.keep(owner, name, kept))


def find(
    worker: SharedConversations, *names: str, owner: Hashable = ("key", "k"), items: tuple[str, ...] = ()
) -> Recalled:
    return asyncio.run(worker.find(owner, names, items))


def turns_of(found: Recalled | Conversation) -> list[tuple[str, list[Any]]]:
    return [
        (
            turn.role,
            [
                part.text if isinstance(part, TextPart) else part.url or (part.blob and part.blob.raw)
                for part in turn.parts
            ],
        )
        for turn in found.turns or ()
    ]


def test_another_worker_finds_a_conversation_under_both_its_names(memory: Memory) -> None:
    fetched = Message(
        role="user",
        parts=(ImageInput(url="https://example.com/a.png", spelling="image_url"),),
        reasoning_details=({"type": "reasoning.encrypted", "data": "x"},),
    )
    kept = conversation("red", "blue", public_id="resp_public")
    kept = Conversation((fetched, *kept.turns), kept.pictures, kept.public_id)
    keep(a_worker(memory), kept)
    for name in ("resp_1", "resp_public"):
        found = find(a_worker(memory), "resp_other", name, items=("ig_1", "ig_2"))
        assert turns_of(found) == turns_of(kept)
        assert found.turns is not None
        assert found.turns[0].reasoning_details == fetched.reasoning_details
        assert {item: one.raw for item, one in found.pictures.items()} == {"ig_1": blob("red").raw}


def test_a_picture_of_many_turns_is_kept_once(memory: Memory) -> None:
    keep(a_worker(memory), conversation("red"))
    before = set(memory.kept)
    keep(a_worker(memory), conversation("red", "red", words="Again"), name="resp_2")
    assert [key for key in set(memory.kept) - before if ":picture:" in key] == []


@pytest.mark.parametrize("owner", [("key", "other"), ("team", "k"), None, "k"])
def test_nobody_else_finds_it(memory: Memory, owner: Hashable) -> None:
    keep(a_worker(memory), conversation("red"))
    assert find(a_worker(memory), "resp_1", owner=owner, items=("ig_1",)) == Recalled()


def test_without_a_redis_nothing_is_kept_or_found() -> None:
    keep(a_worker(None), conversation("red"))
    assert find(a_worker(None), "resp_1", items=("ig_1",)) == Recalled()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key, value: None,
        lambda key, value: b"",
        lambda key, value: b"not ours",
        lambda key, value: value[:-7],
        lambda key, value: value.replace(b'"version":1', b'"version":2') if b"version" in value else None,
    ],
)
def test_what_is_not_whole_any_more_is_not_found(memory: Memory, spoil: Any) -> None:
    keep(a_worker(memory), conversation("red"))
    for kind in ("response", "item", "picture"):
        keys = [key for key in memory.kept if f":{kind}:" in key]
        whole = {key: memory.kept[key] for key in keys}
        for key in keys:
            spoiled = spoil(key, memory.kept.pop(key))
            memory.kept |= {} if spoiled is None else {key: spoiled}
        found = find(a_worker(memory), "resp_1", items=("ig_1",))
        assert (found.turns is None) is (kind != "item")
        assert (not found.pictures) is (kind != "response")
        memory.kept |= whole
    assert turns_of(find(a_worker(memory), "resp_1")) == turns_of(conversation("red"))


def test_another_picture_under_its_name_is_not_shown(memory: Memory) -> None:
    keep(a_worker(memory), conversation("red"))
    keep(a_worker(memory), conversation("blue"), owner="other")
    red, blue = (key for key in memory.kept if ":picture:" in key)
    memory.kept[red] = memory.kept[blue]
    assert find(a_worker(memory), "resp_1", items=("ig_1",)) == Recalled()


def test_what_was_used_longest_ago_goes_first(
    memory: Memory, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_conversations, "_MAXIMUM_BYTES", len(blob("red").base64) * 2 + 2000)
    for number, color in enumerate(("red", "blue", "red", "green")):
        now[0] += 1
        keep(a_worker(memory), conversation(color), name=f"resp_{number}")
    pictures = {color: find(a_worker(memory), f"resp_{n}").turns for n, color in ((1, "blue"), (3, "green"))}
    assert pictures["blue"] is None
    assert pictures["green"] is not None
    assert find(a_worker(memory), "resp_2").turns is not None, "red was used since"
    assert sum(":picture:" in key for key in memory.kept) == 2


def test_a_day_later_the_index_has_forgotten(memory: Memory, now: list[float]) -> None:
    keep(a_worker(memory), conversation("red"))
    old = set(memory.used)
    now[0] += 24 * 3600 + 1
    keep(a_worker(memory), conversation("blue"), name="resp_2")
    assert not old & set(memory.used)


def test_no_conversation_takes_more_than_its_share(
    memory: Memory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keep(a_worker(memory), conversation("red"))
    monkeypatch.setattr(shared_conversations, "_MAXIMUM_CONVERSATION_BYTES", 10)
    worker = a_worker(memory)
    with caplog.at_level(logging.WARNING, "litellm_imagegen"):
        keep(worker, conversation("blue"), name="resp_2")
        keep(worker, conversation("green"), name="resp_3")
    assert len(caplog.messages) == 1
    assert find(worker, "resp_1").turns is None, "not even read"
    assert find(worker, "resp_2") == Recalled()


@pytest.mark.parametrize("way", ["fails", "hangs"])
def test_a_redis_that_fails_costs_no_request_and_is_asked_again_later(
    memory: Memory,
    now: list[float],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    way: str,
) -> None:
    worker = a_worker(memory)
    keep(worker, conversation("red"))
    monkeypatch.setattr(shared_conversations, "_WAITS_SECONDS", 0.01 if way == "hangs" else 60)
    setattr(memory, way, OSError("redis://:secret@10.0.0.1") if way == "fails" else True)
    memory.trips = 0
    with caplog.at_level(logging.WARNING, "litellm_imagegen"):
        for _ in range(3):
            assert find(worker, "resp_1") == Recalled()
            keep(worker, conversation("blue"), name="resp_2")
    assert memory.trips == 2, "one to find, one to keep: then it is left in peace"
    [message] = caplog.messages
    assert "secret" not in message
    setattr(memory, way, None)
    monkeypatch.setattr(shared_conversations, "_WAITS_SECONDS", 60)
    now[0] += 11
    assert find(worker, "resp_1").turns is not None
    keep(worker, conversation("blue"), name="resp_2")
    assert find(worker, "resp_2").turns is not None


def test_no_request_asks_for_more_names_than_anybody_needs(memory: Memory) -> None:
    keep(a_worker(memory), conversation("red"))
    many = tuple(f"ig_{number}" for number in range(1000, 3000))
    assert find(a_worker(memory), "x" * 5000, items=many) == Recalled()
    assert find(a_worker(memory), "resp_1", "resp_1", items=("ig_1", *many)).pictures.keys() == {"ig_1"}
    memory.trips = 0
    assert find(a_worker(memory)) == Recalled()
    assert memory.trips == 0
