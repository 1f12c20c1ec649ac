// Makes one call with OpenAI's own client and prints what its accessors hold, as JSON.
// Arguments: the call, its request as JSON.
import OpenAI, { toFile } from 'openai';

const [call, given] = process.argv.slice(2);
const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });

async function listed(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

async function withFile({ image, ...request }) {
  return { ...request, image: await toFile(Buffer.from(image, 'base64'), 'image.png', { type: 'image/png' }) };
}

const calls = {
  async generate(request) {
    const { data, ...rest } = await client.images.generate(request);
    return { ...rest, pictures: data.map((image) => image.b64_json) };
  },
  generateStreamed: async (request) => ({
    events: await listed(await client.images.generate({ ...request, stream: true })),
  }),
  editStreamed: async (request) => ({
    events: await listed(await client.images.edit({ ...(await withFile(request)), stream: true })),
  }),
  async respond(request) {
    const response = await client.responses.create(request);
    return { ...response, output_text: response.output_text };
  },
  respondStreamed: async (request) => ({
    events: await listed(await client.responses.create({ ...request, stream: true })),
  }),
  async respondHelped(request) {
    const stream = client.responses.stream(request);
    const events = await listed(stream);
    const response = await stream.finalResponse();
    return { events, output: response.output, output_text: response.output_text };
  },
  chat: async (request) => await client.chat.completions.create(request),
  chatStreamed: async (request) => ({
    events: await listed(await client.chat.completions.create({ ...request, stream: true })),
  }),
};

let answer;
try {
  answer = await calls[call](JSON.parse(given));
} catch (error) {
  if (!(error instanceof OpenAI.APIError)) throw error;
  const { status, code, param, message } = error;
  answer = { error: error.constructor.name, status, code, param, message };
}
console.log(JSON.stringify(answer));
