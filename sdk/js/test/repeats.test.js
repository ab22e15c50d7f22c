// The same error again and again: what is held back, when it goes out, and how it is counted.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Server } from './server.js';

// Timers of a minute wait until the test ends the minute. The SDK keeps the functions of its load time.
const minutes = new Set();
const { setTimeout, clearTimeout } = globalThis;
globalThis.setTimeout = (act, wait, ...values) => (wait === 60_000 ? minutes.add(act) && act : setTimeout(act, wait, ...values));
globalThis.clearTimeout = (timer) => minutes.delete(timer) || clearTimeout(timer);
const obs = await import('../obs.js?minutes');
Object.assign(globalThis, { setTimeout, clearTimeout });
let server;

beforeEach(async () => {
  server = await Server.start();
  obs.init({ dsn: server.dsn });
});

afterEach(async () => {
  endMinute();
  await obs.close();
  await server.stop();
});

const endMinute = () => minutes.forEach((end) => end());
const repeat = (times, text = 'again') => Array.from({ length: times }, (_, n) => obs.captureMessage(text, 'info', { extra: { n } }));
const counted = () => server.events.reduce((sum, { suppressed = 0 }) => sum + 1 + suppressed, 0);

test('of ten thousand equal errors a hundred go out, then the last one, with the number of the others', async () => {
  const ids = [];
  for (let n = 0; n < 10_000; n++) ids.push(obs.captureException(new Error('again'), { extra: { n } }));
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, 101);
  assert.deepEqual([server.events[100].suppressed, server.events[100].extra.n], [9899, 9999]);
  assert.ok(server.events.slice(0, 100).every((event) => !('suppressed' in event)));
  assert.equal(ids.filter((id) => id === '').length, 9900);
});

test('the 101st alone goes out without a number', async () => {
  repeat(101);
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, 101);
  assert.equal('suppressed' in server.events[100], false);
});

test('after a flush the holding goes on', async () => {
  repeat(150);
  await obs.flush();
  repeat(50);
  await obs.flush();
  assert.equal(server.events.length, 102);
  assert.equal(counted(), 200);
});

test('the end of the minute sends what is held, and begins anew', async () => {
  repeat(150);
  endMinute();
  repeat(100);
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, 201);
  assert.equal(counted(), 250);
});

test('close sends what is held', async () => {
  repeat(200);
  assert.equal(await obs.close(), true);
  assert.equal(counted(), 200);
});

test('another message, type or place is another error', async () => {
  repeat(100, 'one');
  repeat(100, 'two');
  const here = () => obs.captureException(new Error('one'));
  const there = () => obs.captureException(new TypeError('one'));
  for (let n = 0; n < 100; n++) here(), there();
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, 400);
});

test('a thousand kinds are remembered; what the oldest held goes out when it is forgotten', async () => {
  repeat(150, 'oldest');
  assert.equal(await obs.flush(), true);
  repeat(20, 'oldest');
  for (let n = 0; n < 1000; n++) obs.captureMessage(`kind ${n}`);
  assert.equal(repeat(1, 'oldest')[0] !== '', true);
  assert.equal(await obs.flush(20_000), true);
  assert.equal(counted(), 150 + 20 + 1000 + 1);
});
