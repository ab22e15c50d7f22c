// The public types, as a program in TypeScript uses them; checked by `npm run types`, never run.
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
    if (event.type === 'AbortError') return null;
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

// @ts-expect-error: a level that the server does not know
obs.captureMessage(other, 'fatal');
// @ts-expect-error: an option that there is not
obs.init({ dsn: '', enviroment: 'production' });
// @ts-expect-error: beforeSend is not asynchronous
obs.init({ dsn: '', beforeSend: async (event) => event });

export { sent };
