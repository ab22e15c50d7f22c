// The end of a process: exit status and output are the same with and without the SDK.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { program, Server } from './server.js';

let server;

beforeEach(async () => {
  server = await Server.start();
});

afterEach(() => server.stop());

// Before Node 20.16, the modules that the SDK needs at exit are loaded asynchronously.
const started = process.getBuiltinModule ? '' : 'await new Promise((resolve) => setTimeout(resolve, 100));\n';
const setUp = "obs.init({ dsn, serverName: 'here' });\n";

/** Runs a program with and without the SDK, and checks that both runs end in the same way. */
async function compare(source, before = '') {
  const text = `${before}if (process.argv[2] === 'with-sdk') ${setUp}${source}`;
  const plain = await program(text, { dsn: server.dsn });
  assert.deepEqual(await program(text, { dsn: server.dsn, args: ['with-sdk'] }), plain);
  return plain;
}

const events = () => [...new Map(server.events.map((event) => [event.event_id, event])).values()]; // An event may be sent twice.
const messages = () => events().map(({ message }) => message);

const logs = "process.on('unhandledRejection', (reason) => console.log(reason.message));\n";
for (const [what, source, status, before] of [
  ['an uncaught error', "setTimeout(() => { throw new Error('unhandled'); }, 1);", 1],
  ['an uncaught error in the main module', `${started}throw new Error('unhandled');`, 1],
  ['an unhandled rejection', "Promise.reject(new Error('unhandled')); setTimeout(() => console.log('alive'), 500);", 1],
  ['an error that the program logs before it exits', "process.on('uncaughtException', (error, origin) => { console.log(origin); process.exit(5); }); setTimeout(() => { throw new Error('unhandled'); }, 1);", 5],
  ['an error that the program survives', "process.on('uncaughtException', (error, origin) => console.log(origin)); setTimeout(() => { throw new Error('unhandled'); }, 1); setTimeout(() => console.log('alive'), 100);", 0],
  ['a rejection that the program survives', "process.on('unhandledRejection', (reason) => console.log(reason.message)); Promise.reject(new Error('unhandled')); setTimeout(() => console.log('alive'), 100);", 0],
  ['a rejection on which the program exits', "process.on('unhandledRejection', () => process.exit(6)); Promise.reject(new Error('unhandled'));", 6],
  ['a rejection on which an earlier listener exits', "Promise.reject(new Error('unhandled'));", 6, "process.on('unhandledRejection', () => process.exit(6));\n"],
  ['a rejection handled by a one-time listener', "Promise.reject(new Error('unhandled'));", 0, logs.replace('.on', '.once')],
  // In Bun, the SDK cannot see that such a listener came before its own.
  ...(process.versions.bun ? [] : [['a rejection handled by a prepended one-time listener', `${logs.replace('.on', '.prependOnceListener')}Promise.reject(new Error('unhandled'));`, 0]]),
  ['a rejection that a listener rethrows', "process.on('unhandledRejection', (reason) => { throw reason; }); Promise.reject(new Error('unhandled'));", 1],
]) {
  test(`${what} is captured without side effects`, async () => {
    assert.equal((await compare(source, before)).status, status);
    assert.deepEqual(messages(), ['unhandled']);
    assert.equal(server.events[0].level, 'error');
    assert.deepEqual(server.events[0].mechanism, { handled: false });
    assert.match(server.events[0].stacktrace[0].filename, /program-.*\.mjs$/);
  });
}

for (const [what, reason, type, message, error] of [
  ['a string', "'just a text'", 'string', 'just a text'],
  ['an object', "{ code: 'E42', message: 'boom' }", 'Object', 'boom', { code: 'E42' }],
  ['nothing', '', 'undefined', 'undefined'],
]) {
  for (const [how, before, status] of [
    ['that nothing catches', '', 1],
    ['for which the program has a listener', "process.on('unhandledRejection', () => console.log('heard'));\n", 0],
    ['that the program captures as an uncaught exception', "process.on('uncaughtException', (error) => process.argv[2] && obs.captureException(error));\n", process.versions.bun ? 1 : 0],
  ]) {
    test(`a rejection with ${what} ${how} is one event with the reason, without side effects`, async () => {
      assert.equal((await compare(`Promise.reject(${reason});`, before)).status, status);
      assert.deepEqual(events().map(({ type, message, extra }) => [type, message, extra?.error]), [[type, message, error]]);
      assert.deepEqual(server.events[0].mechanism, { handled: false });
    });
  }
}

for (const name of ['uncaughtException', 'unhandledRejection']) {
  test(`an error that a listener to ${name} captures too is one event`, async () => {
    const fails = name === 'uncaughtException' ? "setTimeout(() => { throw new Error('once'); }, 1)" : "Promise.reject(new Error('once'))";
    await program(`${setUp}process.on('${name}', (error) => obs.captureException(error));\n${fails};`, { dsn: server.dsn });
    assert.deepEqual(messages(), ['once']);
  });
}

