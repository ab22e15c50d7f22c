// Runs the alert scripts as obs does, against receivers that record, refuse or never answer.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const CONTRIB = fileURLToPath(new URL('..', import.meta.url));
const SECRET = 'hush-4f1c';
const KINDS = ['new', 'reopened', 'rate', 'summary', 'test'];

let folder, server, origin;
let requests; // what the receiver got: method, url, headers, body, and the arguments of all processes at that time
let answer; // the status that it answers with; null: never answers; a function: decides by the number of the request

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obs contrib ')); // a path with spaces
  server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    requests.push({ method, url, headers, body: Buffer.concat(chunks).toString(), running: await commandLines() });
    const status = typeof answer === 'function' ? answer(requests.length, response) : answer;
    if (status !== null) response.writeHead(status, { Location: '/elsewhere' }).end('a body');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${server.address().port}`;

  // A sendmail that records its arguments and its input, then runs $SENDMAIL_DOES.
  await mkdir(join(folder, 'bin'));
  const sendmail = join(folder, 'bin', 'sendmail');
  await writeFile(sendmail, '#!/bin/sh\necho "$*" > "$MAILBOX.arguments"; cat > "$MAILBOX"; eval "${SENDMAIL_DOES:-}"\n');
  await chmod(sendmail, 0o755);
});

after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  requests = [];
  answer = 200;
});

// The arguments of every process, on systems with /proc.
async function commandLines() {
  const processes = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(processes.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.join('\n');
}

// Runs a script with `input` on standard input and only these variables in its environment.
function run(script, variables, input, { cwd = '/', command = join(CONTRIB, script) } = {}) {
  return new Promise((resolve, reject) => {
    const PATH = `${join(folder, 'bin')}:${process.env.PATH}`;
    const child = spawn(command, { cwd, env: { PATH, MAILBOX: join(folder, 'mail'), ...variables } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.stdin.on('error', () => {}); // it may exit before reading
    child.on('error', reject).on('close', (status) => resolve({ status, stdout, stderr }));
    child.stdin.end(input);
  });
}

const issue = {
  id: 1, project: 'shop', title: 'DbError: no connection to <*>', culprit: 'connect', type: 'DbError', message: 'no connection to db-7',
  level: 'error', platform: 'go', environment: 'production', release: '1.2.3', count: 3, stored: 3, first_seen: '2026-11-25T04:00:00.000Z',
  last_seen: '2026-11-25T05:00:00.000Z', last_event_id: '01', grouped_by: 'type and text', state: 'open', reopened_at: null, resolved_at: null,
};
const event = {
  id: '01', level: 'error', type: 'DbError', message: 'no connection to db-7', timestamp: '2026-11-25T05:00:00.000Z', server_name: 'web-1',
  environment: 'production', release: '1.2.3', stacktrace: [{ filename: 'db.go', function: 'connect', lineno: 12 }],
};

function alertOf(kind, changes = {}) {
  const alert = { alert_id: 'a1', kind, issue, event, link: 'https://obs.example.com/issues/1' };
  if (kind === 'rate') alert.events_last_hour = 120;
  if (kind === 'summary') Object.assign(alert, { issue: null, event: null, held_back: { new: 3, reopened: 1, rate: 0 } });
  return { ...alert, ...changes };
}

// An alert in which every string but `kind` and `link` is `text`.
const filledWith = (text) =>
  JSON.parse(JSON.stringify(alertOf('new')), (key, value) => (typeof value === 'string' && !['kind', 'link'].includes(key) ? text : value));

// The text as one line, as the scripts make it.
const oneLine = (text) => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/gu, ' ');

const HEADLINES = {
  new: '[shop] New error: DbError: no connection to <*>',
  reopened: '[shop] Reopened: DbError: no connection to <*>',
  rate: '[shop] 120 events this hour: DbError: no connection to <*>',
  summary: 'Alerts held back: 3 new, 1 reopened',
  test: '[shop] Test: DbError: no connection to <*>',
};

// For each script: its settings, and how a reader sees what arrived: { headline, text, link }. webhook.sh delivers the JSON itself.
const scripts = {
  'slack.sh': {
    required: 'SLACK_WEBHOOK_URL',
    variables: () => ({ SLACK_WEBHOOK_URL: `${origin}/services/${SECRET}` }),
    received({ text, ...rest }) {
      assert.deepEqual(rest, { mrkdwn: false, unfurl_links: false });
      assert.ok(text.length <= 40_000);
      assert.doesNotMatch(text, /[<>]|&(?!(amp|lt|gt);)/, 'nothing that Slack would take for a command is left');
      const plain = text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
      const [headline, ...lines] = plain.split('\n\n');
      return { headline, link: lines.pop(), text: lines.join('\n\n') };
    },
  },
  'discord.sh': {
    required: 'DISCORD_WEBHOOK_URL',
    variables: () => ({ DISCORD_WEBHOOK_URL: `${origin}/api/webhooks/${SECRET}` }),
    received(body) {
      assert.deepEqual(Object.keys(body), ['embeds', 'allowed_mentions']);
      assert.deepEqual(body.allowed_mentions, { parse: [] });
      assert.equal(body.embeds.length, 1);
      const { title, url, description } = body.embeds[0];
      assert.ok(title.length <= 256 && description.length <= 4096);
      assert.doesNotMatch(title.replaceAll(/\\[^\p{L}\p{N}\s]/gu, ''), /[\\*_~`|<>[\]()#@:]/, 'no markup in the title takes effect');
      const block = /^```\n(.*)\n```$/s.exec(description)[1];
      assert.doesNotMatch(block, /``|`$/, 'the event cannot close the code block');
      return { headline: title.replaceAll(/\\(.)/g, '$1'), text: block.replaceAll('`\u200b', '`'), link: url };
    },
  },
  'ntfy.sh': {
    required: 'NTFY_URL',
    variables: () => ({ NTFY_URL: `${origin}/${SECRET}` }),
    received({ topic, title, message, click }) {
      assert.equal(topic, SECRET);
      assert.ok(Buffer.byteLength(message) <= 4096);
      return { headline: title, text: message, link: click };
    },
  },
  'telegram.sh': {
    required: 'TELEGRAM_TOKEN',
    server: 'TELEGRAM_URL',
    variables: () => ({ TELEGRAM_TOKEN: `7:${SECRET}`, TELEGRAM_CHAT: '-1001', TELEGRAM_URL: `${origin}/` }),
    url: `/bot7:${SECRET}/sendMessage`,
    received({ text, ...rest }) {
      assert.deepEqual(rest, { chat_id: '-1001', link_preview_options: { is_disabled: true } });
      assert.ok(text.length <= 4096);
      const [headline, ...lines] = text.split('\n\n');
      return { headline, link: lines.pop(), text: lines.join('\n\n') };
    },
  },
  'matrix.sh': {
    required: 'MATRIX_URL',
    variables: () => ({ MATRIX_URL: origin, MATRIX_ROOM: '!abc:example.com', MATRIX_TOKEN: SECRET }),
    method: 'PUT',
    url: /^\/_matrix\/client\/v3\/rooms\/(!|%21)abc%3Aexample\.com\/send\/m\.room\.message\/[\w.~!*'()%-]+$/,
    received({ msgtype, body, 'm.mentions': mentions, ...rest }) {
      assert.deepEqual([msgtype, mentions, rest], ['m.text', {}, {}]);
      assert.ok(Buffer.byteLength(JSON.stringify(body)) < 60_000);
      const [headline, ...lines] = body.split('\n\n');
      return { headline, link: lines.pop(), text: lines.join('\n\n') };
    },
  },
  'teams.sh': {
    required: 'TEAMS_WEBHOOK_URL',
    variables: () => ({ TEAMS_WEBHOOK_URL: `${origin}/workflows/1?sig=${SECRET}&sv=1.0` }),
    received(message) {
      assert.ok(JSON.stringify(message).length <= 28_000);
      const [{ contentType, content }] = message.attachments;
      assert.equal(contentType, 'application/vnd.microsoft.card.adaptive');
      const runs = content.body.map(({ type, inlines: [run] }) => {
        assert.deepEqual([type, run.type], ['RichTextBlock', 'TextRun'], 'a TextBlock would take Markdown');
        return run.text;
      });
      return { headline: runs[0], text: runs[1], link: content.actions[0].url };
    },
  },
  'webhook.sh': {
    required: 'WEBHOOK_URL',
    variables: () => ({ WEBHOOK_URL: `${origin}/${SECRET}` }),
  },
  'mail.sh': {
    required: 'MAIL_TO',
    variables: () => ({ MAIL_TO: 'ops@example.com, dev@example.com' }),
    received(mail) {
      const { headers, text } = parseMail(mail);
      const parts = text.split('\n\n');
      return { headline: headers.Subject, link: parts.pop(), text: parts.join('\n\n') };
    },
  },
};

// Parses a mail as its receiver does. It must have exactly these headers.
function parseMail(mail, names = ['To', 'Subject', 'Auto-Submitted', 'MIME-Version', 'Content-Type', 'Content-Transfer-Encoding']) {
  assert.match(mail, /^[\n -~]*$/, 'nothing but ASCII and line feeds');
  const end = mail.indexOf('\n\n');
  const [head, body] = [mail.slice(0, end), mail.slice(end + 2)];
  for (const line of head.split('\n')) if (line.includes('=?')) assert.ok(line.length <= 76, line);
  for (const line of body.split('\n')) assert.match(line, /^[A-Za-z0-9+/=]{0,76}$/);
  const word = (base64) => new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
  const headers = Object.fromEntries(
    head.replaceAll('?=\n =?', '?==?').split('\n').map((line) => {
      const [, name, value] = /^([A-Za-z-]+): (.*)$/.exec(line);
      return [name, value.replaceAll(/=\?UTF-8\?B\?(.*?)\?=/g, (_, base64) => word(base64))];
    }),
  );
  assert.deepEqual(Object.keys(headers), names);
  assert.equal(headers['Content-Type'], 'text/plain; charset=utf-8');
  assert.equal(headers['Content-Transfer-Encoding'], 'base64');
  return { headers, text: word(body).replaceAll('\r\n', '\n') };
}

// Runs a script that must succeed on an alert, and returns the JSON or the mail that arrived.
async function deliver(script, alert, options) {
  const { status, stdout, stderr } = await run(script, scripts[script].variables(), JSON.stringify(alert), options);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
  if (script === 'mail.sh') {
    assert.equal(await readFile(join(folder, 'mail.arguments'), 'utf8'), '-t\n');
    return readFile(join(folder, 'mail'), 'utf8');
  }
  assert.equal(requests.length, 1);
  const [{ method, url, headers, body, running }] = requests.splice(0);
  assert.equal(method, scripts[script].method ?? 'POST');
  if (scripts[script].url) assert.ok(url === scripts[script].url || scripts[script].url.test?.(url), url);
  assert.equal(headers['content-type'], 'application/json');
  assert.ok(!running.includes(SECRET), 'no process has the secret in its arguments');
  return JSON.parse(body);
}

// Asserts that a script failed with a single line on standard error that reveals no secret.
function assertFailed({ status, stdout, stderr }, expected) {
  assert.notEqual(status, 0);
  assert.equal(stdout, '');
  assert.match(stderr, /^[^\n]+\n$/);
  assert.doesNotMatch(stderr, new RegExp(SECRET));
  assert.match(stderr, expected);
}

const hostile = {
  'quotes and backslashes': `"'\\" \\\\ \\n \\u0041 %s %d`,
  'shell commands': '$(touch pwned) `touch pwned` ; touch pwned | & > pwned $HOME ${HOME} EOF\nBODY\nCONFIG\nMAIL\nEOF',
  'line breaks and headers': 'first\r\nBcc: evil@example.com\r\n\r\n<b>body</b>\nurl = "http://evil.example"\n.\nlast',
  'a page': '</script><script>alert(1)</script> &lt;&amp;&#39;',
  'emoji and other scripts': 'naïve 日本語 🦀👩‍👩‍👧 \u202eright to left',
  'control characters': Array.from({ length: 160 }, (_, code) => String.fromCharCode(code)).slice(1).join('') + '\u2028\u2029',
  'mentions': '<!channel> <!here> <@U123> @everyone @here <@&42> <#1>',
  'markup': '``` *b* _i_ ~s~ ||spoiler|| [link](http://evil.example) <http://evil.example|link> # h\n````\n`` ` ```',
  'an encoded header': '=?UTF-8?B?DQpYOiB5?=',
  'a jq program': '\\(env) \\($ENV.PATH) " | input',
  'options and files': '@/etc/passwd --config=/etc/passwd -oQ/tmp',
};

for (const [script, { required, server = required, variables, received }] of Object.entries(scripts)) {
  describe(script, () => {
    for (const kind of KINDS) {
      test(`delivers an alert of kind ${kind}`, async () => {
        const alert = alertOf(kind);
        const body = await deliver(script, alert);
        if (!received) return assert.deepEqual(body, alert);
        const { headline, text, link } = received(body);
        assert.equal(headline, HEADLINES[kind]);
        assert.equal(link, alert.link);
        if (kind === 'summary') return assert.equal(text, 'obs held these alerts back to avoid flooding you.');
        for (const fact of ['in: connect', 'environment: production', 'release: 1.2.3', 'server: web-1', 'events so far: 3'])
          assert.ok(text.includes(`${fact}\n`), fact);
        assert.ok(text.endsWith('\n\nno connection to db-7'));
      });
    }

    for (const [name, sample] of Object.entries(hostile)) {
      test(`delivers ${name} unchanged`, async () => {
        const alert = filledWith(sample);
        const body = await deliver(script, alert, { cwd: folder });
        assert.deepEqual((await readdir(folder)).filter((file) => file.includes('pwned')), []);
        if (!received) return assert.deepEqual(body, alert);
        const { headline, text } = received(body);
        const whole = `[${oneLine(sample)}] New ${oneLine(sample)}: ${oneLine(sample)}`;
        const characters = [...whole];
        assert.equal(headline, characters.length > 120 ? `${characters.slice(0, 119).join('')}…` : whole);
        const culprit = [...oneLine(sample)];
        assert.ok(text.includes(`in: ${culprit.length > 100 ? `${culprit.slice(0, 99).join('')}…` : culprit.join('')}\n`));
        assert.ok(text.endsWith(`\n\n${script === 'mail.sh' ? sample.replaceAll('\r\n', '\n') : sample}`));
      });
    }

    for (const character of ['x', '&', '`', '🦀', '\n', '"']) {
      test(`stays within the receiver's limits when every text is 8,192 times ${JSON.stringify(character)}`, async () => {
        const alert = filledWith(character.repeat(8192));
        const body = await deliver(script, alert);
        if (!received) return assert.deepEqual(body, alert);
        const mail = script === 'mail.sh';
        assert.ok((mail ? parseMail(body).text : received(body).text).includes(character.repeat(mail ? 8192 : 100)));
      });
    }

    test('accepts null or missing fields and an unknown kind', async () => {
      for (const alert of [
        alertOf('new', { issue: Object.fromEntries(Object.keys(issue).map((key) => [key, null])), event: null }),
        alertOf('new', { issue: {}, event: {} }),
        ...KINDS.map((kind) => ({ ...alertOf(kind), issue: null, event: null, held_back: null, events_last_hour: null })),
        { kind: '🦀'.repeat(40), link: 'https://obs.example.com/' },
        {},
      ]) {
        const body = await deliver(script, alert);
        if (received && alert.link) assert.notEqual(received(body).text, '');
      }
    });

    test('works from any folder and through a symbolic link', async () => {
      const command = join(folder, `a link to ${script}`);
      await symlink(join(CONTRIB, script), command);
      assert.ok(await deliver(script, alertOf('new'), { command, cwd: folder }));
      assert.ok(await deliver(script, alertOf('new'), { command: `./${script}`, cwd: CONTRIB }));
    });

    test('delivers a 1 MB event', async () => {
      const body = await deliver(script, alertOf('new', { event: { ...event, extra: { blob: '"'.repeat(500_000) } } }));
      if (!received) assert.equal(body.event.extra.blob.length, 500_000);
    });

    test(`names ${required} when it is missing or empty`, async () => {
      for (const value of [{}, { [required]: '' }]) {
        const result = await run(script, value, JSON.stringify(alertOf('new')));
        assertFailed(result, new RegExp(`^${script}: ${required} is not set$`, 'm'));
        assert.equal(result.status, 2);
      }
    });

    test('refuses input that is not one JSON object, and sends nothing', async () => {
      for (const input of ['', '{', '{"kind":"new"', '[]', 'null', '{} {}', '{} x', 'plain text'])
        assertFailed(await run(script, { ...variables(), MAILBOX: join(folder, 'none') }, input), /error/);
      assert.deepEqual(requests, []);
      assert.ok(!(await readdir(folder)).includes('none'));
    });

    if (script === 'mail.sh') return;

    test('fails if the receiver answers with an error or a redirect', async () => {
      for (answer of [404, 413, 301])
        assertFailed(await run(script, variables(), JSON.stringify(alertOf('new'))), new RegExp(`^${script}: the receiver answered ${answer}$`, 'm'));
    });

    test('delivers an alert that the receiver refuses for a second', async () => {
      const at = [];
      answer = (attempt, response) => {
        at.push(Date.now());
        response.setHeader('Retry-After', '1');
        return attempt < 3 ? 429 : 200;
      };
      const { status, stderr } = await run(script, variables(), JSON.stringify(alertOf('new')));
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
      assert.equal(requests.length, 3);
      for (const { body } of requests) assert.equal(body, requests[0].body);
      for (const { running } of requests) assert.ok(!running.includes(SECRET), 'no process has the secret in its arguments');
      assert.ok(at[1] - at[0] >= 990 && at[2] - at[1] >= 990, `attempts at ${at}`);
    });

    test('fails if the receiver never answers', async () => {
      answer = null;
      assertFailed(await run(script, { ...variables(), ALERT_TIMEOUT: '0.3' }, JSON.stringify(alertOf('new'))), /timed out/i);
    });

    test('fails if nothing listens at the URL', async () => {
      const url = variables()[server].replace(origin, 'http://127.0.0.1:1');
      assertFailed(await run(script, { ...variables(), [server]: url }, JSON.stringify(alertOf('new'))), /^curl: /);
    });

    test('refuses an invalid URL', async () => {
      const urls = [`ftp://x/${SECRET}`, `${SECRET}/x`, `http://x/${SECRET} x`, `http://x/${SECRET}"\nx`, `http://x\\/${SECRET}`, `http://x/${SECRET}\n`];
      for (const url of urls) {
        const result = await run(script, { ...variables(), [server]: url }, JSON.stringify(alertOf('new')));
        assertFailed(result, new RegExp(`^${script}: `));
        assert.equal(result.status, 2);
      }
    });
  });
}

for (const [script, required, token] of [['ntfy.sh', 'NTFY_URL', 'NTFY_TOKEN'], ['webhook.sh', 'WEBHOOK_URL', 'WEBHOOK_TOKEN']]) {
  test(`${script} sends its token without showing it in the process list`, async () => {
    const result = await run(script, { [required]: `${origin}/topic`, [token]: SECRET }, JSON.stringify(alertOf('new')));
    assert.equal(result.status, 0);
    assert.equal(requests[0].headers.authorization, `Bearer ${SECRET}`);
    assert.ok(!requests[0].running.includes(SECRET));
  });

  test(`${script} refuses a token that would break out of its header`, async () => {
    assertFailed(await run(script, { [required]: `${origin}/topic`, [token]: 'x"\nurl = "http://evil.example' }, JSON.stringify(alertOf('new'))), /token/);
    assert.deepEqual(requests, []);
  });
}

// Runs webhook.sh, whose way to its receiver the other scripts share, and returns its result and how long it took.
async function timed(variables) {
  const started = Date.now();
  const result = await run('webhook.sh', { WEBHOOK_URL: `${origin}/${SECRET}`, ...variables }, JSON.stringify(alertOf('new')));
  return { result, took: Date.now() - started };
}

for (const refusal of [408, 500, 502, 503, 504]) {
  test(`an alert that is answered ${refusal} once is delivered`, async () => {
    answer = (attempt) => (attempt === 1 ? refusal : 204);
    const { result } = await timed();
    assert.deepEqual(result, { status: 0, stdout: '', stderr: '' });
    assert.equal(requests.length, 2);
  });
}

test('an alert that the receiver refuses for good is sent once', async () => {
  for (answer of [400, 401, 404, 413, 301]) {
    requests = [];
    assertFailed((await timed()).result, /the receiver answered/);
    assert.equal(requests.length, 1);
  }
});

test('an alert that the receiver goes on refusing fails with the last status', async () => {
  answer = (attempt) => (attempt === 1 ? 503 : 429);
  assertFailed((await timed()).result, /^webhook.sh: the receiver answered 429$/m);
  assert.equal(requests.length, 4);
});

test('an alert is delivered to a receiver that restarts', async () => {
  const { port } = server.address();
  const restarted = createServer((request, response) => request.resume().on('end', () => response.writeHead(200).end()));
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.on('listening', resolve));
  const free = probe.address().port;
  await new Promise((resolve) => probe.close(resolve));
  const delivery = timed({ WEBHOOK_URL: `${origin.replace(port, free)}/${SECRET}` });
  setTimeout(() => restarted.listen(free, '127.0.0.1'), 500);
  const { result } = await delivery;
  restarted.closeAllConnections();
  restarted.close();
  assert.deepEqual(result, { status: 0, stdout: '', stderr: '' });
});

