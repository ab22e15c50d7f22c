// Uses the public types as a TypeScript program would. Checked by `npm run types`, never run.
import * as obs from '@obs/sdk';

obs.init({
  dsn: 'http://test123@localhost:8000',
  environment: 'production',
});

obs.captureException(new Error('broke'));
obs.captureMessage('deploy done');
await obs.flush();

obs.init({
  dsn: 'http://test123@localhost:8000',
  environment: 'production',
  serverName: 'web-1',
  release: '1.2.3',
  extra: { region: 'eu' },
  beforeSend(event) {
    if (event.type === 'AbortError' && event.mechanism?.handled === false) return null;
    event.message = event.message.replace(/token=\w+/, 'token=removed');
    event.stacktrace?.forEach((frame) => delete frame.context_line);
    return event;
  },
  sourceLines: false,
  captureUnhandled: true,
  requestTimeout: 3000,
  exitTimeout: 1000,
});

const id: string = obs.captureException('anything', { level: 'warning', extra: { order: 17 }, fingerprint: ['{{ default }}', 'eu'] });
const other: string = obs.captureMessage('deploy done', 'warning', { extra: { id } });
const sent: boolean = (await obs.flush(1000)) && (await obs.close());

// @ts-expect-error: unknown level
obs.captureMessage(other, 'fatal');
// @ts-expect-error: unknown option
obs.init({ dsn: '', enviroment: 'production' });
// @ts-expect-error: beforeSend must not be async
obs.init({ dsn: '', beforeSend: async (event) => event });

export { sent };
