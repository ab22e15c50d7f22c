<?php

declare(strict_types=1);

namespace Obs;

/**
 * Sends the events when the script ends: before the shutdown functions that are registered later, because one that
 * exhausts the memory ends everything; after them; and with the destructors.
 *
 * After a fatal error in a shutdown function, PHP runs no destructors, but it still frees the objects that only a
 * global variable holds. One of them is ours: it closes a stream, and that calls the stream's filter.
 */
final class Ending extends \php_user_filter
{
    private const RESERVED_MEMORY = 512 << 10;
    /** How long a response may wait for all events but the last, and for one; in seconds. */
    private const MAX_DELAY = 0.75, MAX_DELAY_BY_ONE = 0.25;
    private const FINISH = ['session_write_close', 'fastcgi_finish_request', 'litespeed_finish_request'];

    /** @var \Closure(): array{Queue, int|float} */
    private static \Closure $prepare;
    private static ?string $reservedMemory = null; // Freed at the end, for a script that has run out of memory.
    private static ?bool $isLast = null; // Null until the script ends, true after the shutdown functions.
    private static float $spent = 0.0; // Of shutdown_timeout.
    private static ?self $last = null;

    /** @param \Closure(): array{Queue, int|float} $prepare returns the queue and shutdown_timeout */
    public static function watch(\Closure $prepare): void
    {
        self::$prepare = $prepare;
        self::$reservedMemory ??= str_repeat('x', self::RESERVED_MEMORY);
        register_shutdown_function(self::reach(...), false);
        stream_filter_register('obs.ending', self::class);
        stream_filter_append($stream = fopen('php://memory', 'r') ?: throw new \Error('no php://memory'), 'obs.ending');
        $GLOBALS['obs/sdk'] = static fn () => $stream; // Not serialisable: PHPUnit copies other global variables.
    }

    private static function reach(bool $isLast): void
    {
        self::$reservedMemory = null;
        self::$isLast = $isLast;
        $isLast || register_shutdown_function(self::reach(...), true);
        (self::$prepare)()[0]->prepareForEnd();
        Handlers::captureLastError();
        self::send();
    }

    /** After a capture and at the end, when each event may be the last. */
    public static function send(): void
    {
        [$queue, $timeout] = (self::$prepare)();
        if (self::$isLast === null) {
            $queue->sendEarly();
            return;
        }
        $started = Queue::clock();
        $isLast = \PHP_SAPI === 'cli' || self::$isLast;
        // The response and the session lock first, so that no visitor waits for the SDK.
        $finish = \PHP_SAPI === 'cli' || !$isLast || $queue->send(0.0) ? [] : self::FINISH;
        array_map('call_user_func', array_filter($finish, 'function_exists'));
        $timeout = ($isLast ? $timeout : min($timeout, self::MAX_DELAY)) - self::$spent;
        $queue->send($timeout, $isLast ? \INF : self::MAX_DELAY_BY_ONE);
        self::$spent += Queue::clock() - $started;
    }

    public function onClose(): void
    {
        self::reach(true);
        self::$last = new self();
    }

    /** The destructor of an object that is created while destructors run comes after theirs. */
    public function __destruct()
    {
        $this === self::$last && Handlers::endOutput();
    }
}
