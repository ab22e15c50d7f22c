// The drivers to test: those of our own SDKs and of Sentry's, or the one given as DRIVER.
import { runCommand } from './process.js';

const here = new URL('.', import.meta.url).pathname;
const js = `${here}drivers/js/main.js`;
const target = new URL('../target/sdk-compat', import.meta.url).pathname;

const RETRY = 'no Sentry SDK sends an event a second time';
/** What no Sentry SDK can do, and why. */
const NO_SENTRY_SDK = {
  repeat: 'a Sentry SDK does not count the repetitions that it drops',
  ...Object.fromEntries(['down-then-up', 'restart', 'late', 'rate-limited', 'unavailable'].map((name) => [name, RETRY])),
  'bad-dsn': 'a Sentry SDK refuses a DSN in its own words, and Python and Go with an error',
};
const TOO_LARGE = { 'too-large': 'the SDK leaves it to the server to refuse an event over 1 MiB' };
const NO_EXIT = { 'no-flush': 'Go calls nothing when main returns, so its programs call Flush' };
const NOT_SENTRY_GO = {
  ...NO_EXIT,
  'bad-extra': 'the SDK then leaves out all contexts',
  rethrown: 'the SDK does not recognize an error that it has captured',
};

/**
 * With `own`, scenarios check more. With `sentry`, the driver has one of Sentry's SDKs. `cannot` names the scenarios that are
 * not run and says why; any other must be supported. A driver without it may support what it likes.
 */
function command(name, line, kind, dsn = (dsn) => dsn) {
  return { name, ...kind, run: (scenario, to, ...rest) => runCommand(line, scenario, dsn(to), ...rest), stop: async () => {} };
}

const sentry = (cannot) => ({ sentry: true, cannot: { ...NO_SENTRY_SDK, ...cannot } });
const own = (cannot) => ({ own: true, cannot });
const withProject = (dsn) => `${dsn}/1`; // No Sentry SDK accepts a DSN without one.

export async function drivers(custom) {
  if (custom) return [command('driver', custom)];
  const { Browser } = await import('./browser.js'); // A custom driver needs no Chromium.
  const inPage = async (name, folder, kind, sdk, dsn = (dsn) => dsn) => {
    const browser = await Browser.start(folder, sdk);
    const run = (scenario, to, ...rest) => browser.run(scenario, dsn(to), ...rest);
    return { name, ...kind, inPage: folder, run, stop: () => browser.stop() };
  };
  const python = `PYTHONPATH=${target}/sentry-python python3 ${here}drivers/sentry-python/driver.py`;
  return [
    command('Go', `${target}/go`, own(NO_EXIT)),
    command('PHP', `php ${here}drivers/php/driver.php`, own({})),
    command('Node', `node ${js}`, own({})),
    command('Bun', `${here}../sdk/js/node_modules/.bin/bun ${js}`, own({})),
    await inPage('Chromium', 'js', own({})),
    command('curl', `${here}drivers/curl.sh`),
    command('Sentry Python', python, sentry({ 'not-an-error': 'Python raises nothing but errors' }), withProject),
    command('Sentry Node', `node ${here}drivers/sentry-js/main.js`, sentry(TOO_LARGE), withProject),
    await inPage('Sentry Chromium', 'sentry-js', sentry(TOO_LARGE), `${target}/sentry-browser.js`, withProject),
    command('Sentry Go', `${target}/sentry-go`, sentry({ ...TOO_LARGE, ...NOT_SENTRY_GO }), withProject),
  ];
}
