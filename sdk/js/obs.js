// The obs SDK for JavaScript: reports errors and messages to an obs server, from Node, Bun and browsers.
// Contents: the API, thrown values, stacks, source lines, safe JSON, repeats, sending, process and page hooks, helpers.

const SDK = { name: '@obs/sdk', version: '0.1.0' };

const EVENT_BYTES = 1_000_000; // The server accepts 1 MiB.
const LEVELS = ['error', 'warning', 'info'];
const LENGTH = { message: 8192, text: 200, filename: 1000 };
const FRAMES = 100;
const CAUSES = 20;
const DEPTH = 32;
const VALUES = EVENT_BYTES / 2; // A JSON value takes at least two bytes, so more of them cannot fit.
const SOURCE = { around: 3, frames: 10, files: 32, bytes: 1 << 20 };
const REPEATS = { window: 60_000, limit: 100, keys: 1000, suppressed: 1_000_000 };
const QUEUE = { events: 2048, bytes: 8 << 20 };
const BACKOFF = { first: 100, max: 10_000, retryAfter: 300_000, attempts: 10 };
const KEEPALIVE_BYTES = 64 << 10; // The browsers' limit for requests that outlive their page.
const WORKER_ERROR = { channel: 'obs-worker-error', tell: 200, wait: 1000 };

const DEFAULTS = {
  dsn: undefined,
  environment: undefined,
  serverName: undefined,
  release: undefined,
  extra: undefined,
  beforeSend: (event) => event,
  sourceLines: true,
  captureUnhandled: false,
  requestTimeout: 5000,
  exitTimeout: 2000,
};

// Saved at load time, so that wrappers installed later, such as those of an APM agent, do not see the SDK's own calls.
const send = globalThis.fetch?.bind(globalThis);
const warn = console.warn.bind(console);
const now = performance.now.bind(performance);
const { setTimeout, clearTimeout, setImmediate } = globalThis;

const onServer = typeof process === 'object' && !!process.versions?.node && typeof document === 'undefined';
const builtin = {};
for (const name of onServer ? ['fs', 'os', 'worker_threads'] : []) {
  // Node before 20.16 has only import(). It is not awaited, because require() cannot load a module with top-level await.
  if (process.getBuiltinModule) builtin[name] = process.getBuiltinModule(name);
  else import(/* webpackIgnore: true */ /* @vite-ignore */ `node:${name}`).then((it) => (builtin[name] = it), () => {});
}

// ---- The API. Its documentation is in obs.d.ts.

let client = null; // The settings passed to `init`, and the outbox.
let busy = false; // During a capture. Captures made by code it calls, such as beforeSend, are ignored.
let lost = 0; // Number of events that will never be accepted.
let reported = 0; // The value of `lost` at the end of the last flush.

export function init(options) {
  client = null;
  logged.clear();
  removeHooks();
  releaseHeld();
  try {
    const settings = { ...DEFAULTS };
    if (!isObject(options)) throw new Error('init takes an options object, such as { dsn: "http://KEY@HOST:PORT" }');
    for (const [name, value] of Object.entries(options)) {
      if (value === undefined || value === null) continue;
      const type = typeof DEFAULTS[name];
      const isValid = type === 'undefined' || (typeof value === type && (type !== 'number' || value > 0));
      if (!Object.hasOwn(DEFAULTS, name)) warn(`obs: unknown option ${truncate(name, LENGTH.text)} ignored`);
      else if (!isValid) warn(`obs: option ${name} ignored: it must be a ${type === 'number' ? 'positive number' : type}`);
      else settings[name] = value;
    }
    settings.serverName ??= safely(() => builtin.os?.hostname());
    settings.outbox = outboxFor(parseDsn(settings.dsn), settings.requestTimeout);
    client = settings;
    addHooks();
  } catch (error) {
    warn(`obs: ${safely(() => error.message)}; no events will be sent`);
    logged.add('init');
  }
}

export function captureException(thrown, options) {
  const value = unwrap(thrown);
  if (client && recent.has(value)) return recent.get(value);
  const callStack = /^[ \t]*at |@/m.test(stackOf(value)) ? '' : callSite(captureException); // The error of Promise.any has no frames.
  const id = capture('error', () => describe(value, callStack), options);
  for (const it of client ? [value, thrown].filter(isObject) : []) captured.set(it, id);
  return id; // Not a tail call, which would remove this function from Safari's stacks.
}

export function captureMessage(message, level, options) {
  if (isObject(level)) [level, options] = [logOnce('order', 'captureMessage takes a level before its options'), level];
  return capture(level ?? 'info', () => ({ message: truncate(textOf(message), LENGTH.message).replace(/^\s*$/, '(empty message)') }), options);
}

export async function flush(timeout = 5000) {
  if (Number(timeout) !== timeout) timeout = logOnce('timeout', 'flush and close take a number of milliseconds; 5000 is used') ?? 5000;
  const known = reported; // Read before waiting, so that concurrent flushes all report a loss.
  releaseHeld();
  const sent = Promise.all([...outboxes].flatMap((outbox) => outbox.drain()));
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, timerDelay(timeout), 'late')));
  const inTime = (await Promise.race([sent, late])) !== 'late';
  clearTimeout(timer);
  reported = lost;
  return inTime && lost === known;
}

