"""The words that every layer shares: what was asked for, what came back, and what had to change.

A request is a list of things asked for, each with the spelling it came in, so that whoever decides
(plan.py) can name the spelling when two of them disagree. A result is an ordered list of parts.
Everything here is data: frozen, validated, no I/O.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from litellm_imagegen.blob import Blob


class Frozen(BaseModel):
    """Base of all data here: immutable, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Both objects in one, nested objects key by key; where both have a value the second one's counts."""
    result = dict(first)
    for key, value in second.items():
        mine = result.get(key)
        both_nest = isinstance(mine, Mapping) and isinstance(value, Mapping)
        result[key] = merged(mine, value) if both_nest else value  # type: ignore[arg-type]
    return result


class Modality(StrEnum):
    """What a model may answer with."""

    TEXT = "text"
    IMAGE = "image"


class Name(StrEnum):
    """What can be asked for, in the field's own terms. The comment states the type of its value."""

    ASPECT_RATIO = "aspect_ratio"  # str "W:H"
    IMAGE_SIZE = "image_size"  # str, a tier: 512, 768, 1K, 1.5K, 2K, 4K
    DIMENSIONS = "dimensions"  # tuple[int, int], width and height in pixels
    WIDTH = "width"  # int, pixels
    HEIGHT = "height"  # int, pixels
    QUALITY = "quality"  # str: low, medium, high, xhigh, max
    STYLE = "style"  # str
    BACKGROUND = "background"  # str: opaque, transparent
    OUTPUT_FORMAT = "output_format"  # str: png, jpeg, webp, gif, svg
    OUTPUT_COMPRESSION = "output_compression"  # int 0..100, 100 is the best
    NEGATIVE_PROMPT = "negative_prompt"  # str
    GUIDANCE = "guidance"  # float, how closely the prompt is followed
    STEPS = "steps"  # int >= 1
    STRENGTH = "strength"  # float 0..1, how far an edit may go from its picture
    PROMPT_UPSAMPLING = "prompt_upsampling"  # bool, whether the prompt may be rewritten
    MODERATION = "moderation"  # str: auto, low
    SAFETY_TOLERANCE = "safety_tolerance"  # int, 0 is the strictest
    PERSON_GENERATION = "person_generation"  # str: dont_allow, allow_adult, allow_all
    WATERMARK = "watermark"  # bool
    INPUT_FIDELITY = "input_fidelity"  # str: low, high
    PARTIAL_IMAGES = "partial_images"  # int 0..3
    RESPONSE_FORMAT = "response_format"  # str: b64_json, url
    MASK = "mask"  # ImageInput, transparent where an edit may paint
    MODALITIES = "modalities"  # tuple[Modality, ...]
    MUST_DRAW = "must_draw"  # bool, whether the model may not answer in words alone
    N = "n"  # int >= 1
    MAX_TOKENS = "max_tokens"  # int >= 1
    TEMPERATURE = "temperature"  # float
    TOP_P = "top_p"  # float 0..1
    TOP_K = "top_k"  # int >= 1
    SEED = "seed"  # int
    STOP = "stop"  # tuple[str, ...]
    SAFETY_SETTINGS = "safety_settings"  # tuple[dict, ...], Google's own form
    PROVIDER_OPTIONS = "provider_options"  # dict: vendor -> what only that vendor's wire understands


class Origin(StrEnum):
    """Who asked. Only what the client itself sent can contradict; an operator's value is a default."""

    CLIENT = "client"
    OPERATOR = "operator"
    MODEL_NAME = "model_name"  # the ending of a model's id that the operator configured


class Asked(Frozen):
    """One thing asked for: `value` has the type that `name` states, `spelling` is the place it stood at.

    `vendor` is whom it was meant for where the spelling says so: others may follow it, but need not.
    """

    name: Name
    value: Any
    spelling: str
    origin: Origin = Origin.CLIENT
    vendor: str | None = None


class Unread(Frozen):
    """A field of the client's request that no dialect understands."""

    spelling: str
    value: Any