// Bun gives the main thread a copy of the error that nothing marks.
if (!process.versions.bun) test('an error in a worker thread is one event, also if it ends the main thread', async () => {
  const threads = "import { isMainThread, Worker } from 'node:worker_threads';\nclass PaymentError extends Error {}\n";
  const run = await program(`${threads}${setUp}if (isMainThread) new Worker(new URL(import.meta.url));\nelse setTimeout(() => { throw new PaymentError('declined'); }, 1);`, { dsn: server.dsn });
  assert.equal(run.status, 1);
  assert.deepEqual(events().map(({ type, message, mechanism }) => [type, message, mechanism]), [['PaymentError', 'declined', { handled: false }]]);
});

test('close lets go of process.emit', async () => {
  const run = await program(`const { emit } = process;\n${setUp}await obs.close();\nconsole.log(process.emit === emit);`, { dsn: server.dsn });
  assert.equal(run.stdout, 'true\n');
});

test('queued events are sent along with the uncaught error', async () => {
  const run = await program(`${setUp}for (let n = 0; n < 20; n++) obs.captureMessage('queued ' + n);\n${started}throw new Error('unhandled');`, { dsn: server.dsn });
  assert.equal(run.status, 1);
  assert.equal(new Set(messages()).size, 21);
});

test('what the program captures is not unhandled, and beforeSend sees what is', async () => {
  const says = "beforeSend: (event) => ({ ...event, extra: { unhandled: event.mechanism?.handled === false } })";
  const catches = "process.on('uncaughtException', () => {});\nobs.captureException(new Error('caught'));\nsetTimeout(() => { throw new Error('uncaught'); }, 1);";
  await program(`obs.init({ dsn, ${says} });\n${catches}`, { dsn: server.dsn });
  const seen = Object.fromEntries(events().map(({ message, mechanism, extra }) => [message, [mechanism, extra.unhandled]]));
  assert.deepEqual(seen, { caught: [undefined, false], uncaught: [{ handled: false }, true] });
});

test('an error that is captured and then thrown makes one event', async () => {
  await program(`${setUp}try { throw new Error('once'); } catch (error) { obs.captureException(error); setTimeout(() => { throw error; }, 1); }`, { dsn: server.dsn });
  assert.deepEqual(messages(), ['once']);
});

for (const [what, source] of [
  ['error', "setTimeout(() => { throw new Error('in scope'); }, 1)"],
  // Bun reports a rejection outside of the scope in which it happened.
  ...(process.versions.bun ? [] : [['rejection', "Promise.reject(new Error('in scope'))"]]),
]) {
  test(`an uncaught ${what} has the context of its scope`, async () => {
    const sets = "await null;\n  obs.setTag('order', 12);\n  obs.addBreadcrumb({ message: 'before' });";
    await program(`${started}${setUp}process.on('uncaughtException', () => {});\nobs.withScope({ user: { id: 7 } }, async () => {\n  ${sets}\n  ${source};\n});`, { dsn: server.dsn });
    assert.deepEqual(events().map(({ user, tags, breadcrumbs }) => [user, tags, breadcrumbs?.[0].message]), [[{ id: 7 }, { order: 12 }, 'before']]);
  });
}

const copies = `const other = await import('../obs.js?other');\n${started}${setUp}`;
for (const [what, source] of [['error', "setTimeout(() => { throw new Error('once'); }, 1)"], ['rejection', "Promise.reject(new Error('once'))"], ['rejected text', "Promise.reject('once')"]]) {
  test(`two copies of the SDK report an uncaught ${what} once, and send all that they have queued`, async () => {
    const run = await program(`${copies}other.init({ dsn, serverName: 'other' });\nobs.captureMessage('queued');\nother.captureMessage('too');\n${source};`, { dsn: server.dsn });
    assert.equal(run.status, 1);
    assert.deepEqual(events().map(({ message, server_name }) => [message, server_name]).sort(), [['once', 'other'], ['queued', 'here'], ['too', 'other']]);
  });
}

test('once the latest copy of the SDK is closed, the other one reports uncaught errors', async () => {
  await program(`${copies}other.init({ dsn });\nawait other.close();\nsetTimeout(() => { throw new Error('once'); }, 1);`, { dsn: server.dsn });
  assert.deepEqual(messages(), ['once']);
});

test('two copies of the SDK whose hooks capture each other do not loop', async () => {
  const asks = (name) => `beforeSend: (event) => (${name}.captureMessage('from a hook'), event)`;
  const run = await program(`${copies}obs.init({ dsn, ${asks('other')} });\nother.init({ dsn, ${asks('obs')} });\nobs.captureMessage('m');`, { dsn: server.dsn });
  assert.equal(run.status, 0);
  assert.deepEqual(messages().sort(), ['from a hook', 'm']);
});

