// Values in extra, and how large events are reduced.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Server } from './server.js';

const obs = await import('@obs/sdk');
let server;

before(async () => {
  server = await Server.start();
  obs.init({ dsn: server.dsn });
});

beforeEach(() => {
  server.events.length = server.requests.length = 0;
});

after(async () => {
  await obs.close();
  await server.stop();
});

async function eventWith(extra, message = 'm') {
  assert.notEqual(obs.captureMessage(message, 'info', { extra }), '');
  assert.equal(await obs.flush(), true);
  assert.ok(Buffer.byteLength(server.requests[0].body) <= 1_000_000);
  return server.events[0];
}

const throws = () => {
  throw new Error('no');
};
const cyclic = { name: 'loop' };
cyclic.self = cyclic;
const shared = { once: 1 };

for (const [what, value, expected] of [
  ['bigints', 12345678901234567890n, '12345678901234567890'],
  ['numbers that JSON cannot express', [NaN, Infinity, -Infinity, -0], ['NaN', 'Infinity', '-Infinity', 0]],
  ['functions', function f() {}, '[unserialisable: function]'],
  ['symbols', [Symbol('s')], ['[unserialisable: symbol]']],
  ['undefined in a list', [undefined, 1], [null, 1]],
  ['maps', new Map([['a', 1], [2, 'b']]), { a: 1, 2: 'b' }],
  ['sets', new Set([1, 'b']), [1, 'b']],
  ['dates', new Date(0), '1970-01-01T00:00:00.000Z'],
  ['invalid dates', [new Date(NaN)], [null]],
  ['errors', new TypeError('broken'), { type: 'TypeError', message: 'broken' }],
  ['errors with a code', Object.assign(new TypeError('broken'), { code: 7, config: { key: 'secret' } }), { type: 'TypeError', message: 'broken', code: 7 }],
  ['a response', new Response('', { status: 500, statusText: 'Broken' }), { type: 'default', status: 500, statusText: 'Broken' }],
  ['headers', new Headers({ a: 'b' }), { a: 'b' }],
  ['forms and queries, with repeated names', new URLSearchParams('a=1&b=2&a=3'), { a: ['1', '3'], b: '2' }],
  ['maps whose keys are objects', new Map([[{ a: 1 }, 'x'], [{ a: 2 }, 'y']]), { '{"a":1}': 'x', '{"a":2}': 'y' }],
  ['regular expressions', /^a+$/i, '/^a+$/i'],
  ['promises', Promise.resolve(), '[unserialisable: Promise]'],
  ['boxed values', [new String('s'), Object(7n), new Boolean(false)], ['s', '7', 'false']],
  ['URLs', new URL('http://example.com/?q=1'), 'http://example.com/?q=1'],
  ['events', new MessageEvent('message', { data: 7 }), { type: 'message', data: 7 }],
  ['the global object', globalThis, '[unserialisable: Object]'],
  ['toJSON', { toJSON: () => ({ short: 1n }) }, { short: '1' }],
  ['a toJSON that throws', { toJSON: throws }, '[unserialisable: Object]'],
  ['getters that throw', { get a() { return throws(); }, b: 1 }, { a: '[unserialisable: getter]', b: 1 }],
  ['proxies that throw', new Proxy({}, { ownKeys: throws }), '[unserialisable: Object]'],
  ['bytes', new Uint8Array(3), '[unserialisable: Uint8Array]'],
  ['cycles', cyclic, { name: 'loop', self: '[circular]' }],
  ['repeated references', [shared, shared], [{ once: 1 }, { once: 1 }]],
  ['lone surrogates', { 'k\ud83d': 'v\ude00', whole: '🦀' }, { 'k\ufffd': 'v\ufffd', whole: '🦀' }],
  ['NUL and other control characters', 'a\0b\u001b\u2028', 'a\0b\u001b\u2028'],
]) {
  test(`extra takes ${what}`, async () => {
    assert.deepEqual((await eventWith({ value })).extra.value, expected);
  });
}

