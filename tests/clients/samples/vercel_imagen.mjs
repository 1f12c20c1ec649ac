// https://vercel.com/docs/ai-gateway/openai-compat/image-generation: Google Imagen
import OpenAI from 'openai';

async function main() {
  const openai = new OpenAI({
    apiKey: process.env.AI_GATEWAY_API_KEY,
    baseURL: process.env.BASE_URL,
  });

  const result = await openai.images.generate({
    model: 'google/imagen-4.0-ultra-generate-001',
    prompt: 'A lighthouse',
    n: 2,
  });

  for (const image of result.data) {
    if (image.b64_json) {
      console.log(image.b64_json);
    }
  }
}

main().catch(console.error);
