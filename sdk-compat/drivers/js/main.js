// Runs the JavaScript driver as a command on Node or Bun: main.js SCENARIO DSN
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

// Before Node 20.16 the SDK can read source lines only from the second turn of the event loop, as its README says.
await new Promise(setImmediate);
// Not awaited: `unhandled` never settles, and Bun would wait for it forever.
drive(obs, scenario, dsn, { say: console.log, wait }).then((known) => known === false && (process.exitCode = 64));
