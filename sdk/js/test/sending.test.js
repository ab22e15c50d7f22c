// Sending: the queue, retries, flush and close.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { eventually, lines, Server } from './server.js';

const obs = await import('@obs/sdk');
const servers = [];

async function start(answer, port) {
  const server = await Server.start(answer, port);
  servers.push(server);
  return server;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const texts = (server) => server.events.map(({ message }) => message);
const numbered = (length) => Array.from({ length }, (_, n) => `message ${n}`);

beforeEach(() => {
  lines.length = 0;
});

afterEach(async () => {
  await obs.close(0);
  for (const server of servers.splice(0)) await server.stop();
});

test('a burst of a thousand events arrives once, in order, over one connection', async () => {
  const server = await start();
  obs.init({ dsn: server.dsn });
  for (const text of numbered(1000)) obs.captureMessage(text);
  assert.equal(await obs.flush(20_000), true);
  assert.deepEqual(texts(server), numbered(1000));
  assert.equal(server.connections, 1);
});

test('the caller continues before the first request is sent', async () => {
  const { fetch } = globalThis;
  const calls = [];
  globalThis.fetch = (...call) => (calls.push('fetch'), fetch(...call));
  const fresh = await import(`../obs.js?${Math.random()}`);
  globalThis.fetch = fetch;
  const server = await start();
  fresh.init({ dsn: server.dsn });
  fresh.captureMessage('m');
  calls.push('the caller');
  assert.equal(await fresh.close(), true);
  assert.deepEqual(calls, ['the caller', 'fetch']);
});

test('the SDK uses the fetch that it saved at load time', async () => {
  const server = await start();
  const { fetch } = globalThis;
  globalThis.fetch = () => assert.fail('a wrapper of fetch must not see the SDK');
  try {
    obs.init({ dsn: server.dsn });
    obs.captureMessage('m');
    assert.equal(await obs.flush(), true);
  } finally {
    globalThis.fetch = fetch;
  }
});

test('the SDK uses the timers that it saved at load time', async () => {
  const server = await start((nth) => ({ status: nth === 1 ? 503 : 201 }));
  const { setTimeout, clearTimeout, setImmediate } = globalThis;
  const real = { setTimeout, clearTimeout, setImmediate };
  const fresh = await import(`../obs.js?${Math.random()}`);
  const calls = [];
  for (const name in real) {
    globalThis[name] = (...call) => {
      if (new Error().stack.split('\n')[2].includes('obs.js')) calls.push(name); // The runtime's fetch uses them too.
      return real[name](...call);
    };
  }
  try {
    fresh.init({ dsn: server.dsn });
    fresh.captureMessage('m');
    await eventually(() => server.events.length === 2);
    assert.equal(await fresh.close(), true);
  } finally {
    Object.assign(globalThis, real);
  }
  assert.deepEqual(calls, []);
});

test('events captured while the server is down arrive once it is up', async () => {
  const port = await freePort();
  obs.init({ dsn: `http://secret-key@127.0.0.1:${port}` });
  for (const text of numbered(10)) obs.captureMessage(text);
  assert.equal(await obs.flush(300), false);
  const server = await start(undefined, port);
  assert.equal(await obs.flush(), true);
  assert.deepEqual(texts(server), numbered(10));
  assert.equal(lines.length, 1);
  assert.match(lines[0], /^obs: cannot send events to http:\/\/127\.0\.0\.1:\d+\/api\/events, will retry: no response$/);
  assert.doesNotMatch(lines[0], /secret|message/);
});

test('every attempt says how many seconds ago the event was captured', async () => {
  const server = await start((nth) => ({ status: nth < 3 ? 503 : 201, headers: nth === 1 ? { 'Retry-After': '1' } : {} }));
  obs.init({ dsn: server.dsn });
  obs.captureMessage('m');
  assert.equal(await obs.flush(10_000), true);
  const ages = server.requests.map(({ headers }) => Number(headers['x-obs-age']));
  assert.ok(ages[0] >= 0 && ages[0] < 0.9, `${ages}`);
  assert.ok(ages[1] > ages[0] + 0.9 && ages[2] > ages[1] && ages[2] < 60, `${ages}`);
});

test('an event that was held back is as old as its capture', async () => {
  const server = await start();
  obs.init({ dsn: server.dsn });
  for (let n = 0; n < 101; n++) obs.captureMessage('again');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.equal(await obs.flush(10_000), true);
  assert.ok(server.requests[100].headers['x-obs-age'] >= 1);
});

for (const [what, jump] of [['set back', -3_600_000], ['set forward, or the machine slept', 3_600_000]]) {
  test(`an event does not become younger if the clock is ${what}`, async () => {
    let isDown = true;
    const server = await start(() => ({ status: isDown ? 503 : 201 }));
    obs.init({ dsn: server.dsn });
    obs.captureMessage('m');
    assert.equal(await obs.flush(1000), false);
    const { now } = Date;
    Date.now = () => now() + jump;
    isDown = false;
    try {
      assert.equal(await obs.flush(), true);
    } finally {
      Date.now = now;
    }
    const age = Number(server.requests.at(-1).headers['x-obs-age']);
    assert.ok(jump > 0 ? age > 3600 : age >= 0.9 && age < 60, `${age}`);
  });
}

test('events are retried in the background without a flush', async () => {
  const server = await start((nth) => ({ status: nth < 3 ? 503 : 201 }));
  obs.init({ dsn: server.dsn });
  obs.captureMessage('m');
  await eventually(() => server.events.length === 3);
  assert.equal(new Set(server.events.map((event) => event.event_id)).size, 1);
  assert.equal(await obs.flush(), true);
});

for (const status of [408, 429, 502, 503, 504]) {
  test(`${status} is retried many times with the same id`, async () => {
    const server = await start((nth) => ({ status: nth < 13 ? status : 201 }));
    obs.init({ dsn: server.dsn });
    obs.captureMessage('m');
    for (let tries = 0; !(await obs.flush(200)); tries++) assert.ok(tries < 100);
    assert.equal(server.events.length, 13);
    assert.equal(new Set(server.events.map((event) => event.event_id)).size, 1);
  });
}

test('an event is dropped after ten responses with 500', async () => {
  const server = await start(() => ({ status: 500 }));
  obs.init({ dsn: server.dsn });
  obs.captureMessage('m');
  for (let tries = 0; server.events.length < 10; tries++) {
    assert.ok(tries < 100);
    await obs.flush(200);
  }
  await eventually(() => lines.some((line) => line.includes('answered 500')));
  assert.equal(server.events.length, 10);
});

for (const status of [400, 401, 403, 404, 413, 302]) {
  test(`${status} is not retried: one flush returns false, and the next event is sent`, async () => {
    const server = await start((nth) => ({ status: nth === 1 ? status : 201, headers: { Location: '/elsewhere' }, body: '{"error":"Not this"}' }));
    obs.init({ dsn: server.dsn });
    obs.captureMessage('unwanted');
    assert.equal(await obs.flush(), false);
    obs.captureMessage('wanted');
    assert.equal(await obs.flush(), true);
    assert.deepEqual(texts(server), ['unwanted', 'wanted']);
    assert.equal(lines.length, 1);
    assert.match(lines[0], new RegExp(`an event was dropped: .* answered ${status} \\(Not this\\)$`));
    assert.doesNotMatch(lines[0], /secret|unwanted/);
  });
}

test('a wrong key is logged once, not once per event', async () => {
  const server = await start(() => ({ status: 401, body: '{"error":"Invalid API key"}' }));
  obs.init({ dsn: server.dsn });
  for (const text of numbered(20)) obs.captureMessage(text);
  assert.equal(await obs.flush(), false);
  assert.equal(server.events.length, 20);
  assert.equal(lines.length, 1);
});

for (const [format, header] of [['seconds', () => '1'], ['a date', () => new Date(Date.now() + 2000).toUTCString()]]) {
  test(`Retry-After as ${format} is honoured by flush`, async () => {
    const at = [];
    const server = await start((nth) => (at.push(performance.now()), nth === 1 ? { status: 429, headers: { 'Retry-After': header() } } : { status: 201 }));
    obs.init({ dsn: server.dsn });
    obs.captureMessage('m');
    assert.equal(await obs.flush(200), false);
    assert.equal(await obs.flush(10_000), true);
    assert.ok(at[1] - at[0] > 900, `${at[1] - at[0]} ms`);
  });
}

test('flush times out if the server does not respond, and the event is retried', async () => {
  const server = await start((nth) => (nth === 1 ? null : { status: 201 }));
  obs.init({ dsn: server.dsn, requestTimeout: 800 });
  obs.captureMessage('m');
  const started = performance.now();
  assert.equal(await obs.flush(300), false);
  assert.ok(performance.now() - started < 2000);
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, 2);
});

