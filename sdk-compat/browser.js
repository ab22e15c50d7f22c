// Runs a JavaScript driver in headless Chromium, on a page that loads obs's SDK from an obs on another origin, or another
// SDK from a file.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { Obs } from './obs.js';
import { TIMEOUT, flushed } from './process.js';
import { launch } from '../tests/browser/chromium.js';

const page = (sdk) => `<!doctype html><title>driver</title>
<script type="module">
import * as sdk from '${sdk}';
import { drive } from '/driver.js';
window.drive = async (scenario, dsn) => {
  const bridge = { say: (line) => window.driverSays(line), wait: () => window.driverWaits(), request: (handle) => handle() };
  return (await drive(sdk, scenario, dsn, bridge)) !== false;
};
</script>`;

export class Browser {
  /** `folder`: the one in `drivers` that has the driver. `sdk`: the SDK as one file, if it is not obs's own. */
  static async start(folder, sdk) {
    const browser = new Browser();
    browser.folder = folder;
    browser.obs = await Obs.create();
    await browser.obs.start();
    browser.chromium = await launch();
    const files = { '/driver.js': new URL(`drivers/${folder}/driver.js`, import.meta.url), '/sdk.js': sdk };
    const html = page(sdk ? '/sdk.js' : `${browser.obs.origin}/sdk.js`);
    browser.server = createServer(async (request, response) => {
      const file = files[request.url];
      response.writeHead(200, { 'Content-Type': file ? 'text/javascript' : 'text/html' }).end(file ? await readFile(file) : html);
    }).listen(0, '127.0.0.1');
    await once(browser.server, 'listening');
    return browser;
  }

  /**
   * Returns the same as `runCommand`. The status of a page is 1 after an uncaught error, otherwise 0. After the page is left,
   * the browser still sends what it left, until `close` is called.
   */
  async run(scenario, dsn, { waits = [], count = () => null } = {}) {
    const started = Date.now();
    const command = `drivers/${this.folder}/driver.js in Chromium: ${scenario} ${dsn}`;
    const run = { command, flushes: [], stdout: '', stderr: '', status: 0 };
    const context = await this.chromium.newContext();
    try {
      const tab = await context.newPage();
      let waited = 0;
      let harnessFailed;
      const failure = new Promise((_, reject) => (harnessFailed = reject));
      await tab.exposeFunction('driverSays', (line) => {
        run.stdout += `${line}\n`;
        if (line.startsWith('flush ')) run.flushes.push(flushed(line, count()));
      });
      await tab.exposeFunction('driverWaits', async () => {
        await Promise.all(run.flushes); // A wait may kill the server that these ask.
        await waits[waited++]?.().catch(harnessFailed);
      });
      // Chromium itself logs each failed request; that is not the SDK's output.
      tab.on('console', (message) => (run.stderr += /^Failed to load resource/.test(message.text()) ? '' : `${message.text()}\n`));
      const uncaught = new Promise((resolve) => tab.once('pageerror', resolve));
      await tab.goto(`http://localhost:${this.server.address().port}/`);
      await tab.waitForFunction(() => window.drive);
      let timer;
      const timeout = new Promise((resolve) => (timer = setTimeout(resolve, TIMEOUT, 'timeout')));
      const driven = tab.evaluate(([name, to]) => window.drive(name, to), [scenario, dsn]);
      const thrown = driven.catch((error) => error); // By `drive` itself, which is no page error.
      const end = await Promise.race([thrown, uncaught, timeout, failure]).finally(() => clearTimeout(timer));
      if (end instanceof Error) run.stderr += `Uncaught ${end.stack}\n`;
      run.status = end instanceof Error ? 1 : { timeout: 'SIGKILL', false: 64, true: 0 }[end];
      await tab.goto('about:blank'); // Leaves the page, as a reader would.
    } catch (error) {
      await context.close();
      throw error;
    }
    return { ...run, flushes: await Promise.all(run.flushes), took: Date.now() - started, close: () => context.close() };
  }

  async stop() {
    await this.chromium.close();
    this.server.close();
    await this.obs.remove();
  }
}
