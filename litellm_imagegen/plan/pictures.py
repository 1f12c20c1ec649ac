"""The pictures that a caller gives, against what the model takes and what the operator allows."""

from collections.abc import Mapping
from typing import Any

from litellm_imagegen.canonical import ImageInput, Limits, Message, Modality, Name
from litellm_imagegen.errors import InvalidParameter, LimitExceeded, RequestError
from litellm_imagegen.plan.decisions import Decisions
from litellm_imagegen.plan.prompt import pictures_of
from litellm_imagegen.profiles import Profile


def references_of(
    messages: tuple[Message, ...], profile: Profile, fitting: int | None, decisions: Decisions
) -> tuple[ImageInput, ...]:
    """The pictures to draw by. A model that takes no turns may leave out those of earlier ones.

    `fitting` is how many its wire can carry, None for any number. Raises `InvalidParameter` for more pictures
    than the model takes.
    """
    last, earlier = pictures_of(messages)
    bounds = [bound for bound in (profile.maximum_reference_images, fitting) if bound is not None]
    most = min(bounds, default=None)
    if most is None or len(last) + len(earlier) <= most:
        return (*last, *earlier)
    surplus = (*last, *reversed(earlier))[most] if len(last) <= most else last[most]
    if len(last) > most or Modality.TEXT in profile.output:
        told = f"picture {most + 1} of {len(last) + len(earlier)}"
        allowed = f"at most {most} for {profile.id}" if most else f"none: {profile.id} takes no pictures"
        raise InvalidParameter(surplus.spelling, told, allowed)
    kept = (*last, *earlier)[:most]
    count = len(last) + len(earlier)
    told = f"{count} picture{'' if count == 1 else 's'}"
    used, allowed = (f"the latest {most}", f"at most {most} pictures") if most else ("none", "no pictures")
    decisions.shortened("messages", told, used, allowed)
    return kept


def masks_of(values: Mapping[Name, Any], references: tuple[ImageInput, ...]) -> tuple[ImageInput, ...]:
    """The mask, if there is one. Raises `RequestError` for one that lies on nothing."""
    mask = values.get(Name.MASK)
    if mask is None:
        return ()
    if not references:
        raise RequestError(f"{mask.spelling}: a mask needs a picture that it lies on", mask.spelling)
    return (mask,)


def check_picture(picture: ImageInput, accepted_mime: tuple[str, ...], limits: Limits) -> None:
    """Refuse what the provider would refuse, before anything is sent or paid.

    An address is checked when it has been fetched. Raises `LimitExceeded` and `InvalidParameter`.
    """
    if picture.blob is None:
        return
    facts = picture.blob.facts
    if facts["bytes"] > limits.reference_bytes:
        limit = f"{limits.reference_bytes} (limits.reference_bytes)"
        raise LimitExceeded(picture.spelling, f"{facts['bytes']} bytes", limit)
    pixels = (facts["width"] or 0) * (facts["height"] or 0)
    if pixels > limits.pixels:
        raise LimitExceeded(picture.spelling, f"{pixels} pixels", f"{limits.pixels} (limits.pixels)")
    if accepted_mime and picture.blob.mime not in accepted_mime:
        raise InvalidParameter(picture.spelling, picture.blob.mime, ", ".join(accepted_mime))
