// Builds the app in `app/` and uploads its source maps, with each uploader as its users would run it.
import { execFile } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const here = import.meta.dirname;
const CLI_2 = 'node_modules/sentry-cli-2/bin/sentry-cli';
const CLI_3 = 'node_modules/sentry-cli-3/bin/sentry-cli';
const CLI_JS = 'node_modules/sentry/dist/bin.cjs';

/** Runs a program beside this file with nothing but the settings that an upload needs, and outside this repository. */
function run(program, args, out, { url, token }) {
  const settings = { SENTRY_URL: url, SENTRY_AUTH_TOKEN: token, SENTRY_ORG: 'acme', SENTRY_PROJECT: 'shop' };
  const options = { timeout: 120_000, cwd: dirname(out), env: { PATH: process.env.PATH, HOME: dirname(out), ...settings } };
  return promisify(execFile)(process.execPath, [join(here, program), ...args], options);
}

export const build = (out, to) => run('build.js', ['vite', out], out, to);

/** The build with a plugin. The plugins of the two bundlers have the same settings. */
const plugin = (bundler) => (out, to, disable = false) => {
  const release = to.release ? { name: to.release } : { create: false, finalize: false };
  const settings = { url: to.url, authToken: to.token, org: 'acme', project: 'shop', telemetry: false, silent: true, release };
  return run('build.js', [bundler, out, JSON.stringify({ ...settings, sourcemaps: { disable } })], out, to);
};

const sentryCli = (program) => ({
  async debugIds(out, to) {
    await build(out, to);
    await run(program, ['sourcemaps', 'inject', out], out, to);
    await run(program, ['sourcemaps', 'upload', out], out, to);
  },
  async release(out, to) {
    await build(out, to);
    await run(program, ['sourcemaps', 'upload', '--release', to.release, out], out, to);
  },
});

/** `debugIds` uploads so that ids identify the maps, `release` so that only release and path do. */
export const uploaders = {
  'sentry-cli 2': sentryCli(CLI_2),
  'sentry-cli 3': sentryCli(CLI_3),
  'the JavaScript CLI': {
    async debugIds(out, to) {
      await build(out, to);
      await run(CLI_JS, ['sourcemap', 'upload', out], out, to);
    },
    async release(out, to) {
      await build(out, to);
      await run(CLI_JS, ['sourcemap', 'upload', '--no-rewrite', '--release', to.release, out], out, to);
    },
  },
  'the Vite plugin': { debugIds: plugin('vite') },
  'the esbuild plugin': { debugIds: plugin('esbuild') },
};

/** The plugin adds an id to the minified file, and the command-line tool another one, under which it uploads the map. */
export async function twoTools(out, to) {
  await plugin('vite')(out, to, 'disable-upload');
  // Without the comment that newer plugins write, the tool does not know the first id.
  const assets = join(out, 'assets');
  for (const file of await readdir(assets)) {
    const text = await readFile(join(assets, file), 'utf8');
    await writeFile(join(assets, file), text.replace(/^\/\/# debugId=.*$/m, '').replaceAll(/,?"debug_?[iI]d":"[^"]*"/g, ''));
  }
  await run(CLI_3, ['sourcemaps', 'inject', out], out, to);
  await run(CLI_3, ['sourcemaps', 'upload', out], out, to);
}

/** Each map by itself, as `docs/sourcemaps.md` says. */
export async function curl(out, to) {
  await build(out, to);
  const each = 'for map in assets/*.map; do curl -sSf -u ":$1" -T "$map" "$2/api/sourcemaps/$map?release=$3"; done';
  await promisify(execFile)('sh', ['-ec', each, 'sh', to.token, to.url, to.release], { cwd: out });
}