export async function close(timeout) {
  client = null;
  logged.add('init');
  removeHooks();
  const sent = await flush(timeout);
  if (client) return sent; // init was called again in the meantime.
  outboxes.forEach((outbox) => outbox.giveUp());
  reported = lost;
  return sent;
}

/** Builds and queues an event. Never throws. Returns the event's id, or '' if it is not sent. */
function capture(level, describe, options, queue = admit) {
  if (!client) return lose('init', 'an event was captured before init and dropped');
  if (busy) return '';
  busy = true;
  try {
    const { environment, release, serverName, beforeSend, outbox } = client;
    const id = uuid7();
    const { details, ...what } = describe();
    reportUnknown(options?.level ?? level, options);
    const event = applyBeforeSend(beforeSend, {
      event_id: id,
      level: options?.level ?? level,
      ...what,
      server_name: serverName,
      environment,
      release,
      fingerprint: options?.fingerprint,
      extra: mergeExtra(details, client.extra, options?.extra),
      platform: 'javascript',
      timestamp: new Date().toISOString(),
      sdk: { ...SDK },
    });
    if (!event) return '';
    const { filename, function: name, lineno } = event.stacktrace?.[0] ?? {};
    const key = JSON.stringify([event.type, event.message, filename, name, lineno]);
    return queue(key, { body: encode({ ...event, event_id: id }), outbox, at: now(), clock: Date.now() }) ? id : '';
  } catch {
    return lose('event', 'failed to build an event; it was dropped');
  } finally {
    busy = false;
  }
}

/** Returns what beforeSend returns. If it fails, the event is dropped: it may contain data that was to be removed. */
function applyBeforeSend(beforeSend, event) {
  const answer = safely(() => beforeSend(event));
  if (answer === null || (isObject(answer) && typeof answer.then !== 'function')) return answer;
  safely(() => answer.then(undefined, () => {}));
  return lose('beforeSend', 'beforeSend threw, or returned neither an event nor null; the event was dropped');
}

/** Merges values of extra, key by key if they are objects. Later ones win. */
function mergeExtra(...parts) {
  const merge = (lower, upper) => (isObject(lower) && isObject(upper) && !Array.isArray(upper) ? { ...lower, ...upper } : upper ?? lower);
  return parts.map((part) => clean(part)).reduce(merge);
}

/** Logs what a capture was given that the SDK does not know. */
function reportUnknown(level, options) {
  if (!LEVELS.includes(level)) logOnce('level', `a level must be one of ${LEVELS.join(', ')}`);
  if (!isObject(options ?? {}) || isError(options)) return logOnce('options', 'ignored options of a capture that are not an object such as { extra: { order: 7 } }');
  const unknown = Object.keys(options ?? {}).filter((name) => !['extra', 'level', 'fingerprint'].includes(name));
  unknown.forEach((name) => logOnce(`option ${name}`, `unknown option ${truncate(name, LENGTH.text)} of a capture ignored`));
}

// ---- Thrown values: errors or anything else.

/** Returns what an event is about, such as the error of an ErrorEvent, and any other value unchanged. */
function unwrap(value) {
  return safely(() => {
    // Node's own error for a rejection without an error: the reason if it was just captured, or else its text.
    if (value.code === 'ERR_UNHANDLED_REJECTION') return [/ reason "(.*)"\.$/s.exec(value.message)[1], ...recent.keys()].at(-1);
    if (className(value) === 'PromiseRejectionEvent') return unwrap(value.reason);
    if (className(value) === 'ErrorEvent') return value.error ?? value;
    return (isEvent(value) && [value.error, value.reason, value.detail].find(isError)) || value;
  }, value);
}

function describe(thrown, callStack) {
  if (className(thrown) === 'ErrorEvent' && thrown.message) {
    const [, type, message] = /^(?:Uncaught )?(?:(\w*(?:Error|Exception)): )?(.*)$/s.exec(thrown.message);
    return { type, message: message || thrown.message, stacktrace: parseStack(placeOf(thrown)) };
  }
  const source = { left: client.sourceLines ? SOURCE.frames : 0 };
  const [first, ...causes] = [...withCauses(thrown, new Set())].map((value, depth) => {
    const message = messageOf(value);
    const frames = parseStack(stackOf(value), message);
    const stacktrace = withSource(frames.length || depth ? frames : parseStack(callStack), source);
    return { type: typeOf(value), message: truncate(message, LENGTH.message), ...(stacktrace.length && { stacktrace }) };
  });
  const { stacktrace } = [first, ...causes].find((it) => it.stacktrace) ?? first;
  const { name, message, stack, ...error } = safely(() => Object.fromEntries(entriesOf(thrown)), {});
  const details = (message || isError(thrown)) && Object.keys(error).length ? { error } : undefined; // Otherwise the message is all of it.
  return { ...first, ...(stacktrace && { stacktrace }), ...(causes.length && { causes }), details };
}

/** Returns where an ErrorEvent happened, as a stack. */
const placeOf = (event) => (className(event) === 'ErrorEvent' && event.filename ? `@${event.filename}:${event.lineno}:${event.colno}` : '');

