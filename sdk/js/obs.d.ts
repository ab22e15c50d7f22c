/** Reports errors and messages to an obs server, from Node, Bun and browsers. */

export type Level = 'error' | 'warning' | 'info';

export interface Frame {
  filename: string;
  function: string;
  lineno?: number;
  colno?: number;
  /** False for libraries, such as those in `node_modules`, for the runtime itself, and for code without a file. */
  in_app?: boolean;
  pre_context?: string[];
  context_line?: string;
  post_context?: string[];
}

export interface Cause {
  type: string;
  message: string;
  /** Most recent call first. */
  stacktrace?: Frame[];
}

/** An event, as passed to `beforeSend` and sent to the server. */
export interface Event {
  event_id: string;
  level: Level;
  /** Class of the captured error. Absent for messages. */
  type?: string;
  message: string;
  /** Most recent call first. */
  stacktrace?: Frame[];
  /** From the direct cause to the root. */
  causes?: Cause[];
  platform: string;
  /** UTC, ISO 8601. */
  timestamp: string;
  server_name?: string;
  environment?: string;
  release?: string;
  fingerprint?: string[];
  /** What the program added, and in `error` what the captured error says beyond its message, such as its `code`. */
  extra?: unknown;
  /** Present if nothing caught the error and `captureUnhandled` reported it: then `handled` is false. */
  mechanism?: { handled: boolean };
  sdk: { name: string; version: string };
  [field: string]: unknown;
}

export interface Options {
  /** `http://KEY@HOST:PORT`, as printed by the server on startup. */
  dsn: string;
  environment?: string;
  /** Default: the host name; none in a browser. */
  serverName?: string;
  /** Version of the program. */
  release?: string;
  /** Added to every event. The `extra` of a capture overrides it key by key. */
  extra?: Record<string, unknown>;
  /**
   * Modifies an event, or drops it by returning null. Must be synchronous. If it throws, the event is dropped.
   *
   * @example
   * beforeSend: (event) => (event.message.includes('ResizeObserver') ? null : event)
   */
  beforeSend?: (event: Event) => Event | null;
  /** Send three source lines on each side of a frame, in Node and Bun. Default: true. */
  sourceLines?: boolean;
  /** Capture uncaught errors and unhandled rejections. Default: false. */
  captureUnhandled?: boolean;
  /** Timeout of one attempt to send an event, in milliseconds. Default: 5000. */
  requestTimeout?: number;
  /** Time that the SDK may delay the end of the process, in milliseconds. Default: 2000. */
  exitTimeout?: number;
}

export interface CaptureOptions {
  extra?: Record<string, unknown>;
  level?: Level;
  /** One to eight strings. Events with the same fingerprint are grouped into one issue. */
  fingerprint?: string[];
}

/**
 * Configures the SDK. May be called again to replace the options; queued events are still sent to their own server.
 * Never throws: invalid options are logged to the console.
 */
export function init(options: Options): void;

/**
 * Captures an error or any other thrown value. Never throws.
 *
 * @returns the event's id, or `''` if it is not sent: dropped, held back, or `init` was not called
 * @example
 * try {
 *   await pay(order);
 * } catch (error) {
 *   obs.captureException(error, { extra: { order: order.id } });
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
