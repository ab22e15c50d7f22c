// The JavaScript example: a message, an error and a warning. Run it with `node main.js` or `bun main.js`.
import * as obs from '@obs/sdk';

obs.init({
  dsn: process.env.OBS_DSN ?? 'http://test123@localhost:8000',
  environment: 'production',
});

obs.captureMessage('Application started');

function connect() {
  throw new Error('database connection failed: timeout after 30s');
}

try {
  connect();
} catch (error) {
  obs.captureException(error, { extra: { host: 'db.internal', port: 5432 } });
}

obs.captureMessage('Disk usage above 80%', 'warning');

if (await obs.flush()) {
  console.log('JavaScript: sent a message, an error and a warning');
} else {
  console.error('JavaScript: some events did not reach obs');
  process.exitCode = 1;
}
