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

if ((await drive(obs, scenario, dsn, { say: console.log, wait })) === false) process.exitCode = 64;
