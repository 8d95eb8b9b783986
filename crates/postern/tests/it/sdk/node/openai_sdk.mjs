// The official `openai` package for Node.
import { base, key, load, run } from './scenarios.mjs';

const { OpenAI } = load('openai');
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0, timeout: 20_000 });
const patient = client.withOptions({ maxRetries: 2 });
const hasty = client.withOptions({ timeout: 400 });

const ask = [{ role: 'user', content: 'What do you see tonight?' }];
const parameters = { type: 'object', properties: { tower: { type: 'string' } } };
const tools = [{ type: 'function', function: { name: 'light_range', parameters } }];
const chat = (more = {}, using = client) =>
  using.chat.completions.create({ model: 'gpt-4o-mini', messages: ask, ...more });
const fail = (status) => () => chat({ model: `fail-${status}` });

async function collect(stream) {
  const seen = { text: '', tool: '', finish: null, chunks: 0, usage: null, usage_fields: false };
  seen.chunks_without_choices = 0;
  for await (const chunk of stream) {
    seen.chunks += 1;
    seen.usage_fields ||= 'usage' in chunk;
    seen.usage = chunk.usage?.total_tokens ?? seen.usage;
    if (chunk.choices.length === 0) seen.chunks_without_choices += 1;
    for (const choice of chunk.choices) {
      seen.text += choice.delta.content ?? '';
      seen.finish = choice.finish_reason ?? seen.finish;
      for (const call of choice.delta.tool_calls ?? []) {
        seen.tool += (call.function.name ?? '') + (call.function.arguments ?? '');
      }
    }
  }
  return seen;
}

await run({
  async plain() {
    const answer = await chat();
    return { text: answer.choices[0].message.content, usage: answer.usage.total_tokens };
  },
  stream: async () => collect(await chat({ stream: true })),
  stream_with_usage: async () =>
    collect(await chat({ stream: true, stream_options: { include_usage: true } })),
  async stream_left_early() {
    for await (const chunk of await chat({ stream: true })) return chunk.id;
  },
  async tool() {
    const call = (await chat({ tools })).choices[0].message.tool_calls[0];
    return { name: call.function.name, arguments: call.function.arguments };
  },
  tool_stream: async () => collect(await chat({ tools, stream: true })),
  fail_400: fail(400),
  fail_401: fail(401),
  fail_403: fail(403),
  fail_404: fail(404),
  fail_429: fail(429),
  fail_500: fail(500),
  async retry() {
    return (await chat({ model: 'busy-once' }, patient)).choices[0].message.content;
  },
  timeout: () => chat({ model: 'slow' }, hasty),
  async responses() {
    const answer = await client.responses.create({ model: 'gpt-4.1-mini', input: 'The day?' });
    return { text: answer.output_text, usage: answer.usage.total_tokens };
  },
  async responses_stream() {
    const stream = await client.responses.create({
      model: 'gpt-4.1-mini',
      input: 'The day?',
      stream: true,
    });
    const seen = { kinds: [], text: '', usage: null };
    for await (const event of stream) {
      seen.kinds.push(event.type);
      if (event.type === 'response.output_text.delta') seen.text += event.delta;
      if (event.type === 'response.completed') seen.usage = event.response.usage.total_tokens;
    }
    return seen;
  },
  async embeddings() {
    const answer = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'fog' });
    return { size: answer.data[0].embedding.length };
  },
  async models() {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    return ids.sort();
  },
  async moderations() {
    const answer = await client.moderations.create({
      model: 'omni-moderation-latest',
      input: 'The keeper polishes the lamp.',
    });
    return { flagged: answer.results[0].flagged };
  },
}, {
  async three_in_a_row() {
    const ends = [];
    for (let i = 0; i < 3; i += 1) ends.push((await chat({}, patient)).choices[0].finish_reason);
    return ends;
  },
  async stream_to_the_end() {
    let pieces = 0;
    for await (const _ of await chat({ stream: true })) pieces += 1;
    return pieces;
  },
});
