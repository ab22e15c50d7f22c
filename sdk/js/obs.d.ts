/** Reports errors to an obs server, from Node, Bun and browsers. */

export type Level = 'error' | 'warning' | 'info';

export interface Frame {
  filename: string;
  function: string;
  lineno?: number;
  colno?: number;
  /** False in `node_modules`, in the runtime itself, and where there is no file. */
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

/** What goes to the server, as `beforeSend` sees it; what is absent is left out. */
export interface Event {
  event_id: string;
  level: Level;
  /** The class of what was thrown; a message has none. */
  type?: string;
  message: string;
  stacktrace?: Frame[];
  causes?: Cause[];
  platform: string;
  timestamp: string;
  server_name?: string;
  environment?: string;
  release?: string;
  fingerprint?: string[];
  extra?: unknown;
  sdk: { name: string; version: string };
  [field: string]: unknown;
}

export interface Options {
  /** `http://KEY@HOST:PORT`, as the server prints it at its start. */
  dsn: string;
  environment?: string;
  /** Default: the host's name; in a browser none. */
  serverName?: string;
  release?: string;
  /** Goes with every event, under the `extra` of the capture, key by key. */
  extra?: Record<string, unknown>;
  /**
   * May edit an event or drop it; not asynchronous. If it throws, the event is dropped.
   *
   * @example
   * beforeSend: (event) => (event.message.includes('ResizeObserver') ? null : event)
   */
  beforeSend?: (event: Event) => Event | null;
  /** Three source lines on each side of a frame, in Node and Bun. Default: true. */
  sourceLines?: boolean;
  /** Errors and rejections that nobody catches. Default: false. */
  captureUnhandled?: boolean;
  /** For one attempt to send, in milliseconds. Default: 5000. */
  requestTimeout?: number;
  /** How long the end of a process may wait for the server, in milliseconds. Default: 2000. */
  exitTimeout?: number;
}

export interface CaptureOptions {
  extra?: Record<string, unknown>;
  level?: Level;
  /** One to eight texts; events with the same ones are one issue. */
  fingerprint?: string[];
}

/** Sets the SDK up. Again: with new settings; what waits is still sent to where it belongs. */
export function init(options: Options): void;

/**
 * Captures an error, or anything else that was thrown. Never throws.
 *
 * @returns the event's id, or `''` where nothing is sent (now)
 * @example
 * try {
 *   await pay(order);
 * } catch (error) {
 *   obs.captureException(error, { extra: { order: order.id } });
 * }
 */
export function captureException(thrown: unknown, options?: CaptureOptions): string;

/** Captures a message; the level is `info` unless it is said. */
export function captureMessage(message: string, level?: Level, options?: CaptureOptions): string;

/**
 * Sends what waits.
 *
 * @param timeout in milliseconds; default: 5000
 * @returns true as soon as the server has accepted everything; false when the time is over, or something was lost since the last flush
 */
export function flush(timeout?: number): Promise<boolean>;

/** Flushes, gives up what has not been accepted by then, and takes the SDK's handlers away. Captures do nothing until the next `init`. */
export function close(timeout?: number): Promise<boolean>;
