// The obs SDK for JavaScript: makes events of what goes wrong and sends them to an obs server, from Node, Bun and browsers.
// From top to bottom: the API, what is thrown, stacks, source lines, safe JSON, holding back, sending, the host, small things.

const SDK = { name: '@obs/sdk', version: '0.1.0' };

const EVENT_BYTES = 1_000_000; // The server refuses a body over 1 MiB.
const LENGTH = { message: 8192, text: 200, filename: 1000 };
const FRAMES = 100;
const CAUSES = 20;
const DEPTH = 32;
const VALUES = EVENT_BYTES / 2; // A JSON value takes two bytes at least, so what has more of them cannot fit.
const SOURCE = { around: 3, frames: 10, files: 32, bytes: 1 << 20 };
const REPEATS = { window: 60_000, pass: 100, keys: 1000, suppressed: 1_000_000 };
const QUEUE = { events: 2048, bytes: 8 << 20 };
const BACKOFF = { first: 100, most: 10_000, retryAfter: 300_000, attempts: 10 };
const KEEPALIVE_BYTES = 64 << 10; // All that a page which goes away may have in flight.

const DEFAULTS = {
  ...{ dsn: undefined, environment: undefined, serverName: undefined, release: undefined, extra: undefined, beforeSend: undefined },
  ...{ sourceLines: true, captureUnhandled: false, requestTimeout: 5000, exitTimeout: 2000 },
};

// Saved now: what is wrapped around them later, by an agent for instance, would see the SDK's own doing.
const send = globalThis.fetch?.bind(globalThis);
const warn = console.warn.bind(console);
const now = performance.now.bind(performance);
const { setTimeout, clearTimeout, setImmediate } = globalThis;

const onServer = typeof process === 'object' && !!process.versions?.node && typeof document === 'undefined';
const builtin = {};
for (const name of onServer ? ['fs', 'os', 'worker_threads'] : []) {
  // Node before 20.16 has only the import, which nothing here may wait for, or require() could not load this module.
  if (process.getBuiltinModule) builtin[name] = process.getBuiltinModule(name);
  else import(/* webpackIgnore: true */ /* @vite-ignore */ `node:${name}`).then((it) => (builtin[name] = it), () => {});
}

// ---- The API, which obs.d.ts documents.

let client = null; // The settings of `init`, and the outbox that they lead to.
let busy = false; // A capture is under way; what it calls, beforeSend for instance, must not start the next one.
let lost = 0; // What was captured and will never arrive,
let admitted = 0; // and how much of it a flush has owned up to.

export function init(options) {
  client = null;
  said.clear();
  leaveHost();
  releaseHeld();
  try {
    const settings = { ...DEFAULTS };
    if (!isObject(options)) throw new Error('init takes an object, such as { dsn: "http://KEY@HOST:PORT" }');
    for (const [name, value] of Object.entries(options)) {
      const type = name === 'beforeSend' ? 'function' : typeof DEFAULTS[name];
      if (value === undefined || value === null) continue;
      if (!Object.hasOwn(DEFAULTS, name)) warn(`obs: init has no option ${cut(name, LENGTH.text)}; it is ignored`);
      else if ((type !== 'undefined' && typeof value !== type) || (type === 'number' && !(value > 0))) warn(`obs: ${name} must be a ${type}; it is ignored`);
      else settings[name] = value;
    }
    settings.serverName ??= tried(() => builtin.os?.hostname());
    settings.outbox = outboxFor(parseDsn(settings.dsn), settings.requestTimeout);
    client = settings;
    joinHost();
  } catch (error) {
    warn(`obs: ${tried(() => error.message)}; nothing is sent`);
    said.add('not set up');
  }
}

export function captureException(thrown, options) {
  const here = client && !stackOf(thrown) ? callSite(captureException) : '';
  if (client && isObject(thrown)) captured.add(thrown);
  const id = capture('error', () => describe(thrown, here), options);
  return id; // Not at once: after a tail call Safari's stacks would lack this function.
}

export function captureMessage(message, level = 'info', options) {
  return capture(level, () => ({ message: cut(textOf(message), LENGTH.message).replace(/^\s*$/, '(empty message)') }), options);
}

