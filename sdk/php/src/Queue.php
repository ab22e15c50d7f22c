<?php

declare(strict_types=1);

namespace Obs;

/** The encoded events that wait to be sent: limits, repeats of the same error, and retries. */
final class Queue
{
    private const REPEATS_WINDOW = 60.0, MAX_REPEATS = 100, MAX_ERRORS = 1000, MAX_SUPPRESSED = 1_000_000;
    private const MAX_BYTES = 8 << 20, FIRST_PAUSE = 0.1, MAX_PAUSE = 10.0;
    /** While the program runs: what waits longer, or is more, is sent; in at most this share of the time; in seconds. */
    private const MAX_AGE = 1.0, MAX_COUNT = 10, SHARE = 0.1, MIN_CREDIT = 0.5, MAX_CREDIT = 1.0;

    /** Whether an event was lost since the last flush. */
    public bool $hasLost = false;

    /** @var array<string, array{connection: Connection, json: string, at: float, suppressed: int}> oldest first */
    private array $waiting = [];
    private int $bytes = 0;
    /** @var array<string, int> how often each error was captured until $windowEnd */
    private array $repeats = [];
    private float $windowEnd = 0.0;
    private bool $isSending = false; // Then an error handler hides warnings from the application's.
    private int $failures = 0;
    private float $pauseUntil = 0.0;
    private float $credit = self::MAX_CREDIT; // How long sending may take while the program runs, as of $creditedAt.
    private float $creditedAt = 0.0;

    public static function clock(): float
    {
        return hrtime(true) / 1e9;
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
        unset($this->waiting[$key]); // To the end.
        $this->waiting[$key] = compact('connection', 'json', 'at', 'suppressed');
        return !$isRepeat;
    }

    /** Cleans up after exit() or a fatal error, which skip `finally` blocks, and ends the pause: a last chance. */
    public function prepareForEnd(): void
    {
        $this->isSending && restore_error_handler();
        [$this->isSending, $this->failures, $this->pauseUntil] = [false, 0, 0.0];
    }

    /** Sends while the program runs, so that one that is killed loses little. After a failure it saves up more time. */
    public function sendEarly(): void
    {
        $now = self::clock();
        $this->credit = min(self::MAX_CREDIT, $this->credit + self::SHARE * ($now - $this->creditedAt));
        $this->creditedAt = $now;
        $oldest = reset($this->waiting) ?: ['at' => $now];
        $isDue = $now - $oldest['at'] >= self::MAX_AGE
            || (\PHP_SAPI === 'cli' && \count($this->waiting) >= self::MAX_COUNT); // Elsewhere, a visitor waits.
        $needed = $this->failures > 0 ? self::MAX_CREDIT : self::MIN_CREDIT;
        if ($isDue && $this->credit >= $needed && $now >= $this->pauseUntil) {
            $this->send($this->credit / 2, $this->credit / 2);
            $this->credit -= self::clock() - $now;
        }
    }

    /**
     * Sends the events one after the other. It does not wait for a retry that is due after the timeout.
     *
     * @param float $patience seconds for each event, the last of which may exceed the timeout by that; with this, it
     *     gives up at the first event that is not accepted
     * @return bool whether all are sent
     */
    public function send(float $timeout, float $patience = \INF): bool
    {
        $deadline = self::clock() + $timeout;
        $isAccepted = true;
        while (
            $this->waiting && !$this->isSending // A signal handler may call this during another call.
            && ($isAccepted || $patience === \INF) && max(self::clock(), $this->pauseUntil) < $deadline
        ) {
            $key = array_key_first($this->waiting);
            $isAccepted = $this->sendOne($key, $patience < \INF ? self::clock() + $patience : $deadline);
        }
        return !$this->waiting;
    }

    /** Returns false if the event has to be sent again. */
    private function sendOne(string $key, float $deadline): bool
    {
        $event = $this->waiting[$key];
        ['connection' => $connection, 'json' => $json, 'at' => $at, 'suppressed' => $suppressed] = $event;
        $json = $suppressed > 0 ? substr($json, 0, -1) . ",\"suppressed\":$suppressed}" : $json;
        $this->isSending = true;
        try {
            set_error_handler(static fn (int $severity, string $message, string $file) => \dirname($file) === __DIR__);
            usleep(max(0, (int) (1e6 * ($this->pauseUntil - self::clock()))));
            [$status, $reason, $retryAfter] = $connection->post($json, self::clock() - $at, $deadline);
        } catch (\Error $error) { // Such as a disabled function: a retry would not help.
            [$status, $reason, $retryAfter] = [-1, $error->getMessage(), 0];
        } finally {
            restore_error_handler();
            $this->isSending = false;
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
        if ($this->waiting[$key] === $event) { // Not replaced by a signal handler's.
            $this->bytes -= \strlen($event['json']);
            unset($this->waiting[$key]);
        }
        $this->failures = 0;
        if ($status !== 200 && $status !== 201) {
            $this->hasLost = true;
            $problem = $status < 0 ? 'failed to send an event:' : "the server rejected an event: $status";
            Log::warn(rtrim("$problem $reason"));
        }
        return true;
    }
}
