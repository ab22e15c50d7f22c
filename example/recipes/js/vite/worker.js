// A web worker that sets up the SDK itself.
import * as obs from '@obs/sdk';

obs.init({ dsn: import.meta.env.VITE_OBS_DSN });
obs.setUser({ id: 7 });

onmessage = function charge() {
  throw new RangeError('Vite: the worker ran out of cards');
};
