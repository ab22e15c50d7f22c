// Whose SDKs are tested: our own, each with the command that runs its driver, or the one command that was asked for.
import { runCommand } from './process.js';

const here = new URL('.', import.meta.url).pathname;
const js = `${here}drivers/js/main.js`;

/** `own`: a scenario that it does not know is a failure. */
function command(name, line, own) {
  return { name, own, run: (...call) => runCommand(line, ...call), stop: async () => {} };
}

export async function drivers(asked) {
  if (asked) return [command('driver', asked, false)];
  const { Browser } = await import('./browser.js'); // Whoever tests one driver needs no Chromium.
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
