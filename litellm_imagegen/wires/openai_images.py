"""OpenAI's Images API, as OpenAI and Azure speak it: generations as JSON, edits as a form with files.

Source: https://platform.openai.com/docs/api-reference/images. On Azure the deployment stands in the address:
https://learn.microsoft.com/azure/ai-foundry/openai/reference-preview.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote as quote_path

import orjson

from litellm_imagegen.canonical import Delta, EndDelta, ImageInput, Name, RemotePicture
from litellm_imagegen.codec import Call, Codec, FormFile, Reply
from litellm_imagegen.errors import ProviderError
from litellm_imagegen.lifting import IncomingJson
from litellm_imagegen.plan import Plan
from litellm_imagegen.wires.errors import parsed_object
from litellm_imagegen.wires.images_reply import pictures_and_end
from litellm_imagegen.wires.openai_shared import (
    VOCABULARY_OF_PICTURES,
    is_done,
    outcome_of_reply,
    partial_of,
    picture_fields,
    refusal_inside,
)


class OpenAiImagesCodec(Codec):
    """The codec. With `names_deployment` the model stands in the address, as Azure has it."""

    vendor = "openai"
    vocabulary = frozenset({*VOCABULARY_OF_PICTURES, Name.N, Name.PROVIDER_OPTIONS})

    def __init__(self, *, names_deployment: bool = False) -> None:
        self._names_deployment = names_deployment

    def names(self, *, has_pictures: bool) -> frozenset[Name]:
        """How close to keep to pictures is asked of edits alone."""
        return self.vocabulary if has_pictures else self.vocabulary - {Name.INPUT_FIDELITY}

    def encode(self, plan: Plan) -> Call:
        """`POST images/generations`, or `POST images/edits` where there are pictures to draw by.

        It streams for the pictures on the way alone: the wire has no words to wait for.
        """
        body: dict[str, Any] = {} if self._names_deployment else {"model": plan.model}
        body["prompt"] = plan.prompt
        if Name.N in plan.values:
            body["n"] = plan.values[Name.N]
        body |= picture_fields(plan)
        partial = plan.values.get(Name.PARTIAL_IMAGES, 0)
        streams = bool(plan.stream and partial)
        if streams:
            body |= {"stream": True, "partial_images": partial}
        options = dict(plan.values.get(Name.PROVIDER_OPTIONS, {}))
        if not plan.references:
            return Call(path=self._path(plan, "generations"), body={**body, **options}, streams=streams)
        if fidelity := plan.values.get(Name.INPUT_FIDELITY):
            body["input_fidelity"] = fidelity
        form = tuple(_form({**body, **options}, plan))
        return Call(path=self._path(plan, "edits"), form=form, streams=streams)

    def decode(self, plan: Plan, reply: Reply) -> Sequence[Delta | RemotePicture]:
        """Pictures in order, then what they cost."""
        parsed = parsed_object(plan, reply.body)
        if parsed.value.get("error"):
            return (refusal_inside(plan, parsed.value, reply.body.text),)
        return pictures_and_end(plan, parsed, parsed.value.get("data"))

    def decode_event(self, plan: Plan, event: IncomingJson) -> Sequence[Delta | RemotePicture]:
        """A picture on its way; the picture, which is the end; an error. Other events tell nothing."""
        if is_done(event):
            return ()
        parsed = parsed_object(plan, event)
        said = parsed.value
        if said.get("error") or said.get("type") == "error":
            return (refusal_inside(plan, said, event.text),)
        match said.get("type"):
            case "image_generation.partial_image" | "image_edit.partial_image":
                return partial_of(plan, parsed, said, "b64_json")
            case "image_generation.completed" | "image_edit.completed":
                return pictures_and_end(plan, parsed, [said])
        return ()

    def decode_error(self, plan: Plan, reply: Reply) -> ProviderError | EndDelta:
        """OpenAI's error object. A refusal is no error: the answer is that there is no picture."""
        return outcome_of_reply(plan, reply)

    def _path(self, plan: Plan, operation: str) -> str:
        if not self._names_deployment:
            return f"images/{operation}"
        return f"openai/deployments/{quote_path(plan.model, safe='')}/images/{operation}"


def _form(body: Mapping[str, Any], plan: Plan) -> Iterable[tuple[str, str | FormFile]]:
    for name, value in body.items():
        yield name, value if isinstance(value, str) else orjson.dumps(value).decode()
    several = len(plan.references) > 1
    for index, picture in enumerate(plan.references):
        yield "image[]" if several else "image", _file(picture, f"image-{index}")
    mask = plan.values.get(Name.MASK)
    if mask is not None:
        yield "mask", _file(mask, "mask")


def _file(picture: ImageInput, name: str) -> FormFile:
    assert picture.blob is not None, "the engine fetches what is at an address"
    mime = picture.blob.mime
    return FormFile(name=f"{name}.{mime.removeprefix('image/')}", mime=mime, content=picture.blob.raw)