class TextPart(Frozen):
    """Words, in the order of the model or of the message."""

    text: str


class ImageInput(Frozen):
    """A picture that the caller gives: its bytes, or an https address that the provider fetches."""

    blob: Blob | None = None
    url: str | None = None
    spelling: str

    @model_validator(mode="after")
    def _one_source(self) -> "ImageInput":
        if (self.blob is None) == (self.url is None):
            raise ValueError("an input picture is either bytes or an address")
        return self


Role = Literal["system", "user", "assistant"]


class Message(Frozen):
    """One turn of the conversation.

    `reasoning_details` are what a gateway wants back of an assistant's turn as it gave it, and means nothing
    to anybody else.
    """

    role: Role
    parts: tuple[TextPart | ImageInput, ...]
    reasoning_details: tuple[Any, ...] = ()


class Surface(StrEnum):
    """Where an outcome is shown: the kind of endpoint that was called."""

    CHAT = "chat"
    RESPONSES = "responses"
    IMAGES = "images"


class ImageRequest(Frozen):
    """What a caller wants, as the dialects read it. Nothing is decided yet.

    `model` is the provider's model id as configured or called, endings included; `model_is_clients` tells
    whether the client has chosen it among all that a wildcard allows. `reads_output_image` is true where its
    spelling shows that it reads pictures of a response as `output_image`.
    """

    model: str
    model_is_clients: bool = False
    messages: tuple[Message, ...]
    asked: tuple[Asked, ...] = ()
    unread: tuple[Unread, ...] = ()
    stream: bool = False
    surface: Surface = Surface.CHAT
    reads_output_image: bool = False


class NoticeCode(StrEnum):
    """What became of a field: left out, or sent with another value."""

    UNSUPPORTED = "unsupported"
    ADAPTED = "adapted"


class Notice(Frozen):
    """One departure from what was asked: nothing is lost in silence."""

    code: NoticeCode
    field: str
    asked: Any
    used: Any = None
    why: str


class Policy(StrEnum):
    """What to do with a wish the model cannot fulfil: come near and say so, or refuse."""

    ADAPT = "adapt"
    STRICT = "strict"


class OnNoImage(StrEnum):
    """What to do when a model answers in words only."""

    TEXT = "text"
    RETRY = "retry"
    ERROR = "error"


class ChatShape(StrEnum):
    """How a chat message holds pictures: beside its words, as parts among them, or as Markdown in them."""

    IMAGES = "images"
    PARTS = "parts"
    MARKDOWN = "markdown"
    IMAGES_AND_MARKDOWN = "images+markdown"


class ResponseShape(StrEnum):
    """How a response holds pictures: as items beside the message, or as parts of it."""

    ITEMS = "items"
    OUTPUT_IMAGE = "output_image"


class Preferences(Frozen):
    """How to carry a request out; each may be set by settings, deployment, team, key or client.

    `output` is the shape on chat, `responses` that on /responses, where None leaves it to the client's
    spelling and to the provider.
    """

    output: ChatShape = ChatShape.IMAGES
    responses: ResponseShape | None = None
    policy: Policy = Policy.ADAPT
    on_no_image: OnNoImage = OnNoImage.TEXT


class Limits(Frozen):
    """Upper bounds that the operator sets. Bytes and pixels are of the decoded picture."""

    n: int = Field(default=10, ge=1)
    picture_bytes: int = Field(default=64 * 1024 * 1024, ge=1)
    reference_bytes: int = Field(default=20 * 1024 * 1024, ge=1)
    pixels: int = Field(default=100_000_000, ge=1)


class Finish(StrEnum):
    """Why the model stopped, across providers."""

    STOP = "stop"
    LENGTH = "length"
    REFUSED = "refused"
    OTHER = "other"


