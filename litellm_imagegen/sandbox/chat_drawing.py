"""What a model behind a gateway makes of a chat: words, thoughts and pictures, with the wished turns.

Strategy: a gateway settles a `Canvas` (what is to be drawn, in which shape and format); `pieces` gives what
the model answers, in order, ready for `chat_reply.Reply`. `gemini_canvas` settles it for Google's models,
`picture_base64` draws a single picture for other addresses. All of them draw: call them off the event loop.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field

from PIL import Image

from .chat_reply import Piece
from .chat_request import Chat
from .drawing import Painting, paint
from .faults import Wishes, without_wishes
from .gemini_models import Model, nearest_ratio
from .input_pictures import InputPicture
from .openai_drawing import silhouette
from .openai_encoding import encode, encode_drawing

_NOT_BASE64 = "%%% this is no base64 %%%"
_MEDIA_TYPES = {"svg": "image/svg+xml"}
_DRAFTS = 2
_ASKS_BACK = "I did not draw this yet. Which style and which background would you like? (sandbox)"
_WISHED_WORDS = "These words were added because the request wished for them. (sandbox)"
_THOUGHT = "I think about composition, light and where the words should stand."


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """What is to be drawn. Width and height in pixels; `settings` ("16:9 · 2K") is told on the picture.

    `output_format` is png, jpeg, webp or svg, `compression` 0 to 100 (more keeps more).
    """

    model: str
    prompt: str
    width: int
    height: int
    settings: str
    output_format: str = "png"
    compression: int | None = None
    transparent: bool = False
    seed: int | None = None
    inputs: tuple[InputPicture, ...] = field(default=())

    @property
    def media_type(self) -> str:
        """The media type of its file."""
        return _MEDIA_TYPES.get(self.output_format, f"image/{self.output_format}")

    @property
    def painted_prompt(self) -> str:
        """The prompt as it is written on pictures: in one line, without wishes for faults."""
        return " ".join(without_wishes(self.prompt).split()) or "(no words)"


def gemini_canvas(chat: Chat, model: Model, *, ratio: str | None, size: str | None) -> Canvas:
    """The canvas of one of Google's models. Without a ratio the last picture's shape is followed.

    The ratio and the size must be such as the model has.
    """
    size = size or model.default_size
    measured = [picture for picture in chat.pictures if picture.width and picture.height]
    if ratio is None:
        ratio = nearest_ratio(model, measured[-1].width, measured[-1].height) if measured else "1:1"
    width, height = model.pixels(ratio, size)
    return Canvas(
        model=chat.model,
        prompt=chat.prompt,
        width=width,
        height=height,
        settings=f"{ratio} · {size}" if model.takes_image_size else ratio,
        output_format=model.mime_type.removeprefix("image/"),
        seed=chat.seed,
        inputs=chat.pictures,
    )


def pieces(
    canvas: Canvas,
    wishes: Wishes,
    *,
    count: int = 1,
    wants_words: bool = True,
    wants_pictures: bool = True,
    drafts_shown: bool = False,
) -> list[Piece]:
    """What the model answers, in order; nothing when the prompt is blocked or nothing at all is wished.

    `count` pictures unless another number is wished; `drafts_shown`: drafts stand among the pictures.
    """
    if wishes.empty or wishes.block_reason is not None:
        return []
    stops_short = wishes.refuse_picture or wishes.finish_reason is not None
    pictures = wishes.pictures or (0 if stops_short else count)
    if not wants_pictures or wishes.words_only:
        pictures = 0
    found = _drafts(canvas, wishes, shown=drafts_shown and wants_pictures)
    for number in range(1, pictures + 1):
        if wants_words:
            found.append(Piece("words", _line_before(canvas, number, pictures)))
        found.append(Piece("picture", data_url(canvas, wishes, number=number, of=pictures)))
    if wishes.words_only:
        found.append(Piece("words", _ASKS_BACK))
    elif not wants_pictures and not stops_short:
        said = canvas.painted_prompt[:200]
        found.append(Piece("words", f"Words only, as the request wants. It said: {said}"))
    if wishes.words:
        found.append(Piece("words", _WISHED_WORDS))
    return found


def native_finish(wishes: Wishes) -> str:
    """Why Gemini stopped, in its own words: the reason of a block, of a refusal, or STOP."""
    if wishes.block_reason is not None:
        return wishes.block_reason
    return "IMAGE_SAFETY" if wishes.refuse_picture else wishes.finish_reason or "STOP"


def data_url(canvas: Canvas, wishes: Wishes, *, number: int = 1, of: int = 1, draft: int = 0) -> str:
    """A picture as a data URL."""
    text = picture_base64(canvas, wishes, number=number, of=of, draft=draft)
    return f"data:{canvas.media_type};base64,{text}"


def picture_base64(canvas: Canvas, wishes: Wishes, *, number: int = 1, of: int = 1, draft: int = 0) -> str:
    """Picture `number` of `of` as a file in base64; a draft is grey, marked and half as wide and high."""
    seed = json.dumps([canvas.model, canvas.painted_prompt, canvas.settings, canvas.seed, number, draft])
    count = f" · {number} of {of}" if of > 1 else ""
    of_seed = "" if canvas.seed is None else f" · seed {canvas.seed}"
    shape = f"{canvas.width}x{canvas.height}"
    caption = f"{canvas.model} · {canvas.settings} · {shape}{of_seed}{count}"
    padding = wishes.padding_bytes
    data = _drawing(canvas, seed, caption, padding) if canvas.output_format == "svg" else None
    if data is None:
        data = encode(
            _painted(canvas, seed, caption, draft),
            output_format=canvas.output_format,
            compression=canvas.compression,
            padding_bytes=padding,
        )
    text = base64.b64encode(data).decode("ascii")
    return text[:200] + _NOT_BASE64 if wishes.bad_base64 else text


def _drafts(canvas: Canvas, wishes: Wishes, *, shown: bool) -> list[Piece]:
    if not wishes.drafts:
        return []
    count = _DRAFTS if shown else 0
    drawn = [Piece("picture", data_url(canvas, Wishes(), draft=number)) for number in range(1, count + 1)]
    return [Piece("thought", _THOUGHT), *drawn]


def _line_before(canvas: Canvas, number: int, of: int) -> str:
    if of > 1:
        return f"Picture {number} of {of}:"
    return f"Here is the picture you asked for, {canvas.width} by {canvas.height} pixels."


def _painted(canvas: Canvas, seed: str, caption: str, draft: int) -> Image.Image:
    scale = 2 if draft else 1
    picture = paint(
        Painting(
            width=canvas.width // scale,
            height=canvas.height // scale,
            prompt=canvas.painted_prompt,
            caption=caption,
            seed_material=seed,
            inputs=canvas.inputs,
            badge=f"DRAFT {draft}" if draft else None,
        )
    )
    if canvas.transparent:
        picture.putalpha(silhouette(picture.size))
    return picture


def _drawing(canvas: Canvas, seed: str, caption: str, padding_bytes: int) -> bytes:
    return encode_drawing(
        width=canvas.width,
        height=canvas.height,
        prompt=canvas.painted_prompt,
        caption=caption,
        hue=int.from_bytes(hashlib.sha256(seed.encode()).digest()[:2], "big") % 360,
        padding_bytes=padding_bytes,
    )
