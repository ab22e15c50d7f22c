// The content of events: messages, errors, other values, causes and options.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { lines, Server } from './server.js';

const obs = await import('@obs/sdk');
let server;

beforeEach(async () => {
  server = await Server.start();
  lines.length = 0;
});

afterEach(async () => {
  await obs.close();
  await server.stop();
});

/** Runs `act`, which captures one event, and returns the event. */
async function event(act, options) {
  obs.init({ dsn: server.dsn, ...options });
  const id = act();
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, 1);
  assert.equal(server.events[0].event_id, id);
  return server.events[0];
}

test('a message has level info and neither type nor stack', async () => {
  const sent = await event(() => obs.captureMessage('deploy done'));
  assert.match(sent.event_id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.match(sent.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(Math.abs(Date.parse(sent.timestamp) - parseInt(sent.event_id.replaceAll('-', '').slice(0, 12), 16)) < 5000);
  assert.deepEqual([sent.message, sent.level, sent.platform, sent.sdk.name], ['deploy done', 'info', 'javascript', '@obs/sdk']);
  assert.deepEqual(['type', 'stacktrace', 'environment', 'release', 'extra', 'causes'].filter((name) => name in sent), []);
});

test('events are posted as JSON to /api/events with the key of the DSN', async () => {
  await event(() => obs.captureMessage('hello'));
  const [{ method, url, headers }] = server.requests;
  assert.deepEqual([method, url, headers['content-type'], headers['x-obs-key']], ['POST', '/api/events', 'application/json', 'secret-key']);
});

for (const [what, message, text] of [['an empty string', '', '(empty message)'], ['white space', ' \n', '(empty message)'], ['an object', { code: 7 }, '{"code":7}'], ['an object whose toJSON returns nothing', { toJSON() {} }, '[unserialisable: Object]']]) {
  test(`a message may be ${what}`, async () => assert.equal((await event(() => obs.captureMessage(message))).message, text));
}

test('an error has its class, message and stack', async () => {
  function breaks() {
    throw new RangeError('too far');
  }
  const sent = await event(() => {
    try {
      breaks();
    } catch (error) {
      return obs.captureException(error);
    }
  });
  assert.deepEqual([sent.type, sent.message, sent.level], ['RangeError', 'too far', 'error']);
  assert.equal(sent.stacktrace[0].function, 'breaks');
  assert.match(sent.stacktrace[0].filename, /capture\.test\.js$/);
  assert.equal(sent.stacktrace[0].in_app, true);
  assert.match(sent.stacktrace[0].context_line, /throw new RangeError\('too far'\)/);
  assert.equal(sent.stacktrace[0].pre_context.length, 3);
  assert.equal(sent.stacktrace[0].post_context.length, 3);
});

test('sourceLines: false omits source lines', async () => {
  const sent = await event(() => obs.captureException(new Error('x')), { sourceLines: false });
  assert.equal('context_line' in sent.stacktrace[0], false);
});

class PaymentError extends Error {}
class t extends Error {}
class Renamed extends Error {
  name = 'Other';
}
function revokedFunction() {
  const { proxy, revoke } = Proxy.revocable(() => {}, {});
  revoke();
  return proxy;
}
const named = (error, name) => Object.assign(error, { name });
for (const [what, value, type, message] of [
  ['a custom class', new PaymentError('declined'), 'PaymentError', 'declined'],
  ['a custom class with a name', new Renamed('x'), 'Renamed', 'x'],
  ['a plain Error with a name', named(new Error('x'), 'ValidationError'), 'ValidationError', 'x'],
  ['a minified class with a name', named(new t('x'), 'ValidationError'), 'ValidationError', 'x'],
  ['a DOMException', new DOMException('stop', 'AbortError'), 'AbortError', 'stop'],
  ['an error without a message', new TypeError(), 'TypeError', ''],
  ['a string', 'just a string', 'string', 'just a string'],
  ['a number', 42, 'number', '42'],
  ['a symbol', Symbol('s'), 'symbol', 'Symbol(s)'],
  ['a bigint', 7n, 'bigint', '7'],
  ['undefined', undefined, 'undefined', 'undefined'],
  ['null', null, 'null', 'null'],
  ['an object', { code: 7 }, 'Object', '{"code":7}'],
  ['an object with a message', { message: 'said so' }, 'Object', 'said so'],
  ['an object without a prototype', Object.create(null), 'Object', '{}'],
  ['a function', function later() {}, 'function', 'function later'],
  ['a function whose name is a symbol', Object.defineProperty(() => {}, 'name', { value: Symbol('odd') }), 'function', 'function Symbol(odd)'],
  ['a revoked function', revokedFunction(), 'function', 'function'],
  ['an object whose toJSON returns nothing', { toJSON() {} }, 'Object', '[unserialisable: Object]'],
  ['an error with such an object for a message', named(Object.assign(new Error(), { message: { toJSON() {} } }), 'Odd'), 'Odd', '[unserialisable: Object]'],
]) {
  test(`captureException takes ${what}`, async () => {
    const sent = await event(() => obs.captureException(value));
    assert.deepEqual([sent.type, sent.message], [type, message]);
  });
}

test('a value without a stack gets that of the capture, without frames of the SDK', async () => {
  function theCaller() {
    const ids = [obs.captureException('no stack')]; // A tail call would take this function off the stack in Bun.
    return ids[0];
  }
  const sent = await event(theCaller);
  assert.equal(sent.stacktrace[0].function, 'theCaller');
  assert.ok(sent.stacktrace.every((frame) => !frame.filename.endsWith('obs.js')));
});

test('frames of the SDK are removed even without Error.captureStackTrace', async () => {
  const { captureStackTrace, prepareStackTrace } = Error;
  // The format of Firefox: one line per frame, without a header.
  Error.prepareStackTrace = (_, sites) => sites.map((site) => `${site.getFunctionName() ?? ''}@${site.getFileName()}:${site.getLineNumber()}:${site.getColumnNumber()}`).join('\n');
  const firefox = await import(`../obs.js?${Math.random()}`);
  firefox.init({ dsn: server.dsn });
  function theCaller() {
    return [firefox.captureException('no stack')];
  }
  try {
    Error.captureStackTrace = undefined;
    theCaller();
  } finally {
    Object.assign(Error, { captureStackTrace, prepareStackTrace });
  }
  assert.equal(await firefox.close(), true);
  assert.match(server.events[0].stacktrace[0].filename, /capture\.test\.js$/);
  assert.equal(server.events[0].stacktrace[0].function, 'theCaller');
});

test('values whose properties all throw are captured', async () => {
  const throws = () => {
    throw new Error('no');
  };
  const proxy = new Proxy({}, { get: throws, has: throws, ownKeys: throws, getPrototypeOf: throws, getOwnPropertyDescriptor: throws });
  const revoked = Proxy.revocable([], {});
  revoked.revoke();
  const getters = Object.defineProperties(Object.create(Error.prototype), Object.fromEntries(['message', 'name', 'stack', 'cause', 'constructor'].map((name) => [name, { get: throws }])));
  obs.init({ dsn: server.dsn });
  for (const thing of [proxy, revoked.proxy, getters, Object.assign(new Error('y'), { stack: 7 })]) assert.notEqual(obs.captureException(thing), '');
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, 4);
});

test('causes are listed from the direct cause to the root', async () => {
  const root = new TypeError('root');
  const sent = await event(() => obs.captureException(new Error('outer', { cause: new PaymentError('middle', { cause: root }) })));
  assert.deepEqual(sent.causes.map(({ type, message }) => [type, message]), [['PaymentError', 'middle'], ['TypeError', 'root']]);
  assert.match(sent.causes[1].stacktrace[0].filename, /capture\.test\.js$/);
});

test('the errors of an AggregateError are causes, each followed by its own, before its cause', async () => {
  const all = new AggregateError([new Error('a', { cause: new Error('a1') }), 'b'], 'all', { cause: new Error('c') });
  const sent = await event(() => obs.captureException(all));
  assert.deepEqual(sent.causes.map(({ message }) => message), ['a', 'a1', 'b', 'c']);
});

test('causes may be cyclic, and at most twenty are sent', async () => {
  const [a, b] = [new Error('a'), new Error('b')];
  Object.assign(a, { cause: b });
  Object.assign(b, { cause: a });
  obs.init({ dsn: server.dsn });
  obs.captureException(a);
  obs.captureException(Array.from({ length: 10_000 }).reduce((cause, _, n) => new Error(`n${n}`, { cause }), undefined));
  assert.equal(await obs.flush(), true);
  assert.deepEqual(server.events[0].causes.map(({ message }) => message), ['b']);
  assert.equal(server.events[1].causes.length, 20);
});

test('a long list of errors is limited to twenty causes', async () => {
  const many = new AggregateError(Array.from({ length: 100_000 }, (_, n) => new Error(`e${n}`)), 'all');
  const sent = await event(() => obs.captureException(many));
  assert.deepEqual([sent.causes.length, ...sent.causes.slice(0, 2).map(({ message }) => message)], [20, 'e0', 'e1']);
});

test('what an error calls its errors is not read if it is no list', async () => {
  const endless = (function* () {
    for (;;) yield new Error('endless');
  })();
  assert.equal((await event(() => obs.captureException(Object.assign(new AggregateError([], 'all'), { errors: endless })))).causes, undefined);
});

test('options of init apply to every event, and options of the capture override them', async () => {
  const options = { environment: 'staging', release: '1.2.3', serverName: 'host-7', extra: { app: 'compat', kept: true } };
  const sent = await event(() => obs.captureMessage('m', 'warning', { extra: { app: 'call', n: 1 }, fingerprint: ['a', 'b'] }), options);
  assert.deepEqual([sent.environment, sent.release, sent.server_name, sent.level], ['staging', '1.2.3', 'host-7', 'warning']);
  assert.deepEqual(sent.extra, { app: 'call', kept: true, n: 1 });
  assert.deepEqual(sent.fingerprint, ['a', 'b']);
});

test('captureException takes a level', async () => {
  assert.equal((await event(() => obs.captureException(new Error('x'), { level: 'warning' }))).level, 'warning');
});

test('changes made after a capture do not affect the event', async () => {
  const extra = { state: 'then' };
  const sent = await event(() => {
    const id = obs.captureMessage('m', 'info', { extra });
    extra.state = 'later';
    return id;
  });
  assert.equal(sent.extra.state, 'then');
});
