// Source maps with the real uploaders, a real build and a real browser: the page of the error shows the source.
// `make sourcemaps-live` runs all of them, `make test` two.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from '../browser/chromium.js';
import { KEY, start } from '../browser/obs.js';
import { curl, twoTools, uploaders } from './uploaders.js';

const PASSWORD = 'secret';
const TYPES = { '.html': 'text/html', '.js': 'text/javascript' };
const headers = { Authorization: `Basic ${btoa(`:${PASSWORD}`)}` };

let chromium;
before(async () => (chromium = await launch()));
after(() => chromium.close());

/** Builds and uploads, opens the page, and returns what obs then has: the error's page as text, and the stored maps. */
async function report(upload, { sdk = 'sentry', release } = {}) {
  const obs = await start({ env: { OBS_DASHBOARD_PASSWORD: PASSWORD } });
  const folder = await mkdtemp(join(tmpdir(), 'obs-build-'));
  const out = join(folder, 'dist');
  const site = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://site').pathname;
    const file = join(out, path === '/' ? 'index.html' : path);
    const bytes = await readFile(file).catch(() => null);
    response.writeHead(bytes ? 200 : 404, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(bytes);
  }).listen(0, '127.0.0.1');
  const get = async (path) => (await fetch(obs.origin + path, { headers })).text();
  try {
    await once(site, 'listening');
    await upload(out, { url: obs.origin, token: PASSWORD, release });
    const query = new URLSearchParams({ sdk, dsn: obs.origin.replace('//', `//${KEY}@`), ...(release && { release }) });
    const page = await chromium.newPage();
    await page.goto(`http://127.0.0.1:${site.address().port}/?${query}`);
    const event = await poll(async () => JSON.parse(await get('/api/issues')).issues[0]?.last_event_id);
    await page.close();
    return { text: await get(`/events/${event}?format=text`), event: await get(`/api/events/${event}`), maps: JSON.parse(await get('/api/sourcemaps')).sourcemaps };
  } finally {
    site.close();
    await rm(folder, { recursive: true });
    await obs.stop();
  }
}

/** Waits for a value. */
async function poll(read) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const value = await read();
    if (value) return value;
    assert.ok(Date.now() < deadline, 'no event arrived');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The frames' names come from the maps, and the source of the first from the content in them. */
function assertReadable({ text, event, maps }) {
  assert.ok(maps.length > 0, 'no map is stored');
  for (const word of ['totalOf', 'applyDiscount', 'checkout', 'cart.js:5', 'sum += item.price; // breaks for null']) {
    assert.ok(text.includes(word), `${word} is missing in:\n${text}\n${event}\n${JSON.stringify(maps)}`);
  }
}

for (const [name, { debugIds, release }] of Object.entries(uploaders)) {
  test(`${name}: by debug id`, async () => assertReadable(await report(debugIds)));
  if (release) test(`${name}: by release and path`, async () => assertReadable(await report(release, { release: 'web@1' })));
}

test('the Vite plugin: by debug id, with a release', async () => {
  assertReadable(await report(uploaders['the Vite plugin'].debugIds, { release: 'web@1' }));
});

test("obs's own SDK: by debug id", async () => {
  assertReadable(await report(uploaders['the Vite plugin'].debugIds, { sdk: 'obs' }));
});

test("curl, with obs's own SDK: by release and path", async () => {
  assertReadable(await report(curl, { sdk: 'obs', release: 'web@1' }));
});

test('two tools that each add an id: the one that the page reports finds the map', async () => {
  assertReadable(await report(twoTools));
});
