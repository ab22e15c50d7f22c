// The obs SDK for JavaScript: reports errors and messages to an obs server, from Node, Bun and browsers.
// Contents: the API, context, thrown values, stacks, source lines, safe JSON, repeats, sending, the end of a process or
// page, uncaught errors, what happens in a page, helpers.

const SDK = { name: '@obs/sdk', version: '0.2.0' };

const EVENT_BYTES = 1_000_000; // The server accepts 1 MiB.
const LEVELS = ['error', 'warning', 'info'];
const LENGTH = { message: 8192, text: 200, filename: 1000 };
const LIMIT = { frames: 100, causes: 20, breadcrumbs: 50, depth: 32 };
const SOURCE = { around: 3, frames: 10, files: 32, bytes: 1 << 20 };
const REPEATS = { window: 60_000, limit: 100, keys: 1000, suppressed: 1_000_000 };
const QUEUE = { events: 2048, bytes: 8 << 20, keepalive: 64 << 10 }; // The last one is the browsers' limit for requests that outlive their page.
const BACKOFF = { first: 100, max: 10_000, retryAfter: 300_000, attempts: 10 };

const DEFAULTS = {
  ...{ dsn: undefined, environment: undefined, serverName: undefined, release: undefined, extra: undefined },
  beforeSend: (event) => event,
  ignoreErrors: [/^ResizeObserver loop/, /^Script error\.?$/],
  autoBreadcrumbs: true,
  sourceLines: true,
  captureUnhandled: true,
  requestTimeout: 5000,
  exitTimeout: 2000,
};
const CONTEXT = ['user', 'tags', 'extra', 'request'];
const CAPTURE = [...CONTEXT, 'level', 'fingerprint', 'handled'];

// Saved at load time, so that wrappers installed later, such as those of an APM agent, do not see the SDK's own calls.
const send = (globalThis.fetch?.withoutObs ?? globalThis.fetch)?.bind(globalThis);
const { warn } = console;
const now = performance.now.bind(performance);
const { setTimeout, clearTimeout, setImmediate } = globalThis;

const onServer = typeof process === 'object' && !!process.versions?.node && typeof document === 'undefined';

// One object for all copies of the SDK: a page and its bundle may each have one, and so may each bundle of a server.
// Only `owner`, the latest, reports uncaught errors. A copy that was not initialised uses `options`, also of the latest.
const emptyScope = () => ({ tags: Object.create(null), extra: Object.create(null), breadcrumbs: [] });
const copies = (globalThis[Symbol.for('@obs/sdk')] ??= { captured: new WeakMap(), owner: null, options: null, scope: emptyScope(), scopes: null });

const builtin = {};
for (const name of onServer ? ['fs', 'os', 'worker_threads', 'async_hooks'] : []) {
  // Node before 20.16 has only import(). It is not awaited, because require() cannot load a module with top-level await.
  if (process.getBuiltinModule) builtin[name] = process.getBuiltinModule(name);
  else import(/* webpackIgnore: true */ /* @vite-ignore */ `node:${name}`).then((it) => (builtin[name] = it), () => {});
}

// ---- The API. Its documentation is in obs.d.ts.

let client = null; // The settings passed to `init`.
let busy = false; // During a capture. Captures made by code it calls, such as beforeSend, are ignored.
let lost = 0; // Number of events that will never be accepted.
let reported = 0; // The value of `lost` at the end of the last flush.

export function init(options) {
  client = copies.options = null;
  logged.clear();
  removeHooks();
  releaseHeld();
  try {
    if (!isObject(options)) throw new Error('init takes an object with a dsn');
    reportUnknown(options, Object.keys(DEFAULTS), 'init');
    const settings = { ...DEFAULTS };
    for (const [name, initial] of Object.entries(DEFAULTS)) {
      const value = options[name] ?? initial;
      const isValid = initial === undefined || (typeof value === typeof initial && (typeof value !== 'number' || value > 0));
      if (isValid) settings[name] = value;
      else warn(`obs: option ${name} ignored: it must be a ${typeof initial === 'number' ? 'positive number' : typeof initial}`);
    }
    settings.serverName ??= safely(() => builtin.os?.hostname());
    const { url, key } = parseDsn(settings.dsn);
    if (target?.url !== url || target.key !== key) target = { url, key, failures: 0, notBefore: 0, isSending: false, wake() {} };
    client = settings;
    copies.options = options;
    addHooks();
  } catch (error) {
    logOnce('init', `${safely(() => error.message)}; no events will be sent`);
  }
}

export function captureException(thrown, options) {
  const value = unwrap(thrown);
  if ((client ?? copies.options) && knownId(value, thrown) !== undefined) return knownId(value, thrown);
  const here = /^[ \t]*at |@/m.test(stackOf(value)) ? [] : parseStack(stackOf(new Error())).slice(1); // The error of Promise.any has no frames.
  const id = capture('error', () => describe(value, here), options);
  if (client) remember(value, thrown, id);
  return id; // Not a tail call, which would remove this function from Safari's stacks.
}