class Usage(Frozen):
    """Tokens as the provider counts them; details are parts of the totals, None where it says nothing."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_text_tokens: int | None = None
    prompt_image_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    completion_text_tokens: int | None = None
    completion_image_tokens: int | None = None
    cost: float | None = None  # USD

    def __add__(self, other: "Usage") -> "Usage":
        mine, theirs = self.model_dump(), other.model_dump()
        summed = {
            key: None if mine[key] is None and theirs[key] is None else (mine[key] or 0) + (theirs[key] or 0)
            for key in mine
        }
        return Usage(**summed)


class Picture(Frozen):
    """A finished picture; seed and the prompt that it was drawn by where the provider tells them."""

    blob: Blob
    seed: int | None = None
    revised_prompt: str | None = None


class Outcome(StrEnum):
    """What happened, told apart totally: every surface has a row for each that can reach it."""

    PICTURES = "pictures"
    WORDS_ONLY = "words_only"
    NO_IMAGE = "no_image"  # words, where only a picture will do
    REFUSED = "refused"
    TRUNCATED = "truncated"
    EMPTY = "empty"


class Answer(Frozen):
    """One answer: parts in the model's order, why it stopped, and why something was refused."""

    parts: tuple[TextPart | Picture, ...] = ()
    finish: Finish = Finish.STOP
    refusal: str | None = None

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures alone, in order."""
        return tuple(part for part in self.parts if isinstance(part, Picture))

    @property
    def text(self) -> str:
        """The words alone, in order."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def outcome(self) -> Outcome:
        """Which of the five results this is. A picture that arrived counts before whatever followed it."""
        if self.pictures:
            return Outcome.PICTURES
        if self.finish is Finish.REFUSED:
            return Outcome.REFUSED
        if self.finish is Finish.LENGTH:
            return Outcome.TRUNCATED
        return Outcome.WORDS_ONLY if self.text.strip() else Outcome.EMPTY


class ImageResult(Answer):
    """What came back as a whole, what it cost, what had to change.

    `facts` are the provider's own, under its own names. `answers` are given where several were asked for.
    With `needs_picture` words alone will not do. `reasoning_details` as in `Message`.
    """

    provider: str
    model: str
    answers: tuple[Answer, ...] = ()
    usage: Usage | None = None
    reasoning_details: tuple[Any, ...] = ()
    facts: Mapping[str, Any] = {}
    notices: tuple[Notice, ...] = ()
    needs_picture: bool = False

    @property
    def outcome(self) -> Outcome:
        """As of an answer; of several answers it is that of all of them together."""
        outcome = super().outcome
        return Outcome.NO_IMAGE if outcome is Outcome.WORDS_ONLY and self.needs_picture else outcome

    @property
    def choices(self) -> tuple[Answer, ...]:
        """The answers one by one."""
        return self.answers or (self,)


class TextDelta(Frozen):
    """Words as they arrive; `choice` counts the answers where several were asked for."""

    text: str
    choice: int = 0


class PictureDelta(Frozen):
    """One whole picture; `choice` as in `TextDelta`."""

    picture: Picture
    choice: int = 0


class PartialDelta(Frozen):
    """A picture of the whole size as it looks on the way; `number` counts within the picture, from 0.

    `choice` as in `TextDelta`.
    """

    picture: Picture
    number: int
    choice: int = 0


class RemotePicture(Frozen):
    """A finished picture that is still at an address; the rest as in `Picture`."""

    url: str
    seed: int | None = None
    revised_prompt: str | None = None


class EndDelta(Frozen):
    """What a reply says beside its parts; later ones complete and overwrite earlier ones.

    `silence` is why something was refused if neither words nor a picture have come: some tell it in no other
    way. `refusing` are words in which a model refuses, as they come, and `reasoning_details` as in `Message`:
    of both later ones follow earlier ones.
    """

    finish: Finish | None = None
    refusal: str | None = None
    silence: str | None = None
    refusing: str = ""
    usage: Usage | None = None
    reasoning_details: tuple[Any, ...] = ()
    facts: Mapping[str, Any] = {}


Delta = TextDelta | PartialDelta | PictureDelta | EndDelta
