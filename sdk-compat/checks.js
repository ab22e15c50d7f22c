// Assertions that several scenarios share.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

const sorted = (list) => [...list].sort();
const occurrences = (text, part) => text.split(part).length - 1;

/** Returns the only stored event, with all its fields. */
export async function only(obs) {
  const events = await obs.events();
  assert.equal(events.length, 1, `one event expected, ${events.length} stored`);
  return events[0];
}

/** Asserts that each text is stored exactly once, and nothing else. */
export async function eachOnce(obs, expected) {
  const stored = (await obs.summaries()).map((event) => event.message);
  const lost = expected.filter((text) => !stored.includes(text));
  assert.equal(lost.length, 0, `lost ${lost.length} events, the first of them ${lost[0]}`);
  assert.deepEqual(sorted(stored), sorted(expected), `stored ${stored.length} events with ${new Set(stored).size} different texts`);
}

/** Asserts that each flush returned true, with at least this many events on the server at that moment. */
export function flushedTrue(run, ...expected) {
  const result = ({ answer, counted }, at) => (counted >= expected[at] ? answer : `${answer} with ${counted} of ${expected[at]} events on the server`);
  assert.deepEqual(run.flushes.map(result), expected.map(() => 'true'), 'what flush returned');
}

export function flushedFalse(run) {
  assert.deepEqual(run.flushes.map(({ answer }) => answer), ['false'], 'what flush returned');
}

/**
 * Returns the source line that a frame names. In Chromium the file is a URL, which the harness serves from the folder
 * `inPage`. Sentry's Python SDK has the whole path in `abs_path`.
 */
export async function sourceLine({ filename, abs_path, lineno }, inPage, sentry) {
  const page = /^https?:\/\/[^/]+(\/driver\.js)/.exec(filename);
  const path = page ? new URL(`drivers/${inPage}${page[1]}`, import.meta.url) : (sentry && abs_path) || filename;
  const text = await readFile(path, 'utf8').catch(({ code }) => assert.fail(`the first frame names ${filename}, which cannot be read (${code})`));
  return text.split('\n')[lineno - 1];
}

/** Asserts what is true of every event. */
export function checkEvent(event, own) {
  const late = Math.abs(Date.parse(event.timestamp) - Date.parse(event.received_at));
  assert.ok(late < 60_000, `its timestamp is ${event.timestamp}, but it arrived at ${event.received_at}`);
  if (!own) return;
  assert.equal(event.id[14], '7', `${event.id} is not a version 7 UUID`);
  assert.ok(['go', 'php', 'javascript'].includes(event.platform), `its platform is ${event.platform}`);
}

/** Asserts that the SDK retried a refused event after a pause, under the same id, and said how old it was. */
export async function retried({ obs, run, proxy, own }) {
  const event = await only(obs);
  assert.equal(event.message, 'try again');
  const ids = proxy.attempts.map((attempt) => JSON.parse(attempt.body).event_id);
  assert.deepEqual([...new Set(ids)], [event.id], 'the ids of all attempts');
  assert.ok(proxy.attempts.length >= 2, 'no retry');
  const pause = proxy.attempts[1].at - proxy.attempts[0].at;
  assert.ok(pause >= 990, `retried after ${pause} ms, earlier than Retry-After allows`);
  const ages = proxy.attempts.map(({ age }) => Number(age));
  if (own) assert.ok(ages[0] >= 0 && ages[1] - ages[0] >= 0.99 && ages[1] < 30, `the attempts said that the event is ${ages} seconds old`);
  flushedTrue(run, 1);
}

/** Sentry's Go SDK has no extra; its driver sends a context of that name. */
export const extraOf = (event, sentry) => event.extra ?? (sentry ? event.contexts?.extra : null);

export async function messageWith({ obs, sentry }, message, extra) {
  const event = await only(obs);
  assert.equal(event.message, message);
  for (const [key, value] of Object.entries(extra)) assert.deepEqual(extraOf(event, sentry)?.[key], value, `extra.${key}`);
}

/**
 * Asserts that the process ended, and printed the error, as it does without the SDK. `once`: it need not print it as often,
 * since a source line that it prints may be another one.
 */
export function endsAsWithoutSdk({ run, plain }, once) {
  assert.equal(run.status, plain.status, `exited with ${run.status}, but with ${plain.status} without the SDK`);
  for (const output of ['stdout', 'stderr']) {
    const times = occurrences(run[output], 'compat unhandled');
    const expected = occurrences(plain[output], 'compat unhandled');
    assert.ok(times >= (once ? Math.min(expected, 1) : expected), `${output} contains the error ${times} times`);
  }
}
