// For each scenario of README.md: what the harness sets up, and what the server must have stored afterwards.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { checkEvent, eachOnce, endsAsWithoutSdk, extraOf, messageWith, only, retried, sourceLine } from './checks.js';
import { flushedFalse, flushedTrue } from './checks.js';
import { FaultyProxy } from './faulty.js';
import { ending } from './process.js';

const texts = (word, count) => Array.from({ length: count }, (_, n) => `${word} ${n}`);
/** The tags and extra of an event for which these layers of the context set something. */
function set(...layers) {
  const merged = (value) => ({ from: layers.at(-1), ...Object.fromEntries(layers.map((layer) => [layer, value])) });
  return { tags: merged('yes'), extra: merged(true) };
}

/** Resolves all issues, later than what was captured before by any clock, and only then lets the driver reach the server. */
async function resolvedThenUp({ obs }) {
  await pause(1000);
  await obs.resolveAllUnreached();
  await obs.start();
}

/**
 * `down`: the server is not running when the driver starts. `proxy`: the behaviors of a faulty proxy in between.
 * `dsn`: changes the DSN. `waits`: what the harness does in each wait. `baseline`: a scenario of the same driver to compare with.
 * `check` throws if the server or the run is not as it must be, is stricter for our `own` drivers, and knows the ways of `sentry` SDKs.
 */
