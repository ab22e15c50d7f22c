<?php

declare(strict_types=1);

namespace Obs;

/** Builds events, and keeps them within the server's limits. */
final class Event
{
    private const MAX_BYTES = 1_000_000, MAX_MESSAGE = 8192, MAX_TEXT = 200, MAX_CAUSES = 20;

    /** Returns the type, message, stack trace and causes of a captured value. */
    public static function fromThrown(mixed $thrown, bool $withSource): array
    {
        if (!$thrown instanceof \Throwable) {
            return ['type' => get_debug_type($thrown), 'message' => self::text($thrown),
                'stacktrace' => StackTrace::fromThrowable(new \Exception(), $withSource)];
        }
        $chain = [];
        while ($thrown && !isset($chain[$id = spl_object_id($thrown)]) && \count($chain) <= self::MAX_CAUSES) {
            // The message may be of any type, for which getMessage() raises a warning.
            $message = self::text((new \ReflectionProperty($thrown, 'message'))->getValue($thrown));
            // PHP's own report of an uncaught exception has the traces of it and its causes as text, with arguments.
            $place = preg_quote(" in {$thrown->getFile()}:{$thrown->getLine()}\nStack trace:\n", '/');
            preg_match("/^Uncaught (?:.*\n\nNext )?([^:\s]+)(?:: (.*?))?$place/s", $message, $report);
            // The name of an anonymous class has a NUL and its path at the end.
            $chain[$id] = ['type' => $report[1] ?? explode("\0", $thrown::class)[0], 'message' => $report ? $report[2] ?? '' : $message,
                'stacktrace' => StackTrace::fromThrowable($thrown, $withSource)];
            $thrown = $thrown->getPrevious();
        }
        return array_shift($chain) + ['causes' => $chain];
    }

    /** Returns strings and stringable objects as text, everything else as JSON. */
    public static function text(mixed $value): string
    {
        $json = Json::encode($value, 6 * self::MAX_MESSAGE + 2, self::MAX_MESSAGE) ?? '"[too large]"';
        return $json[0] === '"' ? json_decode($json) : $json;
    }

    /** Generates a version 7 UUID: the time in milliseconds, then random bits. */
    public static function id(): string
    {
        $hex = sprintf('%012x', (int) (microtime(true) * 1000)) . bin2hex(random_bytes(10));
        $hex[12] = '7';
        $hex[16] = '89ab'[hexdec($hex[16]) & 3];
        return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split($hex, 4));
    }

    /** Truncates strings and removes empty fields. */
    public static function normalize(array $event): array
    {
        foreach ($event as $field => $value) {
            $maxCharacters = $field === 'message' ? self::MAX_MESSAGE : self::MAX_TEXT;
            $event[$field] = \is_string($value) && $field !== 'extra' ? Json::truncate($value, $maxCharacters) : $value;
        }
        $isEmpty = trim($event['message'] ?? '') === '' && ($event['type'] ?? '') === ''; // The server rejects such events.
        $isEmpty && $event['message'] = '(empty message)';
        return array_filter($event, static fn ($value) => $value !== null && $value !== '' && $value !== []);
    }

    /** Returns what repeats of an event have in common: type, message and top frame. */
    public static function identity(array $event): string
    {
        $top = array_intersect_key((array) ($event['stacktrace'][0] ?? []), ['function' => 0, 'filename' => 0, 'lineno' => 0]);
        return md5(serialize([$event['type'] ?? '', $event['message'] ?? '', $top]));
    }

    /** Encodes an event as JSON of at most MAX_BYTES. Removes the least useful data first if it is too large. */
    public static function encode(array $event): string
    {
        $maxBytes = self::MAX_BYTES - 100;
        $small = array_diff_key($event, ['extra' => 0]);
        $json = Json::encode($small, $maxBytes)
            ?? Json::encode(['causes' => [], 'stacktrace' => \array_slice($event['stacktrace'] ?? [], 0, 20)] + $small, $maxBytes)
            ?? throw new \LengthException();
        $room = self::MAX_BYTES - \strlen($json) - 10;
        $extra = Json::encode($event['extra'] ?? null, $room) ?? Json::encode($event['extra'], $room, self::MAX_MESSAGE)
            ?? "{\"obs\":\"extra omitted: over $room bytes\"}";
        return isset($event['extra']) ? substr($json, 0, -1) . ",\"extra\":$extra}" : $json;
    }
}