test('a response that breaks off after its status counts', async () => {
  const server = await start(() => ({ status: 201, headers: { 'Content-Length': '1000' }, body: '{' }));
  obs.init({ dsn: server.dsn, requestTimeout: 300 });
  obs.captureMessage('m');
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, 1);
});

test('the queue holds 2,048 events; new events are dropped with one line', async () => {
  const open = [];
  const server = await start((nth) => (nth === 1 ? new Promise((resolve) => open.push(resolve)) : { status: 201 }));
  obs.init({ dsn: server.dsn });
  const ids = numbered(2100).map((text) => obs.captureMessage(text));
  assert.equal(ids.filter((id) => id !== '').length, 2048);
  assert.deepEqual(ids.slice(2048), new Array(52).fill(''));
  assert.deepEqual(lines, ['obs: an event was dropped: the queue is full']);
  await eventually(() => open.length === 1);
  open[0]({ status: 201 });
  assert.equal(await obs.flush(30_000), false);
  assert.deepEqual(texts(server), numbered(2048));
  obs.captureMessage('there is room again');
  assert.equal(await obs.flush(), true);
});

test('the queue holds 8 MiB', async () => {
  const server = await start();
  obs.init({ dsn: server.dsn });
  const blob = 'é'.repeat(450_000);
  const ids = numbered(12).map((text) => obs.captureMessage(text, 'info', { extra: { blob } }));
  assert.equal(ids.filter((id) => id !== '').length, 9);
  assert.equal(await obs.flush(), false);
});

