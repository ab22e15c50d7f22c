// A server that stands in for obs: it answers as a test tells it to, and remembers what it was sent.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';

const CORS = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': 'Content-Type, X-OBS-Key', 'Access-Control-Expose-Headers': 'Retry-After' };

export class Server {
  /** `answer(nth, event)` gives `{status, headers, body}`, a promise of it, or null for none at all. */
  static async start(answer = () => ({ status: 201 }), port = 0) {
    const server = new Server();
    Object.assign(server, { events: [], requests: [], connections: 0 });
    server.http = createServer(async (request, response) => {
      if (request.method === 'OPTIONS') return response.writeHead(204, CORS).end();
      let body = '';
      request.setEncoding('utf8');
      for await (const part of request) body += part;
      server.requests.push({ method: request.method, url: request.url, headers: request.headers, body });
      server.events.push(JSON.parse(body));
      const { status, headers, body: text } = (await answer(server.events.length, server.events.at(-1))) ?? {};
      if (status) response.writeHead(status, { ...CORS, ...headers }).end(text ?? '{"id":"00000000-0000-7000-8000-000000000000"}');
    });
    server.http.on('connection', () => server.connections++);
    server.http.listen(port, '127.0.0.1');
    await once(server.http, 'listening');
    server.port = server.http.address().port;
    server.dsn = `http://secret-key@127.0.0.1:${server.port}/1`;
    return server;
  }

  async stop() {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }
}

/** Waits until `holds()` is true. */
export async function eventually(holds, what = holds) {
  for (const deadline = Date.now() + 10_000; !holds(); ) {
    if (Date.now() > deadline) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What the console gets while `act` runs; the SDK keeps the console's function of its load time, so that import comes after this. */
export const lines = [];
console.warn = (line) => lines.push(line);

const SDK = new URL('../obs.js', import.meta.url).href;

/** Runs a program with the SDK in a process of its own, of this runtime. */
export async function program(source, { dsn = '', args = [] } = {}) {
  const text = `import * as obs from '${SDK}';\nconst dsn = '${dsn}';\n${source}`;
  const file = new URL(`./program-${process.pid}-${Math.random().toString(36).slice(2)}.mjs`, import.meta.url);
  const { writeFile, rm } = await import('node:fs/promises');
  await writeFile(file, text);
  try {
    const child = spawn(process.execPath, [file.pathname, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const run = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (run[name] += text));
    [run.status] = await once(child, 'close');
    const quiet = (text) => text.replaceAll(file.pathname, 'program.mjs').replace(/.*ExperimentalWarning.*\n.*--trace-warnings.*\n/, '');
    return { ...run, stdout: quiet(run.stdout), stderr: quiet(run.stderr) };
  } finally {
    await rm(file);
  }
}