test('extra takes blobs, with their size', async () => {
  assert.equal((await eventWith({ value: new Blob(['text']) })).extra.value.size, 4);
});

test('extra takes a key named __proto__', async () => {
  const { extra } = await eventWith(JSON.parse('{"__proto__":{"polluted":true},"ok":1}'));
  assert.deepEqual(Object.keys(extra), ['__proto__', 'ok']);
  assert.equal({}.polluted, undefined);
});

test('extra is replaced beyond 32 levels', async () => {
  let deep = 'bottom';
  for (let n = 0; n < 50_000; n++) deep = { deep };
  let { extra } = await eventWith({ deep });
  for (var depth = 0; extra.deep; depth++) extra = extra.deep;
  assert.equal(extra, '[too deep]');
  assert.equal(depth, 32);
});

test('an endless chain of toJSON ends', async () => {
  const endless = () => ({ toJSON: endless });
  assert.equal((await eventWith({ value: endless() })).extra.value, '[too deep]');
});

test('extra may contain itself', async () => {
  const extra = { ok: 'fine' };
  extra.self = extra;
  assert.deepEqual((await eventWith(extra)).extra, { ok: 'fine', self: '[circular]' });
});

test('null removes a value', async () => {
  assert.deepEqual((await eventWith({ kept: 1, removed: null })).extra, { kept: 1 });
});

test('900 KB of extra arrive unchanged, along with a stack', async () => {
  const blob = 'x'.repeat(900_000);
  obs.captureException(new Error('large'), { extra: { blob } });
  assert.equal(await obs.flush(), true);
  assert.equal(server.events[0].extra.blob, blob);
  assert.ok(server.events[0].stacktrace[0].context_line);
});

test('450,000 small values arrive unchanged', async () => {
  assert.equal((await eventWith({ list: new Array(450_000).fill(0) })).extra.list.length, 450_000);
});

test('in an extra that is too large, long strings are truncated first', async () => {
  const { extra } = await eventWith({ ok: 'fine', blob: 'é'.repeat(3_000_000) });
  assert.deepEqual([extra.ok, extra.blob.length, extra.blob.at(-1)], ['fine', 8192, '…']);
});

test('an extra that is still too large is omitted, and its size given', async () => {
  const { extra } = await eventWith({ list: new Array(200).fill('x'.repeat(10_000)) });
  assert.match(extra.obs, /^extra omitted: 200\d{4} bytes$/);
});

test('endless lists are omitted quickly', async () => {
  const sparse = [];
  sparse.length = 4_000_000_000;
  const wide = new Proxy([], { get: (list, name) => (name === 'length' ? 2 ** 40 : name in list ? list[name] : 0) });
  assert.match((await eventWith({ sparse, wide })).extra.obs, /omitted/);
});

test('source lines, then causes and frames, are removed from an event that is still too large', async () => {
  const stack = Array.from({ length: 100 }, (_, n) => `    at ${'f'.repeat(190)} (/srv/${'漢'.repeat(990)}.js:${n + 1}:1)`).join('\n');
  const error = () => Object.assign(new Error('漢'.repeat(9000)), { stack: `Error\n${stack}` });
  const errors = Array.from({ length: 20 }, error);
  obs.captureException(Object.assign(error(), { cause: errors.reduce((cause, next) => Object.assign(next, { cause })) }));
  assert.equal(await obs.flush(), true);
  const [event] = server.events;
  assert.deepEqual([event.message.length, event.stacktrace.length, 'causes' in event], [8192, 20, false]);
});

test('messages are truncated to 8,192 whole characters', async () => {
  const { message } = await eventWith({}, '🦀'.repeat(10_000));
  assert.deepEqual([Array.from(message).length, message.at(-1), message.includes('\ufffd')], [8192, '…', false]);
  server.events.length = server.requests.length = 0;
  const fits = '🦀'.repeat(8192);
  assert.equal((await eventWith({}, fits)).message, fits);
});
