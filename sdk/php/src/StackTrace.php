<?php

declare(strict_types=1);

namespace Obs;

/** Builds stack traces, most recent call first, with source lines and without arguments. */
final class StackTrace
{
    private const LIBRARY = '~(^|/)(vendor|node_modules|(site|dist)-packages|gems|\.cargo/registry|rustc|pkg/mod)/'
        . '|^(/usr/(local|lib)/go[^/]*/src/|node:|internal/|<)~';
    private const OWN = [Handlers::class, Client::class, Event::class];
    private const MAX_FRAMES = 100, MAX_WITH_SOURCE = 10, MAX_CACHED = 200;
    private const LINES_AROUND = 3, MAX_LINE_LENGTH = 200, MAX_FILE_BYTES = 1 << 20;

    /** @var array<string, array<string, mixed>> source lines by "file:line" */
    private static array $cache = [];

    /** @return list<array<string, mixed>> */
    public static function fromThrowable(\Throwable $thrown, bool $withSource): array
    {
        /** @var list<mixed[]> $trace */
        [$file, $line, $trace] = [$thrown->getFile(), $thrown->getLine(), $thrown->getTrace()];
        $own = []; // The SDK's own frames: it creates the exception for errors and for values that are not exceptions.
        while ($trace && (\in_array($trace[0]['class'] ?? '', self::OWN, true) || ($own && !isset($own['file'])))) {
            $own = array_shift($trace); // Without a file, an internal function of PHP called the SDK.
        }
        [$file, $line] = \dirname($file) === __DIR__ ? [$own['file'] ?? '', $own['line'] ?? 0] : [$file, $line];
        // An exception from an internal function, such as intdiv(), has the place of the call: no frame of its own.
        if ([$trace[0]['file'] ?? '', $trace[0]['line'] ?? 0] === [$file, $line]) {
            array_shift($trace);
        }
        $frames = self::frames($file, $line, $trace, $withSource ? self::MAX_WITH_SOURCE : 0);
        $isFatal = ($own['function'] ?? '') === 'captureLastError'; // PHP does not report the function of those.
        return $isFatal ? [['function' => ''] + $frames[0]] : $frames;
    }

    /**
     * An entry of $trace has a function and the line that called it; a frame has the line within the function.
     *
     * @param list<mixed[]> $trace
     * @return list<array<string, mixed>>
     */
    private static function frames(string $file, int $line, array $trace, int $withSource): array
    {
        $frames = [];
        self::$cache = \array_slice(self::$cache, -self::MAX_CACHED);
        /** @var array{function?: string, class?: string, type?: string, file?: string, line?: int} $entry */
        foreach ([...\array_slice($trace, 0, self::MAX_FRAMES - 1), []] as $entry) {
            $class = explode("\0", $entry['class'] ?? '')[0]; // In an anonymous class's name, its path follows a NUL.
            $function = (string) preg_replace('/\{closure.*\}/s', '{closure}', $entry['function'] ?? '{main}');
            $inApp = $file !== '' && !self::isLibrary($file);
            $frames[] = ['filename' => $file ?: '[internal]', 'function' => $class . ($entry['type'] ?? '') . $function]
                + ($line > 0 ? ['lineno' => $line] : [])
                + ['in_app' => $inApp]
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

    /** @return array<string, mixed> */
    private static function source(string $file, int $line): array
    {
        // A stream wrapper may run code of the application.
        if (str_contains($file, '://') || !is_readable($file) || (int) filesize($file) > self::MAX_FILE_BYTES) {
            return [];
        }
        $before = min($line - 1, self::LINES_AROUND);
        // Not file(), which could exhaust the memory.
        /** @var \LimitIterator<int, string, \SplFileObject> $lines */
        $lines = new \LimitIterator(new \SplFileObject($file), $line - 1 - $before, $before + 1 + self::LINES_AROUND);
        $shorten = static fn (string $text) => Json::truncate(rtrim($text, "\r\n"), self::MAX_LINE_LENGTH);
        $lines = array_map($shorten, array_diff(iterator_to_array($lines, false), ['']));
        $before = array_splice($lines, 0, $before);
        return ['pre_context' => $before, 'context_line' => array_shift($lines) ?? '', 'post_context' => $lines];
    }
}
