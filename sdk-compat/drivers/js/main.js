// The JavaScript driver as a command, for Node and Bun: main.js SCENARIO DSN
import { createInterface } from 'node:readline';
import * as obs from '../../../sdk/js/obs.js';
import { drive } from './driver.js';

const [scenario, dsn] = process.argv.slice(2);

async function wait() {
  console.log('waiting');
  const lines = createInterface({ input: process.stdin });
  await new Promise((resolve) => lines.once('line', resolve));
  lines.close();
}

// In Node before 20.16 the SDK reads source lines from the second turn on, as its README says.
await new Promise(setImmediate);
// No await for the rest: of what is never settled, as in `unhandled`, Bun would wait for the end.
drive(obs, scenario, dsn, { say: console.log, wait }).then((known) => known === false && (process.exitCode = 64));
