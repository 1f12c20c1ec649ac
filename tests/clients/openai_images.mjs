// Sends one request with OpenAI's own client and prints what its typed accessors hold, as JSON.
// Arguments: base URL, key, a method of client.images, the request as JSON.
import OpenAI from 'openai';

const [baseURL, apiKey, method, request] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
try {
  const result = await client.images[method](JSON.parse(request));
  console.log(
    JSON.stringify({
      created: result.created,
      size: result.size,
      output_format: result.output_format,
      pictures: result.data.map((image) => image.b64_json),
      provider_metadata: result.provider_metadata,
    }),
  );
} catch (error) {
  if (!(error instanceof OpenAI.APIError)) throw error;
  console.log(JSON.stringify({ status: error.status, message: error.message, param: error.param }));
}
