// Sends an error, a message and a warning to obs: node main.js, or bun main.js
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
  console.log('JavaScript: sent two messages and an error');
} else {
  console.error('obs did not take every event: is the server running?');
  process.exitCode = 1;
}
