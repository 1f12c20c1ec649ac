"""What is remembered of responses: within bounds, for a while, and for whoever they belong to alone."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import litellm
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import ImageInput, ImageResult, Message, Picture, ResponseShape, TextPart
from litellm_imagegen.errors import InvalidParameter
from litellm_imagegen.plugin import config, conversations, requests
from litellm_imagegen.plugin.conversations import Conversation, Conversations
from litellm_imagegen.plugin.given import Given, Route
from litellm_imagegen.plugin.records import Prepared
from litellm_imagegen.plugin.requests import prepare
from litellm_imagegen.plugin.responding import keep_conversation
from litellm_imagegen.surfaces.responses import ResponseOutput
from tests.unit.helpers import PRO, picture_bytes

DAY = 24 * 3600.0


@dataclass
class Clock:
    """Time that passes only when told to."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(conversations, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def blob_of(size: int) -> Blob:
    return Blob.from_raw(b"x" * size)


def turn(*parts: str | Blob, role: Any = "assistant") -> Message:
    return Message(
        role=role,
        parts=tuple(
            TextPart(text=part) if isinstance(part, str) else ImageInput(blob=part, spelling="x")
            for part in parts
        ),
    )


def drawn(size: int, item: str = "ig_1", words: str = "") -> Conversation:
    """A conversation that ends with a picture of `size` bytes."""
    blob = blob_of(size)
    return Conversation((turn(words, role="user"), turn(blob)), {item: blob})


def test_what_is_kept_is_found_by_its_owner_and_id() -> None:
    kept = Conversations()
    conversation = drawn(10)
    kept.keep("me", "r1", conversation)
    assert kept.find("me", "r1") is conversation
    assert kept.picture("me", "ig_1") is conversation.pictures["ig_1"]
    assert kept.find("me", "r2") is None
    assert kept.picture("me", "ig_2") is None


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        (("key", "a"), ("key", "b")),
        (("team", "a"), ("team", "b")),
        (("team", "a"), ("key", "a")),
        (("key", "a"), ("key", None)),
    ],
    ids=str,
)
def test_nobody_finds_what_belongs_to_another(mine: Hashable, other: Hashable) -> None:
    kept = Conversations()
    kept.keep(mine, "r1", drawn(10))
    assert kept.find(other, "r1") is None
    assert kept.picture(other, "ig_1") is None
    theirs = drawn(20)
    kept.keep(other, "r1", theirs)
    assert kept.find(other, "r1") is theirs
    assert kept.picture(other, "ig_1") is theirs.pictures["ig_1"]
    assert kept.find(mine, "r1") is not theirs


def test_a_conversation_takes_its_words_and_each_picture_once() -> None:
    first, second = blob_of(100), blob_of(30)
    turns = (turn("12345", first, role="user"), turn(first), turn(second, "67"))
    assert Conversation(turns, {"ig_1": first, "ig_2": second}).held_bytes == 137
    address = Message(role="user", parts=(ImageInput(url="https://example.com/a.png", spelling="x"),))
    assert Conversation((address,)).held_bytes == 0


def test_those_not_used_for_longest_go_where_the_bytes_are_too_many() -> None:
    kept = Conversations(maximum_bytes=100)
    for number in range(3):
        kept.keep("me", f"r{number}", drawn(30, f"ig_{number}"))
    assert kept.find("me", "r0") is not None
    kept.keep("me", "r3", drawn(30, "ig_3"))
    assert [kept.find("me", f"r{number}") is not None for number in range(4)] == [True, False, True, True]
    assert [kept.picture("me", f"ig_{number}") is not None for number in range(4)] == [
        *(True, False, True, True)
    ]
    assert kept.held_bytes == 90


def test_a_picture_that_is_used_keeps_its_conversation() -> None:
    kept = Conversations(maximum_bytes=60)
    kept.keep("me", "r0", drawn(30, "ig_0"))
    kept.keep("me", "r1", drawn(30, "ig_1"))
    assert kept.picture("me", "ig_0") is not None
    kept.keep("me", "r2", drawn(30, "ig_2"))
    assert kept.find("me", "r0") is not None
    assert kept.find("me", "r1") is None