test('an error that is captured and then rejected, more than once, makes one event', async () => {
  const rejections = 'for (let n = 0; n < 3; n++) {\n  Promise.reject(error);\n  await new Promise(setImmediate);\n}';
  await program(`${setUp}${logs}const error = new Error('again');\nobs.captureException(error);\n${rejections}\nawait obs.flush();`, { dsn: server.dsn });
  assert.deepEqual(messages(), ['again']);
});

test('simultaneous rejections end the process as usual, and are captured as far as the runtime reports them', async () => {
  assert.equal((await compare("Promise.reject(new Error('one'));\nPromise.reject(new Error('two'));\nPromise.reject(new Error('three'));")).status, 1);
  assert.deepEqual(messages().sort(), process.versions.bun ? ['one', 'three', 'two'] : ['one']);
});

test('nothing is captured with captureUnhandled: false', async () => {
  const run = await program("obs.init({ dsn, captureUnhandled: false });\nsetTimeout(() => { throw new Error('unhandled'); }, 1);", { dsn: server.dsn });
  assert.equal(run.status, 1);
  assert.deepEqual(messages(), []);
});

test('repeated init adds the handlers once, and close removes them', async () => {
  const counts = "const names = ['uncaughtExceptionMonitor', 'unhandledRejection', 'exit', 'beforeExit', 'newListener', 'removeListener'];\nconst count = () => names.map((name) => process.listenerCount(name)).join();\n";
  const run = await program(`${counts}const before = count();\n${setUp}const once = count();\n${setUp}console.log(once === count(), once !== before);\nawait obs.close();\nconsole.log(before === count());`, { dsn: server.dsn });
  assert.equal(run.stdout, 'true true\ntrue\n');
});

test('a program that ends without a flush still sends its events', async () => {
  const run = await program("obs.init({ dsn });\nfor (let n = 0; n < 150; n++) obs.captureMessage('again');\nobs.captureMessage('last');", { dsn: server.dsn });
  assert.deepEqual([run.status, run.stderr], [0, '']);
  assert.equal(server.events.reduce((sum, { suppressed = 0 }) => sum + 1 + suppressed, 0), 151);
});

for (const [when, order] of [['before', [0, 1]], ['after', [1, 0]]]) {
  test(`a beforeExit listener added ${when} the SDK's may capture events`, async () => {
    const parts = ["let n = 0;\nprocess.on('beforeExit', () => obs.captureMessage(`ended ${++n}`));\n", 'obs.init({ dsn });\n'];
    const run = await program(`${order.map((part) => parts[part]).join('')}for (let n = 0; n < 150; n++) obs.captureMessage('again');`, { dsn: server.dsn });
    assert.deepEqual([run.status, run.stderr], [0, '']);
    assert.deepEqual([...new Set(messages())].sort(), ['again', 'ended 1']);
    assert.equal(server.events.reduce((sum, { suppressed = 0 }) => sum + 1 + suppressed, 0), 151);
  });
}

test('a program that ends without a flush retries its events', async () => {
  await server.stop();
  server = await Server.start((nth) => ({ status: nth < 3 ? 503 : 201 }));
  assert.equal((await program("obs.init({ dsn });\nobs.captureMessage('again');", { dsn: server.dsn })).status, 0);
  assert.equal(server.events.length, 3);
});

test('a server that is down does not keep a finished program alive', async () => {
  const started = Date.now();
  const run = await program("obs.init({ dsn });\nobs.captureMessage('nowhere');", { dsn: 'http://secret-key@127.0.0.1:1' });
  assert.equal(run.status, 0);
  assert.ok(Date.now() - started < 10_000);
  assert.match(run.stderr, /^obs: cannot send events to .*\n$/);
});

test('an unresponsive server does not keep a finished program alive, even after an uncaught error', async () => {
  await server.stop();
  server = await Server.start(() => null);
  const started = Date.now();
  assert.equal((await program("obs.init({ dsn, exitTimeout: 500, requestTimeout: 500 });\nobs.captureMessage('silence');", { dsn: server.dsn })).status, 0);
  assert.equal((await program("obs.init({ dsn, exitTimeout: 500 });\nsetTimeout(() => { throw new Error('x'); }, 1);", { dsn: server.dsn })).status, 1);
  assert.ok(Date.now() - started < 15_000);
});

test('a program whose flush fails ends', async () => {
  const run = await program("obs.init({ dsn });\nobs.captureMessage('silence');\nconsole.log(await obs.flush(200));", { dsn: 'http://secret-key@127.0.0.1:1' });
  assert.equal(run.stdout, 'false\n');
  assert.doesNotMatch(run.stderr, /secret|silence/);
});
