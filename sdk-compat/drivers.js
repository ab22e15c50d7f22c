// The drivers to test: those of our own SDKs, or the one given as DRIVER.
import { runCommand } from './process.js';

const here = new URL('.', import.meta.url).pathname;
const js = `${here}drivers/js/main.js`;

/** With `own`, an unknown scenario is a failure, and scenarios check more. */
function command(name, line, own) {
  return { name, own, run: (...call) => runCommand(line, ...call), stop: async () => {} };
}

export async function drivers(custom) {
  if (custom) return [command('driver', custom, false)];
  const { Browser } = await import('./browser.js'); // A custom driver needs no Chromium.
  const browser = await Browser.start();
  return [
    command('Go', process.env.GO_DRIVER, true),
    command('PHP', `php ${here}drivers/php/driver.php`, true),
    command('Node', `node ${js}`, true),
    command('Bun', `${here}../sdk/js/node_modules/.bin/bun ${js}`, true),
    { name: 'Chromium', own: true, inPage: true, run: (...call) => browser.run(...call), stop: () => browser.stop() },
    command('curl', `${here}drivers/curl.sh`, false),
  ];
}
