// Repeats of the same error: which are held back, when they are sent, and how they are counted.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Server } from './server.js';

// One-minute timers fire when a test calls endMinute. The SDK uses the timers that it saved at load time.
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

test('of ten thousand repeats, a hundred are sent, then the last one with the number of the others', async () => {
  const ids = [];
  for (let n = 0; n < 10_000; n++) ids.push(obs.captureException(new Error('again'), { extra: { n } }));
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, 101);
  assert.deepEqual([server.events[100].suppressed, server.events[100].extra.n], [9899, 9999]);
  assert.ok(server.events.slice(0, 100).every((event) => !('suppressed' in event)));
  assert.equal(ids.filter((id) => id === '').length, 9900);
});

test('a single held event has no suppressed field', async () => {
  repeat(101);
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, 101);
  assert.equal('suppressed' in server.events[100], false);
});

test('a flush keeps the window', async () => {
  repeat(150);
  await obs.flush();
  repeat(50);
  await obs.flush();
  assert.equal(server.events.length, 102);
  assert.equal(counted(), 200);
});

test('the end of the minute sends the held event and starts a new window', async () => {
  repeat(150);
  endMinute();
  repeat(100);
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, 201);
  assert.equal(counted(), 250);
});

test('close sends the held event', async () => {
  repeat(200);
  assert.equal(await obs.close(), true);
  assert.equal(counted(), 200);
});

test('repeats have the same message, type and top frame', async () => {
  repeat(100, 'one');
  repeat(100, 'two');
  const here = () => obs.captureException(new Error('one'));
  const there = () => obs.captureException(new TypeError('one'));
  for (let n = 0; n < 100; n++) here(), there();
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, 400);
});

test('a thousand errors are tracked; the oldest one is sent when it is dropped', async () => {
  repeat(150, 'oldest');
  assert.equal(await obs.flush(), true);
  repeat(20, 'oldest');
  for (let n = 0; n < 1000; n++) obs.captureMessage(`other ${n}`);
  assert.equal(repeat(1, 'oldest')[0] !== '', true);
  assert.equal(await obs.flush(20_000), true);
  assert.equal(counted(), 150 + 20 + 1000 + 1);
});
