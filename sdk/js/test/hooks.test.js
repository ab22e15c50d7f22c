// beforeSend, invalid options and DSNs, repeated init and close.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { eventually, lines, Server } from './server.js';

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

test('beforeSend modifies an event and drops another, which does not count as lost', async () => {
  const beforeSend = (event) => (event.message === 'drop me' ? null : { ...event, message: event.message.replace('secret', 'removed'), extra: { added: 1 } });
  obs.init({ dsn: server.dsn, beforeSend });
  assert.equal(obs.captureMessage('drop me'), '');
  assert.notEqual(obs.captureMessage('the secret word'), '');
  assert.equal(await obs.flush(), true);
  assert.deepEqual(server.events.map(({ message, extra }) => [message, extra]), [['the removed word', { added: 1 }]]);
});

test('beforeSend receives plain data', async () => {
  let seen;
  obs.init({ dsn: server.dsn, beforeSend: (event) => ((seen = event), event) });
  obs.captureMessage('m', 'info', { extra: { get broken() { throw new Error('no'); } } });
  assert.deepEqual(seen.extra, { broken: '[unserialisable: getter]' });
});

test('beforeSend may return a frozen event', async () => {
  obs.init({ dsn: server.dsn, beforeSend: (event) => Object.freeze({ ...event, event_id: 'another', message: 'frozen' }) });
  const id = obs.captureMessage('m');
  assert.equal(await obs.flush(), true);
  assert.deepEqual(server.events.map(({ event_id, message }) => [event_id, message]), [[id, 'frozen']]);
});

for (const [what, beforeSend] of [
  ['throws', () => { throw new Error('the secret'); }],
  ['is asynchronous', async (event) => event],
  ['rejects', async () => { throw new Error('the secret'); }],
  ['returns nothing', () => {}],
]) {
  test(`an event is dropped with one line if beforeSend ${what}`, async () => {
    obs.init({ dsn: server.dsn, beforeSend });
    assert.equal(obs.captureMessage('the secret'), '');
    assert.equal(obs.captureMessage('the secret'), '');
    assert.equal(await obs.flush(), false, 'two events were lost');
    assert.equal(server.events.length, 0);
    assert.equal(lines.length, 1);
    assert.match(lines[0], /^obs: an event was dropped: beforeSend/);
    assert.doesNotMatch(lines[0], /secret/);
  });
}

test('captures in beforeSend and in extra are ignored', async () => {
  obs.init({ dsn: server.dsn, beforeSend: (event) => (obs.captureMessage('again'), event) });
  obs.captureMessage('m', 'info', { extra: { toJSON: () => obs.captureMessage('from the extra') } });
  assert.equal(await obs.flush(), true);
  assert.deepEqual(server.events.map(({ message }) => message), ['m']);
});

for (const [what, dsn] of [
  ['is empty', ''],
  ['is missing', undefined],
  ['is not a string', 7],
  ['has another scheme', 'ftp://secret-key@host'],
  ['has no key', 'http://localhost:8000'],
  ['has an invalid key', 'http://secret:key@localhost:8000'],
  ['has an invalid port', 'http://secret-key@localhost:99999'],
  ['has no host', 'http://secret-key@'],
]) {
  test(`a DSN that ${what} is logged once without its key, and nothing is sent`, async () => {
    obs.init({ dsn });
    assert.equal(obs.captureMessage('nowhere'), '');
    assert.equal(obs.captureException(new Error('nowhere')), '');
    assert.equal(await obs.flush(), false);
    assert.equal(lines.length, 1);
    assert.match(lines[0], /^obs: the dsn must have the form http:/);
    assert.doesNotMatch(lines[0], /secret/);
  });
}

test('init without options is logged', () => {
  obs.init();
  obs.init(null);
  assert.equal(lines.length, 2);
});

test('init with a string is logged without the string', () => {
  obs.init('http://secret-key@host');
  assert.equal(lines.length, 1);
  assert.match(lines[0], /^obs: init takes an object/);
  assert.doesNotMatch(lines[0], /secret/);
});

test('captures before init are dropped with one line, and one flush returns false', async () => {
  const fresh = await import(`../obs.js?${Math.random()}`);
  assert.equal(await fresh.flush(), true);
  assert.equal(fresh.captureMessage('early'), '');
  assert.equal(fresh.captureMessage('early'), '');
  assert.equal(await fresh.flush(), false);
  assert.equal(await fresh.flush(), true);
  assert.deepEqual(lines, ['obs: an event was dropped: init was not called']);
});

test('unknown and invalid options are logged and ignored', async () => {
  obs.init({ dsn: server.dsn, enviroment: 'x', beforeSend: 'not a function', requestTimeout: 'soon', exitTimeout: -1, sourceLines: null });
  obs.captureMessage('m');
  assert.equal(await obs.flush(), true);
  assert.equal(lines.length, 4);
  for (const [index, name] of ['enviroment', 'beforeSend', 'requestTimeout', 'exitTimeout'].entries()) assert.ok(lines[index].includes(name));
});

test('capture options that throw do not affect the caller', async () => {
  obs.init({ dsn: server.dsn });
  assert.equal(obs.captureMessage('m', 'info', { get extra() { throw new Error('no'); } }), '');
  assert.equal(await obs.flush(), false);
  assert.notEqual(obs.captureMessage('m', 'info', null), '');
  assert.equal(await obs.flush(), true);
});