export async function flush(timeout = 5000) {
  const known = admitted; // Flushes at the same time all own up to what is lost meanwhile.
  releaseHeld();
  const sent = Promise.all([...outboxes].flatMap((outbox) => outbox.hurry()));
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds(timeout), 'late')));
  const inTime = (await Promise.race([sent, late])) !== 'late';
  clearTimeout(timer);
  admitted = lost;
  return inTime && lost === known;
}

export async function close(timeout) {
  client = null;
  said.add('not set up');
  leaveHost();
  const sent = await flush(timeout);
  if (client) return sent; // Set up anew meanwhile.
  outboxes.forEach((outbox) => outbox.giveUp());
  admitted = lost;
  return sent;
}

/** Never throws. The event's id, or '' where nothing is sent. */
function capture(level, describe, options) {
  if (!client) {
    lost++;
    complain('not set up', 'captured before init; nothing is sent');
    return '';
  }
  if (busy) return '';
  busy = true;
  try {
    const { environment, release, serverName, beforeSend, outbox } = client;
    const id = uuid7();
    const context = { server_name: serverName, environment, release, fingerprint: options?.fingerprint, extra: merged(client.extra, options?.extra) };
    let event = { event_id: id, level: options?.level ?? level, ...describe(), ...context, platform: 'javascript', timestamp: new Date().toISOString(), sdk: { ...SDK } };
    if (beforeSend) event = reviewed(beforeSend, event);
    if (!event) return '';
    const { filename, function: name, lineno } = event.stacktrace?.[0] ?? {};
    return admit(JSON.stringify([event.type, event.message, filename, name, lineno]), { body: encode({ ...event, event_id: id }), outbox }) ? id : '';
  } catch {
    lost++;
    complain('event', 'an event could not be made, and is lost');
    return '';
  } finally {
    busy = false;
  }
}

/** What `beforeSend` makes of the event; where it fails the event stays home, since it may hold what was to be removed. */
function reviewed(beforeSend, event) {
  const answer = tried(() => beforeSend(event));
  if (answer === null || (isObject(answer) && typeof answer.then !== 'function')) return answer;
  tried(() => answer.then(undefined, () => {}));
  lost++;
  complain('beforeSend', 'beforeSend threw, or returned neither an event nor null; the event is dropped');
  return null;
}

function merged(general, own) {
  const [below, above] = [clean(general), clean(own)];
  return isObject(below) && isObject(above) && !Array.isArray(above) ? { ...below, ...above } : above ?? below;
}

// ---- What is thrown: an error, or anything else.

function describe(thrown, here) {
  const source = { left: client.sourceLines ? SOURCE.frames : 0 };
  const things = [];
  for (const thing of unfolded(thrown, new Set())) if (things.push(thing) > CAUSES) break;
  const [first, ...causes] = things.map((thing, depth) => {
    const message = messageOf(thing);
    const frames = parseStack(stackOf(thing), message);
    const stacktrace = withSource(frames.length || depth ? frames : parseStack(here), source);
    return { type: typeOf(thing), message: cut(message, LENGTH.message), ...(stacktrace.length && { stacktrace }) };
  });
  return causes.length ? { ...first, causes } : first;
}

/** A thing and what caused it, depth first; lazily, since a chain may have no end. */
function* unfolded(thing, seen) {
  seen.add(thing);
  yield thing;
  const below = [];
  tried(() => {
    if (thing instanceof AggregateError) for (const error of thing.errors) if (below.push(error) > CAUSES) break;
  });
  for (const inner of [...below, isObject(thing) && tried(() => thing.cause)]) {
    if ((inner || inner === 0 || inner === '') && !seen.has(inner)) yield* unfolded(inner, seen);
  }
}

const isObject = (thing) => typeof thing === 'object' && thing !== null;
const isError = (thing) => tried(() => thing instanceof Error) || stackOf(thing) !== '';
const stackOf = (thing) => tried(() => isObject(thing) && typeof thing.stack === 'string' && thing.stack) || '';

/** The class, unless the name says more: one class with many names, or a class that a minifier renamed. */
function typeOf(thing) {
  if (!isObject(thing)) return thing === null ? 'null' : typeof thing;
  const made = className(thing);
  const name = isError(thing) && /^(Error|DOMException|NodeError|.{0,2})$/.test(made) && tried(() => thing.name);
  return (typeof name === 'string' && name) || made;
}

