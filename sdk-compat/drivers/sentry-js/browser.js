// Sentry's browser SDK as one file. `make sdk-compat` bundles it.
export * from '@sentry/browser';
