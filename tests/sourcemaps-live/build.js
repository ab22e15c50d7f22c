// Builds the app with a bundler and, if it is told where obs is, with Sentry's plugin, which uploads the source maps.
// Usage: node build.js vite|esbuild OUT ['{"url", "authToken", …}'], in a process of its own, because the plugins keep state.
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sentryEsbuildPlugin } from '@sentry/esbuild-plugin';
import { sentryVitePlugin } from '@sentry/vite-plugin';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';

const [bundler, out, settings] = process.argv.slice(2);
const app = join(import.meta.dirname, 'app');
// Without a handler, a build succeeds even if the upload fails.
const fail = (error) => {
  throw error;
};
const plugins = (create) => (settings ? [create({ ...JSON.parse(settings), errorHandler: fail })] : []);

if (bundler === 'vite') {
  const build = { outDir: out, emptyOutDir: true, sourcemap: true };
  await vite({ root: app, configFile: false, logLevel: 'warn', plugins: plugins(sentryVitePlugin), build });
} else {
  const entryPoints = [join(app, 'main.js')];
  const format = { bundle: true, minify: true, format: 'esm', sourcemap: true, logLevel: 'error' };
  await esbuild({ ...format, entryPoints, outdir: out, plugins: plugins(sentryEsbuildPlugin) });
  await copyFile(join(app, 'index.html'), join(out, 'index.html'));
}
