// Opens the pages of a real obs in Chromium, with events that try to break them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './chromium.js';
import { KEY, start } from './obs.js';

const sizes = [{ width: 390, height: 844 }, { width: 1280, height: 900 }];
const schemes = ['light', 'dark'];

let obs, origin, send, browser;

before(async () => {
  obs = await start();
  ({ origin, send } = obs);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await obs?.stop();
});

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

/** Opens a page in every size and colour scheme and checks what holds for every page. */
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

test('the empty page shows a command that is ready to paste', async () => {
  await visit('/', async (page) => {
    const text = await page.locator('main').innerText();
    assert.match(text, new RegExp(`X-OBS-Key: ${KEY}`));
    assert.ok(text.includes(`http://${KEY}@${new URL(origin).host}`));
  });
});

for (const [name, event] of Object.entries(events)) {
  test(`pages with ${name}`, async () => {
    const id = await send(event);
    const { issue_id: issue } = await obs.read(`/api/events/${id}`);
    await visit('/');
    await visit(`/issues/${issue}`, (page) => page.locator(`a[href="/events/${id}"]`).first().waitFor());
    await visit(`/events/${id}`, async (page) => {
      assert.equal(await page.locator('main script, main img').count(), 0);
      await page.locator(`a[href="/api/events/${id}"]`).first().waitFor();
    });
  });
}

/** Checks that everything to press is large enough for a finger. */
async function targets(page, _, where) {
  const small = await page.evaluate(() =>
    [...document.querySelectorAll('nav a, button, input:not([type=hidden])')]
      .map((element) => [element.outerHTML, element.getBoundingClientRect().height, element.type === 'checkbox' ? 20 : 31])
      .filter(([, height, least]) => height > 0 && height < least),
  );
  assert.deepEqual(small, [], `${where} has targets that are too small`);
}

test('the list with every kind of query', async () => {
  const [{ id }] = (await obs.read('/api/issues')).issues;
  const hostile = encodeURIComponent(`${unbroken.slice(0, 500)} "${'<b>é"\''.repeat(40)}`);
  for (const query of ['', '?period=14d', '?sort=count', '?q=is%3Aany', '?q=is%3Aresolved', '?q=nothing+env:x+is:new', `?q=${hostile}`, `?q=env:${hostile}&period=14d`]) {
    await visit(`/${query}`, targets);
  }
  await visit(`/issues/${id}`, targets);
});

test('the search is accessible to a screen reader and keeps what was typed', async () => {
  await visit('/?q=level:info&sort=count', async (page) => {
    const search = page.getByRole('search').getByRole('searchbox', { name: 'Search issues' });
    assert.equal(await search.inputValue(), 'level:info');
    await page.getByRole('img', { name: /^Events an hour over the last 24 hours: \d/ }).waitFor();
    await page.getByRole('navigation', { name: 'Filters' }).getByRole('link', { name: 'info' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Events ↓' }).getAttribute('aria-current'), 'true');
  });
});

test('the buttons for selected rows stay visible while scrolling', async () => {
  for (let n = 0; n < 40; n++) await send({ message: 'one of many', fingerprint: [`many ${n}`] });
  for (const viewport of sizes) {
    const page = await browser.newPage({ viewport });
    await page.goto(origin);
    const resolve = page.getByRole('button', { name: 'Resolve selected' });
    const isSeen = () => resolve.evaluate((button) => button.getBoundingClientRect().bottom <= innerHeight);
    assert.equal(await isSeen(), false, 'without a selection, the buttons are below the rows');
    await page.getByRole('checkbox').first().check();
    assert.equal(await isSeen(), true);
    let covered = 0;
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press('Tab');
      covered += await page.evaluate(() => {
        const { left, top, width, height } = document.activeElement.getBoundingClientRect();
        return !document.activeElement.contains(document.elementFromPoint(left + Math.min(width, 40) / 2, top + height / 2));
      });
    }
    assert.equal(covered, 0, 'the buttons do not cover the focused element');
    await page.close();
  }
});

test('readers who may not make changes get rows without a gap for checkboxes', async () => {
  const open = await start({ env: { OBS_PUBLIC_DASHBOARD: '1' } });
  await open.send(events['text that would be markup']);
  for (const viewport of sizes) {
    const left = {};
    for (const [who, extraHTTPHeaders] of Object.entries({ owner: {}, visitor: { Via: '1.1 proxy' } })) {
      const page = await browser.newPage({ viewport, extraHTTPHeaders });
      await page.goto(open.origin);
      assert.equal(await page.getByRole('checkbox').count(), who === 'owner' ? 1 : 0);
      left[who] = await page.evaluate(() => document.querySelector('.rows .level').getBoundingClientRect().left - document.querySelector('main').getBoundingClientRect().left);
      const heads = await page.locator('.cols a:nth-child(2), .rows strong').evaluateAll((all) => all.map((element) => element.getBoundingClientRect().right));
      if (viewport.width > 1000) assert.equal(Math.round(heads[0]), Math.round(heads.at(-1)), 'counts are aligned with their head');
      await page.close();
    }
    assert.equal(left.visitor, 0);
    assert.ok(left.owner > 20);
  }
  await open.stop();
});

test('an error page has the same landmarks', async () => {
  const page = await browser.newPage();
  const answer = await page.goto(`${origin}/issues/999999`);
  assert.equal(answer.status(), 404);
  assert.equal(await page.locator('header, main, h1').count(), 3);
  await page.close();
});

test('the keyboard leads from the list to an event', async () => {
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
    assert.notEqual(outline, 'none', 'the focused element has a visible outline');
    await page.keyboard.press('Enter');
    await page.waitForURL(pattern);
  }
  await page.close();
});