def test_what_is_too_large_for_all_of_the_room_is_not_kept_and_drives_out_nobody() -> None:
    kept = Conversations(maximum_bytes=100)
    kept.keep("me", "small", drawn(60, "ig_small"))
    kept.keep("me", "large", drawn(101, "ig_large"))
    assert kept.find("me", "large") is None
    assert kept.picture("me", "ig_large") is None
    assert kept.find("me", "small") is not None
    kept.keep("me", "exact", drawn(100, "ig_exact"))
    assert kept.find("me", "exact") is not None
    assert kept.held_bytes == 100


def test_words_alone_have_bounds_too(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Conversations(maximum_bytes=100)
    kept.keep("me", "r0", Conversation((turn("x" * 60),)))
    kept.keep("me", "r1", Conversation((turn("x" * 60),)))
    assert (kept.find("me", "r0"), kept.held_bytes) == (None, 60)
    monkeypatch.setattr(conversations, "_MAXIMUM_CONVERSATIONS", 2)
    for number in range(5):
        kept.keep("me", f"empty {number}", Conversation(()))
    found = [kept.find("me", f"empty {number}") is not None for number in range(5)]
    assert found == [False, False, False, True, True]
    assert kept.held_bytes == 0


def test_after_a_day_nothing_is_found_however_often_it_was_used(clock: Clock) -> None:
    kept = Conversations()
    kept.keep("me", "r1", drawn(10))
    clock.now += DAY
    assert kept.find("me", "r1") is not None
    assert kept.picture("me", "ig_1") is not None
    clock.now += 1
    assert kept.find("me", "r1") is None
    assert kept.picture("me", "ig_1") is None


def test_what_is_too_old_goes_when_something_new_comes(clock: Clock) -> None:
    kept = Conversations()
    kept.keep("me", "old", drawn(10, "ig_old"))
    clock.now += DAY + 1
    assert kept.held_bytes == 10
    kept.keep("me", "new", drawn(20, "ig_new"))
    assert kept.held_bytes == 20


def test_what_is_kept_again_counts_once_and_is_the_latest(clock: Clock) -> None:
    kept = Conversations(maximum_bytes=100)
    kept.keep("me", "r1", drawn(50, "ig_first"))
    clock.now += DAY
    again = drawn(60, "ig_second")
    kept.keep("me", "r1", again)
    assert (kept.find("me", "r1"), kept.held_bytes) == (again, 60)
    assert kept.picture("me", "ig_first") is None
    clock.now += DAY
    assert kept.picture("me", "ig_second") is not None


class Store(RuleBasedStateMachine):
    """Against a list of all that was ever kept: what is found is right, and the latest is always found."""

    maximum = 100
    owners = st.sampled_from(["me", "you"])
    names = st.sampled_from(["r0", "r1", "r2", "r3"])

    @initialize()
    def begin(self) -> None:
        self.clock = Clock()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(conversations, "time", SimpleNamespace(monotonic=self.clock.monotonic))
        self.kept = Conversations(maximum_bytes=self.maximum)
        self.given: dict[tuple[str, str], tuple[float, Conversation]] = {}
        self.number = 0

    def teardown(self) -> None:
        self.patch.undo()

    @rule(owner=owners, name=names, size=st.integers(0, 120), seconds=st.sampled_from([0, 0, 1, DAY / 3]))
    def keep(self, owner: str, name: str, size: int, seconds: float) -> None:
        self.clock.now += seconds
        self.number += 1
        conversation = drawn(size, f"ig_{self.number}")
        self.kept.keep(owner, name, conversation)
        if size <= self.maximum:
            self.given[owner, name] = self.clock.now, conversation
            assert self.kept.find(owner, name) is conversation

    @rule(owner=owners, name=names)
    def find(self, owner: str, name: str) -> None:
        found = self.kept.find(owner, name)
        since, given = self.given.get((owner, name), (0.0, None))
        assert found in (None, given)
        if found is not None:
            assert self.clock.now - since <= DAY
            for item, blob in found.pictures.items():
                assert self.kept.picture(owner, item) is blob

    @rule(owner=owners, number=st.integers(1, 20))
    def find_picture(self, owner: str, number: int) -> None:
        item = f"ig_{number}"
        holders = [
            conversation
            for (of, name), (_, conversation) in self.given.items()
            if of == owner and item in conversation.pictures and self.kept.find(of, name) is conversation
        ]
        expected = holders[0].pictures[item] if holders else None
        assert self.kept.picture(owner, item) is expected

    @invariant()
    def bounds_hold_and_the_sum_is_right(self) -> None:
        held = [conversation.held_bytes for _, conversation in self.kept._kept.values()]
        assert self.kept.held_bytes == sum(held) <= self.maximum
        items = sum(len(conversation.pictures) for _, conversation in self.kept._kept.values())
        assert len(self.kept._belongs_to) == items


TestStore = Store.TestCase
TestStore.settings = settings(max_examples=60, stateful_step_count=30)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Conversations:
    """The process's store for one test, without settings."""
    kept = Conversations()
    monkeypatch.setattr(requests, "CONVERSATIONS", kept)
    monkeypatch.setattr("litellm_imagegen.plugin.responding.CONVERSATIONS", kept)
    monkeypatch.setattr(config._Registered, "settings", None)
    monkeypatch.setattr(litellm, "imagegen_settings", None, raising=False)
    return kept


def prepared_for(key: str | None = "k", team: str | None = None, **body: Any) -> Prepared:
    """A request to /responses, as the hook reads it."""
    sent = {"input": "A fox", **body}
    arguments = {
        **sent,
        "model": f"imagegen/gemini/{PRO}",
        "litellm_metadata": {"user_api_key": key, "user_api_key_team_id": team},
        "proxy_server_request": {"body": {"model": "public", **sent}, "headers": {}},
    }
    return prepare(Given.to_hook(arguments, Route.RESPONSES))


def answered(prepared: Prepared, response_id: str, *parts: str | Picture) -> ResponseOutput:
    """What the callback does with the answer."""
    result = ImageResult(
        provider="gemini",
        model=PRO,
        parts=tuple(TextPart(text=part) if isinstance(part, str) else part for part in parts),
    )
    output = ResponseOutput.of(result, ResponseShape.ITEMS, lambda picture: picture.blob.base64.decode())
    asyncio.run(keep_conversation(prepared, output, result, response_id))
    return output


def shown(prepared: Prepared) -> list[tuple[str, list[Any]]]:
    return [
        (
            message.role,
            [
                part.text if isinstance(part, TextPart) else part.blob and part.blob.raw
                for part in message.parts
            ],
        )
        for message in prepared.plan.messages
    ]


FOX = Picture(blob=Blob.from_raw(picture_bytes()))


@pytest.mark.parametrize("who", [{"key": "k"}, {"key": "k", "team": "t"}], ids=["a key", "a team"])
def test_a_response_goes_on_where_the_one_it_names_has_ended(
    store: Conversations, who: dict[str, Any]
) -> None:
    answered(prepared_for(**who, instructions="Be bold."), "resp_1", "Here.", FOX)
    second = prepared_for(**who, input="At night", previous_response_id="resp_1", instructions="Be kind.")
    assert shown(second) == [
        ("system", ["Be kind."]),
        ("user", ["A fox"]),
        ("assistant", ["Here.", FOX.blob.raw]),
        ("user", ["At night"]),
    ]
    answered(second, "resp_2", "Done.")
    third = prepared_for(**who, input="Once more", previous_response_id="resp_2")
    assert [role for role, _ in shown(third)] == ["user", "assistant"] * 2 + ["user"]


def test_keys_of_one_team_share_and_others_do_not(store: Conversations) -> None:
    output = answered(prepared_for("k1", "t"), "resp_1", FOX)
    [item] = output.pictures
    reference = [{"type": "item_reference", "id": item}, {"role": "user", "content": "At night"}]
    assert shown(prepared_for("k2", "t", previous_response_id="resp_1"))[1] == ("assistant", [FOX.blob.raw])
    assert shown(prepared_for("k2", "t", input=reference))[0] == ("assistant", [FOX.blob.raw])
    for key, team in (("k1", None), ("k2", "other"), ("t", None), (None, None)):
        with pytest.raises(InvalidParameter) as caught:
            prepared_for(key, team, previous_response_id="resp_1")
        assert caught.value.field == "previous_response_id"
        with pytest.raises(InvalidParameter) as caught:
            prepared_for(key, team, input=reference)
        assert caught.value.field == "input[0].id"


def test_what_is_not_to_be_stored_is_not_kept(store: Conversations) -> None:
    output = answered(prepared_for(store=False), "resp_1", FOX)
    assert store.held_bytes == 0
    assert store.picture(("user_api_key", "k"), next(iter(output.pictures))) is None
    with pytest.raises(InvalidParameter):
        prepared_for(previous_response_id="resp_1")
