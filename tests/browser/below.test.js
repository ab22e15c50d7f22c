// Serves obs at the root and below a path, directly and behind a real nginx, and follows everything on its pages.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { launch } from './chromium.js';
import { KEY, start } from './obs.js';

const PASSWORD = 'crawl';
const authorization = `Basic ${btoa(`:${PASSWORD}`)}`;
/** What a browser sends with a link or a form. */
const headers = { authorization, accept: 'text/html', 'user-agent': 'Mozilla/5.0', 'sec-fetch-site': 'same-origin' };

const stops = [];
after(async () => {
  for (const stop of stops.reverse()) await stop();
});

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts nginx with one `location`, as the documentation shows it. */
async function nginx(port, location, upstream) {
  const folder = await mkdtemp(join(tmpdir(), 'obs-nginx-'));
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
  await writeFile(join(folder, 'nginx.conf'), `
    daemon off; pid ${folder}/pid; error_log stderr; events {}
    http { access_log off; ${paths.join(' ')}
      server { listen 127.0.0.1:${port};
        location ${location} { proxy_pass ${upstream}; proxy_set_header Host $http_host; client_max_body_size 2m; } } }`);
  const child = spawn('nginx', ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')], { stdio: 'inherit' });
  stops.push(async () => {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
    await rm(folder, { recursive: true });
  });
}

/** Fills obs so that every kind of page, link and form is there. */
async function fill(base) {
  const send = (event) => fetch(`${base}/api/events`, { method: 'POST', headers: { 'X-OBS-Key': KEY }, body: JSON.stringify(event) });
  const stacktrace = [{ filename: 'src/cart.js', function: 'total', lineno: 3, context_line: 'return a / b;' }];
  for (let n = 0; n < 52; n++) {
    const message = `broken ${String.fromCharCode(97 + (n % 26), 97 + Math.floor(n / 26))}`;
    const event = { message, stacktrace, environment: 'production', release: `1.${n % 3}`, tags: { plan: 'free' }, user: { id: n } };
    assert.equal((await send(event)).status, 201);
  }
  for (let n = 0; n < 52; n++) assert.equal((await send({ message: 'again and again', level: 'warning', platform: 'js' })).status, 201);
}

/** Follows all links and tries all forms. Returns how much of each kind there was. */
async function crawl(base) {
  const seen = new Set([`GET ${base}/`]);
  const counts = { page: 0, asset: 0, form: 0 };
  for (const request of seen) {
    const [method, url] = request.split(' ');
    if (seen.size > 400 && /[?&](after|before|q|sort|period|refresh)=/.test(url)) continue; // more of the same
    const answer = await fetch(url, { method, headers, redirect: 'manual' });
    const text = await answer.text();
    if (method === 'POST') {
      assert.equal(answer.status, 400, `an empty form to ${url}: ${text}`); // it is a route, but the form says nothing
      counts.form++;
      continue;
    }
    assert.equal(answer.status, 200, `${url}: ${text}`);
    if (!answer.headers.get('content-type').startsWith('text/html')) {
      counts.asset++;
      continue;
    }
    counts.page++;
    for (const [, attribute, value] of text.matchAll(/ (href|action|src)="([^"]*)"/g)) {
      const target = new URL(value.replaceAll('&amp;', '&'), url);
      target.hash = '';
      if (target.origin !== new URL(base).origin) continue; // the documentation
      assert.ok(target.href.startsWith(`${base}/`), `${url} links to ${target}`);
      const isForm = attribute === 'action' && !text.includes(`role="search" action="${value}"`);
      seen.add(`${isForm ? 'POST' : 'GET'} ${target.href}`);
    }
  }
  return counts;
}

/** Every kind of redirect leads to a place below the base. */
async function redirects(base) {
  const json = { ...headers, 'content-type': 'application/json' };
  const merge = await fetch(`${base}/api/issues/2/merge`, { method: 'POST', headers: json, body: '{"into":1}' });
  assert.equal(merge.status, 200);
  const { issues } = await (await fetch(`${base}/api/issues`, { headers })).json();
  const event = issues[0].last_event_id;
  for (const [from, to] of [['/setup/', '/setup'], ['/issues/2', '/issues/1'], [`/?q=${event}`, `/events/${event}`], ...(/:\d+\//.test(base) ? [['', '/']] : [])]) {
    const answer = await fetch(base + from, { headers, redirect: 'manual' });
    assert.equal(new URL(answer.headers.get('location'), base).href, base + to, `${answer.status} ${from}`);
  }
}

/** Resolves an issue in Chromium, from the list to the page that follows. */
async function resolveInBrowser(base) {
  const browser = await launch();
  try {
    const page = await (await browser.newContext({ httpCredentials: { username: 'me', password: PASSWORD } })).newPage();
    await page.goto(`${base}/`);
    await page.locator('ol.rows a.title').first().click();
    await page.getByRole('button', { name: 'Resolve', exact: true }).click();
    assert.ok(page.url().startsWith(`${base}/issues/`), page.url());
    await page.getByRole('button', { name: 'Reopen' }).waitFor();
  } finally {
    await browser.close();
  }
}

for (const [name, path, location, suffix] of [
  ['at the root', '', null],
  ['below a path, without a proxy', '/obs', null],
  ['below a path that nginx passes on', '/obs', '/obs/', ''],
  ['below a path that nginx takes off', '/obs', '/obs/', '/'],
  ['below two folders that nginx takes off', '/tools/obs', '/tools/obs/', '/'],
  ['at the root behind nginx', '', '/', ''],
]) {
  test(`every link, form, redirect and asset works ${name}`, async () => {
    const port = await freePort();
    const env = { OBS_DASHBOARD_PASSWORD: PASSWORD };
    const base = `http://localhost:${port}${path}`;
    if (path) env.OBS_URL = base;
    const obs = await start({ env, listen: `localhost:${location ? 0 : port}` });
    stops.push(() => obs.stop());
    if (location) await nginx(port, location, obs.origin.replace('localhost', '127.0.0.1') + suffix);
    await until(() => fetch(`${base}/health`).then((answer) => answer.ok));
    await fill(base);
    const counts = await crawl(base);
    assert.ok(counts.page > 100 && counts.asset >= 1 && counts.form > 50, JSON.stringify(counts));
    await redirects(base);
    await resolveInBrowser(base);
  });
}

/** Waits until a condition holds. */
async function until(condition) {
  for (const end = Date.now() + 10_000; ; ) {
    if (await condition().catch(() => false)) return;
    assert.ok(Date.now() < end, 'obs did not answer in time');
    await new Promise((done) => setTimeout(done, 20));
  }
}
