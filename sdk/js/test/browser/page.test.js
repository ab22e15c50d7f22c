// The SDK in Chromium. Pages, SDK and server have different origins. Runs in Node only.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { eventually, Server } from '../server.js';
import { launch } from '../../../../tests/browser/chromium.js';

let browser, files, pages, sdk, server, tab, console;

/** The start of every page. */
const head = () => `<!doctype html><title>page</title>
<script>window.fetched = []; { const { fetch } = window; window.fetch = (url, options) => (fetched.push(options), fetch(url, options)); }</script>
<script type="module">
import * as obs from '${sdk}';
obs.init({ dsn: '${server.dsn}' });
window.obs = obs;
</script>`;

before(async () => {
  const scripts = {
    '/sdk.js': await readFile(new URL('../../obs.js', import.meta.url)),
    '/foreign.js': 'function foreign() { throw new Error("not for us"); } foreign();',
    '/late.js': `setTimeout(function late() { throw new Error('uncaught'); });
Promise.reject(new Error('unhandled'));
setTimeout(() => { throw 'a string'; });`,
    '/worker.js': `import * as obs from '/sdk.js';\nonmessage = async ({ data }) => { obs.init({ dsn: data }); obs.captureMessage('from a worker'); postMessage(await obs.flush()); };`,
  };
  files = createServer((request, response) => {
    const cors = request.url === '/sdk.js' ? { 'Access-Control-Allow-Origin': '*' } : {};
    if (scripts[request.url]) response.writeHead(200, { 'Content-Type': 'text/javascript', ...cors }).end(scripts[request.url]);
    else response.writeHead(200, { 'Content-Type': 'text/html' }).end(head());
  }).listen(0, '127.0.0.1');
  await once(files, 'listening');
  sdk = `http://127.0.0.1:${files.address().port}/sdk.js`;
  pages = `http://localhost:${files.address().port}/`; // Another host, hence another origin.
  browser = await launch();
});

beforeEach(async () => {
  server = await Server.start();
  tab = await browser.newPage();
  console = [];
  tab.on('console', (message) => console.push(message.text()));
  tab.on('pageerror', (error) => console.push(`Uncaught ${error.message ?? error}`));
  await tab.goto(pages);
  await tab.waitForFunction(() => window.obs);
});

afterEach(async () => {
  await tab.close();
  await server.stop();
});

after(async () => {
  await browser.close();
  files.close();
});

const texts = () => server.events.map(({ message }) => message);
const added = (src) => tab.evaluate((src) => document.head.append(Object.assign(document.createElement('script'), { src })), src);

test('an error is sent, with its stack and without a server name', async () => {
  const flushed = await tab.evaluate(async () => {
    function breaks() {
      throw new TypeError('in the page');
    }
    try {
      breaks();
    } catch (error) {
      obs.captureException(error);
    }
    return obs.flush();
  });
  assert.equal(flushed, true);
  const [event] = server.events;
  assert.deepEqual([event.type, event.message, event.stacktrace[0].function], ['TypeError', 'in the page', 'breaks']);
  assert.deepEqual(['server_name', 'mechanism'].filter((name) => name in event), []);
  assert.deepEqual(console, []);
});

test('uncaught errors are captured; previous handlers and the console still get them', async () => {
  await tab.evaluate(() => {
    window.heard = [];
    window.onerror = (message) => void heard.push(message);
    window.onunhandledrejection = (event) => heard.push(event.reason.message);
  });
  await added('/late.js');
  await eventually(() => server.events.length === 3);
  assert.deepEqual(texts().sort(), ['a string', 'uncaught', 'unhandled']);
  assert.deepEqual(server.events.map(({ mechanism }) => mechanism), new Array(3).fill({ handled: false }));
  assert.equal(server.events.find(({ message }) => message === 'uncaught').stacktrace[0].function, 'late');
  assert.equal(server.events.find(({ message }) => message === 'a string').stacktrace[0].lineno, 3);
  assert.deepEqual((await tab.evaluate(() => heard)).sort(), ['Uncaught Error: uncaught', 'Uncaught a string', 'unhandled']);
  await eventually(() => console.length === 3);
});

