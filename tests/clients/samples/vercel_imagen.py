"""https://vercel.com/docs/ai-gateway/openai-compat/image-generation: Google Imagen."""

import base64
import json
import os
from datetime import datetime

from openai import OpenAI


def main() -> None:
    api_key = os.getenv("AI_GATEWAY_API_KEY") or os.getenv("VERCEL_OIDC_TOKEN")
    base_url = os.getenv("AI_GATEWAY_BASE_OPENAI_COMPAT_URL") or "https://ai-gateway.vercel.sh/v1"
    client = OpenAI(
        api_key=api_key,
        base_url=base_url,
    )

    result = client.images.generate(
        model="google/imagen-4.0-ultra-generate-001",
        prompt="A lighthouse",
        n=2,
        response_format="b64_json",
        extra_body={
            "providerOptions": {"googleVertex": {"aspectRatio": "1:1", "safetyFilterLevel": "block_some"}}
        },
    )

    if not result or not result.data or len(result.data) == 0:
        raise Exception("no data")

    for i, image in enumerate(result.data):
        if hasattr(image, "b64_json") and image.b64_json:
            image_bytes = base64.b64decode(image.b64_json)
            timestamp = datetime.now().strftime("%Y%m%d_%H%M%S")
            output_file = f"output/output_image_{timestamp}_{i + 1}.png"
            with open(output_file, "wb") as f:
                f.write(image_bytes)

    if hasattr(result, "provider_metadata"):
        print(json.dumps(result.provider_metadata, indent=2))


if __name__ == "__main__":
    main()