test('a script gives up at once if Retry-After is longer than its time', async () => {
  answer = (_, response) => (response.setHeader('Retry-After', '3600'), 429);
  const { result, took } = await timed();
  assertFailed(result, /^webhook.sh: the receiver answered 429$/m);
  assert.equal(requests.length, 1);
  assert.ok(took < 5000, `it took ${took} ms`);
});

test('a script never takes longer than its time, whatever the receiver answers', async () => {
  for (const [limit, behavior] of [
    ['3', (attempt, response) => (response.setHeader('Retry-After', '2'), attempt === 1 ? 429 : null)],
    ['1.5', (_, response) => (response.setHeader('Retry-After', '1'), 503)],
    ['.5', () => 503],
  ]) {
    answer = behavior;
    requests = [];
    const { result, took } = await timed({ ALERT_TIMEOUT: limit });
    assertFailed(result, /timed out|the receiver answered/);
    assert.ok(took < Number(limit) * 1000 + 1500, `it took ${took} ms of ${limit} s`);
  }
});

test('ntfy.sh posts to the URL above the topic', async () => {
  await run('ntfy.sh', { NTFY_URL: `${origin}/under/a/path/topic/` }, JSON.stringify(alertOf('new')));
  assert.deepEqual([requests[0].url, JSON.parse(requests[0].body).topic], ['/under/a/path', 'topic']);
  await run('ntfy.sh', { NTFY_URL: `${origin}/topic` }, JSON.stringify(alertOf('new')));
  assert.equal(requests[1].url, '/');
  assertFailed(await run('ntfy.sh', { NTFY_URL: 'https://ntfy.sh/' }, '{}'), /^ntfy.sh: NTFY_URL does not end in a topic$/m);
});

