// Runs every recipe against a real obs and checks what arrived: one line each. OBS_BIN is the server to use.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Obs } from '../../../sdk-compat/obs.js';
import { launch } from '../../../tests/browser/chromium.js';

const here = new URL('.', import.meta.url);
const bin = (name) => new URL(`node_modules/.bin/${name}`, here).pathname;
const only = process.argv[2];

/** Retries for 20 seconds. */
async function eventually(check) {
  for (const deadline = Date.now() + 20_000; ; ) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a command of a recipe. It gets the DSN and a port. */
async function start(obs, command, args, folder = '.') {
  const port = await freePort();
  const names = ['OBS_DSN', 'VITE_OBS_DSN', 'NEXT_PUBLIC_OBS_DSN'];
  const env = { ...process.env, ...Object.fromEntries(names.map((name) => [name, obs.dsn])), VITE_RELEASE: '1.2.3', PORT: port, NEXT_TELEMETRY_DISABLED: '1' };
  const child = spawn(command, args.map((arg) => (arg === 'PORT' ? port : arg)), { cwd: new URL(folder, here).pathname, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const run = { child, port, output: '' };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (run.output += text));
  run.ended = once(child, 'close').then(([status]) => status);
  return run;
}

/** Runs a command of a recipe to its end, for at most three minutes. */
async function finished(...command) {
  const run = await start(...command);
  const timer = setTimeout(() => run.child.kill('SIGKILL'), 180_000);
  run.status = await run.ended;
  clearTimeout(timer);
  return run;
}

/** Checks that an event says what every recipe's event must say, and returns it. */
function check(event, { user, unhandled = true, tags = null } = {}) {
  assert.deepEqual([event.user?.id, event.unhandled, event.tags], [user, unhandled, tags], event.message);
  assert.ok(event.stacktrace?.[0]?.lineno > 0, 'stacktrace');
  return event;
}

/** Checks the stored event with a message, and returns it. */
async function event(obs, message, expected) {
  const found = (await obs.events()).find((it) => it.message.startsWith(message));
  assert.ok(found, `no event ${message}`);
  return check(found, expected);
}

async function noSecrets(obs) {
  for (const word of ['secret', 'nobody wants']) assert.ok(!JSON.stringify(await obs.events()).includes(word), word);
}

/** A server answers three requests at once. Each event has its own user and request, and no secrets. */
async function server(obs, run, name) {
  const url = `http://127.0.0.1:${run.port}/pay`;
  const send = (user) => fetch(`${url}?coupon=1`, { method: 'POST', body: '{"card":"secret"}', headers: { 'Content-Type': 'application/json', 'X-User': user, Cookie: 'secret' } });
  await eventually(() => fetch(`http://127.0.0.1:${run.port}/missing`));
  const statuses = (await Promise.all(['1', '2', '3'].map(send))).map(({ status }) => status);
  assert.deepEqual(statuses, [500, 500, 500]);
  await eventually(async () => {
    const events = (await obs.events()).filter(({ request }) => request?.method === 'POST');
    assert.deepEqual(events.map(({ request }) => request.headers['x-user']).sort(), ['1', '2', '3']);
    for (const event of events) {
      check(event, { user: event.request.headers['x-user'] });
      assert.deepEqual([event.message, event.request.url, event.request.query_string], [`${name}: the card was declined`, url, 'coupon=1']);
    }
    await noSecrets(obs);
  });
}

/** Serves the files of a folder with a policy that allows only itself and obs. */
async function serve(folder, obs) {
  const types = { html: 'text/html', js: 'text/javascript' };
  const policy = `default-src 'self'; script-src 'self'; connect-src 'self' ${obs.origin}`;
  const files = createServer(async (request, response) => {
    const path = request.url === '/' ? '/index.html' : request.url;
    const file = await readFile(new URL(`${folder}${path}`, here)).catch(() => null);
    response.writeHead(file ? 200 : 404, { 'Content-Type': types[path.split('.').pop()] ?? 'text/plain', 'Content-Security-Policy': policy }).end(file ?? '');
  }).listen(0, '127.0.0.1');
  await once(files, 'listening');
  return { files, url: `http://localhost:${files.address().port}/` };
}

/** Opens a page and clicks its button. */
async function click(url, button = '#pay') {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(url, { waitUntil: 'networkidle' });
    if (button) await page.click(button);
    await page.waitForTimeout(300);
  } finally {
    await browser.close();
  }
}

const programs = (name) => async (obs, started) => {
  const run = started(await start(obs, process.execPath, [`${name === 'node:http' ? 'http' : name.toLowerCase()}.js`]));
  await server(obs, run, name);
};

const recipes = {
  'node:http': programs('node:http'),
  Express: programs('Express'),
  Fastify: programs('Fastify'),

  async jobs(obs) {
    const run = await finished(obs, process.execPath, ['jobs.js']);
    assert.equal(run.status, 0, run.output);
    await event(obs, 'jobs: the mailbox', { user: 7, unhandled: false, tags: { job: 'mail' } });
  },

  async threads(obs) {
    const run = await finished(obs, process.execPath, ['threads.js']);
    assert.equal(run.status, 1, run.output);
    await event(obs, 'threads: the image', { user: 7 });
    assert.equal(await obs.count(), 1);
  },

  async Jest(obs) {
    const run = await finished(obs, bin('jest'), ['--rootDir', '.', '--testMatch', '**/shop.test.cjs']);
    assert.equal(run.status, 0, run.output);
    await event(obs, 'Jest: the card', { user: 7, unhandled: false });
  },

  async 'Vite, with a worker and a policy'(obs) {
    const built = await finished(obs, bin('vite'), ['build', '--logLevel', 'error'], 'vite/');
    assert.equal(built.status, 0, built.output);
    const { files, url } = await serve('vite/dist', obs);
    await click(url).finally(() => files.close());
    await eventually(async () => {
      const { request, breadcrumbs, release } = await event(obs, 'Vite: the card', { user: 7 });
      assert.deepEqual([request.url, breadcrumbs.map(({ message }) => message), release], [url, ['button#pay'], '1.2.3']);
      assert.match(request.headers['User-Agent'], /Chrome/);
      await event(obs, 'Vite: the worker', { user: 7 });
      assert.equal(await obs.count(), 2);
    });
  },

  async 'a plain page'(obs) {
    const readme = await readFile(new URL('../../../sdk/js/README.md', here), 'utf8');
    const [, early] = /<!-- early -->\n```html\n(.*?)```/s.exec(readme);
    const html = early.replace('https://obs.example.com/sdk.js', `${obs.origin}/sdk.js`).replace('https://KEY@obs.example.com', obs.dsn);
    const files = createServer((_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<!doctype html>${html.replace('</script>', '</script><script>null.early;</script>')}`)).listen(0, '127.0.0.1');
    await once(files, 'listening');
    await click(`http://localhost:${files.address().port}/`, null).finally(() => files.close());
    await eventually(() => event(obs, 'Cannot read properties of null'));
  },

  async 'Next.js'(obs, started) {
    const built = await finished(obs, bin('next'), ['build'], 'next/');
    assert.equal(built.status, 0, built.output);
    const run = started(await start(obs, bin('next'), ['start', '--port', 'PORT', '--hostname', '127.0.0.1'], 'next/'));
    const url = `http://127.0.0.1:${run.port}`;
    await eventually(() => fetch(url));
    assert.equal((await fetch(`${url}/pay?coupon=1`, { method: 'POST', headers: { Cookie: 'secret' } })).status, 500);
    await click(url);
    await eventually(async () => {
      const thrown = await event(obs, 'Next.js: the card was declined', { tags: { route: '/pay' } });
      assert.deepEqual([thrown.request.method, thrown.request.url, thrown.request.query_string], ['POST', `${url}/pay`, 'coupon=1']);
      const odd = await event(obs, 'Next.js: the amount is odd', { user: 7, unhandled: false });
      assert.equal(odd.request.query_string, 'coupon=1');
      const { request } = await event(obs, 'Next.js: the browser declined the card', { user: 7 });
      assert.equal(request.url, `${url}/`);
      await noSecrets(obs);
    });
  },
};

/** The README's lines are those of the programs. */
async function checkReadme() {
  const readme = await readFile(new URL('../../../sdk/js/README.md', here), 'utf8');
  const blocks = [...readme.matchAll(/<!-- example\/recipes\/js\/(\S+) -->\n```js\n(.*?)```/gs)];
  assert.ok(blocks.length >= 7);
  const lines = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean);
  for (const [, file, block] of blocks) {
    const program = lines(await readFile(new URL(file, here), 'utf8'));
    const known = (line) => program.some((it) => it === line || it.endsWith(line));
    assert.deepEqual(lines(block).filter((line) => !known(line)), [], `${file} lacks lines of the README`);
  }
}

await checkReadme();
for (const [name, recipe] of Object.entries(recipes).filter(([name]) => !only || name.startsWith(only))) {
  const obs = await Obs.create();
  let run;
  try {
    await obs.start();
    await recipe(obs, (started) => (run = started));
    console.log(`${name}: ok`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`${name}: FAILED: ${error.message}\n${run?.output ?? ''}`);
  } finally {
    run?.child.kill();
    await run?.ended;
    await obs.remove();
  }
}
