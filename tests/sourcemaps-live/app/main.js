// Reports an error to the obs that the page's address names, with Sentry's SDK or with obs's own.
import * as Sentry from '@sentry/browser';
import * as obs from '../../../sdk/js/obs.js';
import { checkout } from './cart.js';

const query = new URLSearchParams(location.search);
const dsn = query.get('dsn');
const release = query.get('release') ?? undefined;

if (query.get('sdk') === 'obs') obs.init({ dsn, release });
else Sentry.init({ dsn: `${dsn}/1`, release });

setTimeout(() => checkout({ items: [{ price: 3 }, null] }));
