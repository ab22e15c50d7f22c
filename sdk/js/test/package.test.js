// The package: one module without a build step, for every runtime.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

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

test('a browser gets at most 8 KB: minified without what is only for Node, and compressed', async () => {
  const { minify } = await import('terser');
  const { code } = await minify(source, { module: true, compress: { passes: 3, global_defs: { '@process': 'undefined' } } });
  const bytes = gzipSync(code, { level: 9 }).length;
  assert.ok(bytes > 4000 && bytes <= 8192, `${bytes} bytes`);
  assert.ok(!code.includes('uncaughtExceptionMonitor'));
});

test('the module has at most 668 lines of code', () => {
  const code = source.replace(/^\s*\/\*.*?\*\/$/gms, '').split('\n').filter((line) => !/^\s*($|\/\/)/.test(line));
  assert.ok(code.length <= 668, `${code.length} lines`);
});
