// Prints two weeks of a small shop's errors as JSON Lines, for `obs import`. The last release is six hours old.
//
//   node example/fortnight.mjs > events.jsonl && obs import events.jsonl --db shop.sqlite
import { createHash } from 'node:crypto';

const HOUR = 3600_000;
const now = Date.now();

// A small generator of pseudo-random numbers (mulberry32), so that every run prints the same errors.
let seed = 42;
function random() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const pick = (list) => list[Math.floor(random() * list.length)];

const programs = {
  shop: {
    platform: 'php',
    servers: ['web-1', 'web-2', 'web-3'],
    releases: [['shop@4.2.0', 340], ['shop@4.2.1', 215], ['shop@4.3.0', 90], ['shop@4.3.1', 6]],
    frame: (file, name, lineno) => ({ filename: `/srv/shop/${file}`, function: name, lineno, in_app: !file.startsWith('vendor/') }),
    library: ['vendor/symfony/http-kernel/HttpKernel.php', 'Symfony\\Component\\HttpKernel\\HttpKernel->handleRaw', 181],
  },
  web: {
    platform: 'javascript',
    servers: [],
    releases: [['web@118', 330], ['web@119', 160], ['web@120', 30], ['web@121', 5]],
    frame: (file, name, lineno) => ({ filename: `https://shop.example/assets/${file}`, function: name, lineno, colno: 17, in_app: !file.includes('node_modules') }),
    library: ['node_modules/react-dom/client.js', 'commitRoot', 9127],
  },
  jobs: {
    platform: 'python',
    servers: ['worker-1', 'worker-2'],
    releases: [['jobs@2026.45', 320], ['jobs@2026.46', 170], ['jobs@2026.47', 44]],
    frame: (file, name, lineno) => ({ filename: file, function: name, lineno, in_app: !file.startsWith('celery/') }),
    library: ['celery/app/trace.py', 'trace_task', 477],
  },
};

/**
 * One row an issue: program, type, message, function, file, line, source line, events, then what is special about it.
 * `from` and `to` are hours ago; `users` is how many are affected; `peak` makes it rise towards `to`.
 */
