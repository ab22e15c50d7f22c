<?php // Frames of a stack trace, the most recent call first, with the lines of source around them; never with arguments.

declare(strict_types=1);

namespace Obs;

final class StackTrace
{
    private const MAX_FRAMES = 100;
    private const MAX_WITH_SOURCE = 10;
    private const LINES_AROUND = 3;
    private const MAX_LINE_LENGTH = 200;
    private const MAX_FILE_BYTES = 1 << 20;
    private const MAX_CACHED = 200;

    /** @var array<string, array> source lines by "file:line" */
    private static array $cache = [];

    public static function of(\Throwable $thrown, bool $withSource): array
    {
        [$file, $line, $trace] = [$thrown->getFile(), $thrown->getLine(), $thrown->getTrace()];
        $own = []; // We may have made this exception: of an error, or where something else than an exception was captured.
        $isOwn = static fn (array $entry) => \in_array($entry['class'] ?? '', [Handlers::class, Client::class, Event::class], true);
        while ($trace && ($isOwn($trace[0]) || ($own && !isset($own['file'])))) {
            $own = array_shift($trace); // Without a file: a function of PHP's called us, and that is not where the user's code is.
        }
        if (\dirname($file) === __DIR__) {
            [$file, $line] = [$own['file'] ?? '', $own['line'] ?? 0];
        }
        // What a function of PHP itself throws has the line of its caller, and must be in the caller's function too.
        while ($trace && self::isInternal($trace[0]) && [$trace[0]['file'] ?? $file, $trace[0]['line'] ?? $line] === [$file, $line]) {
            array_shift($trace);
        }
        $frames = self::frames($file, $line, $trace, $withSource ? self::MAX_WITH_SOURCE : 0);
        $isFatal = ($own['function'] ?? '') === 'onShutdown'; // Then PHP does not tell in which function it was.
        return $isFatal ? [['function' => ''] + $frames[0]] : $frames;
    }

    /** An entry of $trace names a function and where it was *called*; a frame names it and where it *was*: one entry earlier. */
    private static function frames(string $file, int $line, array $trace, int $withSource): array
    {
        $frames = [];
        self::$cache = \array_slice(self::$cache, -self::MAX_CACHED);
        foreach ([...\array_slice($trace, 0, self::MAX_FRAMES - 1), []] as $entry) {
            $class = explode("\0", $entry['class'] ?? '')[0]; // An anonymous class has its file's path behind a NUL.
            $function = preg_replace('/\{closure.*\}/s', '{closure}', $entry['function'] ?? '{main}');
            $inApp = $file !== '' && !str_contains(strtr($file, '\\', '/'), '/vendor/');
            $frames[] = ['filename' => $file ?: '[internal]', 'function' => $class . ($entry['type'] ?? '') . $function]
                + ($line > 0 ? ['lineno' => $line] : []) + ['in_app' => $inApp]
                + ($inApp && $withSource-- > 0 ? self::$cache["$file:$line"] ??= self::source($file, $line) : []);
            [$file, $line] = [$entry['file'] ?? '', $entry['line'] ?? 0];
        }
        return $frames;
    }

    private static function isInternal(array $entry): bool
    {
        try {
            return isset($entry['class'])
                ? (new \ReflectionMethod($entry['class'], $entry['function']))->isInternal()
                : (new \ReflectionFunction($entry['function']))->isInternal();
        } catch (\ReflectionException) {
            return preg_match('/^(include|require)(_once)?$/D', $entry['function']) === 1; // Else a closure, or what __call() answers.
        }
    }

    private static function source(string $file, int $line): array
    {
        // A path with a scheme may be answered by code of the application's.
        $open = static fn () => is_file($file) && filesize($file) <= self::MAX_FILE_BYTES ? fopen($file, 'r') : false;
        if (str_contains($file, '://') || !($stream = Log::silently($open))) {
            return [];
        }
        $lines = []; // Not file(): where the memory is exhausted, a whole file is too much.
        for ($number = 1; $number <= $line + self::LINES_AROUND && ($text = fgets($stream)) !== false; $number++) {
            if ($number >= $line - self::LINES_AROUND) {
                $lines[] = Json::cut(rtrim($text, "\r\n"), self::MAX_LINE_LENGTH);
            }
        }
        $at = min($line - 1, self::LINES_AROUND);
        return isset($lines[$at]) ? ['pre_context' => \array_slice($lines, 0, $at), 'context_line' => $lines[$at],
            'post_context' => \array_slice($lines, $at + 1)] : [];
    }
}
