"""Vercel AI Gateway's images/generations. Source: https://vercel.com/docs/ai-gateway/capabilities/image-generation.

What the Images API of OpenAI has no field for stands in `providerOptions`, under the AI SDK's names for the
vendor of the model and for its fields: https://ai-sdk.dev/providers/ai-sdk-providers.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from litellm_imagegen.canonical import ImageInput, Name
from litellm_imagegen.codec import Call
from litellm_imagegen.plan import Plan
from litellm_imagegen.wires.gateway_images import GatewayImagesCodec
from litellm_imagegen.wires.openai_shared import spelled
from litellm_imagegen.wires.vercel_options import with_provider_options

_FIELDS: Mapping[Name, str] = {Name.N: "n", Name.DIMENSIONS: "size", Name.QUALITY: "quality"}


class VercelImagesCodec(GatewayImagesCodec):
    """The codec for the models of one vendor.

    `options` are the names that go into the vendor's options, `edges` the pair of options that takes
    dimensions there in the place of `size`, `pictures` the options that take pictures to draw by, one each,
    and `in_lower_case` those whose values are written so.
    """

    passes_options = True

    def __init__(
        self,
        vendor: str,
        *,
        options: Mapping[Name, str] | None = None,
        edges: tuple[str, str] | None = None,
        pictures: Sequence[str] = (),
        in_lower_case: Sequence[str] = (),
    ) -> None:
        self.vendor = vendor
        self.maximum_pictures = len(pictures)
        self._options = options or {}
        self._edges = edges
        self._pictures = pictures
        self._in_lower_case = in_lower_case
        self._fields = {name: field for name, field in _FIELDS.items() if name not in self._options}
        self.vocabulary = frozenset({*self._fields, *self._options, Name.PROVIDER_OPTIONS})

    def encode(self, plan: Plan) -> Call:
        """`POST images/generations`."""
        body: dict[str, Any] = {"model": plan.model, "prompt": plan.prompt, "response_format": "b64_json"}
        body |= spelled(self._fields, plan)
        own = spelled(self._options, plan) | dict(self._given(plan.references))
        own |= {field: str(own[field]).lower() for field in self._in_lower_case if field in own}
        if self._edges and "size" in body:
            del body["size"]
            own |= zip(self._edges, plan.values[Name.DIMENSIONS], strict=True)
        if options := with_provider_options(self.vendor, own, plan):
            body["providerOptions"] = options
        return Call(path="images/generations", body=body)

    def _given(self, references: Iterable[ImageInput]) -> Iterable[tuple[str, str]]:
        for field, picture in zip(self._pictures, references, strict=False):
            assert picture.blob is not None, "the engine fetches what is at an address"
            yield field, str(picture.blob.base64, "ascii")
