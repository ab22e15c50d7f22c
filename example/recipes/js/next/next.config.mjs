// Without `serverExternalPackages`, each part of the server would get a copy of the SDK of its own.
import { dirname } from 'node:path';

export default {
  serverExternalPackages: ['@obs/sdk'],
  turbopack: { root: dirname(import.meta.dirname) }, // Where node_modules is.
};
