<?php // The SDK's own trouble: one line in PHP's error log (on the command line: standard error), never a key, never a payload.

declare(strict_types=1);

namespace Obs;

final class Log
{
    /** @var array<string, true> the kinds of trouble that were told and have not passed */
    private static array $told = [];

    /** Tells of a kind of trouble once, until that kind has passed. */
    public static function once(string $kind, string $line): void
    {
        isset(self::$told[$kind]) || error_log('obs: ' . preg_replace('/[[:cntrl:]]+/', ' ', $line));
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
        try {
            return $run();
        } finally {
            restore_error_handler();
        }
    }
}
