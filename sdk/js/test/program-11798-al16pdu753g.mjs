import * as obs from 'file:///tmp/w/js/sdk/js/obs.js';
const dsn = 'http://secret-key@127.0.0.1:35725/1';
let n = 0;
process.on('beforeExit', () => obs.captureMessage(`ended ${++n}`));
obs.init({ dsn });
for (let n = 0; n < 150; n++) obs.captureMessage('again');