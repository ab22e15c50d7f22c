// Runs a driver that is a command, and speaks the protocol of README.md with it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export const LIMIT = 60_000; // ms

/**
 * What a driver said and how it ended: `status`, `flushes`, `stdout`, `stderr`, `took` in ms. Of each flush it is noted what it
 * answered and what `count` found on the server right then: accepted means stored.
 */
export async function runCommand(command, scenario, dsn, { waits = [], count = () => null } = {}) {
  const started = Date.now();
  // A group of its own, so that a driver that starts others can be ended with them.
  const child = spawn('sh', ['-c', `${command} "$@"`, 'driver', scenario, dsn], { detached: true });
  const run = { flushes: [], stdout: '', stderr: '' };
  const limit = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), LIMIT);
  child.stderr.setEncoding('utf8').on('data', (text) => (run.stderr += text));
  child.stdin.on('error', () => {}); // It may end without having read.
  let waited = 0;
  const lines = createInterface({ input: child.stdout });
  lines.on('line', async (line) => {
    run.stdout += `${line}\n`;
    if (line.startsWith('flush ')) run.flushes.push(noted(line, count()));
    if (line === 'waiting') {
      try {
        await waits[waited++]?.();
        child.stdin.write('\n');
      } catch (error) {
        run.trouble = error;
        child.stdin.end();
      }
    }
  });
  const [status, signal] = await once(child, 'close');
  clearTimeout(limit);
  if (run.trouble) throw run.trouble;
  const took = Date.now() - started;
  return { ...run, flushes: await Promise.all(run.flushes), status: status ?? signal, took };
}

/** A flush's answer, and how many events were counted then. */
export async function noted(line, counting) {
  const counted = await Promise.resolve(counting).catch(() => null); // The server may be down.
  return { answer: line.slice('flush '.length), counted };
}
