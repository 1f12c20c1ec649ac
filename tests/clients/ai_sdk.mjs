// Makes one call with the AI SDK and prints what its accessors hold, as JSON.
// Arguments: the call, its request as JSON: `provider` and `model`, the rest goes to the AI SDK.
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import { APICallError, generateImage, generateText, streamText } from 'ai';

const settings = { baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY };
const openai = createOpenAI(settings);
const models = {
  openrouter: { chat: createOpenRouter(settings).chat },
  openrouterStrict: { chat: createOpenRouter({ ...settings, compatibility: 'strict' }).chat },
  compatible: { image: createOpenAICompatible({ name: 'proxy', ...settings }).imageModel },
  openai: { chat: openai.responses, image: openai.image },
};
globalThis.AI_SDK_LOG_WARNINGS = false; // they are in the answer

const [call, given] = process.argv.slice(2);
const { provider, model: name, tool, images, ...request } = JSON.parse(given);
const asUrl = (file) => `data:${file.mediaType};base64,${file.base64}`;
const drawn = (results) => results.map(({ output, preliminary }) => ({ ...output, preliminary }));

function asked(kind) {
  const options = { model: models[provider][kind](name), maxRetries: 0, ...request };
  if (tool) options.tools = { image_generation: openai.tools.imageGeneration(tool) };
  if (images) options.prompt = { text: options.prompt, images };
  return options;
}

const calls = {
  async text() {
    const { text, files, toolResults, finishReason, usage, warnings } = await generateText(asked('chat'));
    return { text, pictures: files.map(asUrl), drawn: drawn(toolResults), finishReason, usage, warnings };
  },
  async streamedText() {
    const kinds = [];
    const pictures = [];
    const results = [];
    let said = '';
    let failure;
    const result = streamText({ ...asked('chat'), onError: () => {} });
    for await (const part of result.fullStream) {
      kinds.push(part.type);
      if (part.type === 'text-delta') said += part.text;
      if (part.type === 'file') pictures.push(asUrl(part.file));
      if (part.type === 'tool-result') results.push(part);
      if (part.type === 'error') failure = part.error.message ?? String(part.error);
    }
    const [finishReason, usage] = [await result.finishReason, await result.usage];
    return { text: said, pictures, drawn: drawn(results), kinds, failure, finishReason, usage };
  },
  async image() {
    const result = await generateImage(asked('image'));
    return { pictures: result.images.map(asUrl), usage: result.usage, warnings: result.warnings };
  },
};

let answer;
try {
  answer = await calls[call]();
} catch (error) {
  if (!APICallError.isInstance(error)) throw error;
  const cause = error.cause?.cause?.message ?? error.cause?.message;
  answer = { error: error.name, status: error.statusCode, message: error.message, cause };
}
console.log(JSON.stringify(answer));
