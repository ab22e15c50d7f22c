// What events say about the user, the request and what happened before, and how scopes keep it apart.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lines, Server } from './server.js';

let obs, server;

beforeEach(async () => {
  server = await Server.start();
  lines.length = 0;
  delete globalThis[Symbol.for('@obs/sdk')]; // The context of the other copies.
  obs = await import(`../obs.js?${Math.random()}`);
  obs.init({ dsn: server.dsn, captureUnhandled: false });
});

afterEach(async () => {
  await obs.close();
  await server.stop();
});

/** Returns the events in the order of their messages. */
async function events() {
  assert.equal(await obs.flush(), true);
  return server.events.sort((a, b) => (a.message < b.message ? -1 : 1));
}

test('user, tags and extra are in all later events, also if they were set before init', async () => {
  await obs.close();
  obs.setUser({ id: 7, email: 'ann@example.com' });
  obs.init({ dsn: server.dsn, extra: { region: 'eu', kept: true } });
  obs.setTag('plan', 'pro');
  obs.setTags({ beta: true, version: 3 });
  obs.setExtra('region', 'us');
  obs.captureMessage('a');
  obs.captureException(new Error('b'));
  for (const { user, tags, extra } of await events()) {
    assert.deepEqual(user, { id: 7, email: 'ann@example.com' });
    assert.deepEqual(tags, { plan: 'pro', beta: true, version: 3 });
    assert.deepEqual(extra, { region: 'us', kept: true });
  }
});

test('what a capture says wins over its scope, which wins over the client', async () => {
  obs.setUser({ id: 1 });
  obs.setTags({ a: 'client', b: 'client', c: 'client' });
  obs.setExtra('from', 'client');
  obs.withScope({ user: { id: 2 }, tags: { b: 'scope', c: 'scope' }, extra: { from: 'scope' } }, () => {
    obs.captureMessage('a', 'info', { user: { id: 3 }, tags: { c: 'capture' }, extra: { from: 'capture' } });
    obs.captureMessage('b', { level: 'warning' });
  });
  obs.captureMessage('c');
  const said = (await events()).map(({ user, tags, extra, level }) => [user.id, tags, extra.from, level]);
  assert.deepEqual(said, [
    [3, { a: 'client', b: 'scope', c: 'capture' }, 'capture', 'info'],
    [2, { a: 'client', b: 'scope', c: 'scope' }, 'scope', 'warning'],
    [1, { a: 'client', b: 'client', c: 'client' }, 'client', 'info'],
  ]);
});

test('null removes: everywhere, in a scope, or for one event', async () => {
  obs.setUser({ id: 1 });
  obs.setTags({ a: 1, b: 2 });
  obs.withScope({ user: null, tags: { a: null } }, () => obs.captureMessage('a'));
  obs.captureMessage('b', 'info', { user: null, tags: { b: null } });
  obs.setUser(null);
  obs.setTags({ a: null, b: null });
  obs.captureMessage('c');
  assert.deepEqual((await events()).map(({ user, tags }) => [user, tags]), [[undefined, { b: 2 }], [undefined, { a: 1 }], [undefined, undefined]]);
});

test('objects may change after they were set', async () => {
  const user = { id: 7, roles: ['admin'] };
  obs.setUser(user);
  user.roles.push('later');
  obs.captureMessage('a');
  assert.deepEqual((await events())[0].user, { id: 7, roles: ['admin'] });
});

test('concurrent scopes do not see each other, whatever they await', async () => {
  const handle = (id) =>
    obs.withScope({ tags: { id } }, async () => {
      await sleep(Math.random() * 20);
      obs.setUser({ id });
      obs.addBreadcrumb({ message: `crumb ${id}` });
      await sleep(Math.random() * 20);
      await Promise.all([1, 2].map(async () => obs.captureMessage(`request ${id}`)));
      return id;
    });
  const ids = Array.from({ length: 30 }, (_, n) => n);
  assert.deepEqual(await Promise.all(ids.map(handle)), ids);
  obs.captureMessage('after');
  const [after, ...others] = await events();
  assert.deepEqual([after.user, after.tags, after.breadcrumbs], [undefined, undefined, undefined]);
  assert.equal(others.length, 60);
  for (const { message, user, tags, breadcrumbs } of others) {
    assert.deepEqual([message, tags, breadcrumbs.map((crumb) => crumb.message)], [`request ${user.id}`, { id: user.id }, [`crumb ${user.id}`]]);
  }
});