export const scenarios = {
  messages: {
    async check({ obs, run }) {
      const events = await obs.events();
      const stored = events.map(({ message, level, type }) => ({ message, level, type }));
      const expected = ['error', 'info', 'warning'].map((level) => ({ message: `compat ${level}`, level, type: null }));
      assert.deepEqual(stored.sort((a, b) => (a.message < b.message ? -1 : 1)), expected);
      flushedTrue(run, 3);
    },
  },
  exception: {
    async check({ obs, own, sentry, inPage }) {
      const event = await only(obs);
      assert.ok(event.message.endsWith('compat exception'), event.message);
      assert.equal(event.level, 'error');
      assert.equal(event.unhandled, false, 'unhandled');
      assert.ok(event.type, 'no type');
      const [top] = event.stacktrace ?? [];
      assert.ok(top, 'no stack trace');
      const line = await sourceLine(top, inPage, sentry);
      assert.ok(line?.includes('compat:here'), `the first frame is ${top.filename}:${top.lineno}: ${line}`);
      if (!own && !sentry) return;
      assert.ok(event.stacktrace.length > 1, 'no frame for the caller');
      assert.equal(top.in_app, true, 'in_app');
      if (own) assert.equal(top.context_line, inPage ? undefined : line, 'context_line');
    },
  },
  causes: {
    async check({ obs }) {
      const { causes } = await only(obs);
      const ends = (cause, text) => assert.ok(cause?.message.endsWith(text), `${text} expected among ${JSON.stringify(causes)}`);
      ends(causes?.[0], 'middle'); // In Go, an error's message begins with the outer text and ends with the cause's.
      ends(causes?.at(-1), 'root');
    },
  },
  'not-an-error': {
    async check({ obs }) {
      assert.equal((await only(obs)).message, 'just a string');
    },
  },
  unicode: {
    check: (result) => messageWith(result, 'naïve 日本語 🦀 a\0b', { 'key 🦀': '日本語' }),
  },
  'invalid-text': {
    async check({ obs, sentry }) {
      const event = await only(obs);
      assert.match(event.message, /^broken:\uFFFD+:end$/);
      const bad = sentry ? /^[\uFFFD\uD83D]+$/ : /^\uFFFD+$/; // obs keeps extra as it was sent.
      assert.match(extraOf(event, sentry).bad, bad, 'extra.bad');
    },
  },
  'bad-extra': {
    check: (result) => messageWith(result, 'bad extra', { ok: 'fine' }),
  },
  'large-extra': {
    check: (result) => messageWith(result, 'large extra', { blob: 'x'.repeat(900_000) }),
  },
  'too-large': {
    check: (result) => messageWith(result, 'too large', { ok: 'fine' }),
  },
  html: {
    async check({ obs }) {
      const event = await only(obs);
      assert.equal(event.message, '<script>alert("compat")</script>');
      assert.ok(!(await obs.get(`/events/${event.id}`)).includes('<script'), 'the page has the tag');
    },
  },
  options: {
    async check({ obs, sentry }) {
      const event = await only(obs);
      const { message, level, environment, release, server_name } = event;
      const extra = extraOf(event, sentry);
      assert.deepEqual(
        { message, level, environment, release, server_name, extra },
        {
          ...{ message: 'options', level: 'warning', environment: 'staging', release: '1.2.3', server_name: 'host-7' },
          extra: { app: 'call', kept: true, n: 1 },
        },
      );
    },
  },
  fingerprint: {
    async check({ obs }) {
      await eachOnce(obs, ['first text', 'second text']);
      assert.deepEqual((await obs.issues()).map((issue) => issue.count), [2]);
    },
  },
  'before-send': {
    async check({ obs, run }) {
      await eachOnce(obs, ['the removed word']);
      flushedTrue(run, 1);
    },
  },
  burst: {
    async check({ obs, run, sentry }) {
      const count = sentry ? 100 : 1000; // A Sentry SDK's queue holds no more than that.
      await eachOnce(obs, texts('burst', count));
      flushedTrue(run, count);
    },
  },
  repeat: {
    async check({ obs, run }) {
      const [issue, ...others] = await obs.issues();
      assert.equal(others.length, 0, 'one issue expected');
      assert.equal(issue?.count, 10_000, `${issue?.count} counted`);
      assert.ok(issue.stored >= 100 && issue.stored <= 110, `${issue.stored} stored`);
      flushedTrue(run, 10_000);
    },
  },
  'two-flushes': {
    async check({ obs, run }) {
      await eachOnce(obs, ['first', 'second']);
      flushedTrue(run, 1, 2);
    },
  },
  'down-then-up': {
    down: true,
    waits: [({ obs }) => obs.start()],
    async check({ obs, run }) {
      await eachOnce(obs, texts('early', 10));
      flushedTrue(run, 10);
    },
  },
  restart: {
    waits: [({ obs }) => obs.kill(), ({ obs }) => obs.start()],
    async check({ obs, run }) {
      await eachOnce(obs, texts('restart', 1000));
      flushedTrue(run, 1000);
    },
  },
  late: {
    waits: [({ obs }) => obs.kill(), resolvedThenUp],
    async check({ obs, run }) {
      const [issue, ...others] = await obs.issues();
      assert.equal(others.length, 0, 'one issue expected');
      assert.deepEqual([issue?.state, issue?.count], ['resolved', 2], 'the state and count of the issue');
      flushedTrue(run, 1, 2);
    },
  },
  'wrong-key': {
    dsn: (dsn) => dsn.replace(/\/\/.*@/, '//not_the_key_9f@'),
    async check({ obs, run, sentry }) {
      assert.deepEqual(await obs.summaries(), []);
      if (!sentry) flushedFalse(run); // A Sentry SDK's flush is true once nothing is left to send, stored or not.
      const printed = ['not_the_key_9f', 'wrong key'].filter((secret) => run.stderr.includes(secret));
      assert.deepEqual(printed, [], 'secrets on standard error');
    },
  },
  'rate-limited': {
    proxy: [{ status: 429 }, 'pass'],
    check: retried,
  },
  unavailable: {
    proxy: [{ status: 503, stored: true }, 'pass'],
    check: retried,
  },
  'silent-server': {
    proxy: ['silence'],
    async check({ run, proxy }) {
      flushedFalse(run);
      assert.ok(proxy.attempts.length > 0, 'nothing was sent');
      assert.ok(run.took < 10_000, `it took ${run.took} ms`);
    },
  },
  'bad-dsn': {
    dsn: (dsn) => dsn.replace(/\/\/.*@/, '//'),
    async check({ obs, run }) {
      assert.deepEqual(await obs.summaries(), []);
      flushedFalse(run);
      const lines = run.stderr.split('\n').filter(Boolean);
      assert.ok(lines.length >= 1 && lines.length <= 2 && run.stderr.includes('obs'), `standard error has ${lines.length} lines`);
    },
  },
  unhandled: {
    baseline: 'unhandled-plain',
    async check(result) {
      const event = await only(result.obs);
      assert.ok(event.message.endsWith('compat unhandled'), event.message);
      assert.equal(event.level, 'error');
      assert.equal(event.unhandled, true, 'unhandled');
      endsAsWithoutSdk(result, result.sentry);
    },
  },
  rethrown: {
    baseline: 'unhandled-plain',
    async check(result) {
      const { obs, inPage } = result;
      if (inPage) await pause(500); // A page's second event would arrive after the page is left.
      assert.ok((await only(obs)).message.endsWith('compat unhandled'));
      assert.deepEqual((await obs.issues()).map((issue) => issue.count), [1], 'counted');
      endsAsWithoutSdk(result, true);
    },
  },
  'no-flush': {
    async check({ obs, run }) {
      assert.equal((await only(obs)).message, 'no flush');
      assert.deepEqual(run.flushes, [], 'flushes');
    },
  },
  context: {
    async check({ obs, sentry }) {
      const expected = {
        process: { user: '1', ...set('process') },
        request: { user: '2', ...set('process', 'request') },
        capture: { user: '3', ...set('process', 'request', 'capture') },
        'next request': { user: '1', ...set('process') },
      };
      await eachOnce(obs, Object.keys(expected));
      for (const event of await obs.events()) {
        const { message, user, tags } = event;
        const stored = { user: `${user?.id}`, tags, extra: extraOf(event, sentry) };
        assert.deepEqual(stored, expected[message], `the event ${message}`);
      }
    },
  },
  breadcrumbs: {
    async check({ obs, own }) {
      const { breadcrumbs } = await only(obs);
      assert.deepEqual(breadcrumbs?.map(({ message }) => message), texts('crumb', 60).slice(10));
      if (own) for (const { timestamp } of breadcrumbs) assert.match(timestamp, /^\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)$/);
    },
  },
  carried: {
    async check({ obs }) {
      const { id, message, user, tags, contexts, breadcrumbs } = await only(obs);
      assert.ok(message.endsWith('compat carried'), message);
      assert.equal(String(user?.id), '7');
      assert.equal(user.email, 'ann@example.com');
      assert.equal(tags?.plan, 'pro');
      assert.equal(contexts?.order?.id, 12);
      const crumb = breadcrumbs?.at(-1);
      assert.deepEqual([crumb?.category, crumb?.message, crumb?.data], ['cart', 'added', { sku: 'A-1' }]);
      assert.deepEqual((await obs.issues()).map((issue) => issue.users), [1], 'users');
      const page = await obs.get(`/events/${id}`);
      for (const shown of ['ann@example.com', 'A-1', 'order']) assert.ok(page.includes(shown), `${shown} is not on the page`);
      for (const query of ['plan:pro', 'user:7']) assert.ok((await obs.get(`/?q=${query}`)).includes('compat carried'), query);
    },
  },
  request: {
    async check({ obs, inPage }) {
      const { message, request } = await only(obs);
      assert.ok(message.endsWith('compat request'), message);
      assert.match(request?.url ?? '', inPage ? /^http:\/\/localhost:\d+\/$/ : /^http:\/\/[^/]+\/pay(\?coupon=1)?$/);
      const agent = Object.entries(request.headers).find(([name]) => name.toLowerCase() === 'user-agent')?.[1];
      assert.match(agent, inPage ? /Chrome/ : /^compat\/1$/);
      if (!inPage) assert.deepEqual([request.method, request.query_string], ['POST', 'coupon=1']);
    },
  },
};

