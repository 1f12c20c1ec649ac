"""OpenRouter's Image API. Source: https://openrouter.ai/docs/api-reference/images."""

from collections.abc import Mapping, Sequence
from typing import Any

from litellm_imagegen.canonical import Delta, Name, RemotePicture, merged
from litellm_imagegen.codec import Call
from litellm_imagegen.lifting import IncomingJson
from litellm_imagegen.plan import Plan
from litellm_imagegen.wires.errors import parsed_object
from litellm_imagegen.wires.gateway_errors import outcome_inside
from litellm_imagegen.wires.gateway_images import GatewayImagesCodec
from litellm_imagegen.wires.images_reply import pictures_and_end
from litellm_imagegen.wires.openai_shared import is_done, partial_of, spelled

_FIELDS: Mapping[Name, str] = {
    Name.N: "n",
    Name.ASPECT_RATIO: "aspect_ratio",
    Name.IMAGE_SIZE: "resolution",
    Name.DIMENSIONS: "size",
    Name.QUALITY: "quality",
    Name.OUTPUT_FORMAT: "output_format",
    Name.OUTPUT_COMPRESSION: "output_compression",
    Name.BACKGROUND: "background",
    Name.SEED: "seed",
}


class OpenRouterImagesCodec(GatewayImagesCodec):
    """The codec. It streams for the pictures on the way alone, whose number the wire has no field for."""

    vendor = "openrouter"
    takes_addresses = True
    vocabulary = frozenset({*_FIELDS, Name.PARTIAL_IMAGES, Name.PROVIDER_OPTIONS})

    def encode(self, plan: Plan) -> Call:
        """`POST images`."""
        body: dict[str, Any] = {"model": plan.model, "prompt": plan.prompt, **spelled(_FIELDS, plan)}
        if plan.references:
            body["input_references"] = [
                {"type": "image_url", "image_url": {"url": one.blob.data_url if one.blob else one.url}}
                for one in plan.references
            ]
        streams = bool(plan.stream and plan.values.get(Name.PARTIAL_IMAGES))
        if streams:
            body["stream"] = True
        options = plan.values.get(Name.PROVIDER_OPTIONS, {})
        return Call(path="images", body=merged(body, options), streams=streams)

    def decode_event(self, plan: Plan, event: IncomingJson) -> Sequence[Delta | RemotePicture]:
        """A picture on its way; the picture, which is the end; an error. Other events tell nothing."""
        if is_done(event):
            return ()
        parsed = parsed_object(plan, event)
        said = parsed.value
        if said.get("error"):
            return (outcome_inside(plan, said, event.text),)
        match said.get("type"):
            case "image_generation.partial_image":
                return partial_of(plan, parsed, said, "b64_json")
            case "image_generation.completed":
                return pictures_and_end(plan, parsed, [said])
        return ()
