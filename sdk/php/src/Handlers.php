<?php

declare(strict_types=1);

namespace Obs;

/** The exception and error handlers of capture_unhandled, which also call the previous handlers. */
final class Handlers
{
    private const FATAL = \E_ERROR | \E_PARSE | \E_CORE_ERROR | \E_COMPILE_ERROR;

    /** @var array{?callable, ?callable}|null the previous exception and error handlers; null until ours are registered */
    private static ?array $previous = null;
    private static bool $isEnabled = false;
    private static bool $sawUncaught = false;

    public static function setEnabled(bool $isEnabled): void
    {
        self::$isEnabled = $isEnabled;
        if ($isEnabled && !self::$previous) {
            self::$previous = [set_exception_handler(self::onException(...)), set_error_handler(self::onError(...))];
        }
    }

    public static function onException(\Throwable $thrown): void
    {
        self::$sawUncaught = true;
        self::capture($thrown, 'error');
        if (!self::$previous[0]) {
            throw $thrown; // From a handler, this makes PHP print its usual output and exit with status 255.
        }
        (self::$previous[0])($thrown);
    }

    public static function onError(int $severity, string $message, string $file = '', int $line = 0): mixed
    {
        // First, because it may throw: then only the exception is captured.
        $result = self::$previous[1] ? (self::$previous[1])($severity, $message, $file, $line) : false;
        if (error_reporting() & $severity) { // False if silenced with @.
            self::capture(new \ErrorException($message, 0, $severity, $file, $line), match ($severity) {
                \E_WARNING, \E_USER_WARNING => 'warning',
                \E_USER_ERROR, \E_RECOVERABLE_ERROR => 'error',
                default => 'info',
            });
        }
        return $result;
    }

    /** Returns whether a fatal error ended the script, other than an uncaught exception, which PHP also reports as one. */
    public static function wasFatal(): bool
    {
        $error = error_get_last();
        $isEnding = $error && ($error['type'] & (self::FATAL | \E_USER_ERROR | \E_RECOVERABLE_ERROR));
        return $isEnding && !str_starts_with($error['message'], 'Uncaught ');
    }

    /** Captures the fatal error that ended the script, if any. onException has already captured an uncaught exception. */
    public static function onShutdown(): void
    {
        $error = error_get_last();
        if (!self::$sawUncaught && $error && ($error['type'] & self::FATAL)) {
            self::capture(new \ErrorException($error['message'], 0, $error['type'], $error['file'], $error['line']), 'error');
        }
    }

    private static function capture(\Throwable $thrown, string $level): void
    {
        self::$isEnabled && Client::captureException($thrown, ['level' => $level]);
    }
}
