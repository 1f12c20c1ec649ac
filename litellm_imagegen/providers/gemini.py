"""Google's Gemini API (AI Studio). Source: https://ai.google.dev/gemini-api/docs/api-key."""

from litellm_imagegen.profiles import gemini
from litellm_imagegen.providers.provider import Provider
from litellm_imagegen.wires.gemini_content import GeminiContentCodec

PROVIDER = Provider(
    name="gemini",
    base_url="https://generativelanguage.googleapis.com/v1beta",
    key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    authenticate=lambda key: {"x-goog-api-key": key},
    codec=GeminiContentCodec(),
    family=gemini.FAMILY,
)
