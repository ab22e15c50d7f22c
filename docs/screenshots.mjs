// `make screenshots`: takes the README's screenshots of the dashboard after the demo.
import { launch } from '../tests/browser/chromium.js';

const origin = 'http://localhost:8000';
const root = new URL('..', import.meta.url).pathname;

// An event that carries everything, as Sentry's Python SDK would send it from a web application.
const started = Date.now() / 1000 - 1;
const declined = {
  platform: 'python',
  level: 'error',
  environment: 'production',
  release: 'shop@2.4.1',
  server_name: 'web-3',
  transaction: 'pay',
  exception: {
    values: [
      {
        type: 'CardDeclined',
        value: 'order 8812 could not be paid',
        mechanism: { type: 'flask', handled: false },
        stacktrace: {
          frames: [
            ...[880, 865, 902].map((lineno) => ({ function: 'dispatch_request', filename: 'flask/app.py', lineno, in_app: false })),
            {
              function: 'pay',
              filename: 'shop/checkout.py',
              lineno: 41,
              in_app: true,
              vars: { order: '<Order 8812>', card: '[Filtered]', attempts: 3 },
            },
          ],
        },
      },
    ],
  },
  request: {
    method: 'POST',
    url: 'https://shop.example.com/cart/77/pay',
    query_string: 'coupon=SPRING',
    headers: {
      'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
      Authorization: '[Filtered]',
    },
    data: { amount: 42.5, currency: 'EUR', card: '[Filtered]' },
  },
  user: { id: '8812', email: 'ann@example.com' },
  tags: { tenant: 'acme', plan: 'pro' },
  breadcrumbs: [
    { category: 'auth', message: 'signed in as ann' },
    { category: 'query', message: 'SELECT total FROM carts WHERE id = %s', data: { duration_ms: 3.4 } },
    { category: 'httplib', data: { url: 'https://payments.example.com', status_code: 503 } },
    { category: 'shop.payments', level: 'warning', message: 'the payment gateway is slow: attempt 2 of 3' },
  ].map((crumb, n) => ({ timestamp: started + n * 0.24, ...crumb })),
  contexts: { runtime: { name: 'CPython', version: '3.11.7' }, os: { name: 'Linux', version: '6.1' } },
  extra: { cart: { id: 77, items: 3 } },
};
const sent = await fetch(`${origin}/api/1/store/?sentry_key=test123`, { method: 'POST', body: JSON.stringify(declined) });
const { id } = await sent.json();

const { issues } = await (await fetch(`${origin}/api/issues`)).json();
const failure = issues.find((issue) => issue.message.startsWith('database connection failed'));
const screenshots = [
  { name: 'issues-dark', path: '/', scheme: 'dark', width: 1280, height: 480 },
  { name: 'issue-light', path: `/issues/${failure.id}`, scheme: 'light', width: 1280, height: 900 },
  { name: 'event-dark', path: `/events/${failure.last_event_id}`, scheme: 'dark', width: 1280, height: 800 },
  { name: 'carried-light', path: `/events/${id}`, scheme: 'light', width: 1100, height: 900 },
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
