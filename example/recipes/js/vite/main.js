// A page that Vite builds, with a worker. Its policy is in ../run.js.
import * as obs from '@obs/sdk';

obs.init({ dsn: import.meta.env.VITE_OBS_DSN, release: import.meta.env.VITE_RELEASE });

obs.setUser({ id: 7 });
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
worker.addEventListener('error', (event) => event.preventDefault()); // It has the SDK itself.

document.querySelector('#pay').addEventListener('click', function pay() {
  worker.postMessage('pay');
  throw new TypeError('Vite: the card was declined');
});
