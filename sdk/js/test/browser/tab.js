// A tab in Chromium for tests: pages with the SDK, on another origin than the SDK and the test server.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Server } from '../server.js';
import { launch } from '../../../../tests/browser/chromium.js';

export class Tab {
  /** `files` are served by path, as scripts. */
  static async open(files = {}) {
    const tab = new Tab();
    tab.sdk = await readFile(new URL('../../obs.js', import.meta.url), 'utf8');
    const scripts = { ...files, '/sdk.js': tab.sdk };
    tab.files = createServer((request, response) => {
      const script = scripts[request.url];
      if (script) return response.writeHead(200, { 'Content-Type': 'text/javascript', 'Access-Control-Allow-Origin': '*' }).end(script);
      response.writeHead(request.url === '/' ? 200 : 404, { 'Content-Type': 'text/html', ...tab.headers }).end(tab.document ?? tab.html());
    }).listen(0, '127.0.0.1');
    await once(tab.files, 'listening');
    tab.origin = `http://127.0.0.1:${tab.files.address().port}`;
    tab.browser = await launch();
    return tab;
  }

  /** Starts an obs and loads a page with the SDK, or the one that `html` makes for the DSN. */
  async load({ html, headers = {}, url = `http://localhost:${this.files.address().port}/`, dsn, answer } = {}) {
    this.server = await Server.start(answer);
    this.dsn = dsn ?? this.server.dsn;
    this.document = html?.(this.dsn);
    this.headers = headers;
    this.console = [];
    this.page = await this.browser.newPage();
    this.page.on('console', (message) => this.console.push(message.text()));
    if (url.startsWith('https:')) {
      await this.page.route(`${url}**`, (route) => route.fulfill({ contentType: 'text/html', body: this.html('') }));
      await this.page.route(`${url}sdk.js`, (route) => route.fulfill({ contentType: 'text/javascript', body: this.sdk }));
    }
    await this.page.goto(url);
    if (!html) await this.page.waitForFunction(() => window.obs);
  }

  html(origin = this.origin) {
    return `<!doctype html><title>page</title>
<script type="module">
import * as obs from '${origin}/sdk.js';
obs.init({ dsn: '${this.dsn}' });
window.obs = obs;
</script>`;
  }

  async unload() {
    await this.page.close();
    await this.server.stop();
  }

  async close() {
    await this.browser.close();
    this.files.close();
  }
}