export function captureMessage(message, level, options) {
  if (isObject(level)) [level, options] = ['info', level];
  return capture(level ?? 'info', () => ({ message: truncate(textOf(message), LENGTH.message).replace(/^\s*$/, '(empty message)') }), options);
}

export const setUser = (user) => void addTo(scope(), { user });
export const setTag = (name, value) => setTags({ [name]: value });
export const setTags = (tags) => void addTo(scope(), { tags });
export const setExtra = (name, value) => void addTo(scope(), { extra: { [name]: value } });

export function addBreadcrumb(breadcrumb) {
  const { breadcrumbs } = scope();
  const copy = clean(breadcrumb, LENGTH.message);
  breadcrumbs.push({ timestamp: new Date().toISOString(), ...(isObject(copy) ? copy : { message: copy }) });
  if (breadcrumbs.length > LIMIT.breadcrumbs) breadcrumbs.shift();
}

export function withScope(context, callback) {
  const inner = scopeWithin(scope());
  safely(addTo, inner, inner, context);
  copies.scopes ??= safely(() => new builtin.async_hooks.AsyncLocalStorage());
  if (copies.scopes) return copies.scopes.run(inner, callback);
  const outer = current;
  current = inner;
  try {
    return callback();
  } finally {
    current = outer;
  }
}

export async function flush(timeout = 5000) {
  if (Number(timeout) !== timeout) timeout = logOnce('timeout', 'flush and close take milliseconds') ?? 5000;
  const known = reported; // Read before waiting, so that concurrent flushes all report a loss.
  releaseHeld();
  for (const { target } of queue) {
    target.failures = 0; // Ends a backoff, but not a Retry-After.
    if (target.notBefore <= now()) target.wake();
  }
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, timerDelay(timeout), 'late')));
  const end = await Promise.race([Promise.all(Array.from(queue, (entry) => entry.done)), late]);
  clearTimeout(timer);
  reported = lost;
  return end !== 'late' && lost === known;
}

export async function close(timeout) {
  client = copies.options = null;
  logged.add('init');
  removeHooks();
  const sent = await flush(timeout);
  if (!client) giveUp(); // Otherwise init was called again in the meantime.
  reported = lost;
  return sent;
}

/** Builds and queues an event. Never throws. Returns the event's id, or '' if it is not sent. */
function capture(level, describe, options, queue = admit) {
  if (!client && copies.options) init(copies.options);
  if (!client) return lose('init', 'an event was dropped: init was not called');
  if (busy) return '';
  busy = true;
  try {
    const id = uuid7();
    const { details, ...what } = describe();
    if ([client.ignoreErrors].flat().some((pattern) => safely(() => what.message.search(pattern) >= 0))) return '';
    const { user, tags, extra, request, breadcrumbs } = addTo(scopeWithin(scope()), options, CAPTURE, 'a capture');
    level = options?.level ?? level;
    if (!LEVELS.includes(level)) logOnce('level', `a level must be one of ${LEVELS.join(', ')}`);
    const event = safely(client.beforeSend, undefined, {
      ...{ event_id: id, level, ...what, platform: 'javascript', timestamp: new Date().toISOString() },
      ...{ server_name: client.serverName, environment: client.environment, release: client.release },
      user: user ?? undefined,
      tags: flat(tags),
      extra: flat({ ...details, ...clean(client.extra), ...flat(extra) }),
      request: safely(describeRequest, undefined, request),
      breadcrumbs: breadcrumbs.length ? breadcrumbs : undefined,
      fingerprint: options?.fingerprint,
      mechanism: options?.handled === false ? { handled: false } : undefined,
      debug_meta: debugMeta([what, ...(what.causes ?? [])].flatMap(({ stacktrace }) => stacktrace ?? [])),
      sdk: { ...SDK },
    });
    Promise.resolve(event).catch(() => {});
    // Never sent unchanged: it may contain data that was to be removed.
    if (event === null) return '';
    if (!isObject(event) || typeof event.then === 'function') return lose('beforeSend', 'an event was dropped: beforeSend must return an event or null');
    const key = JSON.stringify(clean([event.type, event.message, event.stacktrace?.[0]]));
    return queue(key, { target, timeout: client.requestTimeout, body: encode({ ...event, event_id: id }), at: now(), clock: Date.now() }) ? id : '';
  } catch {
    return lose('event', 'an event was dropped: it could not be built');
  } finally {
    busy = false;
  }
}

/** Logs what a function was given that the SDK does not know. */
function reportUnknown(options, known, what) {
  if (!isObject(options ?? {}) || isError(options)) return logOnce('options', `options of ${what} ignored: they must be an object`);
  const unknown = Object.keys(options ?? {}).filter((name) => !known.includes(name));
  unknown.forEach((name) => logOnce(`option ${name}`, `unknown option ${truncate(name, LENGTH.text)} of ${what} ignored`));
}

