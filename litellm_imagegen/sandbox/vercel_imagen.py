"""Google's Imagen behind the Vercel AI Gateway, as it was until its end: its options, read as on Vertex AI.

Source: https://ai-sdk.dev/providers/ai-sdk-providers/google-vertex#image-models
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from . import imagen_reply
from .faults import Wishes
from .gemini_errors import GeminiError
from .imagen_errors import prompt_refused
from .imagen_models import Model
from .imagen_request import Asked, read_request
from .vercel_errors import refused_upstream
from .vercel_options import Options
from .vercel_order import Drawn, Order

_TRANSLATED = (
    *("aspectRatio", "safetyFilterLevel", "safetySetting", "negativePrompt", "personGeneration"),
    *("addWatermark", "storageUri", "sampleImageSize", "seed", "enhancePrompt", "language", "outputOptions"),
)
_PRICES = {"imagen-4.0-fast-generate-001": 0.02, "imagen-4.0-ultra-generate-001": 0.06}
_PRICE = 0.04


@dataclass(frozen=True)
class ImagenOrder(Order):
    """Pictures of one Imagen model."""

    asked: Asked

    @property
    def vendor(self) -> str:
        """The name of the provider's options, under which it answers."""
        return "googleVertex"

    def draw(self, wishes: Wishes, count: int) -> Sequence[Drawn]:
        """So many pictures, in order."""
        drawing = Wishes(padding_bytes=wishes.padding_bytes, bad_base64=wishes.bad_base64)
        reply = imagen_reply.compose(replace(self.asked, count=count), drawing, 0) if count else {}
        found = []
        for prediction in reply.get("predictions", ()):
            revised = prediction.get("prompt")
            about = {} if revised is None else {"revisedPrompt": revised}
            picture = prediction["bytesBase64Encoded"]
            found.append(Drawn(picture=picture, about=about, revised_prompt=revised))
        return found

    def cost(self, count: int) -> float | None:
        """A price a picture, of the list."""
        return _PRICES.get(self.asked.model.name, _PRICE) * count

    def blocked_prompt(self) -> tuple[str, str | None]:
        """What Google says to it."""
        return prompt_refused().message, None

    def blocked_picture(self) -> tuple[str, str | None]:
        """Google leaves the picture out; the gateway has nothing to hand over."""
        return "No picture was generated: all were filtered out by Google's Responsible AI practices.", None


def read_order(model: Model, prompt: str, options: Options) -> ImagenOrder:
    """Read what is asked of this model. Raises GatewayError with all that the provider refuses."""
    parameters = {name: options[name] for name in _TRANSLATED if name in options}
    document = {"instances": [{"prompt": prompt}], "parameters": parameters}
    try:
        return ImagenOrder(read_request(document, model, "vertex"))
    except GeminiError as error:
        raise refused_upstream(error) from None
