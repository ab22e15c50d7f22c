// Opens the real pages of a real obs in Chromium, as a reader does, with events that try to break them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { launch } from './chromium.js';

const KEY = 'test123';
const sizes = [{ width: 390, height: 844 }, { width: 1280, height: 900 }];
const schemes = ['light', 'dark'];

let folder, obs, origin, browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obs-browser-'));
  obs = spawn(process.env.OBS_BIN, ['--listen', 'localhost:0', '--db', join(folder, 'obs.sqlite')], {
    env: { OBS_API_KEY: KEY },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const banner = await new Promise((resolve) => createInterface({ input: obs.stderr }).once('line', resolve));
  origin = `http://localhost:${/listening on http:\/\/\S+?:(\d+)/.exec(banner)[1]}`;
  browser = await launch();
});

after(async () => {
  await browser?.close();
  obs?.kill();
  if (folder) await rm(folder, { recursive: true });
});

async function send(event) {
  const answer = await fetch(`${origin}/api/events`, {
    method: 'POST',
    headers: { 'X-OBS-Key': KEY },
    body: JSON.stringify(event),
  });
  assert.equal(answer.status, 201);
  return (await answer.json()).id;
}

const frame = (n) => ({ filename: `/srv/app/src/Deep/Folder/File${n}.php`, function: `App\\Service\\Number${n}::run`, lineno: n });

const unbroken = 'x'.repeat(8192);
const events = {
  'nothing but a message': { message: 'something broke', level: 'error', platform: 'curl' },
  '8,192 unbroken characters everywhere': {
    message: unbroken,
    type: unbroken,
    server_name: unbroken,
    environment: unbroken,
    release: unbroken,
    fingerprint: [unbroken],
    stacktrace: [{ filename: unbroken, function: unbroken, lineno: 1, context_line: unbroken }],
    causes: [{ type: unbroken, message: unbroken, stacktrace: [{ filename: unbroken, function: unbroken }] }],
    extra: { [unbroken]: unbroken, list: [unbroken] },
    [unbroken]: unbroken,
  },
  '250 frames, source lines and causes': {
    message: 'deep',
    type: 'RuntimeException',
    stacktrace: [
      { ...frame(0), pre_context: ['  if (true) {'], context_line: `    throw new RuntimeException('${'long '.repeat(80)}');`, post_context: ['  }'] },
      ...Array.from({ length: 249 }, (_, n) => ({ ...frame(n + 1), filename: n % 5 ? `/srv/app/vendor/a/b/F${n}.php` : `/srv/app/src/F${n}.php` })),
    ],
    causes: [{ type: 'PDOException', message: 'gone away', stacktrace: [frame(7)] }],
  },
  'a 1 MiB extra': { message: 'large', extra: { text: 'é"<&'.repeat(100_000), nested: { a: [1, 2, { b: null }] } } },
  'right-to-left text and emoji': { message: 'العنوان غير صالح: الرمز البريدي 💥', type: 'ValidationError', level: 'warning' },
  'text that would be markup': {
    message: '<script>alert(1)</script><img src=x onerror=alert(1)>',
    type: '"><b>',
    level: 'info',
    extra: { '<i>': '</dl><script>alert(1)</script>' },
  },
};

/** Opens a page in every size and scheme and fails on what no page may have. */
async function visit(path, check) {
  for (const viewport of sizes) {
    for (const colorScheme of schemes) {
      const page = await browser.newPage({ viewport, colorScheme });
      const complaints = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
      const answer = await page.goto(origin + path, { timeout: 20_000 });
      const where = `${path} at ${viewport.width} in ${colorScheme}`;
      await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(overflow, 0, `${where} scrolls sideways by ${overflow} px`);
      for (const landmark of ['header', 'main', 'h1']) {
        assert.equal(await page.locator(landmark).count(), 1, `${where} has one ${landmark}`);
      }
      assert.ok(await page.title(), `${where} has a title`);
      assert.equal(await page.locator('html').getAttribute('lang'), 'en');
      await check?.(page, answer, where);
      assert.deepEqual(complaints, [], where);
      await page.close();
    }
  }
}

test('the empty page shows a command that works as it stands', async () => {
  await visit('/', async (page) => {
    const text = await page.locator('main').innerText();
    assert.match(text, new RegExp(`X-OBS-Key: ${KEY}`));
    assert.ok(text.includes(`http://${KEY}@${new URL(origin).host}`));
  });
});

for (const [name, event] of Object.entries(events)) {
  test(`pages with ${name}`, async () => {
    const id = await send(event);
    const { issue_id: issue } = await (await fetch(`${origin}/api/events/${id}`)).json();
    await visit('/');
    await visit(`/issues/${issue}`, (page) => page.locator(`a[href="/events/${id}"]`).first().waitFor());
    await visit(`/events/${id}`, async (page) => {
      assert.equal(await page.locator('main script, main img').count(), 0);
      await page.locator(`a[href="/api/events/${id}"]`).first().waitFor();
    });
  });
}

test('error pages are pages too', async () => {
  const page = await browser.newPage();
  const answer = await page.goto(`${origin}/issues/999999`);
  assert.equal(answer.status(), 404);
  assert.equal(await page.locator('header, main, h1').count(), 3);
  await page.close();
});

test('the keyboard alone leads from the list to an event', async () => {
  const page = await browser.newPage();
  await page.goto(origin);
  await page.keyboard.press('Tab');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /^Skip to/);
  for (const pattern of [/\/issues\/\d+$/, /\/events\/[0-9a-f-]+$/]) {
    for (let presses = 0; ; presses++) {
      assert.ok(presses < 50, `no link to ${pattern} within 50 presses of Tab`);
      await page.keyboard.press('Tab');
      if (pattern.test(await page.evaluate(() => document.activeElement.href ?? ''))) break;
    }
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, 'none', 'what has the focus shows it');
    await page.keyboard.press('Enter');
    await page.waitForURL(pattern);
  }
  await page.close();
});
