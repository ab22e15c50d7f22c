// Where node_modules is. The SDK needs no setting.
import { dirname } from 'node:path';

export default {
  turbopack: { root: dirname(import.meta.dirname) },
};
