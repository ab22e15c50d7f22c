<?php

declare(strict_types=1);

namespace Obs\Tests\Support;

use PHPUnit\Framework\TestCase;

/** Runs small programs that use the SDK, each in its own process, against a test server. */
abstract class ProgramTestCase extends TestCase
{
    protected Server $server;
    protected string $folder;

    protected function setUp(): void
    {
        $this->folder = sys_get_temp_dir() . '/obs-test-' . bin2hex(random_bytes(6));
        mkdir($this->folder);
    }

    protected function tearDown(): void
    {
        isset($this->server) && $this->server->stop();
        exec('rm -rf ' . escapeshellarg($this->folder));
    }

    protected function serve(array ...$answers): void
    {
        $this->server = new Server($answers);
    }

    /** Writes a program that calls init and then runs $code, and returns its path. */
    protected function program(string $code, array $options = [], string $name = 'program.php', string $before = ''): string
    {
        $head = '<?php require ' . var_export(\dirname(__DIR__, 2) . "/tests/autoload.php", true) . "; use Obs\Client; $before Client::init("
            . var_export($options + ['dsn' => isset($this->server) ? $this->server->dsn() : ''], true) . ");\n";
        file_put_contents("{$this->folder}/$name", str_replace("\n", ' ', $head) . "\n$code\n");
        return "{$this->folder}/$name";
    }

    /** Writes and runs such a program. */
    protected function play(string $code, array $options = [], array $arguments = []): Run
    {
        return $this->execute($this->program($code, $options), $arguments);
    }

    protected function execute(string $file, array $arguments = []): Run
    {
        $started = microtime(true);
        $pipes = [1 => ['file', "{$this->folder}/stdout", 'w'], 2 => ['file', "{$this->folder}/stderr", 'w']];
        $process = proc_open([\PHP_BINARY, ...$arguments, $file], $pipes, $none, $this->folder);
        do {
            usleep(2000);
            $state = proc_get_status($process);
            $isLate = microtime(true) - $started > 30;
        } while ($state['running'] && !$isLate);
        $isLate && proc_terminate($process, 9);
        proc_close($process);
        self::assertFalse($isLate, 'the program did not end');
        return new Run(
            $state['exitcode'],
            file_get_contents("{$this->folder}/stdout"),
            file_get_contents("{$this->folder}/stderr"),
            microtime(true) - $started,
        );
    }

    /** Returns the single event that arrived. */
    protected function event(): array
    {
        $events = $this->server->events();
        self::assertCount(1, $events);
        return $events[0];
    }
}

final class Run
{
    public function __construct(
        public readonly int $status,
        public readonly string $stdout,
        public readonly string $stderr,
        public readonly float $seconds,
    ) {
    }
}
