// What the server of a Next.js application reports.
import * as obs from '@obs/sdk';

export function register() {
  obs.init({ dsn: process.env.OBS_DSN });
}

export function onRequestError(error, request, { routePath }) {
  obs.captureException(error, { request, tags: { route: routePath }, handled: false });
}
