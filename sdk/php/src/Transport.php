<?php // The queue of encoded events: its limits, the order of sending, and when what failed is tried again.

declare(strict_types=1);

namespace Obs;

final class Transport
{
    private const MAX_EVENTS = 2048;
    private const MAX_BYTES = 8 << 20;
    private const MAX_ATTEMPTS = 10;
    private const FIRST_PAUSE = 0.1;
    private const LONGEST_PAUSE = 10.0;

    public bool $hasLost = false; // Since the last flush.

    /** @var list<array{Connection, string}> the first is the one in flight */
    private array $queue = [];
    private int $bytes = 0;
    private int $dropped = 0;
    /** What sends, and gives way whenever it would have to wait; it yields until when, for which socket, and whether to write. */
    private ?\Generator $sending = null;
    private bool $isPumping = false;
    private int $failures = 0;
    private int $attempts = 0;
    private float $pauseUntil = 0.0;
    private float $retryAfter = 0.0; // The server's own wish, which flush respects.

    public static function clock(): float
    {
        return hrtime(true) / 1e9;
    }

    public function push(Connection $connection, string $json): bool
    {
        if (\count($this->queue) >= self::MAX_EVENTS || $this->bytes + \strlen($json) > self::MAX_BYTES) {
            $this->dropped++;
            $this->hasLost = true;
            return false;
        }
        $this->queue[] = [$connection, $json];
        $this->bytes += \strlen($json);
        Log::passed('full');
        return true;
    }

    /** After exit() or a fatal error, which run no `finally`. No suspended generator survives the latter: what it did is begun anew. */
    public function restart(bool $wasFatal): void
    {
        $this->isPumping = false;
        $this->sending = $wasFatal ? null : $this->sending;
    }

    public function isEmpty(): bool
    {
        return !$this->queue;
    }

    /** Goes on with sending as far as that is possible without waiting. */
    public function pump(): void
    {
        if ($this->isPumping || !$this->queue) {
            return; // The former where this is a signal handler's capture.
        }
        $this->isPumping = true;
        try {
            $this->sending = $this->sending?->valid() ? $this->sending : $this->send();
            Log::silently($this->sending->next(...));
        } catch (\Throwable $trouble) { // Such as a function that the host has disabled: trying again does not help.
            $this->sending = null;
            $this->queue && $this->shift();
            $this->hasLost = true;
            Log::once('refused', "an event could not be sent: {$trouble->getMessage()}");
        } finally {
            $this->isPumping = false;
        }
    }

    /** Whether everything was accepted, in time, and nothing was lost since the last flush. */
    public function flush(float $deadline): bool
    {
        $this->failures = min($this->failures, 1);
        $this->pauseUntil = 0.0;
        for ($this->pump(); $this->queue && ($now = self::clock()) < $deadline; $this->pump()) {
            [$until, $socket, $isWriting] = $this->sending?->current() ?? [0.0, null, false];
            $microseconds = (int) max(1000, (min($until, $deadline) - $now) * 1e6);
            [$read, $write, $none] = [[$socket], $isWriting ? [$socket] : [], []];
            if (!$socket) {
                usleep($microseconds);
            } elseif (Log::silently(static fn () => stream_select($read, $write, $none, 0, $microseconds)) === false) {
                usleep(1000); // A signal came, or this is a descriptor that select() cannot watch.
            }
        }
        if ($this->dropped > 0) {
            Log::once('full', "the queue was full: {$this->dropped} events were dropped");
            $this->dropped = 0;
        }
        [$hasLost, $this->hasLost] = [$this->hasLost, false];
        return !$this->queue && !$hasLost;
    }

    private function send(): \Generator
    {
        while ($this->queue) {
            while (self::clock() < ($until = max($this->pauseUntil, $this->retryAfter))) {
                yield [$until, null, false];
            }
            [$connection, $json] = $this->queue[0];
            try {
                $this->answered($connection->dsn, yield from $connection->post($json));
            } catch (\RuntimeException $failure) {
                // The first may be no fault of the server's: it closed an idle connection, or we were not called for a while.
                $this->failures > 0 ? $this->pause($connection->dsn, $failure->getMessage()) : $this->failures++;
            }
        }
    }

    private function answered(Dsn $dsn, array $response): void
    {
        ['status' => $status, 'retryAfter' => $retryAfter, 'error' => $error] = $response;
        if (\in_array($status, [408, 429, 502, 503, 504], true) || ($status >= 500 && ++$this->attempts < self::MAX_ATTEMPTS)) {
            $this->retryAfter = self::clock() + $retryAfter;
            $this->pause($dsn, "it answers $status");
            return;
        }
        $this->shift();
        Log::passed('waiting');
        if ($status === 200 || $status === 201) {
            Log::passed('refused');
            return;
        }
        $this->hasLost = true;
        Log::once('refused', rtrim("the server refused an event: $status " . str_replace($dsn->key, '***', $error)));
    }

    private function shift(): void
    {
        $this->bytes -= \strlen(array_shift($this->queue)[1]);
        $this->failures = $this->attempts = 0;
    }

    private function pause(Dsn $dsn, string $why): void
    {
        $seconds = min(self::LONGEST_PAUSE, self::FIRST_PAUSE * 2 ** $this->failures++);
        $this->pauseUntil = self::clock() + $seconds * random_int(500, 1000) / 1000;
        Log::once('waiting', "events wait for the server at $dsn->host:$dsn->port: $why");
    }
}
