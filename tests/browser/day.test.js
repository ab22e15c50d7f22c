// A day's work in a real browser with the keyboard alone, and what pages of other sites try meanwhile.
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

/** What has the focus, as it is called, and that it shows it. */
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    const name = element.getAttribute('aria-label') ?? element.textContent;
    return { name: name.trim(), tag: element.localName, outline: getComputedStyle(element).outlineStyle };
  });

/** Presses Tab until something of that name has the focus. */
async function tabTo(page, name) {
  const met = [];
  for (let presses = 0; presses < 100; presses++) {
    await page.keyboard.press('Tab');
    const { name: found, tag, outline } = await focused(page);
    met.push(found);
    if (tag === 'body') continue; // the browser's own controls lie between the page's end and its start
    assert.notEqual(outline, 'none', `${found} shows that it has the focus`);
    if (name.test(found)) return;
  }
  assert.fail(`no ${name} among ${met.join(', ')}`);
}

/** What the list shows. */
const titles = (page) => page.locator('.rows .title').allTextContents();

/** Presses a key that leads to another page. */
async function go(page, key) {
  await Promise.all([page.waitForEvent('load'), page.keyboard.press(key)]);
}

test('a day with the keyboard alone: found, resolved, back again, merged, deleted', async () => {
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
  assert.deepEqual(await titles(page), ['CardError card declined'], 'search finds it alone');

  await tabTo(page, /^CardError card declined$/);
  await go(page, 'Enter');
  await tabTo(page, /^Resolve$/);
  await go(page, 'Enter');
  assert.match(await main.innerText(), /resolved \d+ s ago/);
  await tabTo(page, /^← Issues$/);
  await go(page, 'Enter');
  assert.deepEqual(await titles(page), ['something else'], 'what is resolved is not open');

  await obs.send(declined);
  await tabTo(page, /^obs$/);
  await go(page, 'Enter');
  const row = page.locator('.rows > li').first();
  assert.match(await row.innerText(), /card declined\s+reopened/);
  await tabTo(page, /^CardError card declined$/);
  await go(page, 'Enter');
  assert.match(await main.innerText(), /open · reopened \d+ s ago, was resolved today/);

  await obs.send({ ...declined, message: 'card was refused', fingerprint: ['another'] });
  await tabTo(page, /^obs$/);
  await go(page, 'Enter');
  const { issues } = await obs.read('/api/issues');
  const id = (message) => issues.find((issue) => issue.message === message).id;
  await tabTo(page, new RegExp(`^Select issue ${id('card was refused')}$`));
  await page.keyboard.press('Space');
  await tabTo(page, new RegExp(`^Select issue ${id('card declined')}$`));
  await page.keyboard.press('Space');
  await tabTo(page, /^Merge selected into the oldest$/);
  await go(page, 'Space');
  assert.deepEqual(await titles(page), ['CardError card was refused', 'something else']);

  await tabTo(page, /^CardError/);
  await go(page, 'Enter');
  assert.equal(page.url(), `${obs.origin}/issues/${id('card declined')}`, 'the oldest keeps its address');
  assert.match(await main.innerText(), /^3\s+events/m);
  await tabTo(page, /^Delete this issue…$/);
  await page.keyboard.press('Tab');
  assert.doesNotMatch((await focused(page)).name, /^Delete/, 'one key alone deletes nothing');
  await tabTo(page, /^Delete this issue…$/);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert.match((await focused(page)).name, /^Delete issue \d+ and \d events?$/);
  await go(page, 'Enter');
  assert.equal(page.url(), `${obs.origin}/`);
  assert.deepEqual(await titles(page), ['something else']);
  assert.equal((await fetch(`${obs.origin}/issues/${id('card was refused')}`)).status, 404);
  await page.close();
});

/** All that must not change. */
async function everything() {
  const { issues } = await obs.read('/api/issues?q=is:any');
  const events = await Promise.all(issues.map(({ id }) => obs.read(`/api/issues/${id}`)));
  return JSON.stringify(events);
}

/** A form that a page fills and sends, as no script of it would have to: to its own window, so that the answer is seen. */
const submit = ({ action, enctype, fields }) => {
  const form = Object.assign(document.createElement('form'), { method: 'post', action, enctype });
  for (const [name, value] of fields) form.append(Object.assign(document.createElement('input'), { name, value, type: 'hidden' }));
  document.body.append(form);
  form.submit();
};

for (const host of ['localhost', '127.0.0.1']) {
  test(`a page of another origin, on ${host}, changes nothing`, async (t) => {
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
      // Refused before it is sent, or answered to nobody.
      const seen = await page.evaluate(([url, request]) => fetch(url, request).then((answer) => answer.type, () => 'refused'), [obs.origin + path, request]);
      assert.equal(seen, request.mode === 'no-cors' ? 'opaque' : 'refused', `${request.method} ${path}`);
    }
    const read = await page.evaluate((url) => fetch(url).then(() => 'read', () => 'refused'), `${obs.origin}/api/issues`);
    assert.equal(read, 'refused', 'nor does it read anything');
    await page.evaluate((url) => document.body.append(Object.assign(document.createElement('iframe'), { src: url })), obs.origin);
    await assert.rejects(page.frameLocator('iframe').getByRole('main').waitFor({ timeout: 1000 }), 'nor frame a page to be clicked on');

    assert.deepEqual(statuses.filter((status) => status < 400), [], 'nothing that was sent was taken');
    assert.equal(await everything(), before);
    await page.close();
  });
}
