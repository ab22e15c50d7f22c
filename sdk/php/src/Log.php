<?php

declare(strict_types=1);

namespace Obs;

/** Writes the SDK's own problems to PHP's error log, never with the key or data of an event. */
final class Log
{
    /** @var array<string, true> the kinds of problem that were logged and not cleared */
    private static array $logged = [];

    private static int $silenced = 0;

    /** Logs a kind of problem once, until it is cleared. */
    public static function once(string $kind, string $line): void
    {
        isset(self::$logged[$kind]) || !\function_exists('error_log') || error_log('obs: ' . preg_replace('/[[:cntrl:]]+/', ' ', $line));
        self::$logged[$kind] = true;
    }

    public static function clear(string $kind): void
    {
        unset(self::$logged[$kind]);
    }

    /** Calls $run and hides its warnings from the application's error handler and error_get_last(). */
    public static function silently(callable $run): mixed
    {
        set_error_handler(static fn () => true);
        self::$silenced++;
        try {
            return $run();
        } finally {
            self::$silenced--;
            restore_error_handler();
        }
    }

    /** Restores error handlers after exit() or a fatal error, which skip `finally` blocks. */
    public static function restoreHandlers(): void
    {
        for (; self::$silenced > 0; self::$silenced--) {
            restore_error_handler();
        }
    }
}
