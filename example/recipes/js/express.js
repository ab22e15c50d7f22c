// Express: a scope for each request, and what its routes throw.
import express from 'express';
import * as obs from '@obs/sdk';

obs.init({ dsn: process.env.OBS_DSN });

const app = express();
app.use((request, response, next) => obs.withScope({ request }, next)); // before the routes
app.use(express.json());

app.post('/pay', async (request) => {
  await null;
  obs.setUser({ id: request.headers['x-user'] });
  throw new TypeError('Express: the card was declined');
});

app.get('/missing', () => {
  throw Object.assign(new Error('nobody wants to know'), { status: 404 });
});

app.use((error, request, response, next) => { // after the routes
  if (!(error.status < 500)) obs.captureException(error, { request, handled: false });
  next(error);
});

app.listen(process.env.PORT, '127.0.0.1');