for (const [what, act, pattern] of [
  ['an unknown option of captureException', () => obs.captureException(new Error('m'), { tag: { a: 1 } }), /unknown option tag /],
  ['an unknown option of captureMessage', () => obs.captureMessage('m', 'info', { users: { id: 7 } }), /unknown option users/],
  ['a level in place of the options', () => obs.captureException(new Error('m'), 'warning'), /options/],
  ['an error in place of the options', () => obs.captureException('m', new Error('secret')), /options/],
  ['an unknown level', () => obs.captureMessage('m', 'secret'), /level must be one of error, warning, info/],
  ['a level that is not text', () => obs.captureException(new Error('m'), { level: 7 }), /level must be/],
]) {
  test(`${what} is logged once, and the event is sent`, async () => {
    obs.init({ dsn: server.dsn });
    assert.notEqual(act(), '');
    assert.notEqual(act(), '');
    assert.equal(await obs.flush(), true);
    assert.deepEqual(server.events.map(({ message }) => message), ['m', 'm']);
    assert.equal(lines.length, 1);
    assert.match(lines[0], pattern);
    assert.doesNotMatch(lines[0], /secret/);
  });
}

test('what the SDK knows is not logged', async () => {
  obs.init({ dsn: server.dsn });
  for (const options of [undefined, null, {}, { level: 'warning', extra: 7, fingerprint: ['a'] }, Object.create(null)]) obs.captureException(new Error('m'), options);
  obs.captureMessage('m');
  obs.captureMessage('m', null);
  assert.equal(await obs.flush(), true);
  assert.deepEqual(lines, []);
  assert.deepEqual(server.events.slice(5).map(({ level }) => level), ['info', 'info']);
});

for (const timeout of [{ timeout: 100 }, '100', NaN, null]) {
  test(`flush(${typeof timeout === 'number' ? timeout : JSON.stringify(timeout)}) waits as if it had no argument, and logs that`, async () => {
    obs.init({ dsn: server.dsn });
    obs.captureMessage('m');
    assert.equal(await obs.flush(timeout), true);
    assert.equal(lines.length, 1);
    assert.match(lines[0], /milliseconds/);
  });
}

test('repeated init replaces the settings, and queued events go to their own server', async () => {
  const second = await Server.start();
  obs.init({ dsn: server.dsn, environment: 'one' });
  obs.captureMessage('for the first');
  obs.init({ dsn: second.dsn, environment: 'two' });
  obs.captureMessage('for the second');
  assert.equal(await obs.flush(), true);
  assert.deepEqual([server, second].map(({ events }) => events.map(({ message, environment }) => [message, environment])), [
    [['for the first', 'one']],
    [['for the second', 'two']],
  ]);
  await second.stop();
});

test('events that wait for a server which is down are not lost after another init, and hold up no others', async () => {
  let isDown = true;
  const first = await Server.start(() => ({ status: isDown ? 503 : 201, headers: isDown ? { 'Retry-After': '1' } : {} }));
  obs.init({ dsn: first.dsn });
  obs.captureMessage('for the first');
  await eventually(() => first.events.length);
  obs.init({ dsn: server.dsn });
  obs.captureMessage('for the second');
  await eventually(() => server.events.length);
  assert.equal(await obs.flush(100), false);
  isDown = false;
  assert.equal(await obs.flush(), true);
  assert.deepEqual([first, server].map(({ events }) => [...new Set(events.map(({ message }) => message))]), [['for the first'], ['for the second']]);
  assert.equal(lines.filter((line) => line.includes('will retry')).length, 1);
  await first.stop();
});

test('a copy of the SDK that was not initialised uses the options, context and scopes of the one that was', async () => {
  const [first, copy] = await Promise.all(['first', 'copy'].map((name) => import(`../obs.js?${name}`)));
  first.init({ dsn: server.dsn, environment: 'staging' });
  first.setTag('plan', 'pro');
  first.withScope({ tags: { step: 'pay' } }, () => copy.captureMessage('by the copy'));
  copy.withScope({ tags: { step: 'ship' } }, () => first.captureMessage('by the first'));
  assert.equal((await copy.flush()) && (await first.flush()), true);
  const seen = server.events.map(({ message, environment, tags }) => [message, environment, tags]);
  assert.deepEqual(seen.sort(), [['by the copy', 'staging', { plan: 'pro', step: 'pay' }], ['by the first', 'staging', { plan: 'pro', step: 'ship' }]]);
  await copy.close();
  await first.close();
  assert.equal(copy.captureMessage('closed'), '');
  first.setTag('plan', null);
});

test('captures after close are ignored silently until the next init', async () => {
  obs.init({ dsn: server.dsn });
  obs.captureMessage('before');
  assert.equal(await obs.close(), true);
  assert.equal(obs.captureMessage('after'), '');
  obs.init({ dsn: server.dsn });
  obs.captureMessage('after init');
  await obs.flush();
  assert.deepEqual(server.events.map(({ message }) => message), ['before', 'after init']);
  assert.deepEqual(lines, []);
});
