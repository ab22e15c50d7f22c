// The scenarios of ../../README.md with Sentry's JavaScript SDKs. main.js runs them on Node, ../../browser.js in Chromium.

const BAD = '\ud83d'; // Half of a surrogate pair.

function raise() {
  throw new Error('compat exception'); // compat:here
}

const message = (sentry, text, level, scope) => sentry.captureMessage(text, { level: level ?? 'info', ...scope });

/** What one layer of the scenario `context` sets. */
const layer = (name, user) => ({ user: { id: user }, tags: { from: name, [name]: 'yes' }, extra: { from: name, [name]: true } });

const scenarios = {
  messages({ sentry }) {
    for (const level of ['info', 'warning', 'error']) message(sentry, `compat ${level}`, level);
  },

  exception({ sentry }) {
    try {
      raise();
    } catch (error) {
      sentry.captureException(error);
    }
  },

  causes({ sentry }) {
    const root = new Error('root');
    const middle = new Error('middle', { cause: root });
    sentry.captureException(new Error('outer', { cause: middle }));
  },

  'not-an-error': ({ sentry }) => sentry.captureException('just a string'),

  unicode: ({ sentry }) => message(sentry, 'naïve 日本語 🦀 a\0b', 'info', { extra: { 'key 🦀': '日本語' } }),

  'invalid-text': ({ sentry }) => message(sentry, `broken:${BAD}:end`, 'info', { extra: { bad: BAD } }),

  'bad-extra'({ sentry }) {
    const extra = { ok: 'fine', odd: () => {} };
    extra.self = extra;
    message(sentry, 'bad extra', 'info', { extra });
  },

  'large-extra': ({ sentry }) => message(sentry, 'large extra', 'info', { extra: { blob: 'x'.repeat(900_000) } }),

  html: ({ sentry }) => message(sentry, '<script>alert("compat")</script>'),

  options: {
    with: { environment: 'staging', release: '1.2.3', serverName: 'host-7' },
    run({ sentry }) {
      sentry.getGlobalScope().setExtras({ app: 'compat', kept: true });
      // A page has no server; an application that wants to name one does so itself.
      sentry.addEventProcessor((event) => ({ ...event, server_name: event.server_name ?? 'host-7' }));
      message(sentry, 'options', 'warning', { extra: { app: 'call', n: 1 } });
    },
  },

  fingerprint({ sentry }) {
    for (const text of ['first text', 'second text']) message(sentry, text, 'info', { fingerprint: ['compat-group'] });
  },

  'before-send': {
    with: {
      beforeSend: (event) => (event.message === 'drop me' ? null : { ...event, message: event.message.replace('secret', 'removed') }),
    },
    run({ sentry }) {
      message(sentry, 'drop me');
      message(sentry, 'the secret word');
    },
  },

  burst: {
    with: { transportOptions: { bufferSize: 100 } }, // By default, the SDK drops what exceeds 64 waiting events.
    flush: 30_000,
    run({ sentry }) {
      for (let n = 0; n < 100; n++) message(sentry, `burst ${n}`);
    },
  },

  async 'two-flushes'({ sentry, flush }) {
    message(sentry, 'first');
    await flush();
    message(sentry, 'second');
  },

  'wrong-key': ({ sentry }) => message(sentry, 'wrong key'),
  'silent-server': { flush: 2000, run: ({ sentry }) => message(sentry, 'no answer') },

  unhandled: { flush: null, run: () => later(raiseUnhandled) },
  'unhandled-plain': { with: null, flush: null, run: () => later(raiseUnhandled) },

  rethrown: {
    flush: null,
    run: ({ sentry }) => later(() => rethrow(sentry, () => rethrow(sentry, raiseUnhandled))),
  },

  'no-flush': { flush: null, run: ({ sentry }) => message(sentry, 'no flush') },

  async context({ sentry, request }) {
    sentry.getGlobalScope().update(layer('process', 1));
    // A page has no requests of its own, and isolates nothing else.
    const handle = (run) => request(() => sentry.withScope(run));
    await handle((scope) => {
      scope.update(layer('request', 2));
      message(sentry, 'capture', 'info', layer('capture', 3));
      message(sentry, 'request');
    });
    await handle(() => message(sentry, 'next request'));
    message(sentry, 'process');
  },

  breadcrumbs: {
    with: { maxBreadcrumbs: 50 },
    run({ sentry }) {
      for (let n = 0; n < 60; n++) sentry.addBreadcrumb({ message: `crumb ${n}` });
      message(sentry, 'breadcrumbs');
    },
  },

  carried({ sentry }) {
    sentry.setUser({ id: 7, email: 'ann@example.com' });
    sentry.setTag('plan', 'pro');
    sentry.setContext('order', { id: 12 });
    sentry.addBreadcrumb({ category: 'cart', message: 'added', data: { sku: 'A-1' } });
    sentry.captureException(new Error('compat carried'));
  },

  request: ({ sentry, request }) => request(() => sentry.captureException(new Error('compat request'))),
};

/** Runs what throws from a timer, since the caller of `drive` would catch an error thrown here. */
function later(run) {
  return new Promise(() => setTimeout(run));
}

/** Captures the error that it rethrows. */
function rethrow(sentry, run) {
  try {
    run();
  } catch (error) {
    sentry.captureException(error);
    throw error;
  }
}

function raiseUnhandled() {
  throw new Error('compat unhandled');
}

/**
 * `say` prints a line; `request` calls a function as the handler of a request. Returns false for an unknown scenario.
 */
export async function drive(sentry, scenario, dsn, { say, request }) {
  if (!Object.hasOwn(scenarios, scenario)) return false;
  const entry = scenarios[scenario];
  const { with: options = {}, flush: timeout = 10_000, run } = typeof entry === 'function' ? { run: entry } : entry;
  const flush = async () => say(`flush ${await sentry.flush(timeout)}`);
  if (options) sentry.init({ dsn, ...options });
  await run({ sentry, flush, request });
  if (timeout !== null) await flush();
}