function messageOf(thing) {
  const message = isObject(thing) ? tried(() => thing.message) : thing;
  if (typeof message === 'string') return message;
  return isError(thing) && message === undefined ? '' : textOf(isError(thing) ? message : thing);
}

function textOf(thing) {
  if (isObject(thing)) return JSON.stringify(clean(thing, LENGTH.message)) ?? unserialisable(className(thing));
  return typeof thing === 'function' ? tried(() => `function ${String(thing.name)}`, 'function') : String(thing);
}

// ---- Stacks, as V8, JavaScriptCore and SpiderMonkey write them.

/** The stack above `api`, a function of this module, for a thing that brings none. */
function callSite(api) {
  const error = new Error();
  tried(() => Error.captureStackTrace?.(error, api));
  if (Error.captureStackTrace) return stackOf(error);
  return stackOf(error).split('\n').filter((line, index) => index > 1 || fileOf(line) !== OWN_FILE).join('\n'); // Without this function and `api`.
}

const fileOf = (line) => parseLine(line, false)?.filename;
const OWN_FILE = fileOf(stackOf(new Error()).split('\n')[0]);

function parseStack(stack, message) {
  const v8 = /^[ \t]*at /m.test(stack);
  // V8 begins with `TypeError: message`, and the lines of a message may look like frames.
  const start = v8 && message ? stack.indexOf(message) : -1;
  const headed = start >= 0 && /^(.*: )?$/.test(stack.slice(0, start));
  const frames = [];
  for (const line of stack.slice(headed ? start + message.length : 0).slice(0, EVENT_BYTES).split('\n')) {
    const frame = line.length < 4096 && parseLine(line, v8);
    if (frame && frames.push(frame) === FRAMES) break;
  }
  return frames;
}

