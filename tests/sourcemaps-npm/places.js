// Prints what the `source-map` package says about random places of five real maps, which it writes to a folder: for each
// map a line of JSON with its file and, for each place, line, column, source, line and column there, and name.
import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SourceMapConsumer } from 'source-map';

const [folder, seed] = process.argv.slice(2);
const PLACES = 4000; // of each map
const packages = new URL('node_modules/', import.meta.url).pathname;
const published = (name) => JSON.parse(readFileSync(join(packages, name), 'utf8'));

/** Our own bundle, with a `sourceRoot`. */
async function bundled() {
  const { outputFiles } = await build({
    stdin: { contents: "import * as preact from 'preact'; import * as hooks from 'preact/hooks'; console.log(preact, hooks);", resolveDir: packages, sourcefile: 'shop.js' },
    bundle: true,
    minify: true,
    write: false,
    outfile: 'app.js',
    sourcemap: 'external',
    sourceRoot: 'https://shop.example/src/',
  });
  return JSON.parse(outputFiles.find((file) => file.path.endsWith('.map')).text);
}

/** Two scripts in one file, as tools that concatenate describe them. The second begins within a line. */
function concatenated(first, second) {
  const lines = first.mappings.split(';').length;
  return {
    version: 3,
    sections: [
      { offset: { line: 0, column: 0 }, map: first },
      { offset: { line: lines, column: 17 }, map: second },
    ],
  };
}

/** xorshift32 */
function random(state) {
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

/**
 * Places of a map: half of them exactly where a segment begins, the others near one. Where several segments begin at one
 * place, the package takes any of them, so such places are left out.
 */
function places(consumer, next) {
  const starts = [];
  const originals = new Map();
  consumer.eachMapping((mapping) => {
    const start = `${mapping.generatedLine}:${mapping.generatedColumn}`;
    const original = `${mapping.source}:${mapping.originalLine}:${mapping.originalColumn}:${mapping.name}`;
    starts.push([mapping.generatedLine, mapping.generatedColumn]);
    originals.set(start, originals.has(start) && originals.get(start) !== original ? null : original);
  });
  const isClear = ([line, column]) => {
    while (column >= 0 && !originals.has(`${line}:${column}`)) column -= 1;
    return originals.get(`${line}:${column}`) !== null;
  };
  const found = [];
  while (found.length < PLACES) {
    const [line, column] = starts[next(starts.length)];
    const place = [line, next(2) ? column : Math.max(0, column + next(40) - 20)];
    if (isClear(place)) found.push(place);
  }
  return found;
}

const own = await bundled();
const leaflet = published('leaflet/dist/leaflet.js.map');
const maps = {
  maplibre: published('maplibre-gl/dist/maplibre-gl.mjs.map'),
  mermaid: published('mermaid/dist/mermaid.min.js.map'),
  leaflet,
  'with-source-root': own,
  'with-sections': concatenated(own, leaflet),
};
const next = random(Number(seed) || 1);
for (const [name, map] of Object.entries(maps)) {
  const file = join(folder, `${name}.js.map`);
  writeFileSync(file, JSON.stringify(map));
  const consumer = await new SourceMapConsumer(map);
  const found = places(consumer, next).map(([line, column]) => {
    const { source, line: to, column: toColumn, name } = consumer.originalPositionFor({ line, column });
    return [line, column, [source, to, toColumn, name]];
  });
  consumer.destroy();
  console.log(JSON.stringify({ file, sourceRoot: map.sourceRoot ?? '', found }));
}
