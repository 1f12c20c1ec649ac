// https://docs.helicone.ai/gateway/concepts/image-generation: Chat Completions
import OpenAI from 'openai';

const client = new OpenAI({
  apiKey: process.env.HELICONE_API_KEY,
  baseURL: process.env.BASE_URL,
});

const response = await client.chat.completions.create({
  model: 'gemini-3-pro-image-preview/google-ai-studio',
  messages: [{ role: 'user', content: 'A lighthouse' }],
  max_tokens: 8192,
});

const images = response.choices[0].message.images;
images.forEach((image) => console.log(image.image_url.url));
