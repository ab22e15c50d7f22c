<?php

declare(strict_types=1);

namespace Obs;

/** Builds events, and keeps them within the server's limits. */
final class Event
{
    private const MAX_BYTES = 1_000_000;
    private const MAX_MESSAGE = 8192;
    private const MAX_TEXT = 200;
    private const MAX_CAUSES = 20;

    /** Returns the type, message, stack trace and causes of a captured value. */
    public static function fromThrown(mixed $thrown, bool $withSource): array
    {
        if (!$thrown instanceof \Throwable) {
            $trace = StackTrace::fromThrowable(new \Exception(), $withSource);
            return ['type' => get_debug_type($thrown), 'message' => self::text($thrown), 'stacktrace' => $trace];
        }
        $chain = [];
        while ($thrown && !isset($chain[$id = spl_object_id($thrown)]) && \count($chain) <= self::MAX_CAUSES) {
            $message = new \ReflectionProperty($thrown, 'message'); // May hold any type, for which getMessage() raises a warning.
            $chain[$id] = [
                'type' => explode("\0", $thrown::class)[0], // The name of an anonymous class has a NUL and its path at the end.
                'message' => self::text($message->getValue($thrown)),
                'stacktrace' => StackTrace::fromThrowable($thrown, $withSource),
            ];
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

    public static function now(): string
    {
        return (new \DateTimeImmutable('now', new \DateTimeZone('UTC')))->format('Y-m-d\TH:i:s.v\Z');
    }

    /** Truncates strings and removes empty fields. */
    public static function normalize(array $event): array
    {
        foreach ($event as $field => $value) {
            if (\is_string($value) && $field !== 'extra') {
                $event[$field] = Json::truncate($value, $field === 'message' ? self::MAX_MESSAGE : self::MAX_TEXT);
            }
        }
        if (trim($event['message'] ?? '') === '' && ($event['type'] ?? '') === '') {
            $event['message'] = '(empty message)'; // The server rejects events with neither.
        }
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
        $extra = $event['extra'] ?? null;
        unset($event['extra']);
        $maxBytes = self::MAX_BYTES - 100;
        $json = Json::encode($event, $maxBytes)
            ?? Json::encode(['causes' => [], 'stacktrace' => \array_slice($event['stacktrace'] ?? [], 0, 20)] + $event, $maxBytes)
            ?? throw new \LengthException();
        if ($extra === null) {
            return $json;
        }
        $room = self::MAX_BYTES - \strlen($json) - 10;
        $extra = Json::encode($extra, $room) ?? Json::encode($extra, $room, self::MAX_MESSAGE)
            ?? "{\"obs\":\"extra omitted: over $room bytes\"}";
        return substr($json, 0, -1) . ",\"extra\":$extra}";
    }
}