test('without AsyncLocalStorage, a scope ends with the synchronous part of its function, even if that throws', async () => {
  const { getBuiltinModule } = process;
  process.getBuiltinModule = () => undefined;
  const page = await import(`../obs.js?${Math.random()}`);
  process.getBuiltinModule = getBuiltinModule;
  page.init({ dsn: server.dsn, captureUnhandled: false });
  assert.throws(() => page.withScope({ tags: { inside: true } }, () => {
    page.captureMessage('a');
    throw new Error('passed through');
  }), /passed through/);
  page.captureMessage('b');
  assert.equal(await page.close(), true);
  assert.deepEqual(server.events.map(({ tags }) => tags), [{ inside: true }, undefined]);
});

test('the last fifty breadcrumbs are sent, oldest first, with a timestamp', async () => {
  for (let n = 0; n < 60; n++) obs.addBreadcrumb({ category: 'loop', message: `crumb ${n}`, level: 'info', data: { n } });
  obs.captureMessage('a');
  const [{ breadcrumbs }] = await events();
  assert.deepEqual(breadcrumbs.map(({ message }) => message), Array.from({ length: 50 }, (_, n) => `crumb ${n + 10}`));
  assert.match(breadcrumbs[0].timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual({ ...breadcrumbs[0], timestamp: '' }, { category: 'loop', message: 'crumb 10', level: 'info', data: { n: 10 }, timestamp: '' });
});

test('a breadcrumb may be odd, and keeps its own timestamp', async () => {
  const data = { get broken() { throw new Error('no'); } };
  data.self = data;
  obs.addBreadcrumb({ data, timestamp: new Date(0) });
  obs.addBreadcrumb('just text');
  obs.addBreadcrumb(new Proxy({}, { ownKeys() { throw new Error('no'); } }));
  obs.captureMessage('a');
  const [{ breadcrumbs }] = await events();
  assert.deepEqual(breadcrumbs[0], { data: { broken: '[unserialisable: getter]', self: '[circular]' }, timestamp: '1970-01-01T00:00:00.000Z' });
  assert.deepEqual(breadcrumbs.map(({ message }) => message), [undefined, 'just text', '[unserialisable: Object]']);
});

test('breadcrumbs are removed from an event that is too large', async () => {
  for (let n = 0; n < 50; n++) obs.addBreadcrumb({ data: new Array(20).fill('x'.repeat(8000)) });
  obs.captureMessage('a');
  const [event] = await events();
  assert.deepEqual([event.message, event.breadcrumbs], ['a', undefined]);
});

test('a request of node:http is sent without its body and without headers that carry secrets', async () => {
  const secret = ['Authorization', 'Proxy-Authorization', 'Cookie', 'Set-Cookie', 'X-CSRF-Token', 'X-XSRF-TOKEN', 'X-Auth', 'X-Api-Key', 'APIKEY', 'X-Session-Id', 'X-Client-Secret', 'My-Password', 'Aws-Credential'];
  const http = createServer((request, response) => obs.withScope({ request }, async () => {
    await sleep(1);
    obs.captureMessage('a');
    response.end();
  })).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address();
  const headers = { ...Object.fromEntries(secret.map((name) => [name, 'hidden'])), 'User-Agent': 'test/1', 'X-Request-Id': 'r-7' };
  await fetch(`http://127.0.0.1:${port}/pay?coupon=1&a=b?c`, { method: 'POST', headers, body: 'hidden' });
  http.close();
  const [{ request }] = await events();
  assert.deepEqual([request.method, request.url, request.query_string], ['POST', `http://127.0.0.1:${port}/pay`, 'coupon=1&a=b?c']);
  assert.deepEqual([request.headers['user-agent'], request.headers['x-request-id']], ['test/1', 'r-7']);
  assert.equal(server.requests[0].body.includes('hidden'), false);
});

for (const [what, request, expected] of [
  ['of fetch', new Request('https://shop.example/pay?coupon=1', { method: 'PUT', headers: { cookie: 'secret', accept: 'text/html' } }), { method: 'PUT', url: 'https://shop.example/pay', query_string: 'coupon=1', headers: { accept: 'text/html' } }],
  ['of Express below a path', { method: 'GET', url: '/7', originalUrl: '/orders/7', protocol: 'https', headers: { host: 'shop.example' } }, { method: 'GET', url: 'https://shop.example/orders/7', headers: { host: 'shop.example' } }],
  ['of Next.js', { method: 'GET', path: '/orders?page=2', headers: { 'x-token': 'secret' } }, { method: 'GET', url: '/orders', query_string: 'page=2', headers: {} }],
  ["in Sentry's form", { method: 'GET', url: 'https://shop.example/', query_string: 'a=1', headers: { accept: '*/*' } }, { method: 'GET', url: 'https://shop.example/', query_string: 'a=1', headers: { accept: '*/*' } }],
]) {
  test(`a request ${what} is described`, async () => {
    obs.captureMessage('a', 'info', { request });
    assert.deepEqual((await events())[0].request, expected);
  });
}

test('context that is odd never throws into the program', async () => {
  const throws = () => { throw new Error('no'); };
  const odd = [undefined, null, 7, 'text', new Proxy({}, { get: throws, ownKeys: throws, getOwnPropertyDescriptor: throws }), { request: { get headers() { throw new Error('no'); } } }];
  for (const value of odd) {
    obs.setUser(value);
    obs.setTags(value);
    obs.setExtra('odd', value);
    obs.addBreadcrumb(value);
    assert.equal(obs.withScope(value, () => 'ran'), 'ran');
    obs.captureMessage('a', 'info', { user: value, tags: value, extra: value, request: value });
  }
  assert.equal(await obs.flush(), true);
  assert.equal(server.events.length, odd.length);
});

test('an error that is captured twice is one event, also by another copy of the SDK', async () => {
  const other = await import(`../obs.js?${Math.random()}`);
  other.init({ dsn: server.dsn, captureUnhandled: false });
  const error = new Error('once');
  const id = obs.captureException(error);
  assert.deepEqual([obs.captureException(error), other.captureException(error)], [id, id]);
  assert.notEqual(obs.captureException(new Error('once')), id);
  assert.equal(await other.close(), true);
  assert.equal((await events()).length, 2);
});

test('handled: false marks an event as unhandled', async () => {
  obs.captureException(new Error('a'), { handled: false });
  obs.captureException(new Error('b'), { handled: true });
  assert.deepEqual((await events()).map(({ mechanism }) => mechanism), [{ handled: false }, undefined]);
});

test('debug ids of the files in the stack are sent, whichever bundler registered them', async () => {
  const at = (file) => `Error\n    at ${file}:2:169\n    at ${file}:2:400`;
  globalThis._sentryDebugIds = { [at('https://shop.example/a.js')]: 'id-a', [at('https://shop.example/unused.js')]: 'id-unused' };
  globalThis._debugIds = { [at('https://shop.example/b.js')]: 'id-b' };
  const cause = Object.assign(new Error('inner'), { stack: 'Error: inner\n    at g (https://shop.example/b.js:1:2)' });
  obs.captureException(Object.assign(new Error('a', { cause }), { stack: 'Error: a\n    at f (https://shop.example/a.js:1:2)\n    at f (https://shop.example/a.js:1:9)' }));
  obs.captureMessage('b');
  delete globalThis._sentryDebugIds;
  delete globalThis._debugIds;
  const image = (name) => ({ type: 'sourcemap', code_file: `https://shop.example/${name}.js`, debug_id: `id-${name}` });
  const metas = (await events()).map(({ debug_meta }) => debug_meta);
  assert.equal(metas[1], undefined);
  assert.deepEqual(metas[0].images.sort((a, b) => (a.debug_id < b.debug_id ? -1 : 1)), [image('a'), image('b')]);
});
