<?php

declare(strict_types=1);

namespace Obs;

/** The queue of encoded events: limits, order of sending, and retries. */
final class Transport
{
    private const MAX_EVENTS = 2048, MAX_BYTES = 8 << 20, MAX_ATTEMPTS = 10, FIRST_PAUSE = 0.1, MAX_PAUSE = 10.0;

    public bool $hasLost = false; // since the last flush

    /** @var list<array{Connection, string}> the first one may be in flight; the string is the time of capture, a space, and JSON */
    private array $queue = [];
    private int $bytes = 0, $dropped = 0;
    /** Sends the queue and yields whenever it would block: the deadline, the socket, and whether to wait for writing. */
    private ?\Generator $sending = null;
    private bool $isPumping = false;
    private int $failures = 0, $attempts = 0;
    /** When an event last left the queue; when to retry; and when the server asks for it, which applies to flush as well. */
    private float $shiftedAt = 0.0, $pauseUntil = 0.0, $retryAfter = 0.0;

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
        Log::clear('full');
        return true;
    }

    /**
     * Resets the state after exit() or a fatal error, which skip `finally` blocks. A suspended generator does not
     * survive a fatal error, so its event is sent again.
     */
    public function reset(bool $wasFatal): void
    {
        $this->isPumping = false;
        $this->sending = $wasFatal ? null : $this->sending;
    }

    /** Sends as much as possible without blocking. */
    public function pump(): void
    {
        if ($this->isPumping || !$this->queue) {
            return; // A signal handler may capture while the queue is being pumped.
        }
        $this->isPumping = true;
        try {
            $this->sending = $this->sending?->valid() ? $this->sending : $this->send();
            Log::silently($this->sending->next(...));
        } catch (\Throwable $error) { // Such as a disabled function: a retry would not help.
            $this->sending = null;
            $this->queue && $this->shift();
            $this->hasLost = true;
            Log::once('rejected', "failed to send an event: {$error->getMessage()}");
        } finally {
            $this->isPumping = false;
        }
    }

    /**
     * Returns true if all events were accepted in time and none was lost since the last flush. It gives up when it would
     * have to wait for a retry, or for longer than $maxStall seconds for the next event to be accepted.
     */
    public function flush(float $deadline, float $maxStall = \INF): bool
    {
        $this->failures = min($this->failures, 1);
        $this->pauseUntil = 0.0;
        $this->shiftedAt = self::clock();
        for ($this->pump(); $this->queue && ($now = self::clock()) < ($end = min($deadline, $this->shiftedAt + $maxStall)); $this->pump()) {
            [$until, $socket, $isWriting] = $this->sending?->current() ?? [0.0, null, false];
            if (!$socket && $maxStall < \INF) {
                break;
            }
            $microseconds = (int) max(1000, (min($until, $end) - $now) * 1e6);
            [$read, $write, $none] = [[$socket], $isWriting ? [$socket] : [], []];
            if (!$socket || Log::silently(static fn () => stream_select($read, $write, $none, 0, $microseconds)) === false) {
                usleep($socket ? 1000 : $microseconds); // Interrupted by a signal, or the descriptor is too high for select().
            }
        }
        $this->dropped > 0 && Log::once('full', "the queue was full; {$this->dropped} events were dropped");
        $this->dropped = 0;
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
                $this->handleResponse($connection->dsn, yield from $connection->post($json));
            } catch (\RuntimeException $failure) {
                // Retry the first failure at once: the server may have closed an idle connection, or pump() was not called in time.
                $this->failures > 0 ? $this->pause($connection->dsn, $failure->getMessage()) : $this->failures++;
            }
        }
    }

    private function handleResponse(Dsn $dsn, array $response): void
    {
        ['status' => $status, 'retryAfter' => $retryAfter, 'error' => $error] = $response;
        if (\in_array($status, [408, 429, 502, 503, 504], true) || ($status >= 500 && ++$this->attempts < self::MAX_ATTEMPTS)) {
            $this->retryAfter = self::clock() + $retryAfter;
            $this->pause($dsn, "HTTP status $status");
            return;
        }
        $this->shift();
        Log::clear('unreachable');
        $isAccepted = $status === 200 || $status === 201;
        $this->hasLost = $this->hasLost || !$isAccepted;
        $reason = rtrim("the server rejected an event: $status " . str_replace($dsn->key, '***', $error));
        $isAccepted ? Log::clear('rejected') : Log::once('rejected', $reason);
    }

    private function shift(): void
    {
        $this->bytes -= \strlen(array_shift($this->queue)[1]);
        $this->failures = $this->attempts = 0;
        $this->shiftedAt = self::clock();
    }

    private function pause(Dsn $dsn, string $reason): void
    {
        $seconds = min(self::MAX_PAUSE, self::FIRST_PAUSE * 2 ** $this->failures++);
        $this->pauseUntil = self::clock() + $seconds * random_int(500, 1000) / 1000;
        Log::once('unreachable', "cannot send events to $dsn->host:$dsn->port, will retry: $reason");
    }
}
