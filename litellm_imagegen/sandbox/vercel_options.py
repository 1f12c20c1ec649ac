"""`providerOptions` of the Vercel AI Gateway, as readers: one table for each vendor, and the gateway's own.

Strategy: a table checks the keys that it knows, by the AI SDK's names; others are let through, since the
gateway hands on what it does not know. Null counts as not given. What a model makes of a value is said
where its wire is spoken.

Source: https://ai-sdk.dev/providers/ai-sdk-providers and https://vercel.com/docs/ai-gateway/models-and-providers
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .openai_errors import invalid_value
from .openai_readers import Reader, any_object, boolean, choice, listed, number, record, shown, text, whole

Options = Mapping[str, Any]

OWN = "gateway"
BFL, OPENAI, XAI = "blackForestLabs", "openai", "xai"
# The last one wins where a key stands in several.
GOOGLE = ("google", "googleVertex", "vertex")
REFERENCES = ("inputImage", *(f"inputImage{number}" for number in range(2, 11)))

_PLACE = "providerOptions"
_LARGEST = 2**31 - 1
_CAPABILITIES = (
    "explicit-caching",
    "file-input",
    "image-generation",
    "implicit-caching",
    "reasoning",
    "tool-use",
    "vision",
    "web-search",
)
_QUANTIZATION = "quantization:"

_words = text(shortest=1)
_names = listed(_words)


def vendor_options(value: Any, vendors: Sequence[str]) -> dict[str, Any]:
    """What the objects of these vendors say, one after the other. Raises OpenAIError at the first fault.

    The gateway's own object is checked as well; those of other vendors only have to be objects.
    """
    if value is None:
        return {}
    found: dict[str, Any] = {}
    objects = {
        name: any_object(entry, f"{_PLACE}.{name[:80]}")
        for name, entry in any_object(value, _PLACE).items()
        if entry is not None
    }
    if OWN in objects:
        _open(_GATEWAY)(objects[OWN], f"{_PLACE}.{OWN}")
    for name in vendors:
        if name in objects:
            found |= _open(_TABLES.get(name, {}))(objects[name], f"{_PLACE}.{name}")
    return found


def _open(fields: Mapping[str, Reader]) -> Reader:
    """An object with these fields, which are checked, and any others, which are not."""

    def read(value: Any, name: str) -> dict[str, Any]:
        given = any_object(value, name)
        return {
            key: fields[key](item, f"{name}.{key}") if key in fields else item
            for key, item in given.items()
            if item is not None
        }

    return read


def _capability(value: Any, name: str) -> str:
    wanted: str = _words(value, name)
    if wanted not in _CAPABILITIES and not wanted.startswith(_QUANTIZATION):
        raise invalid_value(name, f"{shown(wanted)}; it takes {', '.join(_CAPABILITIES)}.")
    return wanted


def _countries(value: Any, name: str) -> list[str]:
    codes: list[str] = _names(value, name)
    if len({code.startswith("!") for code in codes}) > 1:
        raise invalid_value(name, "names countries either all with '!' before them or all without.")
    return codes


_GATEWAY: Mapping[str, Reader] = {
    "only": _names,
    "order": _names,
    "sort": choice(("cost", "ttft", "tps")),
    "models": _names,
    "byok": any_object,
    "user": _words,
    "tags": _names,
    "zeroDataRetention": boolean,
    "disallowPromptTraining": boolean,
    "has": listed(_capability),
    "headquarters": _countries,
    "serviceTier": choice(("flex", "priority")),
    "quotaEntityId": _words,
    "providerTimeouts": record({"byok": any_object}),
    "idempotencyKey": _words,
    "caching": choice(("auto",)),
}
_BFL: Mapping[str, Reader] = {
    "imagePrompt": _words,
    "imagePromptStrength": number(0, 1),
    **dict.fromkeys(REFERENCES, _words),
    "steps": whole(1, _LARGEST),
    "guidance": number(0, _LARGEST),
    "width": whole(256, 1920),
    "height": whole(256, 1920),
    "outputFormat": choice(("jpeg", "png")),
    "promptUpsampling": boolean,
    "raw": boolean,
    "safetyTolerance": whole(0, 6),
    "webhookUrl": _words,
    "webhookSecret": _words,
    "pollIntervalMillis": whole(1, _LARGEST),
    "pollTimeoutMillis": whole(1, _LARGEST),
}
_GEMINI_AND_IMAGEN: Mapping[str, Reader] = {
    "responseModalities": listed(choice(("TEXT", "IMAGE"))),
    "imageConfig": any_object,
    "thinkingConfig": any_object,
    "safetySettings": listed(any_object),
    "cachedContent": _words,
    "labels": any_object,
    "mediaResolution": _words,
    "serviceTier": _words,
    "aspectRatio": _words,
    "safetyFilterLevel": _words,
    "safetySetting": _words,
    "negativePrompt": text(),
    "personGeneration": _words,
    "addWatermark": boolean,
    "storageUri": _words,
    "sampleImageSize": choice(("1K", "2K")),
    "edit": any_object,
}
_XAI: Mapping[str, Reader] = {
    "aspect_ratio": _words,
    "output_format": choice(("jpeg", "png", "webp")),
    "sync_mode": boolean,
    "resolution": choice(("1k", "2k")),
    "quality": choice(("low", "medium", "high")),
    "user": text(),
}
_TABLES: Mapping[str, Mapping[str, Reader]] = {
    BFL: _BFL,
    XAI: _XAI,
    **dict.fromkeys(GOOGLE, _GEMINI_AND_IMAGEN),
}
