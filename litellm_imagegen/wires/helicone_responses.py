"""Helicone's form of the Responses API. Source: https://docs.helicone.ai/gateway/concepts/image-generation.

The picture's shape stands in a field of its own and not in a tool, and pictures come as parts of the message.
"""

from collections.abc import Callable, Mapping
from typing import Any

from litellm_imagegen.canonical import Name
from litellm_imagegen.codec import Call
from litellm_imagegen.plan import Plan
from litellm_imagegen.wires.openai_responses import OpenAiResponsesCodec, input_of, instructions_of
from litellm_imagegen.wires.openai_shared import spelled

_FIELDS: Mapping[Name, str] = {
    Name.MAX_TOKENS: "max_output_tokens",
    Name.TEMPERATURE: "temperature",
    Name.TOP_P: "top_p",
}


class HeliconeResponsesCodec(OpenAiResponsesCodec):
    """`spell` gives the field for the picture's shape, of which it takes `together` all or none."""

    vendor = "helicone"
    takes_addresses = False
    silent_refusals = True

    def __init__(self, spell: Callable[[Plan], Mapping[str, Any]], together: frozenset[Name]) -> None:
        self.together = together
        self.vocabulary = frozenset({*_FIELDS, *together, Name.PROVIDER_OPTIONS})
        self._spell = spell

    def encode(self, plan: Plan) -> Call:
        """`POST responses`."""
        body: dict[str, Any] = {"model": plan.model, "input": list(input_of(plan.messages))}
        if instructions := instructions_of(plan.messages):
            body["instructions"] = instructions
        body |= spelled(_FIELDS, plan) | dict(self._spell(plan))
        if plan.stream:
            body["stream"] = True
        body |= plan.values.get(Name.PROVIDER_OPTIONS, {})
        return Call(path="responses", body=body, streams=plan.stream)
