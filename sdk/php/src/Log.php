<?php // The SDK's own trouble: one line in PHP's error log (on the command line: standard error), never a key, never a payload.

declare(strict_types=1);

namespace Obs;

final class Log
{
    /** @var array<string, true> the kinds of trouble that were told and have not passed */
    private static array $told = [];

    private static int $silenced = 0;

    /** Tells of a kind of trouble once, until that kind has passed. */
    public static function once(string $kind, string $line): void
    {
        isset(self::$told[$kind]) || !\function_exists('error_log') || error_log('obs: ' . preg_replace('/[[:cntrl:]]+/', ' ', $line));
        self::$told[$kind] = true;
    }

    public static function passed(string $kind): void
    {
        unset(self::$told[$kind]);
    }

    /** Runs what may cause warnings that are not the host's: neither its error handler nor error_get_last() sees them. */
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

    /** After exit() or a fatal error, which run no `finally`. */
    public static function restart(): void
    {
        for (; self::$silenced > 0; self::$silenced--) {
            restore_error_handler();
        }
    }
}
