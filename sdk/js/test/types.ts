// Uses the public types as TypeScript programs do. Checked by `npm run types`, never run.
import * as obs from '@obs/sdk';

declare const env: Record<string, string | undefined>;
declare const request: { method: string; url: string };

interface Order {
  id: number;
  items: string[];
}
const order: Order = { id: 17, items: [] };

obs.init({ dsn: env.OBS_DSN });
obs.init({
  dsn: 'http://test123@localhost:8000',
  environment: env.NODE_ENV,
  serverName: 'web-1',
  release: env.RELEASE,
  extra: order,
  beforeSend(event) {
    if (event.type === 'AbortError' && event.mechanism?.handled === false) return null;
    event.message = event.message.replace(/token=\w+/, 'token=removed');
    event.stacktrace?.forEach((frame) => delete frame.context_line);
    return { ...event, user: undefined, extra: { ...event.extra, region: 'eu' }, tags: { ...event.tags, region: 'eu' } };
  },
  ignoreErrors: [/^ResizeObserver/],
  autoBreadcrumbs: false,
  sourceLines: false,
  captureUnhandled: false,
  requestTimeout: 3000,
  exitTimeout: 1000,
});

obs.setUser({ id: 7, email: 'ann@example.com', plan: 'pro' });
obs.setUser(null);
obs.setTag('plan', 'pro');
obs.setTags({ plan: null, beta: true, version: 3 });
obs.setExtra('order', order);
obs.addBreadcrumb({ category: 'cart', message: 'added', data: order, timestamp: new Date() });
const total: number = obs.withScope({ request, user: { id: 7 } }, () => 12);
const later: Promise<string> = obs.withScope({}, async () => 'done');

const id: string = obs.captureException('anything', { level: 'warning', extra: order, fingerprint: ['{{ default }}', 'eu'], handled: false });
const other: string = obs.captureMessage('deploy done', 'warning', { tags: { id }, request });
obs.captureMessage('deploy done', { level: 'warning' });
const sent: boolean = (await obs.flush(1000)) && (await obs.close());

// @ts-expect-error: unknown level
obs.captureMessage(other, 'fatal');
// @ts-expect-error: unknown option
obs.init({ dsn: '', enviroment: 'production' });
// @ts-expect-error: beforeSend must not be async
obs.init({ dsn: '', beforeSend: async (event) => event });
// @ts-expect-error: a tag is text, a number or a boolean
obs.setTag('order', order);

export { sent, total, later };