/** Runs one scenario with one driver. Returns false if the driver does not know it, and throws if it fails. */
export async function runScenario(name, driver, obs) {
  const scenario = scenarios[name];
  if (!scenario.down) await obs.start();
  const proxy = scenario.proxy && (await FaultyProxy.start(obs, scenario.proxy));
  let run;
  let plain;
  try {
    const original = proxy ? obs.dsn.replace(obs.port, proxy.port) : obs.dsn;
    const dsn = scenario.dsn?.(original) ?? original;
    const waits = (scenario.waits ?? []).map((act) => () => act({ obs }));
    run = await driver.run(name, dsn, { waits, count: () => obs.count() });
    plain = scenario.baseline && (await driver.run(scenario.baseline, dsn));
    if (run.status === 64 || plain?.status === 64) return false;
    if (!plain) assert.ok(run.status === 0, `the driver ${ending(run)}`);
    const { own, sentry, inPage } = driver;
    await eventually(async () => {
      await scenario.check({ obs, run, plain, proxy, own, sentry, inPage });
      for (const event of await obs.events()) checkEvent(event, own);
    });
    return true;
  } catch (error) {
    throw Object.assign(error, { run: run ?? error.run });
  } finally {
    await run?.close?.();
    await plain?.close?.();
    await proxy?.stop();
  }
}

/** Retries for five seconds, since events sent while a page closes take a moment to be stored. */
async function eventually(check) {
  for (const deadline = Date.now() + 5000; ; ) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(50);
    }
  }
}
