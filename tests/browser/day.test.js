// A day's work in a real browser using only the keyboard, and attacks from pages on other origins.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { launch } from './chromium.js';
import { start } from './obs.js';

let obs, browser;

before(async () => {
  obs = await start();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await obs?.stop();
});

/** The focused element: its name, tag and outline. */
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    const name = element.getAttribute('aria-label') ?? element.textContent;
    return { name: name.trim(), tag: element.localName, outline: getComputedStyle(element).outlineStyle };
  });

/** Presses Tab until an element with this name has the focus. */
async function tabTo(page, name) {
  const passed = [];
  for (let presses = 0; presses < 100; presses++) {
    await page.keyboard.press('Tab');
    const { name: found, tag, outline } = await focused(page);
    passed.push(found);
    if (tag === 'body') continue; // after the end of the page, the focus passes through the browser's own controls
    assert.notEqual(outline, 'none', `${found} has a visible focus`);
    if (name.test(found)) return;
  }
  assert.fail(`no ${name} among ${passed.join(', ')}`);
}

/** The titles in the list. */
const titles = (page) => page.locator('.rows .title').allTextContents();

/** Presses a key that loads another page. */
async function go(page, key) {
  await Promise.all([page.waitForEvent('load'), page.keyboard.press(key)]);
}

test('an issue is found, resolved, reopened, merged and deleted using only the keyboard', async () => {
  const declined = { type: 'CardError', message: 'card declined', level: 'error', platform: 'php', environment: 'production' };
  await obs.send(declined);
  await obs.send({ message: 'something else', level: 'info' });

  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const main = page.getByRole('main');
  await page.goto(obs.origin);
  await page.keyboard.press('Tab');
  assert.equal((await focused(page)).name, 'Skip to issues', 'the first stop');

  await tabTo(page, /^Search issues$/);
  await page.keyboard.type('DECLINED level:error');
  await go(page, 'Enter');
  assert.deepEqual(await titles(page), ['CardError card declined'], 'the search finds only this issue');

  await tabTo(page, /^CardError card declined$/);
  await go(page, 'Enter');
  await tabTo(page, /^Resolve$/);
  await go(page, 'Enter');
  assert.match(await main.innerText(), /resolved \d+ s ago/);
  await tabTo(page, /^← Issues$/);
  await go(page, 'Enter');
  assert.deepEqual(await titles(page), [], 'the search, to which the way back leads, finds only open issues');
  await tabTo(page, /^obs$/);
  await go(page, 'Enter');
  assert.deepEqual(await titles(page), ['something else'], 'a resolved issue is not listed as open');

  await obs.send(declined);
  await tabTo(page, /^obs$/);
  await go(page, 'Enter');
  const row = page.locator('.rows > li').first();
  assert.match(await row.innerText(), /card declined\s+reopened/);
  await tabTo(page, /^CardError card declined$/);
  await go(page, 'Enter');
  assert.match(await main.innerText(), /open · reopened \d+ s ago, [\d:]+ UTC, resolved \d+ s ago/);

  await obs.send({ ...declined, message: 'card was refused', fingerprint: ['another'] });
  await tabTo(page, /^obs$/);
  await go(page, 'Enter');
  const { issues } = await obs.read('/api/issues');
  const id = (message) => issues.find((issue) => issue.message === message).id;
  await tabTo(page, new RegExp(`^Select issue ${id('card was refused')}$`));
  await page.keyboard.press('Space');
  await tabTo(page, new RegExp(`^Select issue ${id('card declined')}$`));
  await page.keyboard.press('Space');
  await tabTo(page, /^Merge…$/);
  await page.keyboard.press('Enter');
  await tabTo(page, /^Merge selected into the oldest$/);
  await go(page, 'Space');
  assert.match(await page.getByRole('status').innerText(), /^Merged 1 issue into issue \d+\.$/);
  assert.deepEqual(await titles(page), ['CardError card was refused', 'something else']);

  await tabTo(page, /^CardError/);
  await go(page, 'Enter');
  assert.equal(page.url(), `${obs.origin}/issues/${id('card declined')}`, 'the oldest issue keeps its URL');
  assert.match(await main.innerText(), /^3\s+events/m);
  await tabTo(page, /^Delete this issue…$/);
  await page.keyboard.press('Tab');
  assert.doesNotMatch((await focused(page)).name, /^Delete/, 'a single key press deletes nothing');
  await tabTo(page, /^Delete this issue…$/);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert.match((await focused(page)).name, /^Delete issue \d+ and \d events?$/);
  await go(page, 'Enter');
  assert.match(await page.getByRole('status').innerText(), /^Deleted issue \d+\.$/);
  assert.deepEqual(await titles(page), ['something else']);
  assert.equal((await fetch(`${obs.origin}/issues/${id('card was refused')}`)).status, 404);
  await page.close();
});

