<?php

declare(strict_types=1);

namespace Obs\Tests\Support;

/** A test server in its own process, with scripted answers and a log of requests. */
final class Server
{
    public readonly int $port;
    private readonly string $log;
    /** @var resource */
    private $process;

    /**
     * @param array $answers one per request: `status`, `headers`, `error`, `delay` (seconds), and the flags `chunked`,
     *                       `close` (after responding), `hangUp` (instead of responding), `silent` (never responds)
     */
    public function __construct(array $answers = [], ?string $certificate = null)
    {
        $this->log = tempnam(sys_get_temp_dir(), 'obs-test-');
        $command = [\PHP_BINARY, __DIR__ . '/http-server.php', $this->log, json_encode($answers), ...array_filter([$certificate])];
        $this->process = proc_open($command, [1 => ['pipe', 'w']], $pipes);
        $this->port = (int) fgets($pipes[1]);
    }

    public function dsn(string $host = '127.0.0.1'): string
    {
        return "http://test-key@$host:{$this->port}";
    }

    /** @return array<array{connection: int, at: float, head: string, body: string}> */
    public function requests(): array
    {
        return array_map(static fn ($line) => json_decode($line, true), file($this->log));
    }

    /** @return array[] the events in order of arrival */
    public function events(): array
    {
        return array_map(static fn ($request) => json_decode($request['body'], true, 512, \JSON_THROW_ON_ERROR), $this->requests());
    }

    public function stop(): void
    {
        proc_terminate($this->process, 9);
        proc_close($this->process);
        unlink($this->log);
    }
}
