// Threads: each one sets up the SDK itself. An uncaught error in a thread is one event, even if it ends the program.
import { isMainThread, Worker } from 'node:worker_threads';
import * as obs from '@obs/sdk';

obs.init({ dsn: process.env.OBS_DSN });

if (isMainThread) {
  new Worker(new URL(import.meta.url));
} else {
  obs.setUser({ id: 7 });
  setTimeout(function resize() {
    throw new TypeError('threads: the image is broken');
  });
}
