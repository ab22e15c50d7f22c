// What each scenario of README.md sets up and expects of the server afterwards.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Faulty } from './faulty.js';

const texts = (word, count) => Array.from({ length: count }, (_, n) => `${word} ${n}`);
const sorted = (list) => [...list].sort();
const count = (text, part) => text.split(part).length - 1;

/** The one event that must be there, with all its fields. */
async function only(obs) {
  const events = await obs.events();
  assert.equal(events.length, 1, `one event expected, ${events.length} stored`);
  return events[0];
}

/** Each text once, none lost, none twice. */
async function eachOnce(obs, expected) {
  const stored = (await obs.summaries()).map((event) => event.message);
  const lost = expected.filter((text) => !stored.includes(text));
  assert.equal(lost.length, 0, `lost ${lost.length}, such as ${lost[0]}`);
  assert.deepEqual(sorted(stored), sorted(expected), `stored ${stored.length} events, of ${new Set(stored).size} texts`);
}

/** Each flush answered true, and at least so many events were on the server when it did. */
function accepted(run, ...expected) {
  const lie = ({ answer, counted }, at) => (counted >= expected[at] ? answer : `${answer}, with ${counted} of ${expected[at]} events on the server`);
  assert.deepEqual(run.flushes.map(lie), expected.map(() => 'true'), 'what flush answered');
}

function notAccepted(run) {
  assert.deepEqual(run.flushes.map(({ answer }) => answer), ['false'], 'what flush answered');
}

/** The line of source that a frame names. A page's driver is found where its origin serves it from. */
async function sourceLine({ filename, lineno }) {
  const page = /^https?:\/\/[^/]+(\/driver\.js)/.exec(filename);
  const path = page ? new URL(`drivers/js${page[1]}`, import.meta.url) : filename;
  const text = await readFile(path, 'utf8').catch(({ code }) => assert.fail(`the first frame names ${filename}, which cannot be read (${code})`));
  return text.split('\n')[lineno - 1];
}

/** What is true of every event, whatever it is about. */
function sound(event, own) {
  const late = Math.abs(Date.parse(event.timestamp) - Date.parse(event.received_at));
  assert.ok(late < 60_000, `its timestamp is ${event.timestamp}, and it came at ${event.received_at}`);
  if (!own) return;
  assert.equal(event.id[14], '7', `${event.id} is no UUID of version 7`);
  assert.ok(['go', 'php', 'javascript'].includes(event.platform), `its platform is ${event.platform}`);
}

/** What is refused once is tried again, later, as the same event. */
async function triedAgain({ obs, run, faulty }) {
  const event = await only(obs);
  assert.equal(event.message, 'try again');
  const ids = faulty.attempts.map((attempt) => attempt.event.event_id);
  assert.deepEqual([...new Set(ids)], [event.id], 'the ids that it was sent under');
  assert.ok(faulty.attempts.length >= 2, 'it was not tried again');
  const pause = faulty.attempts[1].at - faulty.attempts[0].at;
  assert.ok(pause >= 990, `tried again after ${pause} ms, before Retry-After was over`);
  accepted(run, 1);
}

async function messageWith(obs, message, extra) {
  const event = await only(obs);
  assert.equal(event.message, message);
  for (const [key, value] of Object.entries(extra)) assert.deepEqual(event.extra?.[key], value, `extra.${key}`);
}

/**
 * `down`: the server is not started before the driver is. `faulty`: what the first attempts meet. `dsn`: made of the right one.
 * `waits`: what the harness does while the driver waits. `measure`: another scenario, of the same driver, to compare with.
 * `check` throws where the server, or the run, is not as it must be. More is expected of an `own` driver.
 */
