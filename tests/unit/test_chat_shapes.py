"""Where pictures stand in a chat message: beside its words, as parts among them, or as Markdown in them."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import (
    Answer,
    ChatShape,
    Finish,
    ImageResult,
    Picture,
    PictureDelta,
    TextDelta,
    TextPart,
    Usage,
)
from litellm_imagegen.errors import NoImage
from litellm_imagegen.surfaces.chat import CompletionChunks, completion
from tests.unit.helpers import data_url, picture_bytes

IMAGES, PARTS, MARKDOWN, BOTH = (
    ChatShape.IMAGES,
    ChatShape.PARTS,
    ChatShape.MARKDOWN,
    ChatShape.IMAGES_AND_MARKDOWN,
)
RED, BLUE = picture_bytes(color="red"), picture_bytes("JPEG", (8, 4), "blue")
RED_PICTURE, BLUE_PICTURE = Picture(blob=Blob.from_raw(RED)), Picture(blob=Blob.from_raw(BLUE))
RED_URL, BLUE_URL = data_url(RED), data_url(BLUE, "image/jpeg")
RED_MARK, BLUE_MARK = f"![image]({RED_URL})", f"![image]({BLUE_URL})"
Parts = Sequence[str | Picture]


def answer_of(*parts: str | Picture, **more: Any) -> Answer:
    shown = (TextPart(text=part) if isinstance(part, str) else part for part in parts)
    return Answer(parts=tuple(shown), **more)


def result_of(*answers: Answer, **more: Any) -> ImageResult:
    """A result of one answer, or of several that were asked for."""
    [first, *_] = answers
    return ImageResult(
        provider="gemini",
        model="m",
        parts=tuple(part for answer in answers for part in answer.parts),
        answers=answers if len(answers) > 1 else (),
        finish=first.finish,
        refusal=first.refusal,
        **more,
    )


def messages(result: ImageResult, shape: ChatShape) -> list[dict[str, Any]]:
    return [choice["message"] for choice in completion(result, shape=shape)["choices"]]


def message(shape: ChatShape, *parts: str | Picture) -> dict[str, Any]:
    [shown] = messages(result_of(answer_of(*parts)), shape)
    assert shown.pop("role") == "assistant"
    return shown


def chunks_of(result: ImageResult, shape: ChatShape, *, letters: bool = False) -> list[dict[str, Any]]:
    """The same streamed, its words in one piece or letter by letter."""
    chunks = CompletionChunks(shape=shape)
    shown = [chunks.start()]
    for choice, answer in enumerate(result.choices):
        for part in answer.parts:
            if isinstance(part, Picture):
                shown += chunks.add(PictureDelta(picture=part, choice=choice))
                continue
            for piece in part.text if letters else [part.text]:
                shown += chunks.add(TextDelta(text=piece, choice=choice))
    return [*shown, *chunks.end(result)]


def deltas_of(chunks: list[dict[str, Any]], choice: int = 0) -> list[dict[str, Any]]:
    entries = [entry for chunk in chunks for entry in chunk["choices"]]
    return [entry["delta"] for entry in entries if entry["index"] == choice]


def together(chunks: list[dict[str, Any]], choice: int = 0) -> dict[str, Any]:
    """The message that a client makes of the chunks."""
    deltas = deltas_of(chunks, choice)
    shown: dict[str, Any] = {"content": "".join(delta.get("content", "") for delta in deltas)}
    if images := [image for delta in deltas for image in delta.get("images", ())]:
        shown["images"] = images
    if refusals := [delta["refusal"] for delta in deltas if "refusal" in delta]:
        [shown["refusal"]] = refusals
    return shown


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def part(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def images(*urls: str) -> list[dict[str, Any]]:
    return [{**part(url), "index": index} for index, url in enumerate(urls)]


def test_the_shape_is_images_if_nobody_says_another_one() -> None:
    result = result_of(answer_of("Here.", RED_PICTURE))
    assert completion(result) == completion(result, shape=IMAGES)
    assert message(IMAGES, "Here.", RED_PICTURE) == {"content": "Here.", "images": images(RED_URL)}


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        (["Here.", RED_PICTURE], [text("Here."), part(RED_URL)]),
        ([RED_PICTURE, "There."], [part(RED_URL), text("There.")]),
        (
            ["One. ", RED_PICTURE, "Two.\n", BLUE_PICTURE, "Done."],
            [text("One. "), part(RED_URL), text("Two.\n"), part(BLUE_URL), text("Done.")],
        ),
        ([BLUE_PICTURE, RED_PICTURE], [part(BLUE_URL), part(RED_URL)]),
    ],
    ids=["words, picture", "picture, words", "a story", "pictures alone"],
)
def test_parts_stand_in_the_models_order_with_words_as_they_came(
    parts: Parts, content: list[dict[str, Any]]
) -> None:
    assert message(PARTS, *parts) == {"content": content}


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        (["Here.", RED_PICTURE], f"Here.\n\n{RED_MARK}"),
        ([RED_PICTURE, "There."], f"{RED_MARK}\n\nThere."),
        (
            ["One. ", RED_PICTURE, "Two.", BLUE_PICTURE, "Done."],
            f"One. \n\n{RED_MARK}\n\nTwo.\n\n{BLUE_MARK}\n\nDone.",
        ),
        ([RED_PICTURE], RED_MARK),
        ([BLUE_PICTURE, RED_PICTURE], f"{BLUE_MARK}\n\n{RED_MARK}"),
        (["A paragraph.\n\n", RED_PICTURE], f"A paragraph.\n\n{RED_MARK}"),
        (["\n\n", RED_PICTURE], f"\n\n{RED_MARK}"),
    ],
    ids=[
        *("words, picture", "picture, words", "a story", "a picture alone", "pictures alone"),
        *("a paragraph that has ended", "blank lines"),
    ],
)
@pytest.mark.parametrize("letters", [False, True], ids=["in one piece", "letter by letter"])
def test_in_markdown_each_picture_is_a_paragraph_at_its_place(
    parts: Parts, content: str, letters: bool
) -> None:
    urls = [part.blob.data_url for part in parts if isinstance(part, Picture)]
    assert message(MARKDOWN, *parts) == {"content": content}
    assert message(BOTH, *parts) == {"content": content, "images": images(*urls)}
    result = result_of(answer_of(*parts))
    assert together(chunks_of(result, MARKDOWN, letters=letters)) == {"content": content}
    assert together(chunks_of(result, BOTH, letters=letters)) == {
        "content": content,
        "images": images(*urls),
    }


@pytest.mark.parametrize("shape", ChatShape)
def test_words_alone_are_a_plain_string_in_every_shape(shape: ChatShape) -> None:
    words = "Which one?\n\n* red\n* blue\n"
    assert message(shape, words) == {"content": words}
    assert together(chunks_of(result_of(answer_of(words)), shape, letters=True)) == {"content": words}


@pytest.mark.parametrize("shape", ChatShape)
@pytest.mark.parametrize("words", [[], ["I would rather not."]])
def test_a_refusal_is_the_same_in_every_shape(shape: ChatShape, words: list[str]) -> None:
    refused = result_of(answer_of(*words, finish=Finish.REFUSED, refusal="gemini refused the prompt: SAFETY"))
    expected = {"content": "".join(words), "refusal": "gemini refused the prompt: SAFETY"}
    assert messages(refused, shape) == [{"role": "assistant", **expected}]
    chunks = chunks_of(refused, shape)
    assert together(chunks) == expected
    for shown in (completion(refused, shape=shape), chunks[-1]):
        assert [choice["finish_reason"] for choice in shown["choices"]] == ["content_filter"]


@pytest.mark.parametrize("shape", ChatShape)
def test_words_where_only_a_picture_will_do_are_an_error_in_every_shape(shape: ChatShape) -> None:
    words = result_of(answer_of("Which one?"), needs_picture=True)
    with pytest.raises(NoImage, match="Which one"):
        completion(words, shape=shape)
    chunks = CompletionChunks(shape=shape)
    chunks.start()
    with pytest.raises(NoImage, match="Which one"):
        list(chunks.end(words))


STORY = result_of(answer_of("One. ", RED_PICTURE), answer_of(BLUE_PICTURE, "Two."), answer_of("Three."))
SHAPED: dict[ChatShape, list[dict[str, Any]]] = {
    IMAGES: [
        {"content": "One. ", "images": images(RED_URL)},
        {"content": "Two.", "images": images(BLUE_URL)},
        {"content": "Three."},
    ],
    PARTS: [
        {"content": [text("One. "), part(RED_URL)]},
        {"content": [part(BLUE_URL), text("Two.")]},
        {"content": "Three."},
    ],
    MARKDOWN: [
        {"content": f"One. \n\n{RED_MARK}"},
        {"content": f"{BLUE_MARK}\n\nTwo."},
        {"content": "Three."},
    ],
    BOTH: [
        {"content": f"One. \n\n{RED_MARK}", "images": images(RED_URL)},
        {"content": f"{BLUE_MARK}\n\nTwo.", "images": images(BLUE_URL)},
        {"content": "Three."},
    ],
}


@pytest.mark.parametrize("shape", ChatShape)
def test_several_choices_have_the_shape_each_for_itself(shape: ChatShape) -> None:
    assert messages(STORY, shape) == [{"role": "assistant", **shown} for shown in SHAPED[shape]]


@pytest.mark.parametrize("shape", ChatShape)
@pytest.mark.parametrize("letters", [False, True], ids=["in one piece", "letter by letter"])
def test_several_choices_streamed_have_the_shape_each_for_itself(shape: ChatShape, letters: bool) -> None:
    chunks = chunks_of(STORY, shape, letters=letters)
    expected = SHAPED[IMAGES if shape is PARTS else shape]
    assert [together(chunks, choice) for choice in range(3)] == expected
    for choice in range(3):
        roles = ["role" in delta for delta in deltas_of(chunks, choice)]
        assert roles == [True] + [False] * (len(roles) - 1)


def test_a_stream_that_was_to_have_parts_loses_no_picture() -> None:
    """The plan asks for none. Should it ever, its pictures stand beside the words."""
    assert chunks_of(STORY, PARTS) == chunks_of(STORY, IMAGES)


@pytest.mark.parametrize("shape", ChatShape)
def test_in_a_stream_each_picture_stands_alone_in_one_chunk_of_a_kind(shape: ChatShape) -> None:
    result = result_of(answer_of("One. ", RED_PICTURE, "Two.", BLUE_PICTURE))
    kinds = [
        "picture" if "images" in delta else "mark" if "![image](" in delta["content"] else "words"
        for delta in deltas_of(chunks_of(result, shape))
        if delta.get("content") or "images" in delta
    ]
    of_a_picture = {MARKDOWN: ["mark"], BOTH: ["mark", "picture"]}.get(shape, ["picture"])
    assert kinds == ["words", *of_a_picture] * 2


@pytest.mark.parametrize("shape", ChatShape)
def test_the_url_of_a_picture_is_asked_for_once_however_often_it_is_shown(shape: ChatShape) -> None:
    result = result_of(answer_of("One. ", RED_PICTURE, "Two.", BLUE_PICTURE))
    asked: list[Picture] = []

    def url_of(picture: Picture) -> str:
        asked.append(picture)
        return f"reference-{len(asked)}"

    shown = completion(result, url_of, shape)
    assert asked == [RED_PICTURE, BLUE_PICTURE]
    found = [f"reference-{number}" for number in re.findall(r"reference-(\d)", str(shown))]
    assert found == ["reference-1", "reference-2"] * (2 if shape is BOTH else 1)
    asked.clear()
    chunks = CompletionChunks(url_of, shape)
    chunks.start()
    for picture in result.pictures:
        list(chunks.add(PictureDelta(picture=picture)))
    assert asked == [RED_PICTURE, BLUE_PICTURE]


@pytest.mark.parametrize("shape", ChatShape)
def test_the_shape_changes_nothing_but_the_message(shape: ChatShape) -> None:
    counted = Usage(prompt_tokens=4, completion_tokens=6, total_tokens=10)
    result = result_of(answer_of("One. ", RED_PICTURE), answer_of(BLUE_PICTURE), usage=counted)
    shown, plain = (completion(result, shape=of) for of in (shape, IMAGES))
    for whole in (shown, plain):
        for choice in whole["choices"]:
            choice.pop("message")
    assert shown == plain
    assert chunks_of(result, shape)[-3:] == chunks_of(result, IMAGES)[-3:]


WORDS = st.text(st.sampled_from("ab \n*"), min_size=1, max_size=6)


@st.composite
def stories(draw: st.DrawFn) -> list[str | Picture]:
    """Words and pictures; the assembly never gives words beside words."""
    parts: list[str | Picture] = []
    for _ in range(draw(st.integers(0, 6))):
        is_picture = draw(st.booleans()) or bool(parts and isinstance(parts[-1], str))
        blob = Blob.from_raw(picture_bytes(color=draw(st.sampled_from(["red", "lime", "blue"]))))
        parts.append(Picture(blob=blob) if is_picture else draw(WORDS))
    return parts


def _split(content: str) -> list[str]:
    """Words and pictures of Markdown, in their order: words, picture, words, picture ... words."""
    return re.split(r"!\[image\]\((data:[^)]*)\)", content)


@given(stories())
def test_every_shape_keeps_all_words_and_pictures_in_their_order(parts: list[str | Picture]) -> None:
    order = [part if isinstance(part, str) else part.blob.data_url for part in parts]
    urls = [part.blob.data_url for part in parts if isinstance(part, Picture)]
    shown = {shape: message(shape, *parts) for shape in ChatShape}
    content = shown[PARTS]["content"]
    if urls:
        assert [item["text"] if item["type"] == "text" else item["image_url"]["url"] for item in content] == (
            order
        )
    else:
        assert content == "".join(order)
    pieces = _split(shown[MARKDOWN]["content"])
    assert pieces[1::2] == urls
    assert "".join(piece.strip("\n") for piece in pieces) == "".join(
        url if url in urls else url.strip("\n") for url in order
    )
    if urls:
        first, *between, last = pieces[::2]
        assert first.endswith("\n\n") or not first.strip("\n")
        assert all(words.startswith("\n\n") and words.endswith("\n\n") for words in between)
        assert last.startswith("\n\n") or not last
    assert shown[BOTH]["content"] == shown[MARKDOWN]["content"]
    assert shown[BOTH].get("images", []) == shown[IMAGES].get("images", []) == images(*urls)
    assert "images" not in shown[PARTS]
    assert "images" not in shown[MARKDOWN]


@given(stories(), st.sampled_from([IMAGES, MARKDOWN, BOTH]), st.booleans())
def test_a_stream_says_what_the_whole_answer_says_however_its_words_are_cut(
    parts: list[str | Picture], shape: ChatShape, letters: bool
) -> None:
    result = result_of(answer_of(*parts))
    if result.parts:
        assert together(chunks_of(result, shape, letters=letters)) == message(shape, *parts)
