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
}

/** After a flush, nothing else counts: the request to a silent server would keep the process alive. */
function exit(known) {
  if (scenario !== 'no-flush') process.exit(known === false ? 64 : 0);
}

// Not awaited: `unhandled` never settles.
drive(Sentry, scenario, dsn, { say: console.log, request }).then(exit);