export const scenarios = {
  messages: {
    async check({ obs, run }) {
      const events = await obs.events();
      const stored = events.map(({ message, level, type }) => ({ message, level, type }));
      const expected = ['error', 'info', 'warning'].map((level) => ({ message: `compat ${level}`, level, type: null }));
      assert.deepEqual(stored.sort((a, b) => (a.message < b.message ? -1 : 1)), expected);
      accepted(run, 3);
    },
  },
  exception: {
    async check({ obs, own, inPage }) {
      const event = await only(obs);
      assert.ok(event.message.endsWith('compat exception'), event.message);
      assert.equal(event.level, 'error');
      assert.ok(event.type, 'it has no type');
      const [top] = event.stacktrace ?? [];
      assert.ok(top, 'it has no stack trace');
      const line = await sourceLine(top);
      assert.ok(line?.includes('compat:here'), `the first frame is ${top.filename}:${top.lineno}: ${line}`);
      if (!own) return;
      assert.ok(event.stacktrace.length > 1, 'the caller has no frame');
      assert.equal(top.in_app, true, 'in_app');
      assert.equal(top.context_line, inPage ? undefined : line, 'context_line');
    },
  },
  causes: {
    async check({ obs }) {
      const { causes } = await only(obs);
      const ends = (cause, text) => assert.ok(cause?.message.endsWith(text), `${text} expected among ${JSON.stringify(causes)}`);
      ends(causes?.[0], 'middle'); // Go's messages begin with the outer error's text and end with the cause's own.
      ends(causes?.at(-1), 'root');
    },
  },
  'not-an-error': {
    async check({ obs }) {
      assert.equal((await only(obs)).message, 'just a string');
    },
  },
  unicode: {
    check: ({ obs }) => messageWith(obs, 'naïve 日本語 🦀 a\0b', { 'key 🦀': '日本語' }),
  },
  'invalid-text': {
    async check({ obs }) {
      const event = await only(obs);
      assert.match(event.message, /^broken:\uFFFD+:end$/);
      assert.match(event.extra.bad, /^\uFFFD+$/, 'extra.bad');
    },
  },
  'bad-extra': {
    check: ({ obs }) => messageWith(obs, 'bad extra', { ok: 'fine' }),
  },
  'large-extra': {
    check: ({ obs }) => messageWith(obs, 'large extra', { blob: 'x'.repeat(900_000) }),
  },
  'too-large': {
    check: ({ obs }) => messageWith(obs, 'too large', { ok: 'fine' }),
  },
  html: {
    async check({ obs }) {
      const event = await only(obs);
      assert.equal(event.message, '<script>alert("compat")</script>');
      assert.ok(!(await obs.get(`/events/${event.id}`)).includes('<script'), 'the page has the tag');
    },
  },
  options: {
    async check({ obs }) {
      const { message, level, environment, release, server_name, extra } = await only(obs);
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
      accepted(run, 1);
    },
  },
  burst: {
    async check({ obs, run }) {
      await eachOnce(obs, texts('burst', 1000));
      accepted(run, 1000);
    },
  },
  repeat: {
    async check({ obs, run }) {
      const [issue, ...others] = await obs.issues();
      assert.equal(others.length, 0, 'one issue expected');
      assert.equal(issue?.count, 10_000, `${issue?.count} counted`);
      assert.ok(issue.stored >= 100 && issue.stored <= 110, `${issue.stored} stored`);
      accepted(run, 10_000);
    },
  },
  'two-flushes': {
    async check({ obs, run }) {
      await eachOnce(obs, ['first', 'second']);
      accepted(run, 1, 2);
    },
  },
  'down-then-up': {
    down: true,
    waits: [({ obs }) => obs.start()],
    async check({ obs, run }) {
      await eachOnce(obs, texts('early', 10));
      accepted(run, 10);
    },
  },
  restart: {
    waits: [({ obs }) => obs.kill(), ({ obs }) => obs.start()],
    async check({ obs, run }) {
      await eachOnce(obs, texts('restart', 1000));
      accepted(run, 1000);
    },
  },
  'wrong-key': {
    dsn: (dsn) => dsn.replace(/\/\/.*@/, '//not-the-key-9f@'),
    async check({ obs, run }) {
      assert.deepEqual(await obs.summaries(), []);
      notAccepted(run);
      const printed = ['not-the-key-9f', 'wrong key'].filter((secret) => run.stderr.includes(secret));
      assert.deepEqual(printed, [], 'the key, or the message, is on standard error');
    },
  },
  'rate-limited': {
    faulty: [{ status: 429 }, 'pass'],
    check: triedAgain,
  },
  unavailable: {
    faulty: [{ status: 503, stored: true }, 'pass'],
    check: triedAgain,
  },
  'silent-server': {
    faulty: ['silence'],
    async check({ run, faulty }) {
      notAccepted(run);
      assert.ok(faulty.attempts.length > 0, 'nothing was sent');
      assert.ok(run.took < 10_000, `it took ${run.took} ms`);
    },
  },
  'bad-dsn': {
    dsn: (dsn) => dsn.replace(/\/\/.*@/, '//'),
    async check({ obs, run }) {
      assert.deepEqual(await obs.summaries(), []);
      notAccepted(run);
      const lines = run.stderr.split('\n').filter(Boolean);
      assert.ok(lines.length >= 1 && lines.length <= 2 && run.stderr.includes('obs'), `standard error has ${lines.length} lines`);
    },
  },
  unhandled: {
    measure: 'unhandled-plain',
    async check({ obs, run, plain }) {
      const event = await only(obs);
      assert.ok(event.message.endsWith('compat unhandled'), event.message);
      assert.equal(event.level, 'error');
      assert.equal(run.status, plain.status, `it ended with ${run.status}, without the SDK with ${plain.status}`);
      for (const output of ['stdout', 'stderr']) {
        const said = count(run[output], 'compat unhandled');
        assert.ok(said >= count(plain[output], 'compat unhandled'), `${output} says it ${said} times`);
      }
    },
  },
};

/** Runs one scenario with one driver. Answers false if the driver does not know it, and throws what was wrong. */
export async function play(name, driver, obs) {
  const scenario = scenarios[name];
  if (!scenario.down) await obs.start();
  const faulty = scenario.faulty && (await Faulty.start(obs, scenario.faulty));
  let run;
  try {
    const straight = faulty ? obs.dsn.replace(obs.port, faulty.port) : obs.dsn;
    const dsn = scenario.dsn?.(straight) ?? straight;
    const waits = (scenario.waits ?? []).map((act) => () => act({ obs }));
    run = await driver.run(name, dsn, { waits, count: () => obs.count() });
    const plain = scenario.measure && (await driver.run(scenario.measure, dsn));
    if (run.status === 64 || plain?.status === 64) return false;
    if (!plain) assert.equal(run.status, 0, 'the status that it ended with');
    const { own, inPage } = driver;
    await eventually(async () => {
      await scenario.check({ obs, run, plain, faulty, own, inPage });
      for (const event of await obs.events()) sound(event, own);
    });
    return true;
  } catch (error) {
    throw Object.assign(error, { run });
  } finally {
    await faulty?.stop();
  }
}

/** What is on its way when a page closes needs a moment to be stored; nothing else does. */
async function eventually(check) {
  for (const deadline = Date.now() + 2000; ; ) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