test('webhook.sh posts to the URL unchanged', async () => {
  await run('webhook.sh', { WEBHOOK_URL: `${origin}/a?b=[1-3]&c={x,y}#d` }, JSON.stringify(alertOf('new')));
  assert.deepEqual(requests.map(({ url }) => url), ['/a?b=[1-3]&c={x,y}']);
});

test('mail.sh keeps line breaks in an address from adding a header', async () => {
  await run('mail.sh', { MAIL_TO: 'ops@example.com\nBcc: evil@example.com', MAIL_FROM: 'obs <obs@example.com>\r\nX: y' }, JSON.stringify(alertOf('new')));
  const names = ['To', 'From', 'Subject', 'Auto-Submitted', 'MIME-Version', 'Content-Type', 'Content-Transfer-Encoding'];
  const { headers } = parseMail(await readFile(join(folder, 'mail'), 'utf8'), names);
  assert.equal(headers.To, 'ops@example.com Bcc: evil@example.com');
  assert.equal(headers.From, 'obs <obs@example.com>  X: y');
});

test('mail.sh fails if sendmail fails', async () => {
  const variables = { ...scripts['mail.sh'].variables(), SENDMAIL_DOES: 'exit 75' };
  assertFailed(await run('mail.sh', variables, JSON.stringify(alertOf('new'))), /^mail.sh: sendmail exited with status 75$/m);
});

test('mail.sh fails if sendmail never exits', async () => {
  const variables = { ...scripts['mail.sh'].variables(), SENDMAIL_DOES: 'exec sleep 60 > /dev/null 2>&1', ALERT_TIMEOUT: '0.3' };
  assertFailed(await run('mail.sh', variables, JSON.stringify(alertOf('new'))), /^mail.sh: sendmail /);
});
