// Runs a driver that is a command, and speaks the protocol of README.md with it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const LIMIT = 60_000;

/** What a driver said and how it ended: `status`, `flushes` (what each flush answered), `stdout`, `stderr`, `took` in ms. */
export async function runCommand(command, scenario, dsn, waits = []) {
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
    if (line.startsWith('flush ')) run.flushes.push(line === 'flush true');
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
  return { ...run, status: status ?? signal, took: Date.now() - started };
}
