// `make sdk-compat`: runs every scenario with every driver, a few at a time, and prints a matrix of the results.
import { drivers } from './drivers.js';
import { Obs } from './obs.js';
import { ending } from './process.js';
import { runScenario, scenarios } from './scenarios.js';

const CONCURRENCY = 4; // More than the cores of a small machine, since scenarios mostly wait.
const cut = (text, limit) => (text.length > limit ? `${text.slice(0, limit)}…` : text);
const indent = (text) => text.trimEnd().replace(/^/gm, '    ');

/** Runs one cell of the matrix: `ok`, `FAIL`, or `-` if the driver does not know the scenario or cannot do it. */
async function cell(name, driver) {
  if (driver.cannot?.[name]) return '-';
  const obs = await Obs.create();
  try {
    if (await runScenario(name, driver, obs)) return 'ok';
    if (!driver.cannot) return '-';
    throw new Error('not supported, and drivers.js has no reason for that');
  } catch (error) {
    console.log(`\nFAIL ${name} with ${driver.name}: ${cut(error.message, 2000)}`);
    console.log(`  The server stored:\n${indent(await stored(obs))}`);
    if (error.run) console.log(`  The driver ${ending(error.run)}:\n${indent(error.run.command)}`);
    if (error.run?.stdout) console.log(`  It printed:\n${indent(cut(error.run.stdout, 1000))}`);
    if (error.run?.stderr) console.log(`  Its standard error:\n${indent(cut(error.run.stderr, 2000))}`);
    return 'FAIL';
  } finally {
    await obs.remove();
  }
}

async function stored(obs) {
  try {
    const events = await obs.summaries();
    const lines = events.slice(0, 5).map((event) => cut(JSON.stringify(event), 300));
    return [`${events.length} events`, ...lines].join('\n');
  } catch (error) {
    return `could not be read: ${error.message}`;
  }
}

function matrix(names, columns, cells) {
  const first = Math.max(...names.map((name) => name.length)) + 2;
  const line = (name, value) => name.padEnd(first) + columns.map((column) => value(column).padEnd(Math.max(10, column.length + 2))).join('');
  return [line('', (column) => column), ...names.map((name) => line(name, (column) => cells[name][column]))].join('\n').replace(/ +$/gm, '');
}

/** Why drivers cannot do some of the scenarios, each reason once. */
function reasons(names, columns) {
  const drivers = {};
  for (const name of names) {
    for (const column of columns) {
      const reason = column.cannot?.[name];
      if (reason) (drivers[`${name}: ${reason}`] ??= []).push(column.name);
    }
  }
  return Object.entries(drivers).map(([reason, names]) => `  - ${reason} (${names.join(', ')})`);
}

/** Returns why obs does not start, if so: one message instead of one for each cell. */
async function whyNoObs() {
  const obs = await Obs.create();
  return obs.start().catch((error) => error.message).finally(() => obs.remove());
}

const names = process.env.SCENARIO?.split(/\s+/).filter(Boolean) ?? [];
const unknown = names.filter((name) => !scenarios[name]);
if (unknown.length > 0) {
  console.error(`Unknown scenario: ${unknown.join(', ')}. The scenarios are: ${Object.keys(scenarios).join(', ')}`);
  process.exit(2);
}
if (names.length === 0) names.push(...Object.keys(scenarios));

const why = await whyNoObs();
if (why) {
  console.error(why);
  process.exit(2);
}

const columns = await drivers(process.env.DRIVER);
const cells = Object.fromEntries(names.map((name) => [name, {}]));
const queue = names.flatMap((name) => columns.map((driver) => [name, driver]));
await Promise.all(
  Array.from({ length: CONCURRENCY }, async () => {
    for (let next; (next = queue.shift()); ) {
      const [name, driver] = next;
      cells[name][driver.name] = await cell(name, driver);
      process.stdout.write('.');
    }
  }),
);
await Promise.all(columns.map((driver) => driver.stop()));

const groups = [columns.filter(({ sentry }) => !sentry), columns.filter(({ sentry }) => sentry)].filter(({ length }) => length > 0);
console.log(`\n\n${groups.map((group) => matrix(names, group.map(({ name }) => name), cells)).join('\n\n')}\n`);
const unsupported = reasons(names, columns);
if (unsupported.length > 0) console.log(['Not supported:', ...unsupported, ''].join('\n'));
const all = Object.values(cells).flatMap(Object.values);
const failed = all.filter((value) => value === 'FAIL').length;
console.log(`${all.length} cells: ${all.filter((value) => value === 'ok').length} ok, ${failed} failed, ${all.filter((value) => value === '-').length} not supported (-)`);
process.exitCode = failed > 0 ? 1 : 0;
