// A test server that records requests and responds as each test specifies.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';

const CORS = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'Retry-After' };

export class Server {
  /** `answer(nth, event)` returns `{status, headers, body}`, a promise of it, or null for no response. */
  static async start(answer = () => ({ status: 201 }), port = 0) {
    const server = new Server();
    Object.assign(server, { events: [], requests: [], connections: 0 });
    server.http = createServer(async (request, response) => {
      if (request.method === 'OPTIONS') return response.writeHead(204, { ...CORS, 'Access-Control-Allow-Headers': request.headers['access-control-request-headers'] }).end();
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

/** Waits until `holds()` returns true. */
export async function eventually(holds, what = holds) {
  for (const deadline = Date.now() + 10_000; !holds(); ) {
    if (Date.now() > deadline) throw new Error(`timed out waiting for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Lines that the SDK logs. It saves console.warn at load time, so it must be imported after this module. */
export const lines = [];
console.warn = (line) => lines.push(line);

const SDK = new URL('../obs.js', import.meta.url).href;

/** Runs a program that imports the SDK in its own process, with the current runtime. */
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
