// Runs the JavaScript driver as a command on Node or Bun: main.js SCENARIO DSN
import { once } from 'node:events';
import { createServer } from 'node:http';
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

/** Handles a request with `handle`, as a program's server would. */
async function request(handle) {
  const server = createServer((incoming, response) => {
    handle(incoming);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await fetch(`http://127.0.0.1:${server.address().port}/pay?coupon=1`, { method: 'POST', headers: { 'User-Agent': 'compat/1' } });
  server.close();
}

// Before Node 20.16 the SDK can read source lines only from the second turn of the event loop, as its README says.
await new Promise(setImmediate);
// Not awaited: `unhandled` never settles, and Bun would wait for it forever.
drive(obs, scenario, dsn, { say: console.log, wait, request }).then((known) => known === false && (process.exitCode = 64));
