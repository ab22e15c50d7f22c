<?php

declare(strict_types=1);

namespace Obs;

/** Captures what nothing catches. The application's own exception and error handlers still run: ours call them. */
final class Handlers
{
    private const FATAL = \E_ERROR | \E_PARSE | \E_CORE_ERROR | \E_COMPILE_ERROR | \E_USER_ERROR | \E_RECOVERABLE_ERROR;

    public static bool $isEnabled = false;
    public static ?\Throwable $last = null; // That was captured.
    private static ?\ErrorException $pending = null; // While the application's error handler runs.

    /** @param callable|null $previous */
    private function __construct(private readonly mixed $previous)
    {
    }

    /**
     * Replaces the application's handlers, which ours then call. Frameworks set theirs after init, so each class that
     * is loaded is an occasion to look. An error handler alone may be a temporary one, so it is left in place.
     */
    public static function takePlace(): void
    {
        self::$isEnabled
            && self::replace(set_exception_handler(...), restore_exception_handler(...), 'onException')
            && self::replace(set_error_handler(...), restore_error_handler(...), 'onError')
            && spl_autoload_register([self::class, 'takePlace'], true, true); // A second time, this does nothing.
    }

    /** @param \Closure(): bool $restore */
    private static function replace(\Closure $set, \Closure $restore, string $method): bool
    {
        $current = $set(null);
        $restore();
        if (\is_array($current) && $current[0] instanceof self) {
            return false;
        }
        $caller = \array_slice(debug_backtrace(), -1)[0];
        if (!isset($caller['file']) && ($caller['args'][0] ?? null) instanceof \Throwable) {
            self::capture($caller['args'][0], \E_ERROR); // PHP has called the application's handler: it loads a class.
            return false;
        }
        $restore();
        $set([new self($current), $method]);
        return true;
    }

    public function onException(\Throwable $thrown): void
    {
        self::capture($thrown, \E_ERROR);
        try {
            // From a handler, an exception makes PHP print its usual output and exit with status 255.
            $this->previous ? ($this->previous)($thrown) : throw $thrown;
        } catch (\Throwable $other) {
            self::capture($other, \E_ERROR);
            throw $other;
        }
    }

    public function onError(int $severity, string $message, string $file = '', int $line = 0): mixed
    {
        // The previous handler first, because it may throw: then only the exception is captured.
        $isOurs = (error_reporting() & $severity) && !self::$pending; // Not silenced with @, nor in another of ours.
        $error = $isOurs ? self::$pending = new \ErrorException($message, 0, $severity, $file, $line) : null;
        try {
            $result = $this->previous ? ($this->previous)($severity, $message, $file, $line) : false;
        } finally {
            self::$pending = $error ? null : self::$pending;
        }
        $error && self::capture($error, $severity, $result !== false);
        return $result;
    }

    /** Captures the error that ended the script, unless it was captured already. */
    public static function captureLastError(): void
    {
        [$pending, self::$pending] = [self::$pending, null];
        $pending && self::capture($pending, $pending->getSeverity()); // The application's error handler called exit().
        $error = error_get_last() ?? ['type' => 0, 'message' => '', 'file' => '', 'line' => 0];
        ['type' => $type, 'message' => $message, 'file' => $file, 'line' => $line] = $error;
        $isLast = ($last = self::$last) && [$file, $line] === [$last->getFile(), $last->getLine()];
        // A warning may come from the same line.
        if (($type & self::FATAL) && !($isLast && str_contains($message, $last->getMessage()))) {
            self::capture(new \ErrorException($message, 0, $type, $file, $line), $type);
        }
    }

    /** Ends the output buffers, as PHP would do next, to capture what a callback throws. */
    public static function endOutput(): void
    {
        try {
            while (self::$isEnabled && ob_get_level() && (ob_get_status()['flags'] & \PHP_OUTPUT_HANDLER_REMOVABLE)) {
                ob_end_flush();
            }
        } catch (\Throwable $thrown) {
            (new self(null))->onException($thrown);
        }
    }

    private static function capture(\Throwable $thrown, int $severity, bool $isAccepted = false): void
    {
        $isFatal = (bool) ($severity & self::FATAL);
        $isUnhandled = $isFatal && !$isAccepted;
        self::$last = $isUnhandled ? $thrown : self::$last;
        $level = $isFatal ? 'error' : ($severity & (\E_WARNING | \E_USER_WARNING) ? 'warning' : 'info');
        self::$isEnabled && Client::captureException($thrown, ['level' => $level, 'handled' => !$isUnhandled]);
    }
}
