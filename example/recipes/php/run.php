<?php

// Runs the recipes one after the other, and checks that each event has its user, tags, request and stack trace.

declare(strict_types=1);

const MAX_WAIT = 15.0;

/** Calls $try until it returns something, or ends with a message. */
function eventually(string $what, callable $try): mixed
{
    for ($deadline = microtime(true) + MAX_WAIT; microtime(true) < $deadline; usleep(20_000)) {
        $result = $try();
        if ($result) {
            return $result;
        }
    }
    throw new RuntimeException("$what: nothing after " . MAX_WAIT . ' seconds');
}

/** Starts a process that ends with this script, and returns its standard error as a stream. */
function start(array $command, array $environment)
{
    $streams = [0 => ['file', '/dev/null', 'r'], 1 => ['file', '/dev/null', 'w'], 2 => ['pipe', 'w']];
    $process = proc_open($command, $streams, $pipes, $GLOBALS['folder'], $environment + getenv());
    register_shutdown_function(static function () use ($process): void {
        proc_terminate($process);
        proc_close($process);
    });
    return $pipes[2];
}

/** Reads a stream up to the first match. */
function await(string $pattern, $stream): string
{
    while (($line = fgets($stream)) !== false) {
        if (preg_match($pattern, $line, $match)) {
            return $match[1];
        }
    }
    throw new RuntimeException("$pattern: the process ended");
}

function run(string $command, array $environment): void
{
    proc_close(proc_open($command, [1 => ['file', '/dev/null', 'w'], 2 => ['file', '/dev/null', 'w']], $pipes, null, $environment + getenv()));
}

/** Requests a path from PHP's own web server, which runs a script. */
function request(string $script, string $path, array $environment): void
{
    $port = await('~http://127.0.0.1:(\d+)~', start([PHP_BINARY, '-S', '127.0.0.1:0', $script], $environment));
    $http = ['method' => 'POST', 'ignore_errors' => true, 'user_agent' => 'recipe/1', 'header' => 'Content-Length: 0'];
    file_get_contents("http://127.0.0.1:$port$path", false, stream_context_create(['http' => $http]));
}

/** Requests a script from FPM. */
function requestFromFpm(string $script, string $path, array $environment): void
{
    $folder = $GLOBALS['folder'];
    $settings = "[global]\nerror_log = $folder/fpm.log\ndaemonize = no\n[www]\nlisten = $folder/fpm.sock\npm = static\n"
        . "pm.max_children = 1\nclear_env = no\n";
    file_put_contents("$folder/fpm.conf", $settings);
    $binaries = glob('/usr/sbin/php-fpm*');
    start([end($binaries), '-n', '-y', "$folder/fpm.conf", ...(posix_getuid() === 0 ? ['-R'] : [])], $environment);
    eventually('FPM', static fn () => file_exists("$folder/fpm.sock"));
    $request = ['SCRIPT_FILENAME' => $script, 'REQUEST_METHOD' => 'POST', 'REQUEST_URI' => $path, 'HTTP_HOST' => 'localhost'];
    $request += ['QUERY_STRING' => explode('?', $path)[1], 'HTTP_USER_AGENT' => 'recipe/1', 'CONTENT_LENGTH' => '0'];
    run("cgi-fcgi -bind -connect $folder/fpm.sock", $request);
}

$folder = sys_get_temp_dir() . '/obs-recipes-' . bin2hex(random_bytes(6));
mkdir($folder);
register_shutdown_function(static fn () => exec('rm -rf ' . escapeshellarg($folder)));

$settings = ['OBS_LISTEN' => '127.0.0.1:0', 'OBS_DB_PATH' => "$folder/obs.sqlite", 'OBS_API_KEY' => 'test123'];
$port = await('~listening on http://127.0.0.1:(\d+)~', start([getenv('OBS_BIN')], $settings));
$environment = ['OBS_DSN' => "http://test123@127.0.0.1:$port", 'RECIPE_FOLDER' => $folder];

$wordpress = "$folder/wordpress";
exec('cp -rL ' . escapeshellarg(getenv('WORDPRESS')) . ' ' . escapeshellarg($wordpress) . ' 2> /dev/null');
exec("rm -rf $wordpress/wp-content && mkdir -p $wordpress/wp-content/mu-plugins $wordpress/vendor");
copy(__DIR__ . '/wordpress/db.php', "$wordpress/wp-content/db.php");
copy(__DIR__ . '/wordpress/wp-config.php', "$wordpress/wp-config.php");
copy(__DIR__ . '/wordpress/obs.php', "$wordpress/wp-content/mu-plugins/obs.php");
copy(__DIR__ . '/wordpress/shop.php', "$wordpress/wp-content/mu-plugins/shop.php");
file_put_contents("$wordpress/vendor/autoload.php", '<?php require ' . var_export(__DIR__ . '/autoload.php', true) . ';');

$php = static fn (string $name) => static fn () => run(PHP_BINARY . ' ' . escapeshellarg(__DIR__ . "/$name"), $environment);
$recipes = [
    'plain' => static fn () => requestFromFpm(__DIR__ . '/plain.php', '/pay?coupon=1', $environment),
    'symfony' => static fn () => request(__DIR__ . '/symfony/index.php', '/pay?coupon=1', $environment),
    'wordpress' => static fn () => request("$wordpress/index.php", '/?coupon=1', $environment),
    'worker' => $php('worker.php'),
    'messenger' => $php('messenger.php'),
    'monolog' => $php('monolog.php'),
];

$read = static fn (string $path) => json_decode((string) file_get_contents("http://127.0.0.1:$port$path"), true);
$failures = 0;
foreach ($recipes as $name => $recipe) {
    try {
        $recipe();
        $issue = eventually($name, static function () use ($read, $name) {
            $found = array_filter($read('/api/issues')['issues'], static fn ($issue) => str_contains(json_encode($issue), "$name: ")
                || ($name === 'monolog' && $issue['type'] === 'DivisionByZeroError'));
            return reset($found);
        });
        $event = $read('/api/events/' . $issue['last_event_id']);
        $isWeb = \in_array($name, ['plain', 'symfony', 'wordpress'], true);
        $checks = [
            'user' => \in_array($event['user']['id'] ?? 0, [7, 8], true),
            'tags' => isset($event['tags']['app']),
            'stack trace' => isset($event['stacktrace'][0]['context_line']),
            'request' => !$isWeb || ($event['request']['query_string'] === 'coupon=1' && $event['request']['method'] === 'POST'
                && $event['request']['headers']['User-Agent'] === 'recipe/1'),
            'unhandled' => !$isWeb || $event['unhandled'],
            'one event' => $issue['count'] === 1,
        ];
        $missing = array_keys(array_filter($checks, static fn ($isThere) => !$isThere));
        if ($missing) {
            throw new RuntimeException('the event lacks ' . implode(', ', $missing) . ': ' . json_encode($event));
        }
        echo str_pad($name, 12), "ok: user, tags, stack trace", $isWeb ? ", request\n" : "\n";
    } catch (Throwable $error) {
        $failures++;
        echo str_pad($name, 12), "FAILED: {$error->getMessage()}\n";
    }
}
exit($failures > 0 ? 1 : 0);
