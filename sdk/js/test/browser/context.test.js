// What a page's events say about the page, what happened in it, and what came before the SDK; a page with two SDKs.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { eventually } from '../server.js';
import { Tab } from './tab.js';

let tab;

before(async () => {
  tab = await Tab.open({
    '/copy.js': await readFile(new URL('../../obs.js', import.meta.url), 'utf8'),
    '/throws.js': "setTimeout(function late() { throw new TypeError('uncaught'); });",
    '/ok': 'text',
  });
});
beforeEach(() => tab.load());
afterEach(() => tab.unload());
after(() => tab.close());

const inPage = (run, value) => tab.page.evaluate(run, value);

/** Captures a message and returns the event. */
async function captured() {
  await inPage(() => (obs.captureMessage('now'), obs.flush()));
  return tab.server.events.find(({ message }) => message === 'now');
}

const crumbs = ({ breadcrumbs = [] }) => breadcrumbs.map(({ timestamp, ...crumb }) => crumb);

test("an event has its page's address, referrer and user agent, but no token from the fragment", async () => {
  await tab.page.goto(`${tab.page.url()}?page=2#access_token=secret`, { referer: 'https://search.example/' });
  await tab.page.waitForFunction(() => window.obs);
  const { request } = await captured();
  assert.match(request.url, /^http:\/\/localhost:\d+\/\?page=2$/);
  assert.equal(request.headers.Referer, 'https://search.example/');
  assert.match(request.headers['User-Agent'], /Chrome/);
});

test('clicks are breadcrumbs without the text of their targets', async () => {
  await inPage(() => {
    document.body.innerHTML = '<button id="buy"><b>secret text</b></button><a href="https://shop.example/cart?token=secret">secret</a><p>secret</p><input value="secret">';
    for (const name of ['b', 'p', 'input']) document.querySelector(name).click();
    document.addEventListener('click', (event) => event.preventDefault());
    document.querySelector('a').click();
  });
  const event = await captured();
  assert.deepEqual(crumbs(event), ['button#buy', 'p', 'input', 'a https://shop.example/cart'].map((message) => ({ category: 'ui.click', message })));
  assert.doesNotMatch(JSON.stringify(event), /secret(?!-key)/);
});

test('navigation within a page is a breadcrumb without queries', async () => {
  const origin = new URL(tab.page.url()).origin;
  await inPage(() => {
    history.pushState(null, '', '/orders?token=secret');
    history.replaceState(null, '', '/orders?token=secret');
    history.pushState(null, '', '/orders/7');
    history.back();
  });
  await eventually(() => tab.page.url().endsWith('/orders?token=secret'));
  const steps = [[`${origin}/`, `${origin}/orders`], [`${origin}/orders`, `${origin}/orders/7`], [`${origin}/orders/7`, `${origin}/orders`]];
  assert.deepEqual(crumbs(await captured()), steps.map(([from, to]) => ({ type: 'navigation', category: 'navigation', data: { from, to } })));
});

test('failed fetches are breadcrumbs before the page learns of them; the page gets what it would have got', async () => {
  const got = await inPage(async () => {
    const failed = await fetch('http://127.0.0.1:1/down?token=secret', { method: 'POST', body: 'secret' }).catch((error) => (obs.captureException(error), error.name));
    const missing = await fetch(new Request('/missing?token=secret'));
    const fine = await fetch('/ok');
    return [failed, missing.status, await missing.text() !== '', await fine.text()];
  });
  assert.deepEqual(got, ['TypeError', 404, true, 'text']);
  const { origin } = new URL(tab.page.url());
  const crumb = (data) => ({ type: 'http', category: 'fetch', level: 'error', data });
  const down = crumb({ method: 'POST', url: 'http://127.0.0.1:1/down' });
  assert.deepEqual(crumbs(await captured()), [down, crumb({ method: 'GET', url: `${origin}/missing`, status_code: 404 })]);
  assert.deepEqual(crumbs(tab.server.events.find(({ type }) => type === 'TypeError')), [down]);
});

