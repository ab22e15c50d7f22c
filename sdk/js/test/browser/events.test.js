// DOM events and other objects of a page as errors, and errors that both a page and its worker see.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { eventually } from '../server.js';
import { Tab } from './tab.js';

const WORKER = `import * as obs from '/sdk.js';
class PaymentError extends Error {}
onmessage = ({ data }) => {
  if (data) obs.init({ dsn: data });
  setTimeout(function pay() { throw new PaymentError('declined'); });
};`;

let tab;

before(async () => {
  tab = await Tab.open({ '/worker.js': WORKER, '/throws.js': "setTimeout(function late() { throw new TypeError('uncaught'); });" });
});
beforeEach(() => tab.load());
afterEach(() => tab.unload());
after(() => tab.close());

/** Rejects with `make()`, which runs in the page, and returns the event that is sent. */
async function rejected(make) {
  await tab.page.evaluate(`Promise.resolve((${make})()).then((value) => { Promise.reject(value); })`);
  await eventually(() => tab.server.events.length);
  assert.equal(tab.server.events.length, 1);
  const [{ type, message, extra }] = tab.server.events;
  return [type, message, ...(extra ? [extra.error] : [])];
}

/** A function that returns the event named `name` of the result of `make`. */
const eventOf = (name, make) => `() => new Promise((resolve) => { const target = (${make})(); target.addEventListener('${name}', resolve); })`;
const element = (name, fields) => eventOf('error', `() => { const it = Object.assign(document.createElement('${name}'), ${JSON.stringify(fields)}); document.body.append(it); return it; }`);

for (const [what, make, expected] of [
  ['a script that fails to load', element('script', { src: 'http://user:secret@127.0.0.1:1/app.js?token=secret#x' }), ['Event', 'error on script http://127.0.0.1:1/app.js']],
  ['an image that fails to load', element('img', { id: 'hero', src: 'http://127.0.0.1:1/a.png?token=secret' }), ['Event', 'error on img#hero http://127.0.0.1:1/a.png']],
  ['an image that cannot be read', element('img', { src: 'data:image/png;base64,secret' }), ['Event', 'error on img data:image/png']],
  ['a style sheet that fails to load', element('link', { rel: 'stylesheet', href: 'http://127.0.0.1:1/a.css?secret' }), ['Event', 'error on link http://127.0.0.1:1/a.css']],
  ['a video that fails to load', element('video', { src: 'data:video/mp4,nothing' }), ['Event', /^error on video data:video\/mp4: \{"error":\{"code":4,"message":".*DEMUXER_ERROR.*"\}\}$/]],
  ['a request that fails', eventOf('error', "() => { const it = new XMLHttpRequest(); it.open('GET', 'http://127.0.0.1:1/'); it.send(); return it; }"), ['ProgressEvent', 'error on XMLHttpRequest']],
  ['a socket that fails', eventOf('error', "() => new WebSocket('ws://127.0.0.1:1/live?token=secret')"), ['Event', 'error on WebSocket ws://127.0.0.1:1/live']],
  ['a socket that closes', eventOf('close', "() => new WebSocket('ws://127.0.0.1:1/live?token=secret')"), ['CloseEvent', 'close on WebSocket ws://127.0.0.1:1/live: {"code":1006}']],
  ['a database error', eventOf('error', "() => { const it = indexedDB.open('db', 1); it.addEventListener('upgradeneeded', () => it.transaction.abort()); return it; }"), ['Event', /^error on IDBOpenDBRequest: \{"error":\{"type":"AbortError","message":".*aborted.*"\}\}$/]],
  ['a media error', "() => new Promise((resolve) => { const it = document.createElement('audio'); it.onerror = () => resolve(it.error); it.src = 'data:audio/mpeg,x'; })", ['MediaError', /DEMUXER_ERROR/, { code: 4 }]],
  ['a refused position', '() => new Promise((resolve) => navigator.geolocation.getCurrentPosition(() => {}, resolve))', ['GeolocationPositionError', 'User denied Geolocation', { code: 1 }]],
  ['a response', "() => fetch('/nothing?token=secret')", ['Response', /^\{"type":"basic","url":"http:\/\/localhost:\d+\/nothing","status":404,"statusText":"Not Found"\}$/]],
  ['an error of a frame', "() => { const frame = document.body.appendChild(document.createElement('iframe')); return new frame.contentWindow.RangeError('in the frame'); }", ['RangeError', 'in the frame']],
  ['an element', "() => Object.assign(document.createElement('button'), { id: 'buy', textContent: 'secret' })", ['HTMLButtonElement', 'button#buy']],
  ['an event with an error', "() => new CustomEvent('failed', { detail: new TypeError('inside') })", ['TypeError', 'inside']],
  ['the reason of an abort', '() => AbortSignal.abort().reason', ['AbortError', 'signal is aborted without reason']],
]) {
  test(`${what} says what it is, what happened and on what`, async () => {
    const [type, message, ...details] = await rejected(make);
    assert.deepEqual([type, ...details], [expected[0], ...expected.slice(2)]);
    expected[1] instanceof RegExp ? assert.match(message, expected[1]) : assert.equal(message, expected[1]);
  });
}

