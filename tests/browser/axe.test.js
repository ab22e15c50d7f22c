// Every page in both colour schemes and at every width: nothing that axe finds fault with, nothing wider than the screen.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import axe from 'axe-core';
import { launch } from './chromium.js';
import { start } from './obs.js';

/** 640 is what remains of 1280 at a zoom of 200 %. */
const WIDTHS = [320, 390, 640, 768, 1280];

let obs, empty, browser;

before(async () => {
  const events = execFileSync('node', [new URL('../../example/fortnight.mjs', import.meta.url).pathname], { maxBuffer: 1 << 26 });
  [obs, empty, browser] = await Promise.all([start({ events }), start(), launch()]);
  const map = { version: 3, debugId: 'bf9a0a1c-4d50-4d1e-9c8a-0f1d2e3a4b5c', sources: ['x.ts'], names: [], mappings: 'AAAA' };
  for (const path of ['x.js.map', `${'assets/'.repeat(20)}index-lR73.js.map?release=web@${'1'.repeat(100)}`]) {
    const answer = await fetch(`${obs.origin}/api/sourcemaps/${path}`, { method: 'PUT', headers: { Authorization: 'Bearer any' }, body: JSON.stringify(map) });
    assert.equal(answer.status, 201);
  }
});

after(async () => {
  await browser?.close();
  await obs?.stop();
  await empty?.stop();
});

/** The faults of a page at every width, once each. */
async function faults(url, colorScheme) {
  const page = await (await browser.newContext({ colorScheme })).newPage();
  const found = new Set();
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(url);
    await page.evaluate(axe.source);
    for (const { id, nodes } of (await page.evaluate(() => globalThis.axe.run())).violations) {
      found.add(`${id} at ${width}: ${nodes[0].html.slice(0, 200)}`);
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) found.add(`${wide} px too wide at ${width}`);
  }
  await page.context().close();
  return [...found];
}

describe('in a browser', { concurrency: 2 }, () => {
  for (const scheme of ['light', 'dark']) {
    test(`no page has a fault in ${scheme} colours`, async () => {
      const { issues } = await obs.read('/api/issues');
      const of = (text) => issues.find(({ message }) => message.includes(text));
      const [deep, asked] = [of('Maximum call stack'), of('differs from')];
      const paths = [
        '/', '/?period=14d', '/?q=env:production+is:any', '/?q=nothing+like+it', '/?sort=day', '/?after=1',
        `/issues/${deep.id}`, `/issues/${asked.id}`, `/issues/${asked.id}?q=env:staging`, `/events/${asked.last_event_id}`, '/setup', '/setup/sourcemaps', '/nowhere',
      ];
      const all = [];
      for (const url of [...paths.map((path) => obs.origin + path), `${empty.origin}/`]) {
        for (const fault of await faults(url, scheme)) all.push(`${url}: ${fault}`);
      }
      assert.deepEqual(all, []);
    });
  }
});
