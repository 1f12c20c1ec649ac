// https://docs.helicone.ai/gateway/concepts/image-generation: Responses API
import OpenAI from 'openai';

const client = new OpenAI({
  apiKey: process.env.HELICONE_API_KEY,
  baseURL: process.env.BASE_URL,
});

const response = await client.responses.create({
  model: 'gemini-3-pro-image-preview/google-ai-studio',
  input: 'A lighthouse',
  max_output_tokens: 8192,
});

const messageOutput = response.output.find((item) => item.type === 'message');
const imageContent = messageOutput?.content.find((c) => c.type === 'output_image');
console.log(imageContent.image_url);
