/** Reports errors and messages to an obs server, from Node, Bun and browsers. */

export type Level = 'error' | 'warning' | 'info';

export interface Frame {
  filename: string;
  function: string;
  lineno?: number | undefined;
  colno?: number | undefined;
  /** False for libraries, such as those in `node_modules`, for the runtime itself, and for code without a file. */
  in_app?: boolean | undefined;
  pre_context?: string[] | undefined;
  context_line?: string | undefined;
  post_context?: string[] | undefined;
}

export interface Cause {
  type: string;
  message: string;
  /** Most recent call first. */
  stacktrace?: Frame[] | undefined;
}

/** Who was affected. Users are told apart by the first of the four fields that is present. */
export interface User {
  id?: string | number | undefined;
  email?: string | undefined;
  username?: string | undefined;
  ip_address?: string | undefined;
  [field: string]: unknown;
}

export type Tags = Record<string, string | number | boolean | null | undefined>;

/** Something that happened before an event, in Sentry's form. */
export interface Breadcrumb {
  message?: string | undefined;
  /** Such as `auth` or `query`. */
  category?: string | undefined;
  level?: string | undefined;
  /** Such as `default`, `http` or `navigation`. */
  type?: string | undefined;
  data?: object | undefined;
  /** ISO 8601, or seconds since 1970. Default: now. */
  timestamp?: string | number | Date | undefined;
}

/** A request as events have it. */
export interface EventRequest {
  method?: string | undefined;
  url?: string | undefined;
  query_string?: string | undefined;
  headers?: Record<string, unknown> | undefined;
}

/** An event, as passed to `beforeSend` and sent to the server. */
export interface Event {
  event_id: string;
  level: Level;
  /** Class of the captured error. Absent for messages. */
  type?: string | undefined;
  message: string;
  /** Most recent call first. */
  stacktrace?: Frame[] | undefined;
  /** From the direct cause to the root. */
  causes?: Cause[] | undefined;
  platform: string;
  /** UTC, ISO 8601. */
  timestamp: string;
  server_name?: string | undefined;
  environment?: string | undefined;
  release?: string | undefined;
  fingerprint?: string[] | undefined;
  user?: User | undefined;
  tags?: Tags | undefined;
  /** What the program added, and in `error` what the captured error says beyond its message, such as its `code`. */
  extra?: Record<string, unknown> | undefined;
  request?: EventRequest | undefined;
  /** Oldest first. */
  breadcrumbs?: Breadcrumb[] | undefined;
  /** Present if nothing caught the error: then `handled` is false. */
  mechanism?: { handled: boolean } | undefined;
  sdk: { name: string; version: string };
  [field: string]: unknown;
}

export interface Options {
  /** `http://KEY@HOST:PORT`, as printed by the server on startup, with the path at which obs is reached, if any. */
  dsn: string | undefined;
  environment?: string | undefined;
  /** Default: the host name; none in a browser. */
  serverName?: string | undefined;
  /** Version of the program. */
  release?: string | undefined;
  /** Added to every event. The `extra` of a capture overrides it key by key. */
  extra?: object | undefined;
  /**
   * Modifies an event, or drops it by returning null. Must be synchronous. If it throws, the event is dropped.
   *
   * @example
   * beforeSend: (event) => ({ ...event, message: event.message.replace(/token=\w+/, 'token=…') })
   */
  beforeSend?: ((event: Event) => Event | null) | undefined;
  /** Events with a matching message are dropped. Default: `ResizeObserver loop …` and `Script error.` */
  ignoreErrors?: RegExp[] | undefined;
  /** In pages, add breadcrumbs for clicks, navigation and failed fetches. Default: true. */
  autoBreadcrumbs?: boolean | undefined;
  /** Send three source lines on each side of a frame, in Node and Bun. Default: true. */
  sourceLines?: boolean | undefined;
  /** Capture uncaught errors and unhandled rejections. Default: true. */
  captureUnhandled?: boolean | undefined;
  /** Timeout of one attempt to send an event, in milliseconds. Default: 5000. */
  requestTimeout?: number | undefined;
  /** Time that the SDK may delay the end of the process, in milliseconds. Default: 2000. */
  exitTimeout?: number | undefined;
}

/** What an event says about the circumstances. */
export interface Context {
  user?: User | null | undefined;
  /** What to filter and count by. Null removes a tag. */
  tags?: Tags | undefined;
  /** Anything else, as an object. Null removes a value. */
  extra?: object | undefined;
  /** A request of `node:http`, Express, Fastify or fetch. Headers that carry secrets and bodies are not sent. */
  request?: object | undefined;
}

export interface CaptureOptions extends Context {
  level?: Level | undefined;
  /** One to eight strings. Events with the same fingerprint are grouped into one issue. */
  fingerprint?: string[] | undefined;
  /** False marks the event as unhandled, for errors that a framework caught for the program. */
  handled?: boolean | undefined;
}

/**
 * Configures the SDK. May be called again to replace the options; queued events are still sent to their own server.
 * Never throws: invalid options are logged to the console.
 */
export function init(options: Options): void;

/**
 * Captures an error or any other thrown value. Never throws. An error that was captured before makes no second event.
 *
 * @returns the event's id, or `''` if it is not sent: dropped, held back, or `init` was not called
 * @example
 * try {
 *   await pay(order);
 * } catch (error) {
 *   obs.captureException(error, { tags: { plan: 'pro' }, extra: { order: order.id } });
 * }
 */
export function captureException(thrown: unknown, options?: CaptureOptions): string;

/**
 * Captures a message. Never throws.
 *
 * @param level default: `info`
 * @returns the event's id, or `''` if it is not sent: dropped, held back, or `init` was not called
 */
export function captureMessage(message: string, level?: Level, options?: CaptureOptions): string;
export function captureMessage(message: string, options: CaptureOptions): string;

/** Says who is affected by later events, in the current scope. Null removes the user. */
export function setUser(user: User | null): void;

/** Adds a tag to later events, in the current scope. Null removes it. */
export function setTag(name: string, value: string | number | boolean | null | undefined): void;

/** Adds tags to later events, in the current scope. */
export function setTags(tags: Tags): void;

/** Adds a value to the `extra` of later events, in the current scope. Null removes it. */
export function setExtra(name: string, value: unknown): void;

/** Remembers something that happened. The last 50 are sent with an event of the current scope. */
export function addBreadcrumb(breadcrumb: Breadcrumb): void;

/**
 * Runs a function, and what it awaits, in a scope of its own: what is set there, or passed here, is only in its events.
 * In browsers, which have no AsyncLocalStorage, the scope ends with the synchronous part of the function.
 *
 * @returns what the function returns
 * @example
 * app.use((request, response, next) => obs.withScope({ request }, next));
 */
export function withScope<Result>(context: Context, run: () => Result): Result;

/**
 * Sends all queued events.
 *
 * @param timeout in milliseconds; default: 5000
 * @returns true once the server has accepted all events; false if the timeout expires or an event was lost since the
 *   last flush
 */
export function flush(timeout?: number): Promise<boolean>;

/**
 * Flushes, discards events that were not accepted in time, and removes the SDK's handlers. Captures are ignored until
 * the next `init`.
 *
 * @param timeout in milliseconds; default: 5000
 * @returns the same as `flush`
 */
export function close(timeout?: number): Promise<boolean>;
