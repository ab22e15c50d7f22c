// Thrown values that are not plain errors: objects of the platform, events, errors with more than a message.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { lines, Server } from './server.js';

const obs = await import('@obs/sdk');
let server;

beforeEach(async () => {
  server = await Server.start();
  lines.length = 0;
  obs.init({ dsn: server.dsn });
});

afterEach(async () => {
  await obs.close();
  await server.stop();
});

async function sent(value, options) {
  obs.captureException(value, options);
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, 1);
  return server.events[0];
}

const foreign = (source) => runInContext(source, createContext({}));
const error = (fields, message = 'broke') => Object.assign(new Error(message), fields);
const form = new FormData();
form.set('order', '7');

for (const [what, value, type, message, details] of [
  ['an object with a code and a message', { code: 'E42', message: 'boom' }, 'Object', 'boom', { code: 'E42' }],
  ['an object like an error', { name: 'FirebaseError', message: 'no such user', code: 'auth/none', more: { tried: 2 } }, 'FirebaseError', 'no such user', { code: 'auth/none', more: { tried: 2 } }],
  ['an error with a code', error({ code: 'ECONNREFUSED', errno: -111, syscall: 'connect' }), 'Error', 'broke', { code: 'ECONNREFUSED', errno: -111, syscall: 'connect' }],
  ['an error with only a code', error({ code: 'ECONNREFUSED' }, ''), 'Error', 'ECONNREFUSED', { code: 'ECONNREFUSED' }],
  ['an error of axios', error({ name: 'AxiosError', code: 'ERR_BAD_RESPONSE', config: { headers: { Authorization: 'secret' } }, response: { status: 502, data: 'secret' } }), 'AxiosError', 'broke', { status: 502, code: 'ERR_BAD_RESPONSE' }],
  ['an error with a fetched response', error({ name: 'HTTPError', response: new Response('secret', { status: 502 }) }), 'HTTPError', 'broke', { status: 502 }],
  ['an error of another realm', foreign('new RangeError("far")'), 'RangeError', 'far'],
  ['an error of another realm without a stack', foreign('const far = new RangeError("far"); far.stack = undefined; far'), 'RangeError', 'far'],
  ['a map of another realm', foreign('new Map([["a", 1]])'), 'Map', '{"a":1}'],
  ['an error without a stack', error({ stack: undefined }), 'Error', 'broke'],
  ['an event', new Event('error'), 'Event', 'error'],
  ['a message event', new MessageEvent('message', { data: { why: 'disk' } }), 'MessageEvent', 'message: {"data":{"why":"disk"}}'],
  ['an event with an error', Object.assign(new Event('error'), { error: new TypeError('inside') }), 'TypeError', 'inside'],
  ['a request', new Request('https://api.example.com/orders?token=secret', { method: 'POST' }), 'Request', /^\{.*"method":"POST".*"url":"https:\/\/api\.example\.com\/orders"|"url":"https:\/\/api\.example\.com\/orders".*"method":"POST"/],
  ['headers', new Headers({ a: 'b' }), 'Headers', '{"a":"b"}'],
  ['a form', form, 'FormData', '{"order":"7"}'],
  ['a regular expression', /^a+$/i, 'RegExp', '/^a+$/i'],
  ['a date', new Date(0), 'Date', '1970-01-01T00:00:00.000Z'],
  ['a promise', Promise.resolve(7), 'Promise', '[unserialisable: Promise]'],
  ['a string object', new String('boxed'), 'String', 'boxed'],
  ['a set', new Set([1]), 'Set', '[1]'],
  ['bytes', new Uint8Array(3), 'Uint8Array', '[unserialisable: Uint8Array]'],
  ["Node's error for a rejected text", error({ code: 'ERR_UNHANDLED_REJECTION' }, 'This error originated … rejected with the reason "just a text".'), 'string', 'just a text'],
]) {
  test(`${what} is captured with what it says`, async () => {
    const event = await sent(value);
    assert.deepEqual([event.type, event.extra?.error], [type, details]);
    message instanceof RegExp ? assert.match(event.message, message) : assert.equal(event.message, message);
    assert.equal(JSON.stringify(event.extra ?? '').includes('secret') || event.message.includes('secret'), false);
    assert.ok(event.stacktrace.length > 0);
  });
}

test('an event is captured with its target, whose URL loses credentials and query', async () => {
  const socket = Object.assign(new EventTarget(), { url: 'wss://user:secret@live.example/x?token=secret' });
  socket.addEventListener('error', (event) => obs.captureException(event));
  socket.dispatchEvent(new Event('error'));
  assert.equal(await obs.flush(), true);
  assert.equal(server.events[0].message, 'error on EventTarget wss://live.example/x');
});

test('a response is captured with its status', async () => {
  const { type, message } = await sent(new Response('', { status: 502, statusText: 'Bad Gateway' }));
  assert.deepEqual([type, JSON.parse(message).status, JSON.parse(message).statusText], ['Response', 502, 'Bad Gateway']);
});

test('an event that contains itself is captured', async () => {
  const event = new MessageEvent('loop', { data: {} });
  event.data.self = event;
  assert.equal((await sent(event)).message, 'loop: {"data":{"self":"[circular]"}}');
});

test('getters of a class of the program are not called', async () => {
  let calls = 0;
  class Model {
    id = 7;
    get related() {
      return ++calls;
    }
  }
  assert.equal((await sent(new Model())).message, '{"id":7}');
  assert.equal(calls, 0);
});

test("what an error says is in extra, where the program's own values win", async () => {
  const event = await sent(error({ code: 7 }), { extra: { order: 17 } });
  assert.deepEqual(event.extra, { error: { code: 7 }, order: 17 });
  server.events.length = 0;
  assert.deepEqual((await sent(error({ code: 7 }), { extra: { error: 'mine' } })).extra, { error: 'mine' });
});

test('an error without frames of its own gets those of the capture', async () => {
  function theCaller(error) {
    return [obs.captureException(error)];
  }
  const all = await Promise.any([Promise.reject(new Error('a')), Promise.reject(new Error('b'))]).catch((error) => error);
  theCaller(Object.assign(all, { stack: 'AggregateError: All promises were rejected' })); // As it is in Node.
  assert.equal(await obs.flush(), true);
  const [{ stacktrace, causes }] = server.events;
  assert.equal(stacktrace[0].function, 'theCaller');
  assert.deepEqual(causes.map(({ message }) => message), ['a', 'b']);
});

test('what a `using` block suppressed is among the causes', async () => {
  class SuppressedError extends Error {
    error = new Error('on closing');
    suppressed = new Error('in the block');
  }
  assert.deepEqual((await sent(new SuppressedError('both'))).causes.map(({ message }) => message), ['on closing', 'in the block']);
});
