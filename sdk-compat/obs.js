// A real obs with its own database. It can be killed and restarted on the same port, and is read through its JSON API.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KEY = 'compat_key'; // Sentry's JavaScript SDKs accept no hyphen.
const START_TIMEOUT = 20_000; // Milliseconds.
const OBS = process.env.OBS_BIN ?? new URL('../target/debug/obs', import.meta.url).pathname;

/** Returns an unused port. obs gets a fixed number, so that it can start late and restart under the same DSN. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class Obs {
  static async create() {
    const obs = new Obs();
    obs.folder = await mkdtemp(join(tmpdir(), 'obs-compat-'));
    obs.port = await freePort();
    return obs;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  get dsn() {
    return `http://${KEY}@127.0.0.1:${this.port}`;
  }

  /** Throws, with what the server printed, if it does not start. */
  async start() {
    const settings = { OBS_API_KEY: KEY, OBS_LISTEN: `127.0.0.1:${this.port}`, OBS_DB_PATH: join(this.folder, 'obs.sqlite') };
    this.process = spawn(OBS, [], { env: settings, stdio: ['ignore', 'ignore', 'pipe'] });
    let printed = '';
    let timer;
    try {
      await new Promise((resolve, reject) => {
        const fail = (why) => reject(new Error(`${OBS} did not start: ${why}\n${printed}`.trimEnd()));
        this.process.once('error', ({ message }) => fail(message));
        this.process.once('close', (status, signal) => fail(`it ended with ${signal ?? `status ${status}`}`));
        this.process.stderr.setEncoding('utf8').on('data', (text) => {
          printed += text;
          if (printed.includes('listening on')) resolve();
        });
        timer = setTimeout(fail, START_TIMEOUT, `it said nothing about listening for ${START_TIMEOUT / 1000} seconds`);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Kills the server, as a crash would. */
  async kill() {
    if (!this.process?.pid || this.process.exitCode !== null || this.process.signalCode) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }

  async remove() {
    await this.kill();
    await rm(this.folder, { recursive: true });
  }

  async get(path) {
    const response = await fetch(this.origin + path, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`${path} was answered ${response.status}`);
    return response.headers.get('content-type').includes('json') ? response.json() : response.text();
  }

  /** Returns every item of a paged list. */
  async list(path, name) {
    const items = [];
    for (let after = ''; ; ) {
      const page = await this.get(`${path}?q=is:any${after}`);
      items.push(...page[name]);
      if (page.next === null) return items;
      after = `&after=${page.next}`;
    }
  }

  /** Resolves every issue of a server that is down. Meanwhile it runs on another port, where no client reaches it. */
  async resolveAllUnreached() {
    const { port } = this;
    this.port = await freePort();
    await this.start();
    for (const { id } of await this.issues()) {
      const response = await fetch(`${this.origin}/api/issues/${id}`, { method: 'PATCH', body: '{"state":"resolved"}' });
      if (!response.ok) throw new Error(`the issue was not resolved: ${response.status}`);
    }
    await this.kill();
    this.port = port;
  }

  issues() {
    return this.list('/api/issues', 'issues');
  }

  /** The number of events counted, including those that clients held back. */
  async count() {
    return (await this.issues()).reduce((sum, issue) => sum + issue.count, 0);
  }

  /** Every stored event as lists show it, oldest first within its issue. */
  async summaries() {
    const events = [];
    for (const issue of await this.issues()) events.push(...(await this.list(`/api/issues/${issue.id}`, 'events')).reverse());
    return events;
  }

  /** The stored events with all their fields; 50 at most, enough for all scenarios that use this. */
  async events() {
    const summaries = await this.summaries();
    return Promise.all(summaries.slice(0, 50).map(({ id }) => this.get(`/api/events/${id}`)));
  }
}
