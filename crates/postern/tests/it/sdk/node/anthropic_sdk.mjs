// The official `@anthropic-ai/sdk` package for Node.
import { base, key, load, run } from './scenarios.mjs';

const { Anthropic } = load('@anthropic-ai/sdk');
const client = new Anthropic({ baseURL: base, apiKey: key, maxRetries: 0, timeout: 20_000 });
const patient = client.withOptions({ maxRetries: 2 });
const hasty = client.withOptions({ timeout: 400 });

const messages = [{ role: 'user', content: 'What do you see tonight?' }];
const input_schema = { type: 'object', properties: { tower: { type: 'string' } } };
const tools = [{ name: 'light_range', input_schema }];
const request = (more = {}) => ({
  model: 'claude-sonnet-4-5',
  max_tokens: 256,
  messages,
  ...more,
});
const ask = (more = {}, using = client) => using.messages.create(request(more));
const fail = (status) => () => ask({ model: `fail-${status}` });

await run({
  async plain() {
    const answer = await ask();
    const usage = [answer.usage.input_tokens, answer.usage.output_tokens];
    return { text: answer.content[0].text, stop: answer.stop_reason, usage };
  },
  async stream() {
    const final = await client.messages.stream(request()).finalMessage();
    const usage = [final.usage.input_tokens, final.usage.output_tokens];
    return { text: final.content[0].text, stop: final.stop_reason, usage };
  },
  async stream_events() {
    const kinds = [];
    for await (const event of await ask({ stream: true })) kinds.push(event.type);
    return kinds;
  },
  async stream_left_early() {
    for await (const event of await ask({ stream: true })) return event.type;
  },
  async stream_that_breaks() {
    const kinds = [];
    const stream = await ask({ model: 'fail-stream', stream: true });
    for await (const event of stream) kinds.push(event.type);
    return kinds;
  },
  async tool() {
    const answer = await ask({ tools });
    return { stop: answer.stop_reason, input: answer.content[1].input };
  },
  async tool_stream() {
    const final = await client.messages.stream(request({ tools })).finalMessage();
    return { stop: final.stop_reason, input: final.content[0].input };
  },
  async count_tokens() {
    return (await client.messages.countTokens({ model: 'claude-sonnet-4-5', messages })).input_tokens;
  },
  fail_400: fail(400),
  fail_401: fail(401),
  fail_403: fail(403),
  fail_404: fail(404),
  fail_429: fail(429),
  fail_529: fail(529),
  async retry() {
    return (await ask({ model: 'busy-once' }, patient)).content[0].text;
  },
  timeout: () => ask({ model: 'slow' }, hasty),
}, {
  async three_in_a_row() {
    const ends = [];
    for (let i = 0; i < 3; i += 1) ends.push((await ask({}, patient)).stop_reason);
    return ends;
  },
  async stream_to_the_end() {
    let pieces = 0;
    for await (const _ of await ask({ stream: true })) pieces += 1;
    return pieces;
  },
});
