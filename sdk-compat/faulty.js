// A proxy in front of obs that refuses the first attempts or never answers, and records every attempt.
import { once } from 'node:events';
import { createServer } from 'node:http';

const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'Content-Type, X-OBS-Key, X-OBS-Age',
  'Access-Control-Expose-Headers': 'Retry-After',
};

export class FaultyProxy {
  /**
   * `behaviors`: what each attempt meets; the last applies to all further ones. `'pass'` forwards to obs, `'silence'` never
   * answers, and `{status, stored}` refuses, after forwarding if `stored`.
   */
  static async start(obs, behaviors) {
    const proxy = new FaultyProxy();
    proxy.attempts = [];
    proxy.server = createServer(async (request, response) => {
      if (request.method === 'OPTIONS') return response.writeHead(204, CORS).end();
      let body = '';
      request.setEncoding('utf8');
      for await (const part of request) body += part;
      const behavior = behaviors[Math.min(proxy.attempts.length, behaviors.length - 1)];
      const age = request.headers['x-obs-age'];
      proxy.attempts.push({ at: Date.now(), age, body });
      if (behavior === 'silence') return;
      const headers = { 'X-OBS-Key': request.headers['x-obs-key'], ...(age && { 'X-OBS-Age': age }) };
      const forward = () => fetch(`${obs.origin}/api/events`, { method: 'POST', body, headers });
      if (behavior === 'pass') {
        const answer = await forward();
        return response.writeHead(answer.status, CORS).end(await answer.text());
      }
      if (behavior.stored) await forward();
      response.writeHead(behavior.status, { ...CORS, 'Retry-After': '1' }).end('{"error":"Not now"}');
    }).listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port() {
    return this.server.address().port;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
