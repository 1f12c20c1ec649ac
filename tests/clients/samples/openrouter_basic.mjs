// https://openrouter.ai/docs/features/multimodal/image-generation#basic-image-generation
const response = await fetch(`${process.env.BASE_URL}/chat/completions`, {
  method: 'POST',
  headers: {
    Authorization: `Bearer ${process.env.API_KEY}`,
    'Content-Type': 'application/json',
  },
  body: JSON.stringify({
    model: 'google/gemini-2.5-flash-image-preview',
    messages: [{ role: 'user', content: 'A lighthouse' }],
    modalities: ['image', 'text'],
  }),
});

const result = await response.json();

if (result.choices) {
  const message = result.choices[0].message;
  if (message.images) {
    message.images.forEach((image) => {
      const imageUrl = image.image_url.url;
      console.log(imageUrl);
    });
  }
}
