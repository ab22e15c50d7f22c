<?php

// Runs a scenario of sdk-compat/README.md with the PHP SDK: php driver.php SCENARIO DSN

declare(strict_types=1);

require __DIR__ . '/../../../sdk/php/tests/autoload.php'; // Composer's would do the same.

use Obs\Client;

function start(array $options = []): void
{
    Client::init(['dsn' => PHP_SAPI === 'cli-server' ? getenv('COMPAT_DSN') : $GLOBALS['argv'][2]] + $options);
}

function flushAndPrint(float $timeout = 10.0): void
{
    echo 'flush ', Client::flush($timeout) ? 'true' : 'false', "\n";
}

function wait(): void
{
    echo "waiting\n";
    fgets(STDIN);
}

function captureNumbered(string $word, int $from, int $to): void
{
    for ($n = $from; $n < $to; $n++) {
        Client::captureMessage("$word $n");
    }
}

function fail(string $message, ?Throwable $cause = null): never
{
    throw new RuntimeException($message, 0, $cause); // compat:here
}

/** Returns the exception that fail() throws. */
function failure(string $message, ?Throwable $cause = null): Throwable
{
    try {
        fail($message, $cause);
    } catch (RuntimeException $exception) {
        return $exception;
    }
}

/** Captures the exception that it rethrows. */
function rethrow(Closure $run): never
{
    try {
        $run();
    } catch (RuntimeException $exception) {
        Client::captureException($exception);
        throw $exception;
    }
}

/** Sends these requests to PHP's own web server, whose script is this file, too. */
function request(string ...$paths): void
{
    $environment = ['COMPAT_DSN' => $GLOBALS['argv'][2]] + getenv();
    $streams = [1 => ['file', '/dev/null', 'w'], 2 => ['pipe', 'w']];
    $server = proc_open([PHP_BINARY, '-S', '127.0.0.1:0', __FILE__], $streams, $pipes, null, $environment);
    while (!preg_match('~http://[\d.:]+~', (string) fgets($pipes[2]), $address));
    $http = ['method' => 'POST', 'user_agent' => 'compat/1', 'content' => ''];
    foreach ($paths as $path) {
        echo file_get_contents($address[0] . $path, false, stream_context_create(['http' => $http]));
    }
    proc_terminate($server);
}

/** Sets up what the scenario `context` sets for the process, which for PHP is also each request. */
function startWithContext(): void
{
    start(['tags' => ['from' => 'process', 'process' => 'yes'], 'extra' => ['from' => 'process', 'process' => true]]);
    Client::setUser(['id' => 1]);
}

/** Returns a scenario that captures one message and flushes. */
function message(string $message, array $extra = [], float $timeout = 10.0): Closure
{
    return function () use ($message, $extra, $timeout) {
        start();
        Client::captureMessage($message, 'info', ['extra' => $extra]);
        flushAndPrint($timeout);
    };
}

