// The list in Chromium: changes to many issues and their undoing by keyboard, the folded filters, the layout of rows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './chromium.js';
import { start } from './obs.js';

let obs, browser;

before(async () => {
  obs = await start();
  browser = await launch();
  const culprit = [{ filename: '/srv/app/src/Checkout/Totals.php', function: 'App\\Checkout\\Totals->verify', lineno: 9, in_app: true }];
  for (let n = 0; n < 12; n++) {
    await obs.send({
      type: 'TotalMismatch',
      message: 'cart total 84.20 differs from the sum of its lines',
      fingerprint: [String(n)],
      level: n % 3 ? 'error' : 'warning',
      platform: 'php',
      environment: 'production',
      release: 'shop@4.3.1',
      user: { id: n },
      stacktrace: culprit,
      mechanism: { handled: false },
      suppressed: 1000,
    });
  }
});

after(async () => {
  await browser?.close();
  await obs?.stop();
});

const rows = (page) => page.locator('.rows > li');

/** Presses Tab until an element with this name has the focus. */
async function tabTo(page, name) {
  for (let presses = 0; presses < 150; presses++) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate(() => (document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim());
    if (name.test(found)) return;
  }
  assert.fail(`no ${name}`);
}

async function go(page) {
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
}

test('selected issues are counted beside the buttons, and a change is undone, using only the keyboard', async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(`${obs.origin}/?q=level:warning`);
  const devtools = await page.context().newCDPSession(page);
  /** What assistive technology is told, with the text that the style sheet generates. */
  const counted = async () => {
    const { nodes } = await devtools.send('Accessibility.getFullAXTree');
    const texts = nodes.filter((node) => node.role?.value === 'StaticText').map((node) => node.name.value);
    return /(\d+)\| selected/.exec(texts.join('|'))?.[1];
  };
  assert.equal(await counted(), undefined, 'nothing is selected yet');
  for (const id of [10, 7, 4]) {
    await tabTo(page, new RegExp(`^Select issue ${id}$`));
    await page.keyboard.press('Space');
  }
  assert.equal(await counted(), '3');
  await tabTo(page, /^Resolve selected$/);
  await go(page);
  assert.match(await page.getByRole('status').innerText(), /^Resolved 3 issues\.\s+Undo$/);
  assert.equal(await rows(page).count(), 1);
  await tabTo(page, /^Undo$/);
  await go(page);
  assert.equal(await page.getByRole('status').innerText(), 'Reopened 3 issues.');
  assert.equal(await rows(page).count(), 4);

  await tabTo(page, /^All 4 that match…$/);
  await page.keyboard.press('Enter');
  await tabTo(page, /^Ignore all 4$/);
  await go(page);
  assert.match(await page.getByRole('status').innerText(), /^Ignored 4 issues\./);
  await tabTo(page, /^Undo$/);
  await go(page);
  await page.close();
});

test('on a phone, filters fold behind a line that says which are set, and the first issue is in the upper third', async () => {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  for (const path of ['/', '/?q=env:production+is:unhandled', '/?q=env:production&sort=day', '/?q=cart']) {
    await page.goto(obs.origin + path);
    const top = await rows(page).first().evaluate((row) => row.getBoundingClientRect().top);
    assert.ok(top < 844 / 3, `${path}: the first issue begins at ${top}`);
    assert.equal(await page.getByRole('navigation', { name: 'Filters' }).isVisible(), false);
  }
  await page.goto(`${obs.origin}/?q=env:production+is:unhandled`);
  await tabTo(page, /^Filters: open · env:production · is:unhandled$/);
  await page.keyboard.press('Enter');
  await tabTo(page, /^staging$|^reopened$/);
  for (const name of ['State', 'Mark', 'Level', 'Environment', 'Release']) {
    assert.ok(await page.getByRole('group', { name, exact: true }).isVisible(), name);
  }
  await page.close();
});

test('on a wide screen, filters are open and no line of a row wraps or is cut', async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(obs.origin);
  assert.ok(await page.getByRole('group', { name: 'Release' }).isVisible());
  assert.equal(await page.locator('summary', { hasText: 'Filters' }).isVisible(), false);
  const lines = await rows(page).evaluateAll((rows) =>
    rows.flatMap((row) => [...row.querySelectorAll('.title, .title *, p, time, small, strong, i')].map((e) => [e.className || e.localName, e.offsetHeight, e.scrollWidth - e.clientWidth])));
  for (const [name, height, cut] of lines) {
    assert.ok(height <= 24 && (cut <= 0 || height === 0), `${name}: ${height} high, ${cut} cut`);
  }
  const heights = await rows(page).evaluateAll((rows) => rows.map((row) => row.offsetHeight));
  assert.ok(Math.max(...heights) <= 54, `${heights}`);
  await page.close();
});

test('with forced colours, the current filter has a mark of its own', async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, forcedColors: 'active' });
  await page.goto(obs.origin);
  const mark = (selector) => page.locator(selector).first().evaluate((link) => getComputedStyle(link).borderBottomWidth);
  assert.equal(await mark('.filters a[aria-current]'), '2px');
  assert.equal(await mark('.filters a:not([aria-current])'), '0px');
  await page.close();
});