// ---- Context: what events say about the user, the request and what happened before.

let current = onServer ? copies.scope : emptyScope(); // The copies in a page may belong to different parties.

const scope = () => copies.scopes?.getStore() ?? current;

/** Returns a scope that inherits all that the outer one says, now or later, except later breadcrumbs. */
function scopeWithin(outer) {
  return Object.assign(Object.create(outer), { tags: Object.create(outer.tags), extra: Object.create(outer.extra), breadcrumbs: [...outer.breadcrumbs] });
}

/** Adds copies to a scope, since the program may change its objects later. Returns the scope. */
function addTo(scope, context, known = CONTEXT, what = 'withScope') {
  reportUnknown(context, known, what);
  const { user, tags, extra, request } = context ?? {};
  if (user !== undefined) scope.user = clean(user);
  if (request) scope.request = request;
  Object.assign(scope.tags, isObject(tags) && clean(tags));
  Object.assign(scope.extra, isObject(extra) && clean(extra));
  return scope;
}

/** Returns the tags or the extra of a scope and those around it as one object. Null removes a value. */
function flat(inherited) {
  const entries = [];
  for (const name in inherited) if (inherited[name] !== null && inherited[name] !== undefined) entries.push([name, inherited[name]]);
  return entries.length ? Object.fromEntries(entries) : undefined;
}

const SECRET = /^(set-)?cookie$|token|secret|password|api[-_]?key|auth|session|credential/i; // The same in every SDK of obs.