/** Adds a value and its causes to a set, depth first, as far as they are sent: a chain of causes may be endless. */
function withCauses(value, found) {
  found.add(value);
  const errors = []; // Those of an AggregateError. A list may be endless too.
  safely(() => {
    for (const error of isErrorLike(value) && isObject(value.errors) ? value.errors : []) if (errors.push(error) > CAUSES) break;
  });
  const names = className(value) === 'SuppressedError' ? ['error', 'suppressed'] : ['cause'];
  for (const cause of [...errors, ...names.map((name) => isObject(value) && safely(() => value[name]))]) {
    if ((cause || cause === 0 || cause === '') && found.size <= CAUSES && !found.has(cause)) withCauses(cause, found);
  }
  return found;
}

const isObject = (value) => typeof value === 'object' && value !== null;
const kindOf = (value) => safely(() => Object.prototype.toString.call(value).slice(8, -1), 'Object'); // The same in every realm.
const isEvent = (value) => isObject(value) && /Event$/.test(kindOf(value));
const isPlatform = (value, kind = kindOf(value)) => kind !== 'Object' && isObject(globalThis[kind]?.prototype);
const isError = (value) => isObject(value) && (safely(() => value instanceof Error) || /^(Error|DOMException)$/.test(kindOf(value)));
const isErrorLike = (value) => isError(value) || stackOf(value) !== '';
const stackOf = (value) => safely(() => isObject(value) && typeof value.stack === 'string' && value.stack) || '';

/** Returns the class name, or the value's `name` if it is an error whose class is generic or was minified. */
function typeOf(value) {
  if (!isObject(value)) return value === null ? 'null' : typeof value;
  const isNamed = isErrorLike(value) || typeof safely(() => value.message) === 'string';
  const constructorName = className(value);
  const name = isNamed && /^(Object|Error|DOMException|NodeError|.{0,2})$/.test(constructorName) && safely(() => value.name);
  return (typeof name === 'string' && name) || constructorName;
}

function messageOf(value) {
  const message = isObject(value) ? safely(() => value.message) : value;
  if (typeof message === 'string' && (message || !isObject(value))) return message;
  // Node's error for several failed connections has only a code.
  return textOf(isErrorLike(value) ? message || safely(() => Object.hasOwn(value, 'code') && value.code) || '' : value);
}

function textOf(value) {
  if (typeof value === 'function') return safely(() => `function ${String(value.name)}`, 'function');
  if (!isObject(value)) return String(value);
  const copy = clean(value, LENGTH.message);
  if (!isEvent(value) || !isObject(copy)) return typeof copy === 'string' ? copy : JSON.stringify(copy) ?? unserialisable(className(value));
  const { type, target, ...rest } = copy;
  return `${type}${target ? ` on ${target}` : ''}${Object.keys(rest).length ? `: ${JSON.stringify(rest)}` : ''}`;
}

/**
 * Returns the names and values of an object. In an error, only plain values: others may be whole requests with their
 * secrets, such as `config` in the errors of axios. Classes of the platform, such as Response, keep theirs behind getters.
 */
function entriesOf(value) {
  const read = (name) => [name, safely(() => value[name], unserialisable('getter'))];
  const own = Object.keys(value).map(read);
  const only = (kinds, entries) => entries.filter(([, item]) => kinds.test(kindOf(item)));
  if (isError(value)) return only(/^(String|Number|Boolean|BigInt)$/, [['status', safely(() => value.response?.status)], ...own]);
  if (!isPlatform(value)) return own;
  const getters = [];
  for (let it = Object.getPrototypeOf(value); it && Object.getPrototypeOf(it) && className(it) !== 'Event'; it = Object.getPrototypeOf(it)) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(it))) if (get) getters.push(read(name));
  }
  const { type, target } = value;
  const entries = isEvent(value) ? [['type', type], ['target', nameOf(target)], ['error', target?.error], ...getters] : [...getters, ...own];
  const known = only(/^(Object|Array|Error|DOMException|MediaError|String|Number|Boolean)$/, entries).filter(([, item]) => item && item.length !== 0);
  return known.map(([name, item]) => [name, typeof item === 'string' ? bareUrl(item) : item]);
}

