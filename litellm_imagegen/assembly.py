"""Puts deltas together into a result, and says what kind of result it is."""

import asyncio
from collections.abc import Sequence

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import (
    Answer,
    Delta,
    EndDelta,
    Finish,
    ImageResult,
    Limits,
    Name,
    Notice,
    NoticeCode,
    OnNoImage,
    Outcome,
    Picture,
    PictureDelta,
    TextDelta,
    TextPart,
    Usage,
)
from litellm_imagegen.conversion import Conversion, converted
from litellm_imagegen.cost import cost_of
from litellm_imagegen.driving import off_loop
from litellm_imagegen.errors import BadReply, quote
from litellm_imagegen.plan import Plan


class Assembly:
    """One answer while it arrives."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._parts: list[TextPart | Picture] = []
        self._words: list[str] = []
        self._end = EndDelta()
        self._wanted = plan.counts[0]
        self._pictures = 0

    async def finished(self, picture: Picture, limits: Limits) -> Picture:
        """The picture as it is to be given, looked at and converted off the event loop.

        Raises `BadReply` for what is no picture data.
        """
        blob = picture.blob
        try:
            facts, flaw = await off_loop(blob.held_bytes, lambda: (blob.facts, blob.flaw))
        except ValueError as error:
            raise BadReply(self._plan.provider, "picture data that is not base64") from error
        if flaw:
            raise BadReply(self._plan.provider, f"{flaw} where a picture should be")
        if facts["bytes"] > limits.picture_bytes:
            raise BadReply(
                self._plan.provider,
                f"a picture of {facts['bytes']} bytes, over limits.picture_bytes ({limits.picture_bytes})",
            )
        if (conversion := self._plan.conversion) is None:
            return picture
        if (facts["width"] or 0) * (facts["height"] or 0) > limits.pixels:
            raise BadReply(self._plan.provider, f"a picture over limits.pixels ({limits.pixels})")
        try:
            other = await asyncio.to_thread(_converted, blob, conversion)
        except ValueError as error:
            raise BadReply(self._plan.provider, str(error)) from error
        return picture.model_copy(update={"blob": other})

    @property
    def has_picture(self) -> bool:
        """Whether a picture has come."""
        return self._pictures > 0

    @property
    def choice(self) -> int:
        """Which answer comes next: where several were asked for, each ends with a picture."""
        return min(self._pictures, self._wanted - 1)

    def add(self, delta: Delta) -> None:
        """Take the next delta."""
        match delta:
            case TextDelta():
                self._words.append(delta.text)
            case PictureDelta():
                self._pictures += 1
                self._close_words()
                self._parts.append(delta.picture)
            case EndDelta():
                given = {name: value for name, value in delta if value is not None}
                given["facts"] = {**self._end.facts, **delta.facts}
                given["refusing"] = self._end.refusing + delta.refusing
                given["reasoning_details"] = (*self._end.reasoning_details, *delta.reasoning_details)
                self._end = self._end.model_copy(update=given)

    def result(self, spent: Usage | None) -> ImageResult:
        """The whole result. Raises `BadReply` for an empty one."""
        self._close_words()
        end, plan = self._end, self._plan
        told = quote(f"{plan.provider} refused the answer: {end.refusing}") if end.refusing else None
        pictures = [part for part in self._parts if isinstance(part, Picture)]
        usage = end.usage
        quality = end.facts.get("quality") or plan.values.get(Name.QUALITY)
        if usage is not None and not plan.tells_cost:
            usage = usage.model_copy(update={"cost": None})
        cost = cost_of(usage, plan.price, pictures, quality=quality, references=plan.references)
        if cost is not None:
            usage = (usage or Usage()).model_copy(update={"cost": cost})
        if spent is not None:
            usage = usage + spent if usage else spent
        result = ImageResult(
            provider=plan.provider,
            model=plan.model,
            parts=tuple(self._parts),
            answers=_answers(self._parts, self._wanted),
            needs_picture=plan.wants_picture and plan.preferences.on_no_image is OnNoImage.ERROR,
            finish=end.finish or Finish.OTHER,
            refusal=told if told and end.finish is Finish.REFUSED else end.refusal,
            usage=usage,
            reasoning_details=end.reasoning_details,
            facts=end.facts,
            notices=plan.notices,
        )
        if result.outcome is Outcome.EMPTY and (refusal := told or end.silence):
            result = result.model_copy(update={"finish": Finish.REFUSED, "refusal": refusal})
        if result.outcome is Outcome.EMPTY:
            reason = end.facts.get("finishReason")
            why = f" ({reason})" if reason else ""
            raise BadReply(plan.provider, f"an empty answer, neither words nor a picture{why}")
        return result.model_copy(update={"notices": (*result.notices, *_later_notices(result))})

    def _close_words(self) -> None:
        if self._words:
            self._parts.append(TextPart(text="".join(self._words)))
            self._words.clear()


def _answers(parts: Sequence[TextPart | Picture], wanted: int) -> tuple[Answer, ...]:
    """Where several answers were asked for: each ends with a picture, what is left belongs to the last."""
    if wanted == 1 or not parts:
        return ()
    grouped: list[list[TextPart | Picture]] = []
    pictures = 0
    for part in parts:
        if min(pictures, wanted - 1) == len(grouped):
            grouped.append([])
        grouped[-1].append(part)
        pictures += isinstance(part, Picture)
    return tuple(Answer(parts=tuple(group)) for group in grouped)


def _converted(blob: Blob, conversion: Conversion) -> Blob:
    """With its facts worked out: the next who asks for them may be on the event loop."""
    other = converted(blob, conversion)
    _ = other.facts
    return other


def _later_notices(result: ImageResult) -> tuple[Notice, ...]:
    """What can only be said once the answer is there: pictures came, and something else was refused."""
    if not result.pictures:
        return ()
    if result.refusal:
        return (Notice(code=NoticeCode.ADAPTED, field="answer", asked=None, why=result.refusal),)
    if result.finish is Finish.LENGTH:
        return (
            Notice(code=NoticeCode.ADAPTED, field="answer", asked=None, why="cut off at the token limit"),
        )
    return ()