test('errors that say nothing are left out by default: of cross-origin scripts, of observers, and failed images', async () => {
  const noise = async () => {
    await tab.evaluate(() => {
      document.body.append(Object.assign(new Image(), { src: 'data:image/png,nothing' }));
      dispatchEvent(new ErrorEvent('error', { message: 'ResizeObserver loop completed with undelivered notifications.' }));
    });
    await added(sdk.replace('sdk.js', 'foreign.js'));
    await eventually(() => console.some((line) => line.includes('not for us')));
    console.length = 0;
    assert.equal(await tab.evaluate(() => obs.flush()), true);
  };
  await noise();
  assert.deepEqual(texts(), []);
  await tab.evaluate((dsn) => obs.init({ dsn, ignoreErrors: [] }), server.dsn);
  await noise();
  assert.deepEqual(texts().sort(), ['ResizeObserver loop completed with undelivered notifications.', 'Script error.']);
  assert.deepEqual(server.events.map(({ type, level }) => [type, level]), [[undefined, 'error'], [undefined, 'error']]);
});

test('close removes the listeners', async () => {
  assert.equal(await tab.evaluate(() => obs.close()), true);
  await added('/late.js');
  await eventually(() => console.length === 3);
  await tab.evaluate(() => obs.flush());
  assert.deepEqual(texts(), []);
});

test('leaving a page sends queued and held events', async () => {
  await tab.evaluate(() => {
    for (let n = 0; n < 30; n++) obs.captureMessage(`leaving ${n}`);
    for (let n = 0; n < 150; n++) obs.captureMessage('again');
    location.href = 'about:blank';
  });
  await eventually(() => new Set(server.events.map((event) => event.event_id)).size === 131);
  assert.equal(server.events.find(({ suppressed }) => suppressed).suppressed, 49);
});

test('a hidden page sends at most 64 KiB with keepalive and the rest as usual', async () => {
  const bytes = await tab.evaluate(async () => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
    for (let n = 0; n < 8; n++) obs.captureMessage(`large ${n}`, 'info', { extra: { blob: 'é'.repeat(10_000) } });
    document.dispatchEvent(new Event('visibilitychange'));
    document.dispatchEvent(new Event('visibilitychange'));
    return fetched.filter(({ keepalive }) => keepalive).reduce((sum, { body }) => sum + new TextEncoder().encode(body).length, 0);
  });
  assert.ok(bytes > 60_000 && bytes <= 65_536, `${bytes} bytes`);
  assert.equal(await tab.evaluate(() => obs.flush()), true);
  assert.equal(new Set(texts()).size, 8);
});

/** Simulates hiding the page. */
const hide = () => tab.evaluate(() => {
  Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
});

test('hiding a page repeatedly does not override Retry-After', async () => {
  await server.stop();
  server = await Server.start(() => ({ status: 503, headers: { 'Retry-After': '60' } }), server.port);
  await tab.evaluate(() => obs.captureMessage('busy'));
  await eventually(() => console.some((line) => line.includes('HTTP status 503')));
  for (let n = 0; n < 3; n++) await hide();
  assert.equal(await tab.evaluate(() => obs.flush(300)), false);
  assert.equal(server.events.length, 1);
});

test('close aborts all attempts in flight', async () => {
  await server.stop();
  server = await Server.start(() => null, server.port);
  await tab.evaluate(() => obs.captureMessage('silence'));
  await eventually(() => server.events.length === 1);
  await hide();
  await eventually(() => server.events.length === 2);
  assert.equal(await tab.evaluate(() => obs.close(100)), false);
  assert.deepEqual(await tab.evaluate(() => fetched.map(({ signal }) => signal.aborted)), [true, true]);
});

test('the SDK works in a page loaded from a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'obs-page-'));
  try {
    await writeFile(join(folder, 'page.html'), head());
    await tab.goto(`file://${folder}/page.html`);
    await tab.waitForFunction(() => window.obs);
    assert.equal(await tab.evaluate(() => (obs.captureMessage('from a file'), obs.flush())), true);
    assert.deepEqual(texts(), ['from a file']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the SDK works in a web worker', async () => {
  await tab.goto(sdk.replace('sdk.js', 'page')); // A worker's script must have the page's origin.
  const sent = await tab.evaluate(
    (dsn) =>
      new Promise((resolve) => {
        const worker = new Worker('/worker.js', { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage(dsn);
      }),
    server.dsn,
  );
  assert.equal(sent, true);
  assert.deepEqual(texts(), ['from a worker']);
});
