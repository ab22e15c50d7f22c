// What a browser forbids is given up; an outage is retried.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { eventually } from '../server.js';
import { Tab } from './tab.js';

let tab;

before(async () => {
  tab = await Tab.open();
});
afterEach(() => tab.unload());
after(() => tab.close());

const policy = (connect, header = 'Content-Security-Policy') => ({ [header]: `script-src 'self' 'unsafe-inline' ${tab.origin}; connect-src ${connect}` });
const pause = () => new Promise((resolve) => setTimeout(resolve, 1500)); // Several retries would fit.
const capture = (text) => tab.page.evaluate((text) => obs.captureMessage(text), text);
const flush = (timeout) => tab.page.evaluate((timeout) => obs.flush(timeout), timeout);
const ours = () => tab.console.filter((line) => line.startsWith('obs:'));

test('a page whose policy forbids requests to obs gives up, with one line that says what the policy needs', async () => {
  await tab.load({ headers: policy("'self'") });
  await capture('forbidden');
  assert.equal(await flush(5000), false);
  const before = tab.console.length;
  assert.equal(await capture('later'), '');
  await pause();
  assert.equal(tab.console.length, before, 'no more errors on the console');
  assert.deepEqual(ours(), [`obs: the page's Content-Security-Policy needs connect-src http://127.0.0.1:${tab.server.port}; no events will be sent`]);
  assert.equal(tab.server.requests.length, 0);
});

test('a policy that allows obs, or only reports, or forbids another address, changes nothing', async () => {
  for (const headers of [policy(`'self' http://127.0.0.1:*`), policy("'self'", 'Content-Security-Policy-Report-Only')]) {
    await tab.load({ headers });
    await tab.page.evaluate(() => fetch('https://elsewhere.invalid/api/events').catch(() => {}));
    await capture('allowed');
    assert.equal(await flush(), true);
    assert.deepEqual([tab.server.events.length, ours()], [1, []]);
    if (headers['Content-Security-Policy']) await tab.unload();
  }
});

test('a page loaded over https gives up sending over http, which browsers forbid', async () => {
  await tab.load({ url: 'https://shop.example/', dsn: 'http://secret-key@192.0.2.1:8000' });
  await capture('mixed');
  assert.equal(await flush(5000), false);
  assert.equal(await capture('later'), '');
  assert.deepEqual(ours(), ['obs: a page loaded over https cannot send events to http://192.0.2.1:8000/api/events; no events will be sent']);
});

test('an outage is retried until it is over, also by a page with a policy', async () => {
  let isDown = true;
  await tab.load({ headers: policy('http://127.0.0.1:*'), answer: () => (isDown ? null : { status: 201 }) });
  await tab.page.context().setOffline(true);
  await capture('offline');
  await eventually(() => ours().length === 1);
  await pause();
  await tab.page.context().setOffline(false);
  isDown = false;
  assert.equal(await flush(10_000), true);
  assert.deepEqual(tab.server.events.map(({ message }) => message), ['offline']);
  assert.match(ours()[0], /will retry: no response$/);
});