/** Names an element or another target of events, such as `script https://…`. */
function nameOf(target) {
  if (!target) return '';
  const { localName, id, currentSrc, src, href, url } = target;
  const place = [currentSrc, src, href?.baseVal ?? href, url].find((it) => it && typeof it === 'string'); // baseVal: in SVG.
  return truncate(`${localName || className(target)}${localName && id ? `#${id}` : ''}${place ? ` ${bareUrl(place)}` : ''}`, LENGTH.filename);
}

/** Removes what may be secret or long from a URL: credentials, the query, the fragment, and the content of a data URL. */
const bareUrl = (text) => text.replace(/^(data:[^,;]*).*|^(\w+:\/\/)(?:[^/?#]*@)?([^?#]*).*$/s, '$1$2$3');

// ---- Stacks, as V8, JavaScriptCore and SpiderMonkey write them.

/** Returns the stack above `api`, the function that calls this one, for a value without a stack. */
function callSite(api) {
  const error = new Error();
  safely(() => Error.captureStackTrace?.(error, api));
  return Error.captureStackTrace ? stackOf(error) : stackOf(error).split('\n').slice(2).join('\n');
}

const LIBRARY = /^(<|\[|node:|bun:|internal[:/]|native$|\/rustc\/|\/usr\/(local|lib)\/go[^/]*\/src\/)|(^|[\\/])(node_modules|vendor|site-packages|gems|\.cargo[\\/]registry|pkg[\\/]mod)[\\/]/;

function parseStack(stack, message) {
  const v8 = /^[ \t]*at /m.test(stack);
  // V8 starts with `TypeError: message`, and a line of the message may look like a frame.
  const start = v8 && message ? stack.indexOf(message) : -1;
  const headed = start >= 0 && /^(.*: )?$/.test(stack.slice(0, start));
  const lines = stack.slice(headed ? start + message.length : 0).slice(0, EVENT_BYTES).split('\n');
  return lines.flatMap((line) => (line.length < 4096 && parseLine(line, v8)) || []).slice(0, FRAMES);
}

function parseLine(line, v8) {
  // V8: `at name (place)` or `at place`. Others: `name@place`, `place` or `[native code]`.
  const match = v8 ? /^\s*at (?:(.+?) \((.*)\)|(?:async )?(.+))$/.exec(line) : /^(?:([^@]*)@(.*)|(\[native code\]|[a-z-]+:\/\/.+|\/.+))$/.exec(line);
  if (!match) return null;
  const [, name = '', inner, place = inner] = match;
  // Evaluated code has no file, so the frame gets the place of the eval.
  const origin = /eval at [^(]*\((?!eval at )(.*?:\d+:\d+)\)/.exec(place)?.[1] ?? place.replace(/^(.*?) line (\d+) > .*$/, '$1:$2');
  const [, file, lineno, colno] = /^(.*?)(?::(\d+))?(?::(\d+))?$/.exec(origin);
  const frame = {
    filename: truncate(pathOf(file) || '<anonymous>', LENGTH.filename),
    function: truncate(name.replace(/^async |^.*\*/, '') || '<anonymous>', LENGTH.text),
  };
  if (lineno > 0) frame.lineno = Number(lineno);
  if (colno > 0) frame.colno = Number(colno);
  frame.in_app = lineno > 0 && !LIBRARY.test(frame.filename);
  return frame;
}

/** In Node and Bun, converts a file URL to a path. */
function pathOf(file) {
  if (!onServer || !file.startsWith('file://')) return file;
  const path = safely(() => decodeURIComponent(file.slice(7)), file.slice(7));
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}

// ---- Source lines, in Node and Bun only.

const SCRIPT = /^(\/|[A-Za-z]:[\\/]).*\.([cm]?[jt]s|[jt]sx)$/; // Only scripts: a `stack` assigned by the program may name any file.
const sources = new Map(); // Lines by path; null if the file is missing or too large.

function withSource(frames, source) {
  for (const frame of builtin.fs ? frames : []) {
    if (!frame.in_app || !SCRIPT.test(frame.filename) || source.left-- <= 0) continue;
    const lines = linesOf(frame.filename);
    const at = frame.lineno - 1;
    if (lines?.[at] === undefined) continue;
    const between = (from, to) => lines.slice(Math.max(0, from), to).map((line) => truncate(line, LENGTH.text));
    frame.pre_context = between(at - SOURCE.around, at);
    [frame.context_line] = between(at, at + 1);
    frame.post_context = between(at + 1, at + 1 + SOURCE.around);
  }
  return frames;
}

function linesOf(path) {
  if (sources.has(path)) return sources.get(path);
  if (sources.size >= SOURCE.files) sources.delete(sources.keys().next().value);
  const file = safely(() => builtin.fs.statSync(path));
  const cheap = file?.isFile() && file.size <= SOURCE.bytes;
  sources.set(path, cheap ? safely(() => builtin.fs.readFileSync(path, 'utf8').split(/\r?\n/)) : null);
  return sources.get(path);
}

// ---- Safe JSON: plain data from any value, even if its getters throw.

/** Returns a copy that JSON.stringify cannot fail on, with strings truncated to `length` characters. */
function clean(value, length = Infinity) {
  const enclosing = new Set(); // The enclosing objects, to tell a cycle from a repeated reference.
  let left = VALUES;

  const copy = (value, depth) => {
    left--;
    if (typeof value === 'string') return truncate(value, length);
    if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return String(value);
    if (typeof value === 'function' || typeof value === 'symbol') return unserialisable(typeof value);
    if (!isObject(value)) return value;
    if (enclosing.has(value)) return '[circular]';
    if (depth > DEPTH) return '[too deep]';
    enclosing.add(value);
    const copied = safely(() => copyObject(value, depth + 1), unserialisable(className(value)));
    enclosing.delete(value);
    return copied;
  };

  const copyObject = (value, depth) => {
    if (isError(value)) return copy({ ...Object.fromEntries(entriesOf(value)), type: typeOf(value), message: safely(() => value.message) }, depth);
    if (value.nodeType > 0 && typeof value.nodeName === 'string') return nameOf(value);
    const kind = kindOf(value);
    const isSpecial = isPlatform(value, kind);
    if (kind === 'RegExp') return truncate(String(value), length);
    if (isSpecial && /^(String|Number|Boolean|BigInt|Symbol)$/.test(kind)) return copy(value.valueOf(), depth);
    if (ArrayBuffer.isView(value) || /ArrayBuffer$|^Window$/.test(kind) || value === globalThis) return unserialisable(className(value));
    if (typeof value.toJSON === 'function') return copy(value.toJSON(), depth);
    const isMap = isSpecial && value[Symbol.iterator] && typeof value.get === 'function'; // A Map, Headers, FormData or URLSearchParams.
    const list = [];
    if (isSpecial && value[Symbol.iterator] && !isMap) {
      for (const item of value) if (list.push(copy(item, depth) ?? null) && left <= 0) break;
      return list;
    }
    for (const [key, item] of isMap ? value : entriesOf(value)) {
      const copied = copy(item, depth);
      if (copied !== undefined) list.push([truncate(textOf(key), length), copied]);
      if (left <= 0) break;
    }
    if (isSpecial && !isMap && !list.length) return unserialisable(className(value));
    return Object.fromEntries(isMap ? joined(list) : list); // Unlike assignment, this treats `__proto__` as an ordinary key.
  };

  return copy(value, 0);
}

const unserialisable = (type) => `[unserialisable: ${type}]`;
const joined = (entries) => entries.reduce((all, [name, value]) => all.set(name, all.has(name) ? [all.get(name), value].flat() : value), new Map()); // Of repeated names.

/** Returns the event as JSON within the server's limits. If it is too large, the least useful data is removed first. */
function encode(event) {
  event = clean(event);
  event.message = truncate(textOf(event.message ?? ''), LENGTH.message);
  for (const name of ['type', 'level', 'server_name', 'environment', 'release']) {
    if (name in event) event[name] = truncate(textOf(event[name]), LENGTH.text);
  }
  if ('fingerprint' in event) event.fingerprint = [event.fingerprint].flat().slice(0, 8).map((part) => truncate(textOf(part), LENGTH.text));
  const frames = [event, event.causes].flat().flatMap((value) => value?.stacktrace ?? []);
  const { extra } = event;
  const cuts = [
    () => (event.extra = clean(event.extra, LENGTH.message)),
    () => (event.extra = { obs: `extra omitted: ${byteLength(JSON.stringify(extra) ?? '')} bytes` }),
    () => frames.forEach((frame) => ['pre_context', 'context_line', 'post_context'].forEach((name) => delete Object(frame)[name])),
    () => Object.assign(event, { causes: undefined, stacktrace: event.stacktrace?.slice(0, 20) }),
  ];
  let body;
  while (byteLength((body = JSON.stringify(event))) > EVENT_BYTES) cuts.shift()(); // Throws if none is left; capture() drops the event.
  return body;
}

// ---- Repeats: per minute, 100 events of the same error are sent, then only the latest, with a count.

const repeats = new Map(); // By the key of the error, in order of the first event.
let heldLength = 0; // Total length of the held bodies, limited like the queue.

/** Queues an event or holds it back. Returns true if it was queued. */
function admit(key, entry, { limit, window } = REPEATS) {
  const repeat = repeats.get(key) ?? { sent: 0, held: null, others: 0, timer: later(window, () => forget(key)) };
  repeats.set(key, repeat);
  if (repeats.size > REPEATS.keys) forget(repeats.keys().next().value);
  if (repeat.sent++ < limit) return entry.outbox.add(entry);
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
  held.outbox.add(others ? { ...held, body: `${held.body.slice(0, -1)},"suppressed":${others}}` } : held);
}

function forget(key) {
  const repeat = repeats.get(key);
  clearTimeout(repeat.timer);
  repeats.delete(key);
  release(repeat);
}

const releaseHeld = () => repeats.forEach(release);

// ---- Sending: one event at a time, in order, with retries.

const outboxes = new Set();
const keptAlive = new Set(); // Entries in flight in requests that outlive the page.

/** Returns the outbox for a DSN. Outboxes of earlier DSNs are kept until they are empty. */
function outboxFor({ url, key }, timeout) {
  const outbox = [...outboxes].find((it) => it.url === url && it.key === key) ?? new Outbox();
  outboxes.forEach((it) => it.queue.size || outboxes.delete(it));
  outboxes.add(outbox);
  return Object.assign(outbox, { url, key, timeout });
}

class Outbox {
  queue = new Set();
  bytes = 0;
  failures = 0; // Consecutive failures since the last flush.
  notBefore = 0; // End of the server's Retry-After.
  running = false;
  blocked = ''; // Why nothing will ever be sent.
  wake = () => {};

  add({ body, at, clock }) {
    const entry = { body, at, clock, bytes: byteLength(body), attempts: 0, controllers: new Set() };
    if (this.blocked) return lose('blocked', this.blocked);
    const isFull = this.queue.size >= QUEUE.events || this.bytes + entry.bytes > QUEUE.bytes;
    if (isFull) return lose('full', 'the queue is full; dropping new events');
    entry.done = new Promise((resolve) => (entry.settle = resolve));
    this.queue.add(entry);
    this.bytes += entry.bytes;
    this.run();
    return true;
  }

  async run() {
    if (this.running) return;
    this.running = true;
    await null; // Let the caller continue before the first request.
    for (let entry = true; entry; ) {
      if (this.failures || this.notBefore > now()) await this.pause();
      entry = [...this.queue].find((it) => !it.controllers.size);
      if (entry) await this.attempt(entry);
    }
    this.running = false;
  }

  request({ body, at, clock }) {
    // The monotonic clock stops while the machine sleeps, and the other one may be set back. Neither may make an event younger.
    const age = Math.max(now() - at, Date.now() - clock) / 1000;
    const headers = { 'Content-Type': 'application/json', 'X-OBS-Key': this.key, 'X-OBS-Age': age.toFixed(3) };
    // A redirect would send the key to another server.
    return { method: 'POST', headers, body, redirect: 'manual', credentials: 'omit', cache: 'no-store' };
  }

  /** `keepalive` is true or absent: if it is false, Bun closes the connection. */
  async attempt(entry, keepalive) {
    const controller = new AbortController();
    const timer = later(this.timeout, () => controller.abort());
    let status, reason;
    entry.controllers.add(controller);
    try {
      const response = await send(this.url, { ...this.request(entry), keepalive, signal: controller.signal });
      status = response.status;
      this.readRetryAfter(response.headers.get('Retry-After'));
      reason = safely(JSON.parse, null, await response.text())?.error;
      if (setImmediate) await new Promise(setImmediate); // By then the connection is idle and can be reused.
    } catch {
      // No response, or one that broke off after the status. A browser reports a violation of the page's policy afterwards.
      if (!onServer) await new Promise((resolve) => setTimeout(resolve));
    }
    clearTimeout(timer);
    entry.controllers.delete(controller);
    this.handleResult(entry, status, reason);
  }

  handleResult(entry, status, reason) {
    if (status === 200 || status === 201) {
      this.failures = 0;
      ['unreachable', 'rejected', 'full'].forEach((kind) => logged.delete(kind));
      return this.settle(entry);
    }
    if (!this.queue.has(entry)) return; // Accepted by another attempt, or given up.
    if (status === undefined && isMixedContent(this.url)) return this.block(`a page loaded over https cannot send events to ${this.url}`);
    const isTemporary = status === undefined || [408, 429, 502, 503, 504].includes(status);
    if (isTemporary || (status >= 500 && ++entry.attempts < BACKOFF.attempts)) {
      this.failures++;
      return logOnce('unreachable', `cannot send events to ${this.url}, will retry: ${status ? `HTTP status ${status}` : 'no response'}`);
    }
    this.settle(entry);
    lose('rejected', `${this.url} rejected an event: ${status} (${truncate(textOf(reason ?? ''), LENGTH.text)})`);
  }

  settle(entry) {
    if (this.queue.delete(entry)) this.bytes -= entry.bytes;
    entry.controllers.forEach((controller) => controller.abort());
    entry.settle();
  }

  readRetryAfter(header) {
    const wait = /^\d+$/.test(header) ? header * 1000 : Date.parse(header) - Date.now();
    if (wait > 0) this.notBefore = now() + Math.min(wait, BACKOFF.retryAfter);
  }

  /** Waits until the next attempt. A flush ends a backoff, but not a Retry-After. */
  pause() {
    const retryAfter = this.notBefore - now();
    const backoff = Math.min(BACKOFF.first * 2 ** (this.failures - 1), BACKOFF.max) * (0.5 + Math.random() / 2);
    return new Promise((resolve) => later(retryAfter > 0 ? retryAfter : backoff, (this.wake = resolve)));
  }

  /** Ends a backoff, and returns a promise for each queued event. */
  drain() {
    this.failures = 0;
    if (this.notBefore <= now()) this.wake();
    return Array.from(this.queue, (entry) => entry.done);
  }

  /** Sends what fits with keepalive. That includes events in flight, whose requests would be aborted with the page. */
  sendKeepalive() {
    if (this.notBefore > now()) return;
    for (const entry of this.queue) {
      const bytes = [...keptAlive].reduce((sum, { bytes }) => sum + bytes, entry.bytes);
      if (keptAlive.has(entry) || bytes > KEEPALIVE_BYTES) continue;
      keptAlive.add(entry);
      this.attempt(entry, true).then(() => keptAlive.delete(entry)).then(() => this.run());
    }
  }

  /** Gives up for good: unlike an outage, what the browser forbids does not end. */
  block(reason) {
    this.blocked = `${reason}; no events will be sent`;
    logOnce('blocked', this.blocked);
    this.giveUp();
  }

  giveUp() {
    lost += this.queue.size;
    this.failures = 0;
    this.queue.forEach((entry) => this.settle(entry));
  }
}

// ---- Process and page hooks: uncaught errors, and the end of the process or page.

const undo = []; // Functions that remove the hooks.
let flushedAtExit = false;
let sawUncaught = false; // The process may exit at any moment.
const captured = new WeakMap(); // Ids by captured error: if thrown afterwards, it is not captured again.
const recent = new Map(); // Ids by uncaught value: other listeners may capture or rethrow it, which would count twice.
const unheardRejections = []; // Reasons of rejections without another listener.
const IN_THREAD = 'capturedByObs'; // Marks an error captured in a worker thread: Node gives the main thread a copy without its class.
let toPages; // A worker's channel to the SDKs of its pages.

function addHooks() {
  const on = (target, name, handler) => {
    (target.addEventListener ?? target.on).call(target, name, handler);
    undo.push(() => (target.removeEventListener ?? target.off).call(target, name, handler));
  };
  flushedAtExit = sawUncaught = false;
  if (onServer) on(process, 'beforeExit', onBeforeExit);
  if (globalThis.document) on(document, 'visibilitychange', () => document.visibilityState === 'hidden' && onPageHidden());
  if (globalThis.document) on(globalThis, 'pagehide', onPageHidden);
  if (!onServer) on(globalThis, 'securitypolicyviolation', onPolicyViolation);
  if (!client.captureUnhandled) return;
  if (onServer) {
    // Unlike `uncaughtException`, it does not keep the process alive.
    on(process, 'uncaughtExceptionMonitor', (error) => recent.has(unwrap(error)) || captureUncaught(error));
    on(process, 'exit', sendFromWorker);
    if (!process.versions.bun) return watchRejections();
    // After the listener has been added.
    on(process, 'newListener', (name, handler) => name === 'unhandledRejection' && handler !== onRejection && Promise.resolve().then(listenToRejections));
    listenToRejections();
    undo.push(() => process.off('unhandledRejection', onRejection));
  } else if (globalThis.addEventListener) {
    on(globalThis, 'error', onWindowError);
    on(globalThis, 'unhandledrejection', (event) => captureUncaught(event));
  }
}

const removeHooks = () => undo.splice(0).forEach((run) => safely(run));

function captureUncaught(thrown, queue) {
  const value = unwrap(thrown);
  if (safely(() => value[IN_THREAD]) && builtin.worker_threads?.isMainThread) return;
  sawUncaught = true;
  const describeUncaught = () => ({ ...describe(value, placeOf(thrown)), mechanism: { handled: false } });
  recent.set(value, captured.get(value) ?? captured.get(thrown) ?? capture('error', describeUncaught, undefined, queue));
  captured.delete(value);
  later(0, () => recent.delete(value));
  if (builtin.worker_threads?.isMainThread === false) safely(() => Object.defineProperty(value, IN_THREAD, { value: true }));
}

/**
 * Handles the `error` event. It has no error if the script is from another origin, or if a worker did not handle it. The
 * SDK in the worker may report that error too, and knows its stack, so the page waits for a message from there.
 */
function onWindowError(event) {
  const isForeign = unwrap(event) === event;
  const key = event.message + placeOf(event);
  if (isForeign && !event.message) return;
  captureUncaught(event, isForeign && event.lineno ? (_, entry) => awaitWorker(key, entry) : admit);
  if (!isForeign && !globalThis.document) later(WORKER_ERROR.tell, () => safely(() => (toPages ??= new BroadcastChannel(WORKER_ERROR.channel)).postMessage(key)));
}

function awaitWorker(key, entry) {
  const channel = safely(() => !repeats.has(key) && new BroadcastChannel(WORKER_ERROR.channel)) || {};
  channel.onmessage = ({ data }) => safely(() => (repeats.get(data).held.outbox = { add() {} }));
  later(WORKER_ERROR.wait, () => channel.close?.()); // An open one keeps a page out of the browser's back/forward cache.
  return admit(key, entry, { limit: 0, window: WORKER_ERROR.wait });
}

/** Handles a violation of the page's Content-Security-Policy. Some browsers give only the origin of a forbidden request. */
function onPolicyViolation({ blockedURI, disposition, effectiveDirective }) {
  if (disposition !== 'enforce' || effectiveDirective !== 'connect-src') return;
  const isForbidden = ({ url }) => [url, new URL(url).origin].includes(blockedURI);
  for (const outbox of [...outboxes].filter(isForbidden)) outbox.block(`the page's Content-Security-Policy needs connect-src ${new URL(outbox.url).origin}`);
}

/**
 * Watches rejections in Node, without a listener, which would keep the process alive. A reason that has no stack becomes
 * an error of Node's own without the reason. Others reach uncaughtExceptionMonitor; to read their stack here would
 * change what Node prints.
 */
function watchRejections() {
  const { emit } = process;
  const watched = (process.emit = function (name, ...values) {
    const isSeen = name === 'unhandledRejection' && undo.includes(unwatch);
    if (isSeen && (process.listenerCount(name) || !safely(() => Object.hasOwn(values[0], 'stack')))) captureUncaught(values[0]);
    return Reflect.apply(emit, this, [name, ...values]);
  });
  const unwatch = () => process.emit === watched && (process.emit = emit);
  undo.push(unwatch);
}

/** Listens to rejections in Bun, as the first listener, since another may end the process. */
function listenToRejections() {
  process.off('unhandledRejection', onRejection);
  if (client?.captureUnhandled) process.prependListener('unhandledRejection', onRejection);
}

/** Captures a rejection in Bun. One without another listener is rejected again, so that the process ends as usual. */
function onRejection(reason) {
  captureUncaught(reason);
  if (process.listenerCount('unhandledRejection') > 1 || unheardRejections.push(reason) > 1) return;
  Promise.resolve().then(() => {
    process.off('unhandledRejection', onRejection);
    unheardRejections.splice(0).forEach((reason) => Promise.reject(reason));
    later(0, listenToRejections);
  });
}

/** Flushes once when the program ends, for at most exitTimeout. */
async function onBeforeExit() {
  const deadline = flushedAtExit ? 0 : now() + timerDelay(client?.exitTimeout);
  const left = () => [...outboxes].some((outbox) => outbox.queue.size) && deadline - now();
  const giveUp = () => flushedAtExit && outboxes.forEach((outbox) => outbox.giveUp());
  giveUp(); // Sending triggers beforeExit again. Other listeners may then capture events without end, so those are dropped.
  await null; // Let later listeners capture events.
  releaseHeld();
  for (; left() > 0; flushedAtExit = true) await flush(left());
  giveUp();
}

const WORKER = `const { workerData: { done, requests } } = require('node:worker_threads');
(async () => {
  for (const [url, request] of requests) await fetch(url, request).then((answer) => answer.text()).catch(() => {});
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
})();`;

/** Sends from a worker, newest first, and blocks until it is done: an exiting process cannot await anything. */
function sendFromWorker() {
  if (!sawUncaught) return;
  releaseHeld();
  const requests = [...outboxes].flatMap((outbox) => Array.from(outbox.queue, (entry) => [outbox.url, outbox.request(entry)])).reverse();
  if (requests.length) safely(() => {
    const done = new Int32Array(new SharedArrayBuffer(4));
    const bare = { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' }, stdout: true, stderr: true };
    new builtin.worker_threads.Worker(WORKER, { eval: true, workerData: { done, requests }, ...bare });
    Atomics.wait(done, 0, 0, timerDelay(client?.exitTimeout));
  });
}

function onPageHidden() {
  releaseHeld();
  outboxes.forEach((outbox) => outbox.sendKeepalive());
}

// ---- Helpers.

const logged = new Set();

/** Logs each kind of problem once until it is over. Lines never contain the key or data of an event. */
function logOnce(kind, text) {
  if (!logged.has(kind)) warn(`obs: ${text}`);
  logged.add(kind);
}

/** Counts an event that will never be accepted, and logs why. Returns the id of such an event: ''. */
function lose(kind, text) {
  lost++;
  logOnce(kind, text);
  return '';
}

function parseDsn(dsn) {
  const [, scheme, key, host] = /^(https?):\/\/(?:([^@/?#]*)@)?([^@/?#]*)/i.exec(typeof dsn === 'string' ? dsn.trim() : '') ?? [];
  if (!scheme) throw new Error('the dsn must have the form http://KEY@HOST:PORT');
  if (!key) throw new Error('the dsn has no key; it must have the form http://KEY@HOST:PORT');
  if (!/^[\w-]{1,200}$/.test(key)) throw new Error("the dsn's key must be 1 to 200 characters from A-Z a-z 0-9 _ -");
  const url = safely(() => new URL(`${scheme}://${host}`));
  if (!url?.hostname) throw new Error("the dsn's host or port is invalid");
  return { url: `${url.origin}/api/events`, key };
}

/** Browsers forbid a page that was loaded over https requests over http, except to the same machine. */
const isMixedContent = (url) => globalThis.location?.protocol === 'https:' && /^http:(?!\/\/(localhost|127\.|\[::1\]))/.test(url);

/** Returns a version 7 UUID. Its first 48 bits are the time. */
function uuid7() {
  const bytes = new Uint8Array(16).map(() => Math.random() * 256);
  globalThis.crypto?.getRandomValues(bytes); // Not available in Node 18.
  const hex = Date.now().toString(16).padStart(12, '0') + Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{3})(.{3})(.{12}).*/, `$1-$2-7$3-${'89ab'[bytes[15] & 3]}$4-$5`);
}

/** Truncates text to `length` characters and replaces lone surrogates. */
function truncate(text, length) {
  const whole = text.replace(/\p{Surrogate}/gu, '\uFFFD');
  if (whole.length <= length) return whole;
  const characters = Array.from(whole.slice(0, 2 * length + 2));
  return characters.length <= length ? whole : `${characters.slice(0, length - 1).join('')}…`;
}

/** Returns the result of `run`, or `fallback` if it throws. */
function safely(run, fallback, ...values) {
  try {
    return run(...values);
  } catch {
    return fallback;
  }
}

/** Starts a timer that does not keep the process alive. */
function later(delay, run) {
  const timer = setTimeout(run, timerDelay(delay));
  timer.unref?.();
  return timer;
}

const timerDelay = (value) => Math.min(Math.max(0, Number(value) || 0), 2 ** 31 - 1);
const byteLength = (text) => new TextEncoder().encode(text).length;
const className = (value) => safely(() => typeof value.constructor.name === 'string' && value.constructor.name) || 'Object';
