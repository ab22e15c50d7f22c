<?php

declare(strict_types=1);

namespace Obs;

/**
 * Calls a function when the script ends: before the shutdown functions that are registered later, and with the
 * destructors. After a fatal error in a shutdown function, PHP runs no destructors, but it still frees the objects that
 * only a global variable holds. One of them is ours: it closes a stream, and that calls the stream's filter.
 */
final class Ending extends \php_user_filter
{
    private static \Closure $onEnd;
    private static ?self $last = null;
    private bool $isLast = false;

    public static function call(\Closure $onEnd): void
    {
        self::$onEnd = $onEnd;
        register_shutdown_function($onEnd, true);
        stream_filter_register('obs.ending', self::class);
        stream_filter_append($stream = fopen('php://memory', 'r'), 'obs.ending');
        $GLOBALS['obs/sdk'] = static fn () => $stream; // Not serialisable: PHPUnit copies other global variables.
    }

    public function onClose(): void
    {
        self::$last = new self();
        (self::$onEnd)();
    }

    /** The destructor of an object that is created during destructors runs after all others. */
    public function __destruct()
    {
        if ($this->isLast) {
            Handlers::endOutput();
        } elseif ($this === self::$last) {
            self::$last = new self();
            self::$last->isLast = true;
        }
    }
}