const issues = [
  // New since the last release
  ['shop', 'App\\Checkout\\TotalMismatch', (n) => `cart total 84.20 differs from the sum of its lines, 79.${10 + (n % 80)}`, 'App\\Checkout\\Totals->verify', 'src/Checkout/Totals.php', 88, "throw new TotalMismatch($cart->total, $sum);", 190, { from: 5.6, users: 74, peak: true, tags: { payment: ['card', 'paypal'] }, path: '/checkout' }],
  ['web', 'TypeError', () => "Cannot read properties of undefined (reading 'currency')", 'formatPrice', 'checkout-Bx81.js', 214, 'return new Intl.NumberFormat(locale, { style: "currency", currency: price.currency });', 143, { from: 4.8, users: 61, unhandled: true, path: '/checkout' }],
  ['shop', 'ErrorException', () => 'Undefined array key "vat_id"', 'App\\Invoice\\Pdf->header', 'src/Invoice/Pdf.php', 41, "$lines[] = 'VAT ' . $customer['vat_id'];", 12, { from: 5.1, users: 9, path: '/account/invoices' }],
  // Rising now, and older than the release
  ['jobs', 'TimeoutError', () => 'payment provider did not answer within 10 s', 'capture', 'jobs/payments.py', 132, 'response = session.post(url, json=payload, timeout=10)', 260, { from: 200, users: 120, peak: true, tags: { provider: ['stripe', 'adyen'] } }],
  ['shop', 'PDOException', () => 'SQLSTATE[HY000] [2002] Connection refused', 'App\\Db\\Connection->open', 'src/Db/Connection.php', 57, 'return new PDO($this->dsn, $this->user, $this->password);', 96, { from: 2.2, peak: true, users: 40, path: '/' }],
  // Always there
  ['web', 'ChunkLoadError', (n) => `Loading chunk ${100 + (n % 40)} failed`, 'loadRoute', 'app-C02d.js', 77, 'return import(route.chunk);', 310, { users: 230, unhandled: true, path: '/products' }],
  ['shop', 'App\\Stock\\SoldOut', (n) => `product ${4000 + n} is sold out`, 'App\\Stock\\Reservation->take', 'src/Stock/Reservation.php', 63, 'throw new SoldOut($product);', 420, { level: 'warning', users: 300, path: '/cart' }],
  ['jobs', 'ConnectionResetError', () => 'Connection reset by peer', 'fetch_rates', 'jobs/rates.py', 29, 'rates = client.get("/latest").json()', 88, {}],
  ['jobs', 'KeyError', () => "'shipping_address'", 'label', 'jobs/labels.py', 54, "address = order['shipping_address']", 37, { users: 30, unhandled: true }],
  ['web', 'NetworkError', () => 'Failed to fetch', 'search', 'search-Dk20.js', 33, 'const answer = await fetch(`/api/search?q=${query}`);', 150, { users: 110, level: 'warning', path: '/search' }],
  ['shop', 'Symfony\\Component\\Mailer\\Exception\\TransportException', () => 'Expected response code "250" but got code "451"', 'App\\Mail\\Sender->send', 'src/Mail/Sender.php', 39, '$this->mailer->send($email);', 45, { users: 41 }],
  ['shop', 'InvalidArgumentException', (n) => `no delivery to ${1010 + n * 10}, AT`, 'App\\Address\\Validator->check', 'src/Address/Validator.php', 22, 'throw new InvalidArgumentException("no delivery to $area, $country");', 64, { level: 'warning', users: 60, path: '/checkout/address' }],
  ['jobs', 'MemoryError', () => '', 'thumbnails', 'jobs/images.py', 71, 'image = Image.open(path).convert("RGB")', 9, { unhandled: true }],
  ['web', 'RangeError', () => 'Maximum call stack size exceeded', 'walk', 'menu-A7f1.js', 51, 'node.children.forEach(walk);', 14, { users: 11, deep: true, unhandled: true, path: '/' }],
];
const more = [
  ['shop', 'LogicException', 'coupon SPRING cannot be combined', 'App\\Coupon\\Rules->apply', 'src/Coupon/Rules.php'],
  ['shop', 'TypeError', 'App\\Cart\\Line::__construct(): Argument #2 ($quantity) must be of type int, string given', 'App\\Cart\\Line->__construct', 'src/Cart/Line.php'],
  ['shop', 'JsonException', 'Syntax error', 'App\\Webhook\\Parser->parse', 'src/Webhook/Parser.php'],
  ['shop', 'DomainException', 'gift card is empty', 'App\\GiftCard\\Balance->charge', 'src/GiftCard/Balance.php'],
  ['shop', 'RuntimeException', 'cannot write to cache', 'App\\Cache\\Files->set', 'src/Cache/Files.php'],
  ['shop', 'Twig\\Error\\RuntimeError', 'Variable "recommendations" does not exist', 'App\\Page\\Renderer->render', 'src/Page/Renderer.php'],
  ['shop', 'UnexpectedValueException', 'unknown shipping method "drone"', 'App\\Shipping\\Rates->quote', 'src/Shipping/Rates.php'],
  ['shop', 'App\\Payment\\Declined', 'card was declined: insufficient funds', 'App\\Payment\\Gateway->charge', 'src/Payment/Gateway.php'],
  ['web', 'ReferenceError', 'gtag is not defined', 'track', 'analytics-Q3.js'],
  ['web', 'SyntaxError', 'Unexpected token < in JSON at position 0', 'load', 'api-9fc2.js'],
  ['web', 'TypeError', 'wishlist.map is not a function', 'renderWishlist', 'wishlist-22.js'],
  ['web', 'AbortError', 'The user aborted a request', 'suggest', 'search-Dk20.js'],
  ['web', 'QuotaExceededError', 'The quota has been exceeded', 'remember', 'storage-0b.js'],
  ['web', 'SecurityError', 'The operation is insecure', 'readCookie', 'consent-1f.js'],
  ['web', 'TypeError', 'null is not an object (evaluating document.body.dataset)', 'boot', 'app-C02d.js'],
  ['web', 'InvalidStateError', 'The object is in an invalid state', 'pay', 'applepay-77.js'],
  ['jobs', 'ValueError', "time data '2026-13-01' does not match format '%Y-%m-%d'", 'parse_feed', 'jobs/feeds.py'],
  ['jobs', 'UnicodeDecodeError', "'utf-8' codec can't decode byte 0xe4 in position 11", 'read_csv', 'jobs/imports.py'],
  ['jobs', 'IntegrityError', 'duplicate key value violates unique constraint "orders_number_key"', 'save_order', 'jobs/orders.py'],
  ['jobs', 'AttributeError', "'NoneType' object has no attribute 'email'", 'notify', 'jobs/notify.py'],
  ['jobs', 'FileNotFoundError', "No such file or directory: 'export.csv'", 'upload', 'jobs/exports.py'],
  ['jobs', 'PermissionError', 'Access Denied', 'put_object', 'jobs/storage.py'],
  ['jobs', 'SoftTimeLimitExceeded', '', 'rebuild_index', 'jobs/search.py'],
  ['jobs', 'ZeroDivisionError', 'division by zero', 'conversion', 'jobs/reports.py'],
  ['jobs', 'HTTPError', '503 Server Error: Service Unavailable', 'sync_stock', 'jobs/stock.py'],
  ['jobs', 'AssertionError', 'ledger is not balanced', 'close_day', 'jobs/ledger.py'],
];
for (const [program, type, message, name, file] of more) {
  const from = 30 + random() * 290;
  issues.push([program, type, () => message, name, file, 10 + Math.floor(random() * 200), `${name.split(/->|\./).pop()}(request);`, 2 + Math.floor(random() * 40), { from, to: random() < 0.4 ? from * random() : 0, users: Math.floor(random() * 20) }]);
}

