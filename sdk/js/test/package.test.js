// What the package promises of itself: one module without a build step, for every runtime.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const source = read('obs.js');

test('events carry the name and the version of the package', () => {
  const { name, version } = JSON.parse(read('package.json'));
  assert.ok(source.includes(`{ name: '${name}', version: '${version}' }`));
});

test('the module imports nothing and awaits nothing while it loads', () => {
  assert.doesNotMatch(source, /^import|^await|^export .* from/m);
});

test('what it exports is what its types declare', async () => {
  const types = [...read('obs.d.ts').matchAll(/^export function (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(Object.keys(await import('@obs/sdk')).sort(), types.sort());
});