for (const [when, order] of [['before', true], ['after', false]]) {
  test(`an uncaught error counts once if a listener added ${when} the SDK's captures its event`, async () => {
    await tab.page.evaluate((isFirst) => {
      const dsn = document.querySelector('script').textContent.match(/http:\/\/secret-key[^']*/)[0];
      const add = () => ['error', 'unhandledrejection'].forEach((name) => addEventListener(name, (event) => (window.id = obs.captureException(event))));
      if (isFirst) add();
      return obs.close().then(() => (obs.init({ dsn }), isFirst || add()));
    }, order);
    await tab.page.addScriptTag({ url: '/throws.js' });
    await eventually(() => tab.server.events.length === 1);
    await tab.page.evaluate(() => void Promise.reject('a reason'));
    await eventually(() => tab.server.events.length >= 2);
    assert.equal(await tab.page.evaluate(() => obs.flush()), true);
    const [error, rejection] = tab.server.events;
    assert.deepEqual([error.type, error.message, error.stacktrace[0].function], ['TypeError', 'uncaught', 'late']);
    assert.deepEqual([rejection.type, rejection.message, tab.server.events.length], ['string', 'a reason', 2]);
    assert.equal(await tab.page.evaluate(() => window.id), rejection.event_id);
  });
}

test("an error in a worker is the worker's event alone if the page prevents the default", async () => {
  await tab.page.evaluate((dsn) => {
    const worker = new Worker('/worker.js', { type: 'module' });
    worker.addEventListener('error', (event) => event.preventDefault());
    worker.postMessage(dsn);
  }, tab.dsn);
  await eventually(() => tab.server.events.length);
  assert.equal(await tab.page.evaluate(() => obs.flush()), true);
  assert.deepEqual(tab.server.events.map(({ type, message, stacktrace }) => [type, message, stacktrace[0].function]), [['PaymentError', 'declined', 'pay']]);
  assert.deepEqual(tab.server.events[0].mechanism, { handled: false });
});

test("errors in a worker are the worker's events alone if both it and the page report errors", async () => {
  await tab.page.evaluate((dsn) => {
    const worker = new Worker('/worker.js', { type: 'module' });
    worker.postMessage(dsn);
    setTimeout(() => worker.postMessage(null), 950); // Shortly before the page stops waiting for what the worker says of the first one.
  }, tab.dsn);
  await eventually(() => tab.server.events.length === 2);
  await new Promise((resolve) => setTimeout(resolve, 1500)); // The page waits for one second.
  assert.equal(await tab.page.evaluate(() => obs.flush()), true);
  assert.deepEqual(tab.server.events.map(({ type, message, stacktrace }) => [type, message, stacktrace[0].function]), [1, 2].map(() => ['PaymentError', 'declined', 'pay']));
});

test('a page reports the error of a worker that does not', async () => {
  await tab.page.evaluate(() => new Worker('/worker.js', { type: 'module' }).postMessage(null));
  await eventually(() => tab.server.events.length === 1);
  const [{ type, message, stacktrace, mechanism }] = tab.server.events;
  assert.deepEqual([type, message, stacktrace[0].lineno, mechanism], ['Error', 'declined', 5, { handled: false }]);
  assert.match(stacktrace[0].filename, /\/worker\.js$/);
});

test('a page that is left sends the error of its worker at once', async () => {
  await tab.page.evaluate(() => {
    addEventListener('error', () => (location.href = 'about:blank'));
    new Worker('/worker.js', { type: 'module' }).postMessage(null);
  });
  await eventually(() => tab.server.events.length === 1);
  assert.equal(tab.server.events[0].message, 'declined');
});
