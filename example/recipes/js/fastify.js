// Fastify: a scope for each request, once its body is parsed, and what its routes throw.
import fastify from 'fastify';
import * as obs from '@obs/sdk';

obs.init({ dsn: process.env.OBS_DSN });

const app = fastify();
app.addHook('preHandler', (request, reply, done) => obs.withScope({ request }, done));
app.addHook('onError', async (request, reply, error) => {
  if (!(error.statusCode < 500)) obs.captureException(error, { request, handled: false });
});

app.post('/pay', async (request) => {
  await null;
  obs.setUser({ id: request.headers['x-user'] });
  throw new TypeError('Fastify: the card was declined');
});

app.get('/missing', async () => {
  throw Object.assign(new Error('nobody wants to know'), { statusCode: 404 });
});

await app.listen({ port: process.env.PORT, host: '127.0.0.1' });
