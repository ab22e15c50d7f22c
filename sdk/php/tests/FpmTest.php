<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\Endings;
use Obs\Tests\Support\ProgramTestCase;

/** Under php-fpm, the response is sent before the events. */
final class FpmTest extends ProgramTestCase
{
    use Endings;

    /** @var resource|null */
    private $fpm = null;

    protected function setUp(): void
    {
        parent::setUp();
        $binaries = glob('/usr/sbin/php-fpm*') ?: glob('/usr/local/sbin/php-fpm*');
        self::assertNotEmpty($binaries, 'php-fpm is needed for this test');
        file_put_contents("{$this->folder}/fpm.conf", "[global]\nerror_log = {$this->folder}/fpm.log\ndaemonize = no\n[www]\n"
            . "listen = {$this->folder}/fpm.sock\npm = static\npm.max_children = 2\n");
        $this->fpm = proc_open(
            [end($binaries), '-n', '-y', "{$this->folder}/fpm.conf", ...(posix_getuid() === 0 ? ['-R'] : [])],
            [1 => ['file', '/dev/null', 'w'], 2 => ['file', "{$this->folder}/fpm.err", 'w']],
            $pipes,
        );
        $this->waitUntil(fn () => (bool) @stream_socket_client("unix://{$this->folder}/fpm.sock"));
    }

    protected function tearDown(): void
    {
        proc_terminate($this->fpm);
        proc_close($this->fpm);
        parent::tearDown();
    }

    private function waitUntil(callable $condition): void
    {
        for ($deadline = microtime(true) + 10; !$condition() && microtime(true) < $deadline;) {
            usleep(5000);
        }
        self::assertTrue($condition());
    }

    /** Requests a script over FastCGI and reads the response to its end. */
    private function get(string $file): string
    {
        $socket = stream_socket_client("unix://{$this->folder}/fpm.sock");
        $record = static fn (int $type, string $body) => pack('CCnnCC', 1, $type, 1, \strlen($body), 0, 0) . $body;
        $parameters = '';
        foreach (['SCRIPT_FILENAME' => $file, 'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/', 'SERVER_PROTOCOL' => 'HTTP/1.1'] as $name => $value) {
            $parameters .= pack('CN', \strlen($name), \strlen($value) | 1 << 31) . $name . $value;
        }
        fwrite($socket, $record(1, pack('nCx5', 1, 0)) . $record(4, $parameters) . $record(4, '') . $record(5, ''));
        $output = '';
        do {
            $header = unpack('Cversion/Ctype/nid/nlength/Cpadding', stream_get_contents($socket, 8));
            $body = $header['length'] > 0 ? stream_get_contents($socket, $header['length']) : '';
            $header['padding'] > 0 && stream_get_contents($socket, $header['padding']);
            $output .= $header['type'] === 6 ? $body : '';
        } while ($header['type'] !== 3);
        return $output;
    }

    protected function playToTheEnd(string $code, string $before): void
    {
        $this->get($this->program($code, ['shutdown_timeout' => 10], 'program.php', $before));
    }

    public function testTheResponseDoesNotWaitForTheObsServer(): void
    {
        $this->serve(['delay' => 1.5], []);
        $file = $this->program('Client::captureException(new Exception("in a request")); Client::captureMessage("second"); echo "the page";');
        $started = microtime(true);
        self::assertStringEndsWith('the page', $this->get($file));
        self::assertLessThan(1.0, microtime(true) - $started);
        $messages = fn () => array_values(array_column($this->server->events(), 'message', 'event_id'));
        $this->waitUntil(fn () => $messages() === ['in a request', 'second']);
    }