/** Describes a request of Node, Express, Fastify or fetch, or else the page, without what carries secrets. */
function describeRequest(request) {
  const { location, document, navigator } = globalThis;
  const page = onServer || !location ? undefined : location.href.replace(/#.*=.*/, ''); // A sign-in may put a token into the fragment.
  if (!isObject(request)) return page && { url: page, headers: { Referer: document?.referrer || undefined, 'User-Agent': navigator?.userAgent } };
  const { method, headers = {}, query_string, protocol = request.socket?.encrypted ? 'https' : 'http' } = request;
  const [address, query = query_string] = String(request.originalUrl ?? request.url ?? request.path).split(/\?(.*)/s);
  const sent = [...(headers[Symbol.iterator] ? headers : Object.entries(headers))].filter(([name]) => !SECRET.test(name));
  const url = address.startsWith('/') && headers.host ? `${protocol}://${headers.host}${address}` : bareUrl(address);
  return clean({ method, url, query_string: query && String(query).split('&').filter((pair) => !SECRET.test(pair.split('=')[0])).join('&'), headers: Object.fromEntries(sent) });
}

// ---- Thrown values: errors or anything else.

/** Returns what an event is about, such as the error of an ErrorEvent, and any other value unchanged. */
function unwrap(value) {
  return safely(() => {
    // Node's own error for a rejection without an error: the reason if it was just captured, or else its text.
    if (onServer && value.code === 'ERR_UNHANDLED_REJECTION') return [/ reason "(.*)"\.$/s.exec(value.message)[1], ...recent.keys()].at(-1);
    if (className(value) === 'PromiseRejectionEvent') return unwrap(value.reason);
    if (className(value) === 'ErrorEvent') return value.error ?? value;
    return (isEvent(value) && [value.error, value.reason, value.detail].find(isError)) || value;
  }, value);
}

/** Describes a thrown value. `here`: the frames of one that has none. */
function describe(thrown, here) {
  if (className(thrown) === 'ErrorEvent' && thrown.message) {
    const [, type, message] = /^(?:Uncaught )?(?:(\w*(?:Error|Exception)): )?(.*)$/s.exec(thrown.message);
    return { type, message: message || thrown.message, stacktrace: here };
  }
  const source = { left: client.sourceLines ? SOURCE.frames : 0 };
  const [first, ...causes] = [...withCauses(thrown, new Set())].map((value, depth) => {
    const message = messageOf(value);
    const frames = parseStack(stackOf(value), message);
    const stacktrace = withSource(frames.length || depth ? frames : here, source);
    return { type: typeOf(value), message: truncate(message, LENGTH.message), stacktrace };
  });
  const { stacktrace } = [first, ...causes].find((it) => it.stacktrace.length) ?? first; // That of a cause, if it alone has one.
  const { name, message, stack, ...error } = safely(() => Object.fromEntries(entriesOf(thrown)), {});
  const details = (message || isError(thrown)) && { error: flat(clean(error)) }; // Otherwise the message is all of it.
  return { ...first, stacktrace, causes: causes.length ? causes : undefined, details };
}

/** Returns where an ErrorEvent happened, as a stack. */
const placeOf = (event) => (className(event) === 'ErrorEvent' && event.filename ? `@${event.filename}:${event.lineno}:${event.colno}` : '');

/** Adds a value and its causes to a set, depth first, as far as they are sent: a chain of causes may be endless. */
function withCauses(value, found) {
  found.add(value);
  const list = isErrorLike(value) && safely(() => value.errors); // Those of an AggregateError.
  const errors = Array.isArray(list) ? list.slice(0, LIMIT.causes) : [];
  const names = className(value) === 'SuppressedError' ? ['error', 'suppressed'] : ['cause'];
  for (const cause of [...errors, ...names.map((name) => isObject(value) && safely(() => value[name]))]) {
    if ((cause || cause === 0 || cause === '') && found.size <= LIMIT.causes && !found.has(cause)) withCauses(cause, found);
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
  const name = isNamed && /^(Object|Error|DOMException|NodeError|.{0,2})$/.test(className(value)) && safely(() => value.name);
  return (typeof name === 'string' && name) || className(value);
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
 * secrets, such as `config` in the errors of axios. Classes of the platform, such as Response, inherit theirs.
 */
function entriesOf(value) {
  const isSpecial = !isError(value) && isPlatform(value);
  const isSaying = (name) => (Object.hasOwn(value, name) ? !isEvent(value) : isSpecial && /^[a-z]/.test(name) && !(isEvent(value) && name in Event.prototype));
  const own = [];
  for (const name in value) if (isSaying(name)) own.push([name, safely(() => value[name], unserialisable('getter'))]);
  const only = (kinds, entries) => entries.filter(([, item]) => kinds.test(kindOf(item)));
  if (isError(value)) return only(/^(String|Number|Boolean|BigInt)$/, [['status', safely(() => value.response?.status)], ...own]);
  if (!isSpecial) return own;
  const entries = isEvent(value) ? [['type', value.type], ['target', nameOf(value.target)], ['error', value.target?.error], ...own] : own;
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

// The same rule as the server's: tests/library-paths.json.
const LIBRARY = /^(<|\[|node:|bun:|internal[:/]|native$|\/rustc\/|\/usr\/(local|lib)\/go[^/]*\/src\/)|(^|[\\/])(node_modules|vendor|site-packages|gems|\.cargo[\\/]registry|pkg[\\/]mod)[\\/]/;

function parseStack(stack, message) {
  const v8 = /^[ \t]*at /m.test(stack);
  // V8 starts with `TypeError: message`, and a line of the message may look like a frame.
  const start = v8 && message ? stack.indexOf(message) : -1;
  const headed = start >= 0 && /^(.*: )?$/.test(stack.slice(0, start));
  const lines = stack.slice(headed ? start + message.length : 0).slice(0, EVENT_BYTES).split('\n');
  return lines.flatMap((line) => (line.length < 4096 && parseLine(line, v8)) || []).slice(0, LIMIT.frames);
}

function parseLine(line, v8) {
  // V8: `at name (place)` or `at place`. Others: `name@place`, `place` or `[native code]`.
  const match = v8 ? /^\s*at (?:(.+?) \((.*)\)|(?:async )?(.+))$/.exec(line) : /^(?:([^@]*)@(.*)|(\[native code\]|[a-z-]+:\/\/.+|\/.+))$/.exec(line);
  if (!match) return null;
  const [, name = '', inner, place = inner] = match;
  // Evaluated code has no file, so the frame gets the place of the eval.
  const origin = /eval at [^(]*\((?!eval at )(.*?:\d+:\d+)\)/.exec(place)?.[1] ?? place.replace(/^(.*?) line (\d+) > .*$/, '$1:$2');
  const [, file, lineno, colno] = /^(.*?)(?::(\d+))?(?::(\d+))?$/.exec(origin);
  const filename = truncate(pathOf(file) || '<anonymous>', LENGTH.filename);
  return {
    filename,
    function: truncate(name.replace(/^async |^.*\*/, '') || '<anonymous>', LENGTH.text),
    lineno: Number(lineno) || undefined,
    colno: Number(colno) || undefined,
    in_app: lineno > 0 && !LIBRARY.test(filename),
  };
}

/** In Node and Bun, converts a file URL to a path. */
function pathOf(file) {
  if (!onServer || !file.startsWith('file://')) return file;
  return safely(() => decodeURIComponent(file.slice(7)), file.slice(7)).replace(/^\/([A-Za-z]:)/, '$1');
}

/** Returns the ids that bundlers gave to the files of the frames, by which the server finds their source maps. */
function debugMeta(frames) {
  const ids = Object.entries({ ...globalThis._debugIds, ...globalThis._sentryDebugIds }); // By the stack of an error made in the file.
  const known = ids.map(([stack, debug_id]) => ({ type: 'sourcemap', code_file: parseStack(stack).at(-1)?.filename, debug_id }));
  const images = known.filter(({ code_file }) => frames.some(({ filename }) => filename === code_file));
  return images.length ? { images } : undefined;
}

// ---- Source lines, in Node and Bun only.

const SCRIPT = /^(\/|[A-Za-z]:[\\/]).*\.([cm]?[jt]s|[jt]sx)$/; // Only scripts: a `stack` assigned by the program may name any file.
const isSmall = (file) => file.isFile() && file.size <= SOURCE.bytes;
const sources = new Map(); // Lines by path.

function withSource(frames, source) {
  for (const frame of frames) {
    if (!onServer || !frame.in_app || !SCRIPT.test(frame.filename) || source.left-- <= 0) continue;
    const lines = linesOf(frame.filename);
    const at = frame.lineno - 1;
    if (lines?.[at] === undefined) continue;
    const between = (from, to) => lines.slice(Math.max(0, from), to).map((line) => truncate(line, LENGTH.text));
    const [context_line, ...post_context] = between(at, at + 1 + SOURCE.around);
    Object.assign(frame, { pre_context: between(at - SOURCE.around, at), context_line, post_context });
  }
  return frames;
}

function linesOf(path) {
  if (sources.size >= SOURCE.files) sources.clear();
  if (!sources.has(path)) sources.set(path, safely(() => isSmall(builtin.fs.statSync(path)) && builtin.fs.readFileSync(path, 'utf8').split(/\r?\n/)));
  return sources.get(path);
}

// ---- Safe JSON: plain data from any value, even if its getters throw.

/** Returns a copy that JSON.stringify cannot fail on, with strings truncated to `length` characters. */
function clean(value, length = Infinity) {
  const enclosing = new Set(); // The enclosing objects, to tell a cycle from a repeated reference.
  let left = EVENT_BYTES / 2; // A JSON value takes at least two bytes, so more of them cannot fit.

  const copy = (value, depth) => {
    left--;
    if (typeof value === 'string') return truncate(value, length);
    if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return String(value);
    if (typeof value === 'function' || typeof value === 'symbol') return unserialisable(typeof value);
    if (!isObject(value)) return value;
    if (enclosing.has(value)) return '[circular]';
    if (depth > LIMIT.depth) return '[too deep]';
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
    if (/^(String|Number|Boolean|BigInt|Symbol|RegExp)$/.test(kind)) return copy(String(value), depth);
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
  const frames = [event, event.causes].flat().flatMap((value) => value?.stacktrace ?? []);
  const { extra } = event;
  const cuts = [
    () => (event.extra = clean(event.extra, LENGTH.message)),
    () => Object.assign(event, { extra: { obs: `extra omitted: ${byteLength(JSON.stringify(extra) ?? '')} bytes` }, breadcrumbs: undefined }),
    () => frames.forEach((frame) => ['pre_context', 'context_line', 'post_context'].forEach((name) => delete Object(frame)[name])),
    () => Object.assign(event, { causes: undefined, stacktrace: event.stacktrace?.slice(0, 20) }),
  ];
  let body;
  while (byteLength((body = JSON.stringify(event))) > EVENT_BYTES) cuts.shift()(); // Throws if none is left; capture() drops the event.
  return body;
}

// ---- Repeats: per minute, 100 events of the same error are sent, then only the latest, with a count.

const repeats = new Map(); // Of this minute, by the key of the error.
let heldLength = 0; // Total length of the held bodies, limited like the queue.

/** Queues an event or holds it back. Returns true if it was queued. */
function admit(key, entry, limit = REPEATS.limit) {
  if (repeats.size >= REPEATS.keys) endMinute();
  if (!repeats.size) later(REPEATS.window, endMinute);
  const repeat = repeats.get(key) ?? repeats.set(key, { sent: 0, others: 0, held: null }).get(key);
  if (repeat.sent++ < limit) return enqueue(entry);
  if (repeat.held) repeat.others++;
  heldLength += entry.body.length - (repeat.held?.body.length ?? 0);
  repeat.held = entry;
  if (repeat.others === REPEATS.suppressed || heldLength > QUEUE.bytes) releaseHeld();
  return false;
}

function releaseHeld() {
  for (const repeat of repeats.values()) {
    const { held, others, isReported } = repeat;
    Object.assign(repeat, { held: null, others: 0 });
    if (held && !isReported) enqueue(others ? { ...held, body: `${held.body.slice(0, -1)},"suppressed":${others}}` } : held);
  }
  heldLength = 0;
}

function endMinute() {
  releaseHeld();
  repeats.clear();
}

// ---- Sending: one event at a time, in order, with retries.

let target; // The server of the last init: its URL and key, its consecutive failures since the last flush, the end of its Retry-After, …
const queue = new Set();
let queuedBytes = 0;

/** Returns true if the event is queued. */
function enqueue(entry) {
  Object.assign(entry, { bytes: byteLength(entry.body), attempts: 0, controllers: new Set() });
  if (queue.size >= QUEUE.events || queuedBytes + entry.bytes > QUEUE.bytes) return lose('full', 'an event was dropped: the queue is full');
  entry.done = new Promise((resolve) => (entry.settle = resolve));
  queue.add(entry);
  queuedBytes += entry.bytes;
  run(entry.target);
  return true;
}

async function run(target) {
  if (target.isSending) return;
  target.isSending = true;
  await null; // Let the caller continue before the first request.
  for (let entry = true; entry; ) {
    const backoff = target.failures && Math.min(BACKOFF.first * 2 ** (target.failures - 1), BACKOFF.max) * (0.5 + Math.random() / 2);
    const wait = Math.max(backoff, target.notBefore - now());
    if (wait > 0) await new Promise((resolve) => later(wait, (target.wake = resolve)));
    entry = [...queue].find((it) => it.target === target && !it.controllers.size);
    if (entry) await attempt(entry);
  }
  target.isSending = false;
}

function requestFor({ target, body, at, clock }) {
  // The monotonic clock stops while the machine sleeps, and the other one may be set back. Neither may make an event younger.
  const age = Math.max(now() - at, Date.now() - clock) / 1000;
  const headers = { 'Content-Type': 'application/json', 'X-OBS-Key': target.key, 'X-OBS-Age': age.toFixed(3) };
  // A redirect would send the key to another server.
  return { method: 'POST', headers, body, redirect: 'manual', credentials: 'omit', cache: 'no-store' };
}

/** `keepalive` is true or absent: if it is false, Bun closes the connection. */
async function attempt(entry, keepalive) {
  const { target } = entry;
  const controller = new AbortController();
  later(entry.timeout, () => controller.abort());
  let status, reason;
  entry.controllers.add(controller);
  try {
    const response = await send(target.url, { ...requestFor(entry), keepalive, signal: controller.signal });
    status = response.status;
    const header = response.headers.get('Retry-After');
    const wait = /^\d+$/.test(header) ? header * 1000 : Date.parse(header) - Date.now();
    if (wait > 0) target.notBefore = now() + Math.min(wait, BACKOFF.retryAfter);
    reason = safely(JSON.parse, null, await response.text())?.error;
    if (setImmediate) await new Promise(setImmediate); // By then the connection is idle and can be reused.
  } catch {
    // No response, or one that broke off after the status. A browser reports a violation of the page's policy afterwards.
    if (!onServer) await new Promise((resolve) => setTimeout(resolve));
  }
  entry.controllers.delete(controller);
  if (status === 200 || status === 201) {
    [`unreachable ${target.url}`, 'rejected', 'full'].forEach((kind) => logged.delete(kind));
    return settle(entry);
  }
  if (!queue.has(entry)) return; // Accepted by another attempt, or given up.
  const isTemporary = status === undefined || [408, 429, 502, 503, 504].includes(status);
  if (isTemporary || (status >= 500 && ++entry.attempts < BACKOFF.attempts)) {
    target.failures++;
    return logOnce(`unreachable ${target.url}`, `cannot send events to ${target.url}, will retry: ${status ? `HTTP status ${status}` : 'no response'}`);
  }
  settle(entry);
  lose('rejected', `an event was dropped: ${target.url} answered ${status ?? 'nothing'} (${truncate(textOf(reason ?? ''), LENGTH.text)})`);
}

function settle(entry) {
  if (queue.delete(entry)) queuedBytes -= entry.bytes;
  entry.controllers.forEach((controller) => controller.abort());
  entry.target.failures = 0;
  entry.settle();
}

function giveUp() {
  lost += queue.size;
  queue.forEach(settle);
}

/**
 * Handles a violation of the page's Content-Security-Policy. Unlike an outage, what it forbids does not end. Some browsers
 * give only the origin of a forbidden request.
 */
function onPolicyViolation({ blockedURI, disposition, effectiveDirective }) {
  const { origin } = new URL(target.url);
  if (![target.url, origin].includes(blockedURI) || disposition !== 'enforce' || effectiveDirective !== 'connect-src') return;
  logOnce('blocked', `the page's Content-Security-Policy needs connect-src ${origin}; no events will be sent`);
  giveUp();
  close(0).then(() => lost++); // The next flush returns false.
}

// ---- The end of a process or page.

let flushedAtExit = false;

/** Flushes once when the program ends, for at most exitTimeout. */
async function onBeforeExit() {
  await null; // Let later listeners capture events.
  releaseHeld();
  if (!queue.size) return;
  if (!flushedAtExit) await flush(client?.exitTimeout);
  flushedAtExit = true; // Sending triggers beforeExit again. Other listeners may then capture events without end.
  giveUp();
}

const WORKER = `(async ({ done, requests }) => {
  for (const request of requests) await fetch(...request).then((answer) => answer.text()).catch(() => {});
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
})(require('node:worker_threads').workerData)`;

/** Sends from a worker, newest first, and blocks until it is done: an exiting process cannot await anything. */
function sendFromWorker() {
  releaseHeld();
  if (!sawUncaught || !queue.size) return;
  const requests = Array.from(queue, (entry) => [entry.target.url, requestFor(entry)]).reverse();
  const done = new Int32Array(new SharedArrayBuffer(4));
  const bare = { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' }, stdout: true, stderr: true };
  new builtin.worker_threads.Worker(WORKER, { eval: true, workerData: { done, requests }, ...bare });
  Atomics.wait(done, 0, 0, timerDelay(client?.exitTimeout));
}

/** Sends what fits with keepalive. That includes events in flight, whose requests would be aborted with the page. */
function onPageHidden() {
  releaseHeld();
  let left = QUEUE.keepalive;
  for (const entry of queue) {
    left -= entry.bytes;
    if (left < 0 || entry.isKeptAlive || entry.target.notBefore > now()) continue;
    entry.isKeptAlive = true;
    attempt(entry, true).then(() => (entry.isKeptAlive = false)).then(() => run(entry.target));
  }
}

// ---- Uncaught errors.

const undo = []; // Functions that remove the hooks. The list also identifies this copy of the SDK.
let sawUncaught = false; // The process may exit at any moment.
const recent = new Map(); // Ids by uncaught value that is no object: other listeners may capture it, which would count twice.
const WORKER_ERROR = { channel: '@obs/sdk', tell: 200, wait: 1000 };
const IN_THREAD = 'obsEventId'; // Marks an error captured in a worker thread: Node gives the main thread a copy without its class.

function addHooks() {
  if (onServer) on(process, 'beforeExit', onBeforeExit);
  else on(globalThis, 'securitypolicyviolation', onPolicyViolation);
  if (globalThis.document) {
    on(document, 'visibilitychange', () => document.visibilityState === 'hidden' && onPageHidden());
    on(globalThis, 'pagehide', onPageHidden);
    if (client.autoBreadcrumbs) watchPage();
  }
  if (!client.captureUnhandled) return;
  copies.owner = undo;
  undo.push(() => copies.owner === undo && (copies.owner = null));
  if (onServer) {
    on(process, 'uncaughtExceptionMonitor', (error) => captureUncaught(error)); // Unlike `uncaughtException`, it does not keep the process alive.
    on(process, 'exit', sendFromWorker);
    watchRejections();
  } else {
    on(globalThis, 'error', onWindowError);
    on(globalThis, 'unhandledrejection', captureUncaught);
  }
}

/** Listens until the hooks are removed. */
function on(target, name, run, capture) {
  const handler = Object.assign((...values) => safely(run, undefined, ...values), { isObs: true });
  (target.addEventListener ?? target.prependListener)?.call(target, name, handler, capture); // An earlier listener may end the process.
  undo.push(() => (target.removeEventListener ?? target.off).call(target, name, handler, capture));
}

/** Replaces a method until the hooks are removed. `run` gets a function that calls the original. */
function wrap(target, name, run) {
  const original = target[name];
  function wrapper(...values) {
    const call = () => Reflect.apply(original, this, values);
    return undo.includes(unwrap) ? run.call(this, call, ...values) : call();
  }
  const unwrap = () => target[name] === wrapper && (target[name] = original);
  target[name] = Object.assign(wrapper, { withoutObs: original });
  undo.push(unwrap);
}

const removeHooks = () => undo.splice(0).forEach((run) => safely(run));

/** Captures an error that nothing caught, unless it is known, or another copy of the SDK does that. */
function captureUncaught(thrown, queue) {
  const value = unwrap(thrown);
  sawUncaught = true;
  if (!client || (copies.owner ?? undo) !== undo || knownId(value, thrown) !== undefined) return;
  const id = capture('error', () => describe(value, parseStack(placeOf(thrown))), { handled: false }, queue);
  remember(value, thrown, id);
  recent.set(value, id);
  later(0, () => recent.delete(value));
  if (onServer && builtin.worker_threads?.isMainThread === false) safely(() => Object.defineProperty(value, IN_THREAD, { value: id }));
}

/** Handles the `error` event. It has no error if the script is from another origin, or if a worker did not handle it. */
function onWindowError(event) {
  const key = event.message + placeOf(event);
  if (unwrap(event) === event && event.lineno) return captureUncaught(event, (_, entry) => awaitWorker(key, entry));
  if (event.error || event.message) captureUncaught(event); // An image that failed has neither.
  if (!globalThis.document) later(WORKER_ERROR.tell, () => new BroadcastChannel(WORKER_ERROR.channel).postMessage(key));
}

/** Holds a page's event back until the SDK in the worker, which knows the stack, has had time to say that it has one too. */
function awaitWorker(key, entry) {
  if (!repeats.get(key)?.held) {
    const channel = new BroadcastChannel(WORKER_ERROR.channel);
    channel.onmessage = ({ data }) => data === key && (Object(repeats.get(key)).isReported = true);
    later(WORKER_ERROR.wait, () => releaseHeld(channel.close())); // An open one keeps a page out of the back/forward cache.
  }
  return admit(key, entry, 0);
}

/** Remembers the id of what was captured: capturing or throwing it again makes no other event. */
const remember = (value, thrown, id) => [value, thrown].filter(isObject).forEach((it) => copies.captured.set(it, id));
const knownId = (value, thrown) => copies.captured.get(value) ?? copies.captured.get(thrown) ?? recent.get(value) ?? (onServer ? safely(() => value[IN_THREAD]) : undefined);

/**
 * Watches rejections in Node, without a listener, which would keep the process alive. A reason that has no stack becomes
 * an error of Node's own without the reason. Others reach uncaughtExceptionMonitor; to read their stack here would
 * change what Node prints. Bun needs a listener, which rejects the reason again so that the process ends as usual.
 */
function watchRejections() {
  if (!process.versions.bun) {
    return wrap(process, 'emit', (call, name, reason) => {
      const isRejection = name === 'unhandledRejection';
      if (isRejection && (process.listenerCount(name) || !safely(() => Object.hasOwn(reason, 'stack')))) safely(captureUncaught, undefined, reason);
      return call();
    });
  }
  const unheard = []; // Reasons of rejections without another listener.
  const rejectAgain = () => process.removeAllListeners('unhandledRejection') && unheard.map((reason) => Promise.reject(reason));
  on(process, 'unhandledRejection', (reason) => {
    captureUncaught(reason);
    const isUnheard = (copies.owner ?? undo) === undo && process.listeners('unhandledRejection').every((it) => it.isObs);
    if (isUnheard && unheard.push(reason) === 1) queueMicrotask(rejectAgain);
  });
}

// ---- What happens in a page, as breadcrumbs: without texts, queries and bodies, which may be secret.

function watchPage() {
  let address = location.href;
  const onNavigation = () => {
    const [from, to] = [address, (address = location.href)];
    if (from !== to) addBreadcrumb({ type: 'navigation', category: 'navigation', data: { from: bareUrl(from), to: bareUrl(to) } });
  };
  on(document, 'click', ({ target }) => addBreadcrumb({ category: 'ui.click', message: nameOf(target.closest?.('a, button, [id]') ?? target) }), true);
  on(globalThis, 'popstate', onNavigation);
  if (globalThis.navigation) on(navigation, 'currententrychange', onNavigation);
  if (globalThis.fetch) wrap(globalThis, 'fetch', watchFetch);
  wrap(XMLHttpRequest.prototype, 'open', watchXhr);
}

/** Records a request that failed, before the page learns of it. */
function record(category, method, url, status_code) {
  const data = { method, url: safely(() => bareUrl(new URL(url, location.href).href)), status_code };
  if (!(status_code < 400)) addBreadcrumb({ type: 'http', category, level: 'error', data });
}

function watchFetch(call, input, options) {
  const onEnd = (result) => record('fetch', options?.method ?? input?.method ?? 'GET', input?.url ?? input, result?.status);
  const answer = call();
  answer.then(onEnd, onEnd);
  return answer.then(); // A promise of its own: the page is still told that nothing handles its failure.
}

function watchXhr(call, method, url) {
  this.addEventListener('loadend', () => record('xhr', method, url, this.status || undefined), { once: true });
  return call();
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
  // A number at the end is the project of a DSN of Sentry.
  const [, scheme, key, place] = /^(https?:\/\/)([\w-]{1,200})@([^@/?#]+(?:\/[^?#]*?)??)(?:\/\d+)?\/*(?:[?#]|$)/i.exec(String(dsn).trim()) ?? [];
  const url = safely(() => new URL(`${scheme}${place}/api/events`).href);
  if (!url) throw new Error('the dsn must have the form http://KEY@HOST:PORT');
  // Browsers forbid a page that was loaded over https requests over http, except to the same machine.
  const isSafe = globalThis.location?.protocol !== 'https:' || /^https:|\/\/(localhost|127\.|\[::1\])/.test(url);
  if (!isSafe) throw new Error(`a page loaded over https cannot send events to ${url}`);
  return { url, key };
}

/** Returns a version 7 UUID: the time, then random digits, which need not be secret. */
function uuid7() {
  const random = (digits) => Math.floor(Math.random() * 16 ** digits).toString(16).padStart(digits, '0');
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random(3)}-${'89ab'[Math.floor(Math.random() * 4)]}${random(3)}-${random(12)}`;
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
const later = (delay, run) => void setTimeout(run, timerDelay(delay)).unref?.();
const timerDelay = (value) => Math.min(Math.max(0, Number(value) || 0), 2 ** 31 - 1);
const byteLength = (text) => new TextEncoder().encode(text).length;
const className = (value) => safely(() => typeof value.constructor.name === 'string' && value.constructor.name) || 'Object';
