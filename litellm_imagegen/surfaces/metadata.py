"""What every endpoint says about a picture beside the picture: metadata, notices, usage."""

from collections.abc import Iterable
from typing import Any

from litellm_imagegen.canonical import ImageResult, Notice, Picture

_HEADER_CHARACTERS = 1024


def provider_metadata(result: ImageResult) -> dict[str, Any]:
    """`{<provider>: its own facts, imagegen: {provider, model, notices[], images[]}}`."""
    images = [{**picture.blob.facts, "seed": picture.seed} for picture in result.pictures]
    return {
        result.provider: dict(result.facts),
        "imagegen": {
            "provider": result.provider,
            "model": result.model,
            "notices": [_notice(notice) for notice in result.notices],
            "images": images,
        },
    }


def notices_header(notices: Iterable[Notice]) -> str | None:
    """`x-imagegen-notices`: field names and codes, ASCII, at most 1 KB; None when there is nothing to say."""
    header = ""
    for notice in notices:
        name = "".join(c if 32 <= ord(c) < 127 and c not in ";=" else "?" for c in notice.field)
        entry = f"{'; ' if header else ''}{name}={notice.code}"
        if len(header) + len(entry) > _HEADER_CHARACTERS:
            break
        header += entry
    return header or None


def as_it_turned_out(picture: Picture) -> dict[str, str]:
    """`{output_format, size}` of the picture itself, as far as it tells; size is "WIDTHxHEIGHT"."""
    facts = picture.blob.facts
    shown = {"output_format": facts["mime"].removeprefix("image/")}
    if facts["width"] and facts["height"]:
        shown["size"] = f"{facts['width']}x{facts['height']}"
    return shown


def _notice(notice: Notice) -> dict[str, Any]:
    shown = notice.model_dump(mode="json")
    return {"field": shown["field"], "asked": shown["asked"], "used": shown["used"], "why": shown["why"]}
