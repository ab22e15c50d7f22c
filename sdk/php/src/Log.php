<?php

declare(strict_types=1);

namespace Obs;

/** Writes the SDK's own problems to PHP's error log, never with the key or the data of an event. */
final class Log
{
    /** @var array<string, float> when each line was last written */
    private static array $written = [];

    /** Writes a line, but not again within a minute. */
    public static function warn(string $line): void
    {
        $now = Queue::clock();
        if (\function_exists('error_log') && $now - (self::$written[$line] ?? -\INF) >= 60.0) {
            self::$written[$line] = $now;
            error_log('obs: ' . (string) preg_replace('/[[:cntrl:]]+/', ' ', $line));
        }
    }
}
