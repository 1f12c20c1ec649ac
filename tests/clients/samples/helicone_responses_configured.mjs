// https://docs.helicone.ai/gateway/concepts/image-generation: Configuration, and Handling Responses
import OpenAI from 'openai';

const client = new OpenAI({
  apiKey: process.env.HELICONE_API_KEY,
  baseURL: process.env.BASE_URL,
});

const stream = await client.responses.create({
  model: 'gemini-3-pro-image-preview/google-ai-studio',
  input: 'A lighthouse',
  image_generation: {
    aspect_ratio: '16:9',
    image_size: '2K',
  },
  stream: true,
});

for await (const event of stream) {
  if (event.type === 'response.content_part.done' && event.part.type === 'output_image') {
    console.log(event.part.image_url);
  }
}
