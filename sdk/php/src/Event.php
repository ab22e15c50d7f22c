<?php // What is sent about an error or a message: how it is made, and how it is kept within the server's limits.

declare(strict_types=1);

namespace Obs;

final class Event
{
    private const MAX_BYTES = 1_000_000;
    private const MAX_MESSAGE = 8192;
    private const MAX_TEXT = 200;
    private const MAX_CAUSES = 20;

    /** What is known of anything thrown: its type, message, stack trace and causes. */
    public static function ofThrown(mixed $thrown, bool $withSource): array
    {
        if (!$thrown instanceof \Throwable) {
            $here = StackTrace::of(new \Exception(), $withSource);
            return ['type' => get_debug_type($thrown), 'message' => self::text($thrown), 'stacktrace' => $here];
        }
        $chain = [];
        while ($thrown && !isset($chain[$id = spl_object_id($thrown)]) && \count($chain) <= self::MAX_CAUSES) {
            $message = new \ReflectionProperty($thrown, 'message'); // Which may hold anything; getMessage() gives a warning then.
            $chain[$id] = [
                'type' => explode("\0", $thrown::class)[0], // An anonymous class has its file's path behind a NUL.
                'message' => self::text($message->getValue($thrown)),
                'stacktrace' => StackTrace::of($thrown, $withSource),
            ];
            $thrown = $thrown->getPrevious();
        }
        return array_shift($chain) + ['causes' => $chain];
    }

    /** Strings as they are, what tells itself as a string as that, all else as JSON. */
    public static function text(mixed $value): string
    {
        $json = Json::encode($value, 6 * self::MAX_MESSAGE + 2, self::MAX_MESSAGE) ?? '"[too large]"';
        return $json[0] === '"' ? json_decode($json) : $json;
    }

    /** A UUID of version 7: the time in milliseconds, then chance. */
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

    /** The event with its texts cut, and without what is absent. */
    public static function tidy(array $event): array
    {
        foreach ($event as $field => $value) {
            if (\is_string($value) && $field !== 'extra') {
                $event[$field] = Json::cut($value, $field === 'message' ? self::MAX_MESSAGE : self::MAX_TEXT);
            }
        }
        if (trim($event['message'] ?? '') === '' && ($event['type'] ?? '') === '') {
            $event['message'] = '(empty message)'; // The server refuses what says nothing.
        }
        return array_filter($event, static fn ($value) => $value !== null && $value !== '' && $value !== []);
    }

    /** What makes two events the same error, of which not all have to be sent. */
    public static function identity(array $event): string
    {
        $top = array_intersect_key((array) ($event['stacktrace'][0] ?? []), ['function' => 0, 'filename' => 0, 'lineno' => 0]);
        return md5(serialize([$event['type'] ?? '', $event['message'] ?? '', $top]));
    }

    /** As JSON of at most a million bytes: what has to go goes in the order of what it is worth. */
    public static function encode(array $event): string
    {
        $extra = $event['extra'] ?? null;
        unset($event['extra']);
        $most = self::MAX_BYTES - 100;
        $json = Json::encode($event, $most)
            ?? Json::encode(['causes' => [], 'stacktrace' => \array_slice($event['stacktrace'] ?? [], 0, 20)] + $event, $most)
            ?? throw new \LengthException();
        if ($extra === null) {
            return $json;
        }
        $room = self::MAX_BYTES - \strlen($json) - 10;
        $extra = Json::encode($extra, $room) ?? Json::encode($extra, $room, self::MAX_MESSAGE)
            ?? "{\"obs\":\"extra of over $room bytes was left out\"}";
        return substr($json, 0, -1) . ",\"extra\":$extra}";
    }
}
