"""`providerOptions` of Vercel AI Gateway: one object a vendor, in the words of the AI SDK.

Source: https://ai-sdk.dev/providers/ai-sdk-providers.
"""

from collections.abc import Mapping
from typing import Any

from litellm_imagegen.canonical import Name, merged
from litellm_imagegen.plan import Plan

# The AI SDK's names of vendors that have another one here.
_SDK_NAMES: Mapping[str, str] = {"bfl": "blackForestLabs"}
_GOOGLE = "google"


def with_provider_options(vendor: str, own: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """The model's vendor with its `own` options, and what was given for each vendor and for the gateway."""
    given = plan.values.get(Name.PROVIDER_OPTIONS, {})
    named = {
        _SDK_NAMES.get(other, other): _flat(options) if other == _GOOGLE else options
        for other, options in given.items()
    }
    return merged({_SDK_NAMES.get(vendor, vendor): own} if own else {}, named)


def _flat(options: Mapping[str, Any]) -> dict[str, Any]:
    """Google's wire has a generationConfig, the SDK has its fields at the top."""
    inner = options.get("generationConfig")
    rest = {name: value for name, value in options.items() if name != "generationConfig"}
    return {**rest, **(inner if isinstance(inner, Mapping) else {})}
