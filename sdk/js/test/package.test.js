// The package: one module without a build step, for every runtime.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const source = read('obs.js');

test('the SDK has the name and version of the package', () => {
  const { name, version } = JSON.parse(read('package.json'));
  assert.ok(source.includes(`{ name: '${name}', version: '${version}' }`));
});

test('the module has no imports and no top-level await', () => {
  assert.doesNotMatch(source, /^import|^await|^export .* from/m);
});

test('the exports match the declared types', async () => {
  const types = [...read('obs.d.ts').matchAll(/^export function (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(Object.keys(await import('@obs/sdk')).sort(), [...new Set(types)].sort());
});
