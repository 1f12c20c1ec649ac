"""Google's Gemini API (AI Studio). Source: https://ai.google.dev/gemini-api/docs/api-key."""

from litellm_imagegen.profiles import gemini, imagen
from litellm_imagegen.providers.provider import Provider, Wire
from litellm_imagegen.wires.gemini_content import GeminiContentCodec
from litellm_imagegen.wires.imagen_predict import ImagenPredictCodec

PROVIDER = Provider(
    name="gemini",
    base_url="https://generativelanguage.googleapis.com/v1beta",
    key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    authenticate=lambda shown: {"x-goog-api-key": shown.key},
    wires=(
        Wire(name="predict", codec=ImagenPredictCodec(), family=imagen.FAMILY, starts=imagen.STARTS),
        Wire(name="content", codec=GeminiContentCodec(), family=gemini.FAMILY),
    ),
)
