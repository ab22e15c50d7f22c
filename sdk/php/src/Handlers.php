<?php // What nobody catches: uncaught exceptions, PHP's warnings and notices, and fatal errors. What was there before still runs.

declare(strict_types=1);

namespace Obs;

final class Handlers
{
    private const FATAL = \E_ERROR | \E_PARSE | \E_CORE_ERROR | \E_COMPILE_ERROR;

    /** @var array{?callable, ?callable}|null what was there before for exceptions and for errors; null while we are not there */
    private static ?array $previous = null;
    private static bool $isOn = false;
    private static bool $sawUncaught = false;

    public static function turn(bool $on): void
    {
        self::$isOn = $on;
        if ($on && !self::$previous) {
            self::$previous = [set_exception_handler(self::onException(...)), set_error_handler(self::onError(...))];
        }
    }

    public static function onException(\Throwable $thrown): void
    {
        self::$sawUncaught = true;
        self::capture($thrown, 'error');
        if (!self::$previous[0]) {
            throw $thrown; // Within a handler that means: PHP says what it always says, and ends with status 255.
        }
        (self::$previous[0])($thrown);
    }

    public static function onError(int $severity, string $message, string $file = '', int $line = 0): mixed
    {
        // First: if it throws, the exception is what there is to capture.
        $result = self::$previous[1] ? (self::$previous[1])($severity, $message, $file, $line) : false;
        if (error_reporting() & $severity) { // Not with an @ in front.
            self::capture(new \ErrorException($message, 0, $severity, $file, $line), match ($severity) {
                \E_WARNING, \E_USER_WARNING => 'warning',
                \E_USER_ERROR, \E_RECOVERABLE_ERROR => 'error',
                default => 'info',
            });
        }
        return $result;
    }

    /** Whether a fatal error has ended the script. PHP calls an uncaught exception one too, but that breaks nothing. */
    public static function wasFatal(): bool
    {
        $error = error_get_last();
        $isEnding = $error && ($error['type'] & (self::FATAL | \E_USER_ERROR | \E_RECOVERABLE_ERROR));
        return $isEnding && !str_starts_with($error['message'], 'Uncaught ');
    }

    /** At shutdown: what ended the script, if it was neither an exception that onException had nor a plain end. */
    public static function onShutdown(): void
    {
        $error = error_get_last();
        if (!self::$sawUncaught && $error && ($error['type'] & self::FATAL)) {
            self::capture(new \ErrorException($error['message'], 0, $error['type'], $error['file'], $error['line']), 'error');
        }
    }

    private static function capture(\Throwable $thrown, string $level): void
    {
        self::$isOn && Client::captureException($thrown, ['level' => $level]);
    }
}
