// Runs a driver command and speaks the protocol of README.md with it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** How long a driver may run, in milliseconds. */
export const TIMEOUT = 60_000;

/**
 * Returns the `command` of a driver, how it ended and what it printed: `status`, `flushes`, `stdout`, `stderr`, and `took` in
 * milliseconds. A flush is recorded with the result of `count` at that moment.
 */
export async function runCommand(command, scenario, dsn, { waits = [], count = () => null } = {}) {
  const started = Date.now();
  // In its own process group, so that any processes it starts can be killed with it.
  const child = spawn('sh', ['-c', `${command} "$@"`, 'driver', scenario, dsn], { detached: true });
  const run = { command: `${command} ${scenario} ${dsn}`, flushes: [], stdout: '', stderr: '' };
  const timeout = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), TIMEOUT);
  child.stderr.setEncoding('utf8').on('data', (text) => (run.stderr += text));
  child.stdin.on('error', () => {}); // It may exit before reading.
  let waited = 0;
  const lines = createInterface({ input: child.stdout });
  lines.on('line', async (line) => {
    run.stdout += `${line}\n`;
    if (line.startsWith('flush ')) run.flushes.push(flushed(line, count()));
    if (line === 'waiting') {
      try {
        await Promise.all(run.flushes); // A wait may kill the server that these ask.
        await waits[waited++]?.();
        child.stdin.write('\n');
      } catch (error) {
        run.error = error;
        child.stdin.end();
      }
    }
  });
  const [status, signal] = await once(child, 'close');
  clearTimeout(timeout);
  Object.assign(run, { flushes: await Promise.all(run.flushes), status: status ?? signal, took: Date.now() - started });
  if (run.error) throw Object.assign(run.error, { run });
  return run;
}

/** How a run ended, in words. */
export function ending({ status, took }) {
  if (typeof status === 'number') return `exited with status ${status}`;
  return `was killed by ${status} after ${Math.round(took / 1000)} seconds`;
}

/** What a flush returned, and how many events the server had counted by then. */
export async function flushed(line, counting) {
  const counted = await Promise.resolve(counting).catch(() => null); // The server may be down.
  return { answer: line.slice('flush '.length), counted };
}
