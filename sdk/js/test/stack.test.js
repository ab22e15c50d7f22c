// Stack traces in the formats of all engines.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Server } from './server.js';

const obs = await import('@obs/sdk');
let server;

before(async () => {
  server = await Server.start();
  obs.init({ dsn: server.dsn });
});

after(async () => {
  await obs.close();
  await server.stop();
});

/** Returns each frame as `function filename:line:column`, with a leading `-` if it is not in_app. */
async function frames(stack, message = 'broke') {
  server.events.length = 0;
  obs.captureException(Object.assign(new Error(message), { stack }));
  assert.equal(await obs.flush(), true);
  return server.events[0].stacktrace.map((frame) => {
    const place = [frame.filename, frame.lineno, frame.colno].filter((part) => part !== undefined).join(':');
    return `${frame.in_app ? '' : '-'}${frame.function} ${place}`;
  });
}

const engines = {
  'Node': [
    `TypeError: broke
    at inner (file:///srv/my%20app/main.mjs:1:26)
    at new Foo (/srv/app/foo.js:2:29)
    at Foo.run [as go] (/srv/app/foo.js:2:73)
    at async Foo.all (/srv/app/foo.js:9:1)
    at async file:///srv/app/main.mjs:5:7
    at async Promise.all (index 0)
    at Array.map (<anonymous>)
    at eval (eval at <anonymous> (file:///srv/app/e.mjs:7:7), <anonymous>:1:1)
    at eval (eval at run (eval at <anonymous> (/srv/app (x86)/e.js:7:8), <anonymous>:1:1), <anonymous>:2:2)
    at handle (/srv/app/node_modules/express/lib/router.js:10:5)
    at Object.<anonymous> (C:\\Users\\me (x86)\\app\\main.js:3:4)
    at file:///C:/app/main.mjs:8:9
    at wasm://wasm/0012ab:wasm-function[3]:0x1a2b
    at ModuleJob.run (node:internal/modules/esm/module_job:325:25)`,
    [
      'inner /srv/my app/main.mjs:1:26',
      'new Foo /srv/app/foo.js:2:29',
      'Foo.run [as go] /srv/app/foo.js:2:73',
      'Foo.all /srv/app/foo.js:9:1',
      '<anonymous> /srv/app/main.mjs:5:7',
      '-Promise.all index 0',
      '-Array.map <anonymous>',
      'eval /srv/app/e.mjs:7:7',
      'eval /srv/app (x86)/e.js:7:8',
      '-handle /srv/app/node_modules/express/lib/router.js:10:5',
      'Object.<anonymous> C:\\Users\\me (x86)\\app\\main.js:3:4',
      '<anonymous> C:/app/main.mjs:8:9',
      '-<anonymous> wasm://wasm/0012ab:wasm-function[3]:0x1a2b',
      '-ModuleJob.run node:internal/modules/esm/module_job:325:25',
    ],
  ],
  'Bun': [
    `TypeError: broke
    at inner (/srv/app/b.mjs:1:30)
    at eval (unknown)
    at map (native:1:11)
    at <parse> (:0)
    at /srv/app/b.mjs:8:11
    at processTicksAndRejections (internal:process:7:39)`,
    [
      'inner /srv/app/b.mjs:1:30',
      '-eval unknown',
      '-map native:1:11',
      '-<parse> <anonymous>',
      '<anonymous> /srv/app/b.mjs:8:11',
      '-processTicksAndRejections internal:process:7:39',
    ],
  ],
  'Chrome': [
    `TypeError: broke
    at HTMLButtonElement.<anonymous> (https://shop.example:8443/assets/app.js?v=3:10:5)
    at https://shop.example/@scope/index.js:2:1
    at webpack-internal:///./src/a.js:3:4`,
    [
      'HTMLButtonElement.<anonymous> https://shop.example:8443/assets/app.js?v=3:10:5',
      '<anonymous> https://shop.example/@scope/index.js:2:1',
      '<anonymous> webpack-internal:///./src/a.js:3:4',
    ],
  ],
  'Firefox': [
    `inner@https://shop.example/app.js:10:5
run/<@https://shop.example/@scope/app.js:20:7
async*load@https://shop.example/app.js:30:9
setTimeout handler*start@https://shop.example/app.js:40:3
@https://shop.example/app.js line 5 > eval:1:1
@https://shop.example/app.js:50:1
fn@https://shop.example/a.wasm:wasm-function[3]:0x1a
`,
    [
      'inner https://shop.example/app.js:10:5',
      'run/< https://shop.example/@scope/app.js:20:7',
      'load https://shop.example/app.js:30:9',
      'start https://shop.example/app.js:40:3',
      '<anonymous> https://shop.example/app.js:5',
      '<anonymous> https://shop.example/app.js:50:1',
      '-fn https://shop.example/a.wasm:wasm-function[3]:0x1a',
    ],
  ],
  'Safari': [
    `inner@https://shop.example/app.js:10:14
async load@https://shop.example/app.js:20:7
map@[native code]
[native code]
https://shop.example/app.js:30:9
global code@https://shop.example/app.js:40:1
module code@https://shop.example/app.js:50:1`,
    [
      'inner https://shop.example/app.js:10:14',
      'load https://shop.example/app.js:20:7',
      '-map [native code]',
      '-<anonymous> [native code]',
      '<anonymous> https://shop.example/app.js:30:9',
      'global code https://shop.example/app.js:40:1',
      'module code https://shop.example/app.js:50:1',
    ],
  ],
};

