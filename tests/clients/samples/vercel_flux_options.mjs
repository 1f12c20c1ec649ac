// https://vercel.com/docs/ai-gateway/openai-compat/image-generation: Black Forest Labs with provider options
import OpenAI from 'openai';

async function main() {
  const openai = new OpenAI({
    apiKey: process.env.AI_GATEWAY_API_KEY,
    baseURL: process.env.BASE_URL,
  });

  const result = await openai.images.generate({
    model: 'bfl/flux-2-pro',
    prompt: 'A lighthouse',
    providerOptions: {
      blackForestLabs: {
        outputFormat: 'jpeg',
        safetyTolerance: 2,
      },
    },
  });

  for (const image of result.data) {
    if (image.b64_json) {
      console.log(image.b64_json);
    }
  }
}

main().catch(console.error);
