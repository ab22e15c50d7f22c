// Runs the driver as a command on Node: main.js SCENARIO DSN
import * as Sentry from '@sentry/node';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { drive } from './driver.js';

const [scenario, dsn] = process.argv.slice(2);

/** Handles a request with `handle`, as a program's server would. */
async function request(handle) {
  const server = createServer((_, response) => {
    handle();
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await fetch(`http://127.0.0.1:${server.address().port}/pay?coupon=1`, { method: 'POST', headers: { 'User-Agent': 'compat/1' } });
  server.close();
}

// Not awaited: `unhandled` never settles.
drive(Sentry, scenario, dsn, { say: console.log, request }).then((known) => known === false && (process.exitCode = 64));