/** The data that must not change. */
async function everything() {
  const { issues } = await obs.read('/api/issues?q=is:any');
  const events = await Promise.all(issues.map(({ id }) => obs.read(`/api/issues/${id}`)));
  return JSON.stringify(events);
}

/** Submits a form to the page's own window, so that the response is visible. */
const submit = ({ action, enctype, fields }) => {
  const form = Object.assign(document.createElement('form'), { method: 'post', action, enctype });
  for (const [name, value] of fields) form.append(Object.assign(document.createElement('input'), { name, value, type: 'hidden' }));
  document.body.append(form);
  form.submit();
};

for (const host of ['localhost', '127.0.0.1']) {
  test(`a page on another origin, at ${host}, cannot change anything`, async (t) => {
    const event = await obs.send({ message: 'kept' });
    await obs.send({ message: 'kept too' });
    const { issues } = await obs.read('/api/issues');
    const [one, two] = issues.map((issue) => issue.id);
    const before = await everything();

    const site = createServer((_, answer) => answer.setHeader('Content-Type', 'text/html').end('<!doctype html><title>other</title>'));
    t.after(() => site.close().closeAllConnections());
    site.listen(0, host);
    await once(site, 'listening');
    const other = `http://${host}:${site.address().port}/`;
    const page = await browser.newPage();
    const statuses = [];
    page.on('response', (response) => response.request().method() !== 'GET' && statuses.push(response.status()));

    const forms = [
      ['/', [['do', 'resolve'], ['id', one], ['id', two]]],
      ['/', [['do', 'merge'], ['id', one], ['id', two]]],
      [`/issues/${one}`, [['do', 'resolve']]],
      [`/issues/${one}`, [['do', 'delete']]],
      [`/events/${event}`, [['do', 'delete']]],
    ];
    for (const [path, fields] of forms) {
      for (const enctype of ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']) {
        await page.goto(other);
        const landed = page.waitForURL(obs.origin + path);
        await page.evaluate(submit, { action: obs.origin + path, enctype, fields });
        await landed;
        assert.equal(await page.locator('h1').innerText(), 'Request refused', `${path} as ${enctype}`);
      }
    }
    assert.deepEqual(statuses, Array(15).fill(403));

    await page.goto(other);
    const requests = [
      [`/api/issues/${one}`, { method: 'PATCH', body: '{"state":"resolved"}', headers: { 'Content-Type': 'application/json' } }],
      [`/api/issues/${one}`, { method: 'PATCH', body: '{"state":"resolved"}' }],
      [`/api/issues/${one}`, { method: 'DELETE' }],
      [`/api/events/${event}`, { method: 'DELETE' }],
      [`/api/issues/${one}/merge`, { method: 'POST', body: `{"into":${two}}`, headers: { 'Content-Type': 'application/json' } }],
      [`/api/issues/${one}/merge`, { method: 'POST', body: `{"into":${two}}`, mode: 'no-cors' }],
      [`/issues/${one}`, { method: 'POST', body: 'do=delete', mode: 'no-cors', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }],
      ['/', { method: 'POST', body: `do=resolve&id=${one}`, mode: 'no-cors', headers: { 'Content-Type': 'text/plain' } }],
    ];
    for (const [path, request] of requests) {
      // Blocked before it is sent, or the response is hidden from the page.
      const seen = await page.evaluate(([url, request]) => fetch(url, request).then((answer) => answer.type, () => 'refused'), [obs.origin + path, request]);
      assert.equal(seen, request.mode === 'no-cors' ? 'opaque' : 'refused', `${request.method} ${path}`);
    }
    const read = await page.evaluate((url) => fetch(url).then(() => 'read', () => 'refused'), `${obs.origin}/api/issues`);
    assert.equal(read, 'refused', 'the other page cannot read anything either');
    await page.evaluate((url) => document.body.append(Object.assign(document.createElement('iframe'), { src: url })), obs.origin);
    await assert.rejects(page.frameLocator('iframe').getByRole('main').waitFor({ timeout: 1000 }), 'the other page cannot frame the dashboard');

    assert.deepEqual(statuses.filter((status) => status < 400), [], 'no request was accepted');
    assert.equal(await everything(), before);
    await page.close();
  });
}