test('failed XMLHttpRequests are breadcrumbs', async () => {
  await inPage(async () => {
    for (const [method, url] of [['POST', 'http://127.0.0.1:1/down?token=secret'], ['GET', '/missing?token=secret'], ['GET', '/ok']]) {
      const request = new XMLHttpRequest();
      await new Promise((resolve) => {
        request.onloadend = resolve;
        request.open(method, url);
        request.send();
      });
    }
  });
  const crumb = (data) => ({ type: 'http', category: 'xhr', level: 'error', data });
  const { origin } = new URL(tab.page.url());
  assert.deepEqual(crumbs(await captured()), [crumb({ method: 'POST', url: 'http://127.0.0.1:1/down' }), crumb({ method: 'GET', url: `${origin}/missing`, status_code: 404 })]);
});

test('a failed fetch that the page does not handle is still an unhandled rejection, and one event', async () => {
  await inPage(() => {
    window.heard = [];
    addEventListener('unhandledrejection', (event) => heard.push(event.reason.message));
    fetch('http://127.0.0.1:1/');
  });
  await eventually(() => tab.server.events.length);
  assert.deepEqual(await inPage(() => heard), ['Failed to fetch']);
  assert.deepEqual(tab.server.events.map(({ message, mechanism }) => [message, mechanism]), [['Failed to fetch', { handled: false }]]);
});

test('autoBreadcrumbs: false collects nothing and leaves fetch alone; close restores it', async () => {
  const same = await inPage(async (dsn) => {
    const watched = fetch;
    await obs.close();
    const restored = fetch;
    obs.init({ dsn, autoBreadcrumbs: false });
    document.body.click();
    history.pushState(null, '', '/elsewhere');
    await fetch('/missing');
    obs.addBreadcrumb({ message: 'mine' });
    return [watched === restored, restored === fetch];
  }, tab.dsn);
  assert.deepEqual(same, [false, true]);
  assert.deepEqual(crumbs(await captured()), [{ message: 'mine' }]);
});

test('a page and its bundle, each with the SDK, report an uncaught error once, by the latest', async () => {
  await inPage(async (dsn) => {
    const copy = await import('/copy.js');
    copy.init({ dsn, environment: 'copy' });
    window.copy = copy;
  }, tab.dsn);
  await tab.page.addScriptTag({ url: '/throws.js' });
  await eventually(() => tab.server.events.length);
  await inPage(async () => {
    const error = new Error('captured, then thrown');
    obs.captureException(error);
    await Promise.reject(error).catch(() => {});
    reportError(error);
    await fetch('/missing');
    copy.captureMessage('by the copy');
    await copy.flush();
  });
  const event = await captured();
  assert.equal(await inPage(async () => (await obs.flush()) && copy.flush()), true);
  assert.deepEqual(tab.server.events.map(({ message, environment }) => [message, environment]).sort(), [['by the copy', 'copy'], ['captured, then thrown', undefined], ['now', undefined], ['uncaught', 'copy']]);
  assert.equal(crumbs(event).length, 1, 'each copy records the failed fetch once');
});

test('errors that come before the SDK are remembered by a script of five lines and sent', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, early] = /<!-- early -->\n```html\n(.*?)```/s.exec(readme);
  const failing = "</script>\n<script>Promise.reject(new Error('early rejection'));\nnull.early;</script>";
  await tab.unload();
  await tab.load({ html: (dsn) => `<!doctype html>${early.replace('https://obs.example.com/sdk.js', '/sdk.js').replace('https://KEY@obs.example.com', dsn).replace('</script>', failing)}` });
  await eventually(() => tab.server.events.length === 2);
  await tab.page.addScriptTag({ url: '/throws.js' });
  await eventually(() => tab.server.events.length === 3);
  const seen = tab.server.events.map(({ type, message, mechanism }) => [type, message, mechanism]);
  assert.deepEqual(seen.sort(), [
    ['Error', 'early rejection', { handled: false }],
    ['TypeError', "Cannot read properties of null (reading 'early')", { handled: false }],
    ['TypeError', 'uncaught', { handled: false }],
  ]);
});