const uuid = (text) => createHash('sha1').update(text).digest('hex').slice(0, 32);
const browsers = [['Firefox', '144.0'], ['Chrome', '142.0'], ['Safari', '26.1'], ['Chrome Mobile', '142.0']];

function event([project, type, message, name, file, lineno, source, , special], n, ago, index) {
  const { platform, servers, releases, frame, library } = programs[project];
  const at = new Date(now - ago * HOUR).toISOString();
  const [release] = releases.findLast(([, since]) => since >= ago) ?? releases[0];
  const environment = random() < 0.08 ? 'staging' : 'production';
  const user = special.users ? `u${1000 + index * 500 + Math.floor(random() * special.users)}` : undefined;
  const [browser, version] = pick(browsers);
  const own = { ...frame(file, name, lineno), context_line: `        ${source}`, pre_context: ['    {', '        $started = true;'].map((line) => (project === 'shop' ? line : line.replace(/\$|;/g, ''))), post_context: ['    }'] };
  const stack = special.deep ? Array.from({ length: 118 }, () => own) : [own];
  const isWeb = project !== 'jobs';
  return {
    event_id: uuid(`${index}-${n}`),
    project,
    received_at: at,
    timestamp: at,
    level: special.level ?? 'error',
    type,
    message: message(n),
    platform,
    environment,
    release,
    server_name: servers.length ? pick(servers) : undefined,
    stacktrace: [...stack, frame(...library), frame(...library), frame(...library), frame('index.php', 'main', 12)],
    tags: Object.fromEntries(Object.entries({ country: ['AT', 'DE', 'CH'], ...special.tags }).map(([tag, values]) => [tag, pick(values)])),
    user: user && { id: user, email: `${user}@example.com` },
    request: isWeb && special.path ? { method: project === 'web' ? 'GET' : 'POST', url: `https://shop.example${special.path}`, headers: { 'User-Agent': `Mozilla/5.0 ${browser}/${version}`, Cookie: '[Filtered]' } } : undefined,
    contexts: project === 'web' ? { browser: { name: browser, version } } : { runtime: { name: project === 'shop' ? 'php' : 'CPython', version: project === 'shop' ? '8.4.14' : '3.13.9' } },
    breadcrumbs: isWeb ? [{ timestamp: at, category: 'navigation', message: 'from /products to /cart' }, { timestamp: at, category: 'ui.click', message: 'button#pay' }] : undefined,
    unhandled: special.unhandled || undefined,
    mechanism: special.unhandled ? { type: 'generic', handled: false } : undefined,
  };
}

const events = issues.flatMap((issue, index) => {
  const [, , , , , , , count, { from = 330, to = 0, peak }] = issue;
  return Array.from({ length: count }, (_, n) => {
    const share = peak ? random() ** 3 : random();
    return event(issue, n, to + (from - to) * share + 0.01, index);
  });
});
events.sort((a, b) => (a.received_at < b.received_at ? -1 : 1));
for (const event of events) console.log(JSON.stringify(event));
