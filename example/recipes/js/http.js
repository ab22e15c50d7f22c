// A server with node:http alone: each request has its own scope, and what a handler throws is reported.
import { createServer } from 'node:http';
import * as obs from '@obs/sdk';

obs.init({ dsn: process.env.OBS_DSN });

async function handle(request, response) {
  await null;
  obs.setUser({ id: request.headers['x-user'] });
  throw new TypeError('node:http: the card was declined');
}

const server = createServer((request, response) => obs.withScope({ request }, async () => {
  try {
    await handle(request, response);
  } catch (error) {
    obs.captureException(error, { handled: false });
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}));

server.listen(process.env.PORT, '127.0.0.1');
