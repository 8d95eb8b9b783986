// Runs scenarios with an official SDK and prints what it saw as one JSON object, in the shape that
// the Python drivers use. The packages come from the folder named in POSTERN_TOOLS_NODE_MODULES.
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.POSTERN_TOOLS_NODE_MODULES, 'from-here.js'));

export const load = (name) => require(name);

export const [base, key, ...only] = process.argv.slice(2);

function kinds(error) {
  const names = [];
  let kind = error.constructor;
  for (; kind && kind.name; kind = Object.getPrototypeOf(kind)) names.push(kind.name);
  return names;
}

function exception(error) {
  const header = (name) => error.headers?.get?.(name) ?? error.headers?.[name] ?? null;
  return {
    raised: error.constructor.name,
    kinds: kinds(error),
    status: error.status ?? null,
    message: error.message,
    request_id: header('postern-request-id'),
    own_request_id: error.requestID ?? null,
    refusal: header('postern-refusal'),
  };
}

// Runs the named scenarios, in order; without names, all but those of `whenNamed`.
export async function run(scenarios, whenNamed = {}) {
  const seen = {};
  const all = only.length > 0 ? { ...scenarios, ...whenNamed } : scenarios;
  for (const [name, scenario] of Object.entries(all)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const start = performance.now();
    let outcome;
    try {
      outcome = { returned: (await scenario()) ?? null };
    } catch (error) {
      outcome = exception(error);
      console.error(name, error);
    }
    outcome.seconds = (performance.now() - start) / 1000;
    seen[name] = outcome;
  }
  process.stdout.write(JSON.stringify(seen));
}
