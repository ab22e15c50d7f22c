// Generates what only the package has: obs.cjs with its types, for `require`, and the licence. npm runs it before it packs.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';

const path = (name) => new URL(`../${name}`, import.meta.url);
const source = readFileSync(path('obs.js'), 'utf8');
const names = Array.from(source.matchAll(/^export (?:async )?(?:function|const) (\w+)/gm), ([, name]) => name);

writeFileSync(path('obs.cjs'), `'use strict';\n${source.replace(/^export /gm, '')}\nmodule.exports = { ${names.join(', ')} };\n`);
copyFileSync(path('obs.d.ts'), path('obs.d.cts'));
copyFileSync(path('../../LICENSE'), path('LICENSE'));
