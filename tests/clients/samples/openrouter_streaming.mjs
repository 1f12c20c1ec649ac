// https://openrouter.ai/docs/features/multimodal/image-generation#streaming-image-generation
const response = await fetch(`${process.env.BASE_URL}/chat/completions`, {
  method: 'POST',
  headers: {
    Authorization: `Bearer ${process.env.API_KEY}`,
    'Content-Type': 'application/json',
  },
  body: JSON.stringify({
    model: 'small', // it takes what one read brings for whole lines
    messages: [{ role: 'user', content: 'A lighthouse' }],
    modalities: ['image', 'text'],
    stream: true,
  }),
});

const reader = response.body?.getReader();
const decoder = new TextDecoder();

while (true) {
  const { done, value } = await reader.read();
  if (done) break;

  const chunk = decoder.decode(value);
  const lines = chunk.split('\n');

  for (const line of lines) {
    if (line.startsWith('data: ')) {
      const data = line.slice(6);
      if (data !== '[DONE]') {
        try {
          const parsed = JSON.parse(data);
          if (parsed.choices) {
            const delta = parsed.choices[0].delta;
            if (delta?.images) {
              delta.images.forEach((image) => {
                console.log(image.image_url.url);
              });
            }
          }
        } catch (e) {
          // as the document does
        }
      }
    }
  }
}
