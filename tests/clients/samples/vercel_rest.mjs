// https://vercel.com/docs/ai-gateway/openai-compat/image-generation: REST
async function main() {
  const apiKey = process.env.AI_GATEWAY_API_KEY;
  const baseURL = process.env.BASE_URL;

  const response = await fetch(`${baseURL}/images/generations`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${apiKey}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      model: 'bfl/flux-2-pro',
      prompt: 'A lighthouse',
      providerOptions: {
        blackForestLabs: { outputFormat: 'jpeg' },
      },
      n: 3,
    }),
  });

  if (!response.ok) {
    throw new Error(`${response.status}`);
  }

  const json = await response.json();

  for (const image of json.data) {
    if (image.b64_json) {
      console.log(image.b64_json);
    }
  }
}

main().catch(console.error);