for (const [engine, [stack, expected]] of Object.entries(engines)) {
  test(`stacks of ${engine} are parsed`, async () => assert.deepEqual(await frames(stack), expected));
}

test('lines of a message are not taken for frames', async () => {
  const message = 'first\n    at fake (evil.js:1:1)\nlast';
  assert.deepEqual(await frames(`Error: ${message}\n    at real (/srv/a.js:2:2)`, message), ['real /srv/a.js:2:2']);
  assert.deepEqual(await frames(`TypeError [ERR_X]: ${message}\n    at real (/srv/a.js:2:2)`, message), ['real /srv/a.js:2:2']);
  assert.deepEqual(await frames(`${message}\n    at real (/srv/a.js:2:2)`, message), ['real /srv/a.js:2:2']);
});

test('a message that occurs in a frame does not affect parsing', async () => {
  assert.deepEqual(await frames('f@http://a.example/f.js:1:1\ng@http://a.example/f.js:2:2', 'f'), ['f http://a.example/f.js:1:1', 'g http://a.example/f.js:2:2']);
  assert.deepEqual(await frames('Error: old\n    at f (/srv/a.js:1:1)', 'a.js'), ['f /srv/a.js:1:1']);
});

test('the hundred most recent frames are sent', async () => {
  const stack = Array.from({ length: 5000 }, (_, n) => `    at f${n} (/srv/a.js:${n + 1}:1)`).join('\n');
  const sent = await frames(`Error: broke\n${stack}`);
  assert.deepEqual([sent.length, sent[0], sent[99]], [100, 'f0 /srv/a.js:1:1', 'f99 /srv/a.js:100:1']);
});

test('the paths that belong to a library are the ones of the server', async () => {
  const { library, own } = JSON.parse(readFileSync(new URL('../../../tests/library-paths.json', import.meta.url), 'utf8'));
  const inApp = async (path) => {
    const [frame] = await frames(`    at f (${path}:1:1)`);
    return !frame.startsWith('-');
  };
  for (const path of library) assert.equal(await inApp(path), false, path);
  for (const path of own) assert.equal(await inApp(path), true, path);
});

for (const stack of ['', 'no frames at all', '   at', '@', '(((((', '%', '    at (((((', `    at ${'a ('.repeat(1300)}`, `    at ${' '.repeat(4000)}`, `${'@'.repeat(4000)}`, '\n'.repeat(200_000), 'x'.repeat(5_000_000)]) {
  test(`a stack like ${JSON.stringify(stack.slice(0, 20))} (${stack.length}) is handled quickly`, async () => {
    const started = Date.now();
    obs.captureException(Object.assign(new Error('odd'), { stack }));
    assert.equal(await obs.flush(), true);
    assert.ok(Date.now() - started < 3000);
  });
}

test('source lines come only from readable files', async () => {
  const here = new URL(import.meta.url).pathname;
  server.events.length = 0;
  const stack = `Error: broke\n    at a (${here}:1:1)\n    at b (/nowhere/a.js:1:1)\n    at c (/dev/zero:1:1)\n    at d (${here}:999999:1)\n    at e (/etc:1:1)`;
  obs.captureException(Object.assign(new Error('broke'), { stack }));
  assert.equal(await obs.flush(), true);
  const [first, ...others] = server.events[0].stacktrace;
  assert.equal(first.context_line, '// Stack traces in the formats of all engines.');
  assert.deepEqual([first.pre_context.length, first.post_context.length], [0, 3]);
  assert.ok(others.every((frame) => !('context_line' in frame)));
});

test('source lines come only from scripts, even if an assigned stack names other files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'obs-stack-'));
  const names = ['a.js', 'b.mts', 'c.tsx', 'passwords', 'd.json', 'e.js.txt'].map((name) => join(folder, name));
  try {
    for (const name of names) await writeFile(name, 'a line\n');
    server.events.length = 0;
    obs.captureException(Object.assign(new Error('broke'), { stack: `Error: broke\n${names.map((name) => `    at x (${name}:1:1)`).join('\n')}` }));
    assert.equal(await obs.flush(), true);
    assert.deepEqual(server.events[0].stacktrace.map((frame) => 'context_line' in frame), [true, true, true, false, false, false]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('at most ten frames per event have source lines', async () => {
  const here = new URL(import.meta.url).pathname;
  server.events.length = 0;
  const stack = Array.from({ length: 30 }, (_, n) => `    at f (${here}:${n + 1}:1)`).join('\n');
  obs.captureException(Object.assign(new Error('broke'), { stack: `Error: broke\n${stack}` }));
  assert.equal(await obs.flush(), true);
  assert.equal(server.events[0].stacktrace.filter((frame) => 'context_line' in frame).length, 10);
});
