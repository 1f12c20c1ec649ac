// https://docs.helicone.ai/gateway/concepts/image-generation: Configuration, and Handling Responses
import OpenAI from 'openai';

const client = new OpenAI({
  apiKey: process.env.HELICONE_API_KEY,
  baseURL: process.env.BASE_URL,
});

const stream = await client.chat.completions.create({
  model: 'gemini-3-pro-image-preview/google-ai-studio',
  messages: [{ role: 'user', content: 'A lighthouse' }],
  image_generation: {
    aspect_ratio: '16:9',
    image_size: '2K',
  },
  stream: true,
});

for await (const chunk of stream) {
  for (const image of chunk.choices[0].delta.images ?? []) console.log(image.image_url.url);
}