function parseLine(line, v8) {
  // `at name (place)` or `at place`; elsewhere `name@place`, `place` or `[native code]`.
  const match = v8 ? /^\s*at (?:(.+?) \((.*)\)|(?:async )?(.+))$/.exec(line) : /^(?:([^@]*)@(.*)|(\[native code\]|[a-z-]+:\/\/.+|\/.+))$/.exec(line);
  if (!match) return null;
  const [, name = '', inner, place = inner] = match;
  // Code that eval made is in no file; the place that made it is.
  const origin = /eval at [^(]*\((?!eval at )(.*?:\d+:\d+)\)/.exec(place)?.[1] ?? place.replace(/^(.*?) line (\d+) > .*$/, '$1:$2');
  const [, file, lineno, colno] = /^(.*?)(?::(\d+))?(?::(\d+))?$/.exec(origin);
  const frame = { filename: cut(pathOf(file) || '<anonymous>', LENGTH.filename), function: cut(name.replace(/^async |^.*\*/, '') || '<anonymous>', LENGTH.text) };
  if (lineno > 0) frame.lineno = Number(lineno);
  if (colno > 0) frame.colno = Number(colno);
  frame.in_app = lineno > 0 && !/^(<|\[|node:|bun:|internal[:/]|native$)|(^|[\\/])node_modules[\\/]/.test(frame.filename);
  return frame;
}

/** On a server the URL of a file becomes its path. */
function pathOf(file) {
  if (!onServer || !file.startsWith('file://')) return file;
  const path = tried(() => decodeURIComponent(file.slice(7)), file.slice(7));
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}

// ---- Source lines, on a server only.

const SCRIPT = /^(\/|[A-Za-z]:[\\/]).*\.([cm]?[jt]s|[jt]sx)$/; // No other: what is assigned to `stack` may name any file.
const sources = new Map(); // A file's lines by its path; null where it cannot be read cheaply.

function withSource(frames, source) {
  for (const frame of builtin.fs ? frames : []) {
    if (!frame.in_app || !SCRIPT.test(frame.filename) || source.left-- <= 0) continue;
    const lines = linesOf(frame.filename);
    const at = frame.lineno - 1;
    if (lines?.[at] === undefined) continue;
    const between = (from, to) => lines.slice(Math.max(0, from), to).map((line) => cut(line, LENGTH.text));
    frame.pre_context = between(at - SOURCE.around, at);
    [frame.context_line] = between(at, at + 1);
    frame.post_context = between(at + 1, at + 1 + SOURCE.around);
  }
  return frames;
}

function linesOf(path) {
  if (sources.has(path)) return sources.get(path);
  if (sources.size >= SOURCE.files) sources.delete(sources.keys().next().value);
  const file = tried(() => builtin.fs.statSync(path));
  const cheap = file?.isFile() && file.size <= SOURCE.bytes;
  sources.set(path, cheap ? tried(() => builtin.fs.readFileSync(path, 'utf8').split(/\r?\n/)) : null);
  return sources.get(path);
}

// ---- Safe JSON: plain data of anything, whatever its getters do.

/** A copy that JSON.stringify cannot fail on, with texts of at most `length` characters. */
function clean(value, length = Infinity) {
  const above = new Set(); // The way down to here, which tells a cycle from a thing that is merely there twice.
  let left = VALUES;

  const copy = (value, depth) => {
    left--;
    if (typeof value === 'string') return cut(value, length);
    if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return String(value);
    if (typeof value === 'function' || typeof value === 'symbol') return unserialisable(typeof value);
    if (!isObject(value)) return value;
    if (above.has(value)) return '[circular]';
    if (depth > DEPTH) return '[too deep]';
    above.add(value);
    const copied = tried(() => inside(value, depth + 1), unserialisable(className(value)));
    above.delete(value);
    return copied;
  };

  const inside = (value, depth) => {
    if (value instanceof Error) return { type: typeOf(value), message: cut(messageOf(value), length) };
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || (globalThis.Node && value instanceof Node)) return unserialisable(className(value));
    if (typeof value.toJSON === 'function') return copy(value.toJSON(), depth);
    const list = [];
    if (Array.isArray(value) || value instanceof Set) {
      for (const item of value) if (list.push(copy(item, depth) ?? null) && left <= 0) break;
      return list;
    }
    const isMap = value instanceof Map;
    for (const key of isMap ? value.keys() : Object.keys(value)) {
      const item = copy(tried(() => (isMap ? value.get(key) : value[key]), unserialisable('getter')), depth);
      if (item !== undefined) list.push([cut(String(key), length), item]);
      if (left <= 0) break;
    }
    return Object.fromEntries(list); // Which takes `__proto__` for a key like any other.
  };

  return copy(value, 0);
}

const unserialisable = (type) => `[unserialisable: ${type}]`;

/** The event as JSON that the server takes: of what is too large, the least telling goes first. */
function encode(event) {
  event = clean(event);
  event.message = cut(textOf(event.message ?? ''), LENGTH.message);
  for (const name of ['type', 'level', 'server_name', 'environment', 'release']) {
    if (name in event) event[name] = cut(textOf(event[name]), LENGTH.text);
  }
  if ('fingerprint' in event) event.fingerprint = [event.fingerprint].flat().slice(0, 8).map((part) => cut(textOf(part), LENGTH.text));
  const frames = [event, event.causes].flat().flatMap((thing) => thing?.stacktrace ?? []);
  const bytes = byteLength(JSON.stringify(event.extra) ?? '');
  const cuts = [
    () => (event.extra = clean(event.extra, LENGTH.message)),
    () => (event.extra = { obs: `extra of ${bytes} bytes was left out` }),
    () => frames.forEach((frame) => ['pre_context', 'context_line', 'post_context'].forEach((name) => delete Object(frame)[name])),
    () => Object.assign(event, { causes: undefined, stacktrace: event.stacktrace?.slice(0, 20) }),
  ];
  let body;
  while (byteLength((body = JSON.stringify(event))) > EVENT_BYTES) cuts.shift()(); // With none left it throws: an event that cannot be made.
  return body;
}

// ---- Holding back: of one error a hundred a minute go out, then the last one, with the number of the others.

const repeats = new Map(); // By what makes errors the same, in the order of their first event.
let heldLength = 0; // Of what is held; it is bounded as the queue is.

/** Whether the event goes out now. */
function admit(key, entry) {
  const repeat = repeats.get(key) ?? { passed: 0, held: null, others: 0, timer: later(REPEATS.window, () => forget(key)) };
  repeats.set(key, repeat);
  if (repeats.size > REPEATS.keys) forget(repeats.keys().next().value);
  if (repeat.passed++ < REPEATS.pass) return entry.outbox.add(entry.body);
  if (repeat.held) repeat.others++;
  heldLength += entry.body.length - (repeat.held?.body.length ?? 0);
  repeat.held = entry;
  if (repeat.others === REPEATS.suppressed || heldLength > QUEUE.bytes) release(repeat);
  return false;
}

function release(repeat) {
  const { held, others } = repeat;
  if (!held) return;
  heldLength -= held.body.length;
  Object.assign(repeat, { held: null, others: 0 });
  held.outbox.add(others ? `${held.body.slice(0, -1)},"suppressed":${others}}` : held.body);
}

function forget(key) {
  const repeat = repeats.get(key);
  clearTimeout(repeat.timer);
  repeats.delete(key);
  release(repeat);
}

const releaseHeld = () => repeats.forEach(release);

// ---- Sending: one event at a time, in order, until the server has it.

const outboxes = new Set();
let keptAlive = 0; // Bytes in flight that outlive the page.

/** The outbox of a DSN. One that an earlier DSN left behind goes on until it is empty. */
function outboxFor({ url, key }, timeout) {
  const outbox = [...outboxes].find((it) => it.url === url && it.key === key) ?? new Outbox();
  outboxes.forEach((it) => it.queue.size || outboxes.delete(it));
  outboxes.add(outbox);
  return Object.assign(outbox, { url, key, timeout });
}

class Outbox {
  queue = new Set();
  bytes = 0;
  failures = 0; // In a row, while nobody waits.
  notBefore = 0; // When the server's Retry-After ends.
  running = false;
  wake = () => {};

  add(body) {
    const entry = { body, bytes: byteLength(body), attempts: 0, flights: new Set(), keptAlive: false };
    if (this.queue.size >= QUEUE.events || this.bytes + entry.bytes > QUEUE.bytes) {
      lost++;
      complain('full', 'the queue is full; the newest events are dropped');
      return false;
    }
    entry.done = new Promise((resolve) => (entry.settle = resolve));
    this.queue.add(entry);
    this.bytes += entry.bytes;
    this.run();
    return true;
  }

  async run() {
    if (this.running) return;
    this.running = true;
    await null; // The caller is not to wait for the first request.
    for (let entry = true; entry; ) {
      if (this.failures || this.notBefore > now()) await this.pause();
      entry = [...this.queue].find((it) => !it.flights.size);
      if (entry) await this.attempt(entry);
    }
    this.running = false;
  }

  request({ body }) {
    const headers = { 'Content-Type': 'application/json', 'X-OBS-Key': this.key };
    return { method: 'POST', headers, body, redirect: 'manual', credentials: 'omit', cache: 'no-store' }; // The key is for no other server.
  }

  async attempt(entry, keepalive = false) {
    const controller = new AbortController();
    const timer = later(this.timeout, () => controller.abort());
    let status, reason;
    entry.flights.add(controller);
    try {
      const answer = await send(this.url, { ...this.request(entry), ...(keepalive && { keepalive }), signal: controller.signal });
      status = answer.status;
      this.obey(answer.headers.get('Retry-After'));
      reason = tried(JSON.parse, null, await answer.text())?.error;
      if (setImmediate) await new Promise(setImmediate); // Then the connection is free, and serves again.
    } catch {
      // No answer, or one that broke off after its status.
    }
    clearTimeout(timer);
    entry.flights.delete(controller);
    this.judge(entry, status, reason);
  }

  judge(entry, status, reason) {
    if (status === 200 || status === 201) {
      this.failures = 0;
      ['unreachable', 'refused', 'full'].forEach((kind) => said.delete(kind));
      return this.settle(entry);
    }
    if (!this.queue.has(entry)) return; // Accepted in another attempt, or given up.
    const passing = status === undefined || [408, 429, 502, 503, 504].includes(status);
    if (passing || (status >= 500 && ++entry.attempts < BACKOFF.attempts)) {
      this.failures++;
      return complain('unreachable', `${this.url} ${status ? `answered ${status}` : 'cannot be reached'}; trying again`);
    }
    lost++;
    this.settle(entry);
    complain('refused', `${this.url} answered ${status} (${cut(textOf(reason ?? ''), LENGTH.text)}); the event is lost`);
  }

  settle(entry) {
    if (this.queue.delete(entry)) this.bytes -= entry.bytes;
    entry.flights.forEach((controller) => controller.abort());
    entry.settle();
  }

  obey(retryAfter) {
    const wait = /^\d+$/.test(retryAfter) ? retryAfter * 1000 : Date.parse(retryAfter) - Date.now();
    if (wait > 0) this.notBefore = now() + Math.min(wait, BACKOFF.retryAfter);
  }

  /** Until the next attempt; a flush cuts it short, but never what the server asked for. */
  pause() {
    const asked = this.notBefore - now();
    const backoff = Math.min(BACKOFF.first * 2 ** (this.failures - 1), BACKOFF.most) * (0.5 + Math.random() / 2);
    return new Promise((resolve) => later(asked > 0 ? asked : backoff, (this.wake = resolve)));
  }

  /** Tries at once; a promise for each event that waits. */
  hurry() {
    this.failures = 0;
    if (this.notBefore <= now()) this.wake();
    return Array.from(this.queue, (entry) => entry.done);
  }

  /** The page may be gone in a moment: what fits goes out at once, and what is in flight goes again, since it would be cut. */
  outlivePage() {
    if (this.notBefore > now()) return;
    for (const entry of this.queue) {
      if (entry.keptAlive || keptAlive + entry.bytes > KEEPALIVE_BYTES) continue;
      keptAlive += entry.bytes;
      entry.keptAlive = true;
      this.attempt(entry, true).then(() => {
        keptAlive -= entry.bytes;
        entry.keptAlive = false;
        this.run();
      });
    }
  }

  giveUp() {
    lost += this.queue.size;
    this.failures = 0;
    this.queue.forEach((entry) => this.settle(entry));
  }
}

// ---- The host: what it does not catch, and how it ends.

const ways = []; // How to undo what joinHost did.
let leaving = false; // The last flush has been.
let dying = false; // Something was not caught, so that the process may end at any moment.
const captured = new WeakSet(); // What is captured and then thrown is one event.
const passing = new Set(); // Rejections of this moment, which a listener may throw on.
const orphans = []; // Rejections that nobody but this module listens to.

function joinHost() {
  const on = (target, name, handler) => {
    target.addEventListener ? target.addEventListener(name, handler) : target.on(name, handler);
    ways.push(() => (target.removeEventListener ?? target.off).call(target, name, handler));
  };
  leaving = dying = false;
  if (onServer) on(process, 'beforeExit', lastFlush);
  if (globalThis.document) on(document, 'visibilitychange', () => document.visibilityState === 'hidden' && hidden());
  if (globalThis.document) on(globalThis, 'pagehide', hidden);
  if (!client.captureUnhandled) return;
  if (onServer) {
    on(process, 'uncaughtExceptionMonitor', (error) => passing.has(error) || uncaught(error)); // Which changes nothing, unlike `uncaughtException`.
    on(process, 'exit', sendNow);
    const others = (name, handler) => name === 'unhandledRejection' && handler !== rejected;
    on(process, 'newListener', (name, handler) => others(name, handler) && Promise.resolve().then(followRejections)); // Once it is there.
    on(process, 'removeListener', (name, handler) => others(name, handler) && followRejections());
    followRejections();
    ways.push(() => process.off('unhandledRejection', rejected));
  } else if (globalThis.addEventListener) {
    on(globalThis, 'error', uncaughtInPage);
    on(globalThis, 'unhandledrejection', (event) => uncaught(event.reason));
  }
}

function leaveHost() {
  ways.splice(0).forEach((undo) => tried(undo));
}

function uncaught(thing, here = '') {
  dying = true;
  if (!captured.delete(thing)) capture('error', () => describe(thing, here));
}

/** `thing` may be hidden from us, where the script is another origin's. */
function uncaughtInPage({ error, message, filename, lineno, colno }) {
  const here = filename ? `@${filename}:${lineno}:${colno}` : '';
  if (error !== undefined && error !== null) uncaught(error, here);
  else if (message) capture('error', () => ({ message, stacktrace: parseStack(here) }));
}

/** A listener to rejections would keep the process alive; where the application has one, it does so anyway. This one is to be the first. */
function followRejections() {
  process.off('unhandledRejection', rejected);
  if (client?.captureUnhandled && (process.versions.bun || process.listenerCount('unhandledRejection'))) process.prependListener('unhandledRejection', rejected);
}

/** Bun's monitor does not see rejections. Those without another listener are rejected again without this one, all at once, for the usual end. */
function rejected(reason) {
  uncaught(reason);
  passing.add(reason);
  later(0, () => passing.delete(reason));
  if (!process.versions.bun || process.listenerCount('unhandledRejection') > 1 || orphans.push(reason) > 1) return;
  Promise.resolve().then(() => {
    process.off('unhandledRejection', rejected);
    orphans.splice(0).forEach((reason) => Promise.reject(reason));
    later(0, followRejections);
  });
}

/** A program that ends without a flush has one, once; it does not wait longer for a dead server. */
async function lastFlush() {
  const deadline = now() + milliseconds(client?.exitTimeout);
  const left = () => [...outboxes].some((outbox) => outbox.queue.size) && deadline - now();
  const giveUp = () => leaving && outboxes.forEach((outbox) => outbox.giveUp());
  const again = leaving; // Because of what the first time sent. The program's listeners are called again too: what they capture would have no end.
  giveUp();
  await null; // For the listeners after this one.
  releaseHeld();
  for (; !again && left() > 0; leaving = true) await flush(left());
  giveUp();
}

const WORKER = `const { workerData: { done, requests } } = require('node:worker_threads');
(async () => {
  for (const [url, request] of requests) await fetch(url, request).then((answer) => answer.text()).catch(() => {});
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
})();`;

/** In a process that dies nothing can be awaited: a worker sends, the newest first, and this thread stands still for it. */
function sendNow() {
  if (!dying) return;
  releaseHeld();
  const requests = [...outboxes].flatMap((outbox) => Array.from(outbox.queue, (entry) => [outbox.url, outbox.request(entry)])).reverse();
  if (!requests.length) return;
  tried(() => {
    const done = new Int32Array(new SharedArrayBuffer(4));
    const bare = { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' }, stdout: true, stderr: true };
    new builtin.worker_threads.Worker(WORKER, { eval: true, workerData: { done, requests }, ...bare });
    Atomics.wait(done, 0, 0, milliseconds(client?.exitTimeout));
  });
}

function hidden() {
  releaseHeld();
  outboxes.forEach((outbox) => outbox.outlivePage());
}

// ---- Small things.

const said = new Set();

/** One line for each kind of trouble, until the kind has cleared; never through capture, never with key or payload. */
function complain(kind, text) {
  if (!said.has(kind)) warn(`obs: ${text}`);
  said.add(kind);
}

function parseDsn(dsn) {
  const [, scheme, key, host] = /^(https?):\/\/(?:([^@/?#]*)@)?([^@/?#]*)/i.exec(typeof dsn === 'string' ? dsn.trim() : '') ?? [];
  if (!scheme) throw new Error('the dsn must be of the form http://KEY@HOST:PORT');
  if (!key) throw new Error('the dsn has no key; its form is http://KEY@HOST:PORT');
  if (!/^[\w-]{1,200}$/.test(key)) throw new Error("the dsn's key must be 1 to 200 of the characters A-Z a-z 0-9 _ -");
  const url = tried(() => new URL(`${scheme}://${host}`));
  if (!url?.hostname) throw new Error("the dsn's host or port is not valid");
  return { url: `${url.origin}/api/events`, key };
}

/** UUID version 7: its first 48 bits are the time. */
function uuid7() {
  const bytes = new Uint8Array(16).map(() => Math.random() * 256);
  globalThis.crypto?.getRandomValues(bytes); // Node 18 has none.
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${'89ab'[bytes[15] & 3]}${random.slice(3, 6)}-${random.slice(6, 18)}`;
}

/** At most `length` characters, none of them half a surrogate pair. */
function cut(text, length) {
  const whole = text.replace(/\p{Surrogate}/gu, '\uFFFD');
  if (whole.length <= length) return whole;
  const characters = Array.from(whole.slice(0, 2 * length + 2));
  return characters.length <= length ? whole : `${characters.slice(0, length - 1).join('')}…`;
}

function tried(act, otherwise, ...values) {
  try {
    return act(...values);
  } catch {
    return otherwise;
  }
}

/** A timer that does not keep a process alive. */
function later(wait, act) {
  const timer = setTimeout(act, milliseconds(wait));
  timer.unref?.();
  return timer;
}

const milliseconds = (value) => Math.min(Math.max(0, Number(value) || 0), 2 ** 31 - 1);
const byteLength = (text) => new TextEncoder().encode(text).length;
const className = (thing) => tried(() => typeof thing.constructor.name === 'string' && thing.constructor.name) || 'Object';
