// The scenarios of ../../README.md with the JavaScript SDK. main.js runs them on Node and Bun, browser.js in Chromium.

const BAD = '\ud83d'; // Half of a surrogate pair.

/** Calls `capture(0)`, `capture(1)`, … */
const times = (count, capture, from = 0) => {
  for (let n = from; n < from + count; n++) capture(n);
};

function raise() {
  throw new Error('compat exception'); // compat:here
}

/** What one layer of the scenario `context` sets. */
const layer = (name) => ({ tags: { from: name, [name]: 'yes' }, extra: { from: name, [name]: true } });

const scenarios = {
  messages({ obs }) {
    for (const level of ['info', 'warning', 'error']) obs.captureMessage(`compat ${level}`, level);
  },

  exception({ obs }) {
    try {
      raise();
    } catch (error) {
      obs.captureException(error);
    }
  },

  causes({ obs }) {
    const root = new Error('root');
    const middle = new Error('middle', { cause: root });
    obs.captureException(new Error('outer', { cause: middle }));
  },

  'not-an-error': ({ obs }) => obs.captureException('just a string'),

  unicode: ({ obs }) => obs.captureMessage('naïve 日本語 🦀 a\0b', 'info', { extra: { 'key 🦀': '日本語' } }),

  'invalid-text': ({ obs }) => obs.captureMessage(`broken:${BAD}:end`, 'info', { extra: { bad: BAD } }),

  'bad-extra'({ obs }) {
    const extra = { ok: 'fine', odd: () => {} };
    extra.self = extra;
    obs.captureMessage('bad extra', 'info', { extra });
  },

  'large-extra': ({ obs }) => obs.captureMessage('large extra', 'info', { extra: { blob: 'x'.repeat(900_000) } }),

  'too-large': ({ obs }) => obs.captureMessage('too large', 'info', { extra: { ok: 'fine', blob: 'x'.repeat(3_000_000) } }),

  html: ({ obs }) => obs.captureMessage('<script>alert("compat")</script>'),

  options: {
    with: { environment: 'staging', release: '1.2.3', serverName: 'host-7', extra: { app: 'compat', kept: true } },
    run: ({ obs }) => obs.captureMessage('options', 'warning', { extra: { app: 'call', n: 1 } }),
  },

  fingerprint({ obs }) {
    for (const text of ['first text', 'second text']) obs.captureMessage(text, 'info', { fingerprint: ['compat-group'] });
  },

  'before-send': {
    with: {
      beforeSend: (event) => (event.message === 'drop me' ? null : { ...event, message: event.message.replace('secret', 'removed') }),
    },
    run({ obs }) {
      obs.captureMessage('drop me');
      obs.captureMessage('the secret word');
    },
  },

  async context({ obs, request }) {
    const handle = (run) => request((incoming) => obs.withScope({ request: incoming }, run));
    const set = (name) => {
      const { tags, extra } = layer(name);
      obs.setTags(tags);
      for (const [key, value] of Object.entries(extra)) obs.setExtra(key, value);
    };
    obs.setUser({ id: 1 });
    set('process');
    await handle(() => {
      obs.setUser({ id: 2 });
      set('request');
      obs.captureMessage('capture', 'info', { user: { id: 3 }, ...layer('capture') });
      obs.captureMessage('request');
    });
    await handle(() => obs.captureMessage('next request'));
    obs.captureMessage('process');
  },

  breadcrumbs({ obs }) {
    times(60, (n) => obs.addBreadcrumb({ message: `crumb ${n}` }));
    obs.captureMessage('breadcrumbs');
  },

  burst: { flush: 30_000, run: ({ obs }) => times(1000, (n) => obs.captureMessage(`burst ${n}`)) },

  repeat: ({ obs }) => times(10_000, () => obs.captureException(new Error('compat repeat'))),

  async 'two-flushes'({ obs, flush }) {
    obs.captureMessage('first');
    await flush();
    obs.captureMessage('second');
  },

  'down-then-up': {
    flush: 20_000,
    async run({ obs, wait }) {
      times(10, (n) => obs.captureMessage(`early ${n}`));
      await wait();
    },
  },

  restart: {
    flush: 30_000,
    async run({ obs, wait }) {
      times(500, (n) => obs.captureMessage(`restart ${n}`));
      await wait();
      times(500, (n) => obs.captureMessage(`restart ${n}`), 500);
      await wait();
    },
  },

  late: {
    flush: 20_000,
    async run({ obs, flush, wait }) {
      obs.captureMessage('late');
      await flush();
      await wait();
      obs.captureMessage('late');
      await wait();
    },
  },

  'no-flush': { flush: null, run: ({ obs }) => obs.captureMessage('no flush') },

  rethrown: {
    flush: null,
    run: ({ obs }) => unhandled({ raise: () => rethrow(obs, () => rethrow(obs, raiseUnhandled)) }),
  },

  'wrong-key': ({ obs }) => obs.captureMessage('wrong key'),
  'rate-limited': ({ obs }) => obs.captureMessage('try again'),
  unavailable: ({ obs }) => obs.captureMessage('try again'),
  'silent-server': { flush: 2000, run: ({ obs }) => obs.captureMessage('no answer') },
  'bad-dsn': ({ obs }) => obs.captureMessage('nowhere'),

  carried: {
    with: { beforeSend: (event) => ({ ...event, contexts: { order: { id: 12 } } }) }, // The SDK has no setter for these.
    run({ obs }) {
      obs.setUser({ id: 7, email: 'ann@example.com' });
      obs.setTag('plan', 'pro');
      obs.addBreadcrumb({ category: 'cart', message: 'added', data: { sku: 'A-1' } });
      obs.captureException(new Error('compat carried'));
    },
  },

  request: ({ obs, request }) =>
    request((incoming) => obs.withScope({ request: incoming }, () => obs.captureException(new Error('compat request')))),

  unhandled: { flush: null, run: unhandled },
  'unhandled-plain': { with: null, flush: null, run: unhandled },
};

/** Throws from a timer, since the caller of `drive` would catch an error thrown here. */
function unhandled({ raise = raiseUnhandled }) {
  return new Promise(() => setTimeout(raise));
}

/** Captures the error that it rethrows. */
function rethrow(obs, run) {
  try {
    run();
  } catch (error) {
    obs.captureException(error);
    throw error;
  }
}

function raiseUnhandled() {
  throw new Error('compat unhandled');
}

/**
 * `say` prints a line; `wait` resolves when the harness lets the driver continue; `request` calls a function with a
 * request, if there are any. Returns false for an unknown scenario.
 */
export async function drive(obs, scenario, dsn, { say, wait, request }) {
  if (!Object.hasOwn(scenarios, scenario)) return false;
  const entry = scenarios[scenario];
  const { with: options = {}, flush: timeout = 10_000, run } = typeof entry === 'function' ? { run: entry } : entry;
  const flush = async () => say(`flush ${await obs.flush(timeout)}`);
  if (options) obs.init({ dsn, ...options });
  await run({ obs, flush, wait, request });
  if (timeout !== null) await flush();
}
