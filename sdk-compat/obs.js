// A real obs with a database of its own: started, killed and started again on the same port, and read over its JSON API.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const KEY = 'compat-key';
const OBS = process.env.OBS_BIN ?? new URL('../target/debug/obs', import.meta.url).pathname;

/** A port that nobody uses; obs gets it by number, so that it can be started on it later, and again. */
export async function freePort() {
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

  async start() {
    const settings = { OBS_API_KEY: KEY, OBS_LISTEN: `127.0.0.1:${this.port}`, OBS_DB_PATH: join(this.folder, 'obs.sqlite') };
    this.process = spawn(OBS, [], { env: settings, stdio: ['ignore', 'ignore', 'pipe'] });
    const [line] = await once(createInterface({ input: this.process.stderr }), 'line');
    if (!line.includes('listening on')) throw new Error(`obs did not start: ${line}`);
  }

  /** Ends it as a crash would. */
  async kill() {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode) return;
    const gone = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await gone;
  }

  async remove() {
    await this.kill();
    await rm(this.folder, { recursive: true });
  }

  async get(path) {
    const answer = await fetch(this.origin + path, { signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
    return answer.headers.get('content-type').includes('json') ? answer.json() : answer.text();
  }

  /** Every item of a paged list. */
  async list(path, name) {
    const items = [];
    for (let after = ''; ; ) {
      const page = await this.get(path + after);
      items.push(...page[name]);
      if (page.next === null) return items;
      after = `?after=${page.next}`;
    }
  }

  issues() {
    return this.list('/api/issues', 'issues');
  }

  /** How many events arrived, with those that clients held back. */
  async count() {
    return (await this.issues()).reduce((sum, issue) => sum + issue.count, 0);
  }

  /** Every stored event, as lists show it, oldest first within its issue. */
  async summaries() {
    const events = [];
    for (const issue of await this.issues()) events.push(...(await this.list(`/api/issues/${issue.id}`, 'events')).reverse());
    return events;
  }

  /** Every stored event with all its fields; for scenarios of a few events. */
  async events() {
    const summaries = await this.summaries();
    return Promise.all(summaries.slice(0, 50).map(({ id }) => this.get(`/api/events/${id}`)));
  }
}
