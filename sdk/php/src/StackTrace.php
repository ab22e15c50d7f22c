<?php

declare(strict_types=1);

namespace Obs;

/** Builds stack traces, most recent call first, with source lines and without arguments. */
final class StackTrace
{
    private const LIBRARY = '~(^|/)(vendor|node_modules|site-packages|dist-packages|gems|\.cargo/registry|rustc|pkg/mod)/'
        . '|^(/usr/(local|lib)/go[^/]*/src/|node:|internal/|<)~';
    private const MAX_FRAMES = 100, MAX_WITH_SOURCE = 10, MAX_CACHED = 200;
    private const LINES_AROUND = 3, MAX_LINE_LENGTH = 200, MAX_FILE_BYTES = 1 << 20;

    /** @var array<string, array> source lines by "file:line" */
    private static array $cache = [];

    public static function fromThrowable(\Throwable $thrown, bool $withSource): array
    {
        [$file, $line, $trace] = [$thrown->getFile(), $thrown->getLine(), $thrown->getTrace()];
        $own = []; // The SDK's own frames: it creates the exception for errors and for values that are not exceptions.
        $isOwn = static fn (array $entry) => \in_array($entry['class'] ?? '', [Handlers::class, Client::class, Event::class], true);
        while ($trace && ($isOwn($trace[0]) || ($own && !isset($own['file'])))) {
            $own = array_shift($trace); // Without a file, an internal function of PHP called the SDK.
        }
        [$file, $line] = \dirname($file) === __DIR__ ? [$own['file'] ?? '', $own['line'] ?? 0] : [$file, $line];
        // An exception thrown by an internal function has the line of the caller, so its own frame is removed.
        while ($trace && self::isInternal($trace[0]) && [$trace[0]['file'] ?? $file, $trace[0]['line'] ?? $line] === [$file, $line]) {
            array_shift($trace);
        }
        $frames = self::frames($file, $line, $trace, $withSource ? self::MAX_WITH_SOURCE : 0);
        $isFatal = ($own['function'] ?? '') === 'onEnd'; // PHP does not report the function of a fatal error.
        return $isFatal ? [['function' => ''] + $frames[0]] : $frames;
    }

    /** An entry of $trace has a function and the line that called it; a frame has the line within the function. */
    private static function frames(string $file, int $line, array $trace, int $withSource): array
    {
        $frames = [];
        self::$cache = \array_slice(self::$cache, -self::MAX_CACHED);
        foreach ([...\array_slice($trace, 0, self::MAX_FRAMES - 1), []] as $entry) {
            $class = explode("\0", $entry['class'] ?? '')[0]; // The name of an anonymous class has a NUL and its path at the end.
            $function = preg_replace('/\{closure.*\}/s', '{closure}', $entry['function'] ?? '{main}');
            $inApp = $file !== '' && !self::isLibrary($file);
            $frames[] = ['filename' => $file ?: '[internal]', 'function' => $class . ($entry['type'] ?? '') . $function]
                + ($line > 0 ? ['lineno' => $line] : []) + ['in_app' => $inApp]
                + ($inApp && $withSource-- > 0 ? self::$cache["$file:$line"] ??= self::source($file, $line) : []);
            [$file, $line] = [$entry['file'] ?? '', $entry['line'] ?? 0];
        }
        return $frames;
    }

    /** Whether a path belongs to a library or to a language: tests/library-paths.json has examples. */
    public static function isLibrary(string $path): bool
    {
        return preg_match(self::LIBRARY, strtr($path, '\\', '/')) === 1;
    }

    private static function isInternal(array $entry): bool
    {
        ['class' => $class, 'function' => $function] = $entry + ['class' => null];
        try {
            return ($class ? new \ReflectionMethod($class, $function) : new \ReflectionFunction($function))->isInternal();
        } catch (\ReflectionException) {
            // Otherwise it is a closure, or a method handled by __call().
            return preg_match('/^(include|require)(_once)?$/D', $function) === 1;
        }
    }

    private static function source(string $file, int $line): array
    {
        // A stream wrapper may run code of the application.
        $open = static fn () => is_file($file) && filesize($file) <= self::MAX_FILE_BYTES ? fopen($file, 'r') : false;
        if (str_contains($file, '://') || !($stream = Log::silently($open))) {
            return [];
        }
        $lines = []; // Not file(), which could exhaust the memory.
        for ($number = 1; $number <= $line + self::LINES_AROUND && ($text = fgets($stream)) !== false; $number++) {
            if ($number >= $line - self::LINES_AROUND) {
                $lines[] = Json::truncate(rtrim($text, "\r\n"), self::MAX_LINE_LENGTH);
            }
        }
        $at = min($line - 1, self::LINES_AROUND);
        return isset($lines[$at]) ? ['pre_context' => \array_slice($lines, 0, $at), 'context_line' => $lines[$at],
            'post_context' => \array_slice($lines, $at + 1)] : [];
    }
}
