// The package as a stranger gets it: packed, installed in an empty directory, and used in every way that Node has.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Server } from './server.js';

const sdk = new URL('..', import.meta.url).pathname;
const bin = (name) => join(sdk, 'node_modules/.bin', name);
let folder, tarball, server;

/** Runs a command in the directory of the program, and returns its output or, if it fails, its output and exit status. */
async function run(command, ...args) {
  const env = { ...process.env, NO_COLOR: '1', npm_config_update_notifier: 'false', DSN: server.dsn };
  const options = { cwd: folder, env, timeout: 120_000 };
  const output = ({ stdout, stderr }) => `${stdout}${stderr}`;
  return promisify(execFile)(command, args, options).then(output, (error) => `exit ${error.code}: ${output(error)}`);
}

const program = (name, text) => writeFile(join(folder, name), text);

// Bun has its own way to install packages, and these are tests of npm, TypeScript and Node.
if (!process.versions.bun) {
  before(async () => {
    server = await Server.start();
    folder = await mkdtemp(join(tmpdir(), 'obs-install-'));
    // A copy, so that nothing is generated in the working tree.
    await mkdir(join(folder, 'clone/sdk'), { recursive: true });
    await cp(join(sdk, '../../LICENSE'), join(folder, 'clone/LICENSE'));
    const isSource = (path) => !/^(node_modules|.*\.tgz|obs\.cjs|obs\.d\.cts|LICENSE)$/.test(path.slice(sdk.length));
    await cp(sdk, join(folder, 'clone/sdk/js'), { recursive: true, filter: isSource });
    await program('package.json', '{"name":"shop","private":true}');
    tarball = (await run('npm', 'pack', '--silent', './clone/sdk/js')).trim();
    await run('npm', 'install', '--offline', '--silent', '--no-audit', '--no-fund', tarball);
  });

  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  test('the package has its licence, both formats with their types, and no tests', async () => {
    const files = await readdir(join(folder, 'node_modules/@obs/sdk'));
    assert.deepEqual(files.sort(), ['LICENSE', 'README.md', 'obs.cjs', 'obs.d.cts', 'obs.d.ts', 'obs.js', 'package.json']);
    assert.match(await readFile(join(folder, 'node_modules/@obs/sdk/LICENSE'), 'utf8'), /Permission is hereby granted/);
  });

  for (const [how, name, load] of [
    ['import', 'main.mjs', "import * as obs from '@obs/sdk';"],
    ['require', 'main.cjs', "const obs = require('@obs/sdk');"],
    ['require in a package without a type', 'main.js', "const { init, captureMessage, flush } = require('@obs/sdk');\nconst obs = { init, captureMessage, flush };"],
    ['import of named exports from the CommonJS file', 'named.mjs', "import { init, captureMessage, flush } from './node_modules/@obs/sdk/obs.cjs';\nconst obs = { init, captureMessage, flush };"],
  ]) {
    test(`it works with ${how}`, async () => {
      server.events.length = 0;
      await program(name, `${load}\nobs.init({ dsn: process.env.DSN });\nobs.captureMessage('from ${name}');\nobs.flush().then(console.log);\n`);
      assert.equal(await run(process.execPath, name), 'true\n');
      assert.deepEqual(server.events.map(({ message }) => message), [`from ${name}`]);
    });
  }

  test('a program that both imports and requires it gets one event for an error', async () => {
    server.events.length = 0;
    await program('both.mjs', `import * as obs from '@obs/sdk';
import { createRequire } from 'node:module';
const required = createRequire(import.meta.url)('@obs/sdk');
for (const sdk of [obs, required]) sdk.init({ dsn: process.env.DSN });
const error = new Error('once');
for (const sdk of [obs, required]) sdk.captureException(error);
await new Promise((resolve) => setTimeout(resolve, 100));
throw error;`);
    assert.match(await run(process.execPath, 'both.mjs'), /^exit 1: .*once/s);
    assert.deepEqual([...new Set(server.events.map(({ event_id }) => event_id))].length, 1);
  });

  for (const [module, type] of [['node16', 'commonjs'], ['node16', 'module'], ['nodenext', 'commonjs'], ['nodenext', 'module'], ['preserve', 'module']]) {
    test(`TypeScript with module ${module} accepts it in a package of type ${type}`, async () => {
      await program('package.json', `{"name":"shop","private":true,"type":"${type}"}`);
      await program('tsconfig.json', JSON.stringify({ compilerOptions: { module, target: 'es2022', strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, types: [], noEmit: true }, files: ['main.ts'] }));
      await program('main.ts', `import * as obs from '@obs/sdk';
import { init, type Event } from '@obs/sdk';
declare const process: { env: Record<string, string | undefined> };
interface Order { id: number }
const order: Order = { id: 7 };
init({ dsn: process.env.OBS_DSN, extra: order, beforeSend: (event: Event) => ({ ...event, extra: { ...event.extra, more: 1 } }) });
const id: string = obs.captureException(new Error('broke'), { extra: order });
export { id };`);
      assert.equal(await run(bin('tsc'), '-p', '.'), '');
    });
  }

  test('publint has nothing to say', async () => {
    assert.match(await run(bin('publint'), 'run', '--strict', tarball), /All good!/);
  });

  test('its types are right for every kind of import, as are-the-types-wrong checks them', async () => {
    assert.match(await run(bin('attw'), tarball, '--format', 'ascii'), /No problems found/);
  });
}