    public function testTheSessionLockIsReleasedBeforeSending(): void
    {
        $this->serve(['silent' => true]);
        $file = $this->program('session_save_path(__DIR__); session_id("abc"); session_start(); $_SESSION["n"] = ($_SESSION["n"] ?? 0) + 1;
            if ($_SESSION["n"] === 1) { Client::captureMessage("m"); } echo $_SESSION["n"];', ['shutdown_timeout' => 4]);
        $started = microtime(true);
        self::assertStringEndsWith('1', $this->get($file));
        self::assertStringEndsWith('2', $this->get($file));
        self::assertLessThan(3.0, microtime(true) - $started);
    }

    public function testCapturesInShutdownFunctionsAreSent(): void
    {
        $this->serve();
        $this->get($this->program('register_shutdown_function(fn () => Client::captureMessage("late")); Client::captureMessage("early");'));
        $this->waitUntil(fn () => \count($this->server->events()) === 2);
        self::assertSame(['early', 'late'], array_column($this->server->events(), 'message'));
    }

    /** @dataProvider failures */
    public function testAFailingShutdownFunctionLosesNothing(string $code, int $errors): void
    {
        $this->serve();
        $file = $this->program('for ($i = 0; $i < 50; $i++) { Client::captureMessage("m $i"); }'
            . "register_shutdown_function(function () { $code }); echo 'the page';", ['capture_unhandled' => true]);
        self::assertStringContainsString('the page', $this->get($file));
        $ids = fn () => array_unique(array_column($this->server->events(), 'event_id'));
        $this->waitUntil(fn () => \count($ids()) >= 50 + $errors);
        self::assertCount(50 + $errors, $ids());
    }

    public function failures(): array
    {
        return [
            'an exception' => ['throw new Exception("x");', 1], 'exit' => ['exit(3);', 0],
            'a fatal error' => ['trigger_error("x", E_USER_ERROR);', 1], 'an invalid class' => ['eval("class A implements Countable {}");', 1],
            'exhausted memory' => ['ini_set("memory_limit", "16M"); str_repeat("x", 100 << 20);', 0],
        ];
    }

    public function testTheResponseWaitsOnlyBrieflyForAServerThatDoesNotAnswer(): void
    {
        $this->serve(['silent' => true]);
        $file = $this->program('for ($i = 0; $i < 50; $i++) { Client::captureMessage("m $i"); } register_shutdown_function(fn () => print("late"));');
        $started = microtime(true);
        self::assertStringEndsWith('late', $this->get($file));
        self::assertLessThan(0.8, microtime(true) - $started);
        $file = $this->program('Client::captureMessage("m");', ['dsn' => 'http://k@127.0.0.1:1']);
        $started = microtime(true);
        $this->get($file);
        self::assertLessThan(0.2, microtime(true) - $started);
    }

    public function testCapturesInShutdownFunctionsDelayTheResponseByOneSecondAtMost(): void
    {
        $this->serve(...array_fill(0, 50, ['silent' => true]));
        $file = $this->program('for ($i = 0; $i < 20; $i++) { register_shutdown_function(fn () => Client::captureMessage("m $i")); }
            register_shutdown_function(fn () => print("late"));', ['shutdown_timeout' => 10]);
        $started = microtime(true);
        self::assertStringEndsWith('late', $this->get($file));
        self::assertLessThan(1.5, microtime(true) - $started);
    }

    public function testARequestWithoutCapturesSendsNothing(): void
    {
        $this->serve();
        self::assertStringEndsWith('the page', $this->get($this->program('echo "the page";')));
        self::assertSame([], $this->server->requests());
    }

    public function testAFatalErrorIsCaptured(): void
    {
        $this->serve();
        $this->get($this->program('ini_set("memory_limit", "8M"); str_repeat("x", 100 << 20);', ['capture_unhandled' => true]));
        $this->waitUntil(fn () => \count($this->server->events()) === 1);
        self::assertStringContainsString('Allowed memory size', $this->event()['message']);
    }

    public function testProblemsGoToTheErrorLogAndNotIntoThePage(): void
    {
        $page = $this->get($this->program("ini_set('error_log', __DIR__ . '/php.log'); Client::init(['dsn' => 'x']); echo 'the page';", ['dsn' => 'http://k@127.0.0.1:1']));
        self::assertStringNotContainsString('obs', $page);
        self::assertStringContainsString('obs: the DSN is not', file_get_contents("{$this->folder}/php.log"));
    }
}
