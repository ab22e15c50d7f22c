// Starts a real obs on a free port, with its own database, for the browser tests.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const KEY = 'test123';

/** `env` and `listen` replace the defaults; `events` are imported first. */
export async function start({ env = {}, listen = 'localhost:0', events } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'obs-browser-'));
  if (events) execFileSync(process.env.OBS_BIN, ['import', '-', '--db', join(folder, 'obs.sqlite')], { input: events, stdio: 'pipe' });
  const child = spawn(process.env.OBS_BIN, ['--listen', listen, '--db', join(folder, 'obs.sqlite')], {
    env: { OBS_API_KEY: KEY, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [banner] = await once(createInterface({ input: child.stderr }), 'line');
  const origin = `http://localhost:${/listening on http:\/\/\S+?:(\d+)/.exec(banner)[1]}`;
  return {
    origin,
    /** Sends an event that must be accepted; returns its id. */
    async send(event) {
      const answer = await fetch(`${origin}/api/events`, { method: 'POST', headers: { 'X-OBS-Key': KEY }, body: JSON.stringify(event) });
      assert.equal(answer.status, 201);
      return (await answer.json()).id;
    },
    /** Reads from the JSON API. */
    async read(path) {
      return (await fetch(origin + path)).json();
    },
    async stop() {
      child.kill();
      await once(child, 'exit');
      await rm(folder, { recursive: true });
    },
  };
}