test('flush may be called repeatedly, concurrently and with an empty queue', async () => {
  const server = await start();
  obs.init({ dsn: server.dsn });
  assert.deepEqual([await obs.flush(), await obs.flush(0)], [true, true]);
  obs.captureMessage('first');
  assert.deepEqual(await Promise.all([obs.flush(), obs.flush()]), [true, true]);
  obs.captureMessage('second');
  await obs.flush(0); // May return either.
  assert.equal(await obs.flush(Infinity), true);
  assert.deepEqual(texts(server), ['first', 'second']);
});

test('concurrent flushes all report a loss', async () => {
  const server = await start(() => ({ status: 401 }));
  obs.init({ dsn: server.dsn });
  obs.captureMessage('unwanted');
  assert.deepEqual(await Promise.all([obs.flush(), obs.flush()]), [false, false]);
  assert.equal(await obs.flush(), true);
});

test('a flush reports events given up by a concurrent close', async () => {
  const server = await start(() => null);
  obs.init({ dsn: server.dsn });
  obs.captureMessage('m');
  const flushed = obs.flush(30_000);
  assert.equal(await obs.close(200), false);
  assert.equal(await flushed, false);
});

test('captures are ignored while close waits', async () => {
  const open = [];
  const server = await start(() => new Promise((resolve) => open.push(resolve)));
  obs.init({ dsn: server.dsn });
  obs.captureMessage('before');
  await eventually(() => open.length === 1);
  const closed = obs.close();
  assert.equal(obs.captureMessage('meanwhile'), '');
  open[0]({ status: 201 });
  assert.equal(await closed, false, 'one was lost');
  assert.deepEqual([texts(server), lines], [['before'], []]);
});

test('close gives up events when its timeout expires', async () => {
  const server = await start(() => null);
  obs.init({ dsn: server.dsn });
  obs.captureMessage('m');
  const started = performance.now();
  assert.equal(await obs.close(200), false);
  assert.ok(performance.now() - started < 2000);
  assert.equal(await obs.flush(), true);
});

for (const [path, folder] of [['', ''], ['/', ''], ['/1', ''], ['/obs', '/obs'], ['/obs/', '/obs'], ['/obs/1', '/obs'], ['/obs/1/', '/obs'], ['/a/7/8?and=more', '/a/7']]) {
  test(`with the path ${path || 'left out'}, a DSN sends to ${folder}/api/events`, async () => {
    const server = await start();
    obs.init({ dsn: `${server.dsn.replace(/\/1$/, '')}${path}` });
    obs.captureMessage('m');
    assert.equal(await obs.flush(), true);
    assert.equal(server.requests[0].url, `${folder}/api/events`);
  });
}

test('a DSN may have an IPv6 host', async () => {
  obs.init({ dsn: 'http://secret-key@[::1]:1' });
  obs.captureMessage('m');
  await obs.flush(1000);
  assert.match(lines[0], /^obs: cannot send events to http:\/\/\[::1\]:1\/api\/events, will retry/);
});
