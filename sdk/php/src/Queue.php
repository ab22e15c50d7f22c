<?php

declare(strict_types=1);

namespace Obs;

/** The encoded events that wait to be sent: limits, repeats of the same error, and retries. */
final class Queue
{
    private const MAX_BYTES = 8 << 20;
    private const REPEATS_WINDOW = 60.0, MAX_REPEATS = 100, MAX_ERRORS = 1000, MAX_SUPPRESSED = 1_000_000;
    private const FIRST_PAUSE = 0.1, MAX_PAUSE = 10.0;

    /** Whether an event was lost since the last flush. */
    public bool $hasLost = false;

    /** @var array<string, array{connection: Connection, json: string, at: float, suppressed: int}> */
    private array $waiting = [];
    /** @var array{connection: Connection, json: string, at: float, suppressed: int}|null the event to send next */
    private ?array $next = null;
    private int $bytes = 0;
    /** @var array<string, int> how often each error was captured until $windowEnd */
    private array $repeats = [];
    private float $windowEnd = 0.0;
    private bool $isSending = false; // Then an error handler hides warnings from the application's.
    private int $failures = 0;
    private float $pauseUntil = 0.0;

    public static function clock(): float
    {
        return hrtime(true) / 1e9;
    }

    public function isEmpty(): bool
    {
        return !$this->next && !$this->waiting;
    }

    /**
     * Adds an event. Of an error that repeats too often, only the latest event waits, with the number of the others.
     *
     * @param string $error what repeats of it have in common
     * @return bool false if the event will not be sent under its own id
     */
    public function push(Connection $connection, string $id, string $error, string $json): bool
    {
        $at = self::clock();
        if ($at >= $this->windowEnd || \count($this->repeats) >= self::MAX_ERRORS) {
            [$this->windowEnd, $this->repeats] = [$at + self::REPEATS_WINDOW, []];
        }
        $this->repeats[$error] = ($this->repeats[$error] ?? 0) + 1;
        $isRepeat = $this->repeats[$error] > self::MAX_REPEATS;
        $key = $isRepeat ? $error : $id;
        $replaced = $this->waiting[$key] ?? ['json' => '', 'suppressed' => -1];
        $bytes = $this->bytes + \strlen($json) - \strlen($replaced['json']);
        if ($bytes > self::MAX_BYTES) {
            $this->hasLost = true;
            Log::warn('the queue is full; events are dropped');
            return false;
        }
        $this->bytes = $bytes;
        $suppressed = min($replaced['suppressed'] + 1, self::MAX_SUPPRESSED);
        $this->waiting[$key] = compact('connection', 'json', 'at', 'suppressed');
        return !$isRepeat;
    }

    /** Cleans up after exit() or a fatal error, which skip `finally` blocks, and ends the pause: a last chance. */
    public function prepareForEnd(): void
    {
        $this->isSending && restore_error_handler();
        $this->isSending = false;
        $this->failures = 0;
        $this->pauseUntil = 0.0;
    }

    /**
     * Sends the events one after the other. It does not wait for a retry that is due after the timeout.
     *
     * @param float $patience seconds for each event; it gives up with the first that is not accepted
     * @return bool true if all were accepted and none was lost since the last flush
     */
    public function flush(float $timeout, float $patience = \INF): bool
    {
        if ($this->isSending) {
            return false; // Called by a signal handler during a flush.
        }
        $deadline = self::clock() + $timeout;
        set_error_handler(static fn (int $severity, string $message, string $file) => \dirname($file) === __DIR__);
        $this->isSending = true;
        try {
            $isAccepted = true;
            while (($isAccepted || $patience === \INF) && max(self::clock(), $this->pauseUntil) < $deadline) {
                $this->next ??= array_shift($this->waiting);
                if (!$this->next) {
                    break;
                }
                usleep((int) max(0, 1e6 * ($this->pauseUntil - self::clock())));
                $isAccepted = $this->sendNext(min($deadline, self::clock() + $patience));
            }
        } finally {
            $this->isSending = false;
            restore_error_handler();
        }
        [$hasLost, $this->hasLost] = [$this->hasLost, false];
        return $this->isEmpty() && !$hasLost;
    }

    /** Returns false if the event has to be sent again. */
    private function sendNext(float $deadline): bool
    {
        ['connection' => $connection, 'json' => $json, 'at' => $at, 'suppressed' => $suppressed] = $this->next;
        $json = $suppressed > 0 ? substr($json, 0, -1) . ",\"suppressed\":$suppressed}" : $json;
        try {
            [$status, $reason, $retryAfter] = $connection->post($json, self::clock() - $at, $deadline);
        } catch (\Error $error) { // Such as a disabled function: a retry would not help.
            [$status, $reason] = [-1, $error->getMessage()];
        }
        $reason = str_replace($connection->dsn->key, '***', $reason);
        if (\in_array($status, [0, 408, 429], true) || $status >= 500) {
            $pause = min(self::MAX_PAUSE, self::FIRST_PAUSE * 2 ** $this->failures) * random_int(500, 1000) / 1000;
            if ($this->failures++ > 0 || $status > 0) { // Else again at once: an idle connection may have been closed.
                $this->pauseUntil = self::clock() + max($pause, $retryAfter);
                Log::warn("cannot send events to {$connection->dsn->authority}, will retry: " . ($reason ?: $status));
            }
            return false;
        }
        $this->bytes -= \strlen($this->next['json']);
        $this->next = null;
        $this->failures = 0;
        if ($status !== 200 && $status !== 201) {
            $this->hasLost = true;
            $problem = $status < 0 ? 'failed to send an event:' : "the server rejected an event: $status";
            Log::warn(rtrim("$problem $reason"));
        }
        return true;
    }
}
