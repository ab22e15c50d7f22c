// A server in front of obs that misbehaves as it is told: it refuses attempts, or never answers. It remembers every attempt.
import { once } from 'node:events';
import { createServer } from 'node:http';

const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'Content-Type, X-OBS-Key',
  'Access-Control-Expose-Headers': 'Retry-After',
};

export class Faulty {
  /** `refusals` are what the first attempts get: `{status, stored}`, or `'silence'`; later ones go through to `obs`. */
  static async start(obs, refusals) {
    const faulty = new Faulty();
    faulty.attempts = [];
    faulty.server = createServer(async (request, response) => {
      if (request.method === 'OPTIONS') return response.writeHead(204, CORS).end();
      let body = '';
      request.setEncoding('utf8');
      for await (const part of request) body += part;
      const refusal = refusals[Math.min(faulty.attempts.length, refusals.length - 1)];
      faulty.attempts.push({ at: Date.now(), event: JSON.parse(body) });
      if (refusal === 'silence') return;
      const key = request.headers['x-obs-key'];
      const answer = refusal === 'pass' || refusal.stored
        ? await fetch(`${obs.origin}/api/events`, { method: 'POST', body, headers: { 'X-OBS-Key': key } })
        : null;
      if (refusal === 'pass') return response.writeHead(answer.status, CORS).end(await answer.text());
      response.writeHead(refusal.status, { ...CORS, 'Retry-After': '1' }).end('{"error":"Not now"}');
    }).listen(0, '127.0.0.1');
    await once(faulty.server, 'listening');
    return faulty;
  }

  get port() {
    return this.server.address().port;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
