// `make screenshots`: takes the README's screenshots of the dashboard after the demo.
import { launch } from '../tests/browser/chromium.js';

const origin = 'http://localhost:8000';
const root = new URL('..', import.meta.url).pathname;

const { issues } = await (await fetch(`${origin}/api/issues`)).json();
const failure = issues.find((issue) => issue.message.startsWith('database connection failed'));
const screenshots = [
  { name: 'issues-dark', path: '/', scheme: 'dark', width: 1280, height: 480 },
  { name: 'issue-light', path: `/issues/${failure.id}`, scheme: 'light', width: 1280, height: 900 },
  { name: 'event-dark', path: `/events/${failure.last_event_id}`, scheme: 'dark', width: 1280, height: 800 },
  { name: 'issues-phone', path: '/', scheme: 'dark', width: 390, height: 800 },
];

const browser = await launch();
for (const { name, path, scheme, width, height } of screenshots) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
  await page.goto(origin + path);
  // Hides where this checkout is.
  await page.evaluate((root) => (document.body.innerHTML = document.body.innerHTML.replaceAll(root, '/srv/')), root);
  await page.screenshot({ path: new URL(`${name}.png`, import.meta.url).pathname });
  console.log(`docs/${name}.png`);
}
await browser.close();