$scenarios = [
    'messages' => function () {
        start();
        foreach (['info', 'warning', 'error'] as $level) {
            Client::captureMessage("compat $level", $level);
        }
        flushAndPrint();
    },
    'exception' => function () {
        start();
        Client::captureException(failure('compat exception'));
        flushAndPrint();
    },
    'causes' => function () {
        start();
        Client::captureException(failure('outer', failure('middle', failure('root'))));
        flushAndPrint();
    },
    'not-an-error' => function () {
        start();
        Client::captureException('just a string'); // PHP can only throw exceptions.
        flushAndPrint();
    },
    'unicode' => message("naïve 日本語 🦀 a\0b", ['key 🦀' => '日本語']),
    'invalid-text' => message("broken:\xFF\xFE:end", ['bad' => "\xFF\xFE"]),
    'bad-extra' => function () {
        start();
        $extra = ['ok' => 'fine', 'odd' => fn () => 1];
        $extra['self'] = &$extra;
        Client::captureMessage('bad extra', 'info', ['extra' => $extra]);
        flushAndPrint();
    },
    'large-extra' => message('large extra', ['blob' => str_repeat('x', 900_000)]),
    'too-large' => message('too large', ['ok' => 'fine', 'blob' => str_repeat('x', 3_000_000)]),
    'html' => message('<script>alert("compat")</script>'),
    'options' => function () {
        start(['environment' => 'staging', 'release' => '1.2.3', 'server_name' => 'host-7', 'extra' => ['app' => 'compat', 'kept' => true]]);
        Client::captureMessage('options', 'warning', ['extra' => ['app' => 'call', 'n' => 1]]);
        flushAndPrint();
    },
    'fingerprint' => function () {
        start();
        foreach (['first text', 'second text'] as $text) {
            Client::captureMessage($text, 'info', ['fingerprint' => ['compat-group']]);
        }
        flushAndPrint();
    },
    'before-send' => function () {
        start(['before_send' => function (array $event): ?array {
            if ($event['message'] === 'drop me') {
                return null;
            }
            return ['message' => str_replace('secret', 'removed', $event['message'])] + $event;
        }]);
        Client::captureMessage('drop me');
        Client::captureMessage('the secret word');
        flushAndPrint();
    },
    'burst' => function () {
        start();
        captureNumbered('burst', 0, 1000);
        flushAndPrint(30.0);
    },
    'repeat' => function () {
        start();
        for ($n = 0; $n < 10_000; $n++) {
            Client::captureException(failure('compat repeat'));
        }
        flushAndPrint();
    },
    'two-flushes' => function () {
        start();
        foreach (['first', 'second'] as $text) {
            Client::captureMessage($text);
            flushAndPrint();
        }
    },
    'down-then-up' => function () {
        start();
        captureNumbered('early', 0, 10);
        wait();
        flushAndPrint(20);
    },
    'restart' => function () {
        start();
        captureNumbered('restart', 0, 500);
        wait();
        captureNumbered('restart', 500, 1000);
        wait();
        flushAndPrint(30);
    },
    'late' => function () {
        start();
        Client::captureMessage('late');
        flushAndPrint();
        wait();
        Client::captureMessage('late');
        wait();
        flushAndPrint(20);
    },
    'no-flush' => function () {
        start();
        Client::captureMessage('no flush');
    },
    'wrong-key' => message('wrong key'),
    'rate-limited' => message('try again'),
    'unavailable' => message('try again'),
    'silent-server' => message('no answer', [], 2),
    'bad-dsn' => message('nowhere'),
    'unhandled' => function () {
        start();
        fail('compat unhandled');
    },
    'rethrown' => function () {
        start();
        rethrow(fn () => rethrow(fn () => fail('compat unhandled')));
    },
    'unhandled-plain' => fn () => fail('compat unhandled'),
    'carried' => function () {
        // The SDK has no call for contexts.
        start(['before_send' => fn (array $event) => $event + ['contexts' => ['order' => ['id' => 12]]]]);
        Client::setUser(['id' => 7, 'email' => 'ann@example.com']);
        Client::setTag('plan', 'pro');
        Client::addBreadcrumb(['category' => 'cart', 'message' => 'added', 'data' => ['sku' => 'A-1']]);
        Client::captureException(failure('compat carried'));
        flushAndPrint();
    },
    'request' => fn () => request('/pay?coupon=1'),
    'context' => function () {
        request('/context/request', '/context/next');
        startWithContext();
        Client::captureMessage('process');
        flushAndPrint();
    },
    'breadcrumbs' => function () {
        start();
        for ($n = 0; $n < 60; $n++) {
            Client::addBreadcrumb(['message' => "crumb $n"]);
        }
        Client::captureMessage('breadcrumbs');
        flushAndPrint();
    },
];

$routes = [
    '/pay' => function () {
        start();
        Client::captureException(failure('compat request'));
    },
    '/context/request' => function () {
        startWithContext();
        Client::setUser(['id' => 2]);
        Client::setTags(['from' => 'request', 'request' => 'yes']);
        Client::setExtra('from', 'request');
        Client::setExtra('request', true);
        Client::captureMessage('capture', 'info', [
            'user' => ['id' => 3],
            'tags' => ['from' => 'capture', 'capture' => 'yes'],
            'extra' => ['from' => 'capture', 'capture' => true],
        ]);
        Client::captureMessage('request');
    },
    '/context/next' => function () {
        startWithContext();
        Client::captureMessage('next request');
    },
];

if (PHP_SAPI === 'cli-server') {
    $routes[parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)]();
    flushAndPrint();
    return;
}
if (!isset($scenarios[$argv[1]])) {
    exit(64);
}
$scenarios[$argv[1]]();
