<?php

declare(strict_types=1);

namespace Obs;

/** Builds events, and keeps them within the server's limits. */
final class Event
{
    private const MAX_BYTES = 1_000_000, MAX_MESSAGE = 8192, MAX_TEXT = 200, MAX_CAUSES = 20;

    /**
     * Returns the type, message, stack trace and causes of a captured value.
     *
     * @return array<string, mixed>
     */
    public static function fromThrown(mixed $thrown, bool $withSource): array
    {
        if (!$thrown instanceof \Throwable) {
            $stack = StackTrace::fromThrowable(new \Exception(), $withSource);
            return ['type' => get_debug_type($thrown), 'message' => self::text($thrown), 'stacktrace' => $stack];
        }
        [$chain, $report] = [[], []];
        while ($thrown && !isset($chain[$id = spl_object_id($thrown)]) && \count($chain) <= self::MAX_CAUSES) {
            // The message may be of any type, for which getMessage() raises a warning.
            $message = self::text((new \ReflectionProperty($thrown, 'message'))->getValue($thrown));
            // PHP's own report of an uncaught exception has the traces of it and its causes as text, with arguments.
            $place = preg_quote(" in {$thrown->getFile()}:{$thrown->getLine()}\nStack trace:\n", '/');
            preg_match("/^Uncaught (?:.*\n\nNext )?([^:\s]+)(?:: (.*?))?$place/s", $message, $report);
            $chain[$id] = [
                // The name of an anonymous class has a NUL and its path at the end.
                'type' => $report[1] ?? explode("\0", $thrown::class)[0],
                'message' => $report ? $report[2] ?? '' : $message,
                'stacktrace' => StackTrace::fromThrowable($thrown, $withSource),
            ];
            $thrown = $thrown->getPrevious();
        }
        return (array_shift($chain) ?? []) + ['causes' => array_values($chain)];
    }

    /** Returns strings and stringable objects as text, everything else as JSON. */
    public static function text(mixed $value): string
    {
        $json = Json::encode($value, 4 * self::MAX_MESSAGE);
        return $json[0] === '"' ? json_decode($json) : $json;
    }

    /**
     * Returns the fields of every event. The id is a version 7 UUID, which starts with the time.
     *
     * @return array{event_id: string, timestamp: string, platform: string, sdk: array<string, string>}
     */
    public static function identified(): array
    {
        $now = new \DateTimeImmutable('now', new \DateTimeZone('UTC'));
        $hex = sprintf('%012x', (int) $now->format('Uv')) . bin2hex(random_bytes(10));
        $id = (string) preg_replace('/^(.{8})(.{4}).(.{3}).(.{3})/', '$1-$2-7$3-8$4-', $hex);
        return ['event_id' => $id, 'timestamp' => $now->format('Y-m-d\TH:i:s.v\Z'), 'platform' => 'php']
            + ['sdk' => ['name' => 'obs/sdk', 'version' => Client::VERSION]];
    }

    /**
     * Truncates strings and removes empty fields.
     *
     * @param mixed[] $event
     * @return mixed[]
     */
    public static function normalize(array $event): array
    {
        foreach (array_filter($event, 'is_string') as $field => $text) {
            $event[$field] = Json::truncate($text, $field === 'message' ? self::MAX_MESSAGE : self::MAX_TEXT);
        }
        if (trim($event['message'] ?? '') === '' && ($event['type'] ?? '') === '') {
            $event['message'] = '(empty message)'; // The server rejects an event with neither.
        }
        return array_filter($event, static fn ($value) => !\in_array($value, [null, '', []], true));
    }

    /**
     * Returns what repeats of an event have in common: type, message and top frame.
     *
     * @param mixed[] $event
     */
    public static function identity(array $event): string
    {
        $parts = ['type' => 0, 'message' => 0, 'filename' => 0, 'function' => 0, 'lineno' => 0];
        return md5(serialize(array_intersect_key($event + (array) ($event['stacktrace'][0] ?? []), $parts)));
    }

    /**
     * Encodes an event as JSON of at most MAX_BYTES.
     *
     * @param mixed[] $event
     */
    public static function encode(array $event): string
    {
        // Last what may be large, because what does not fit is left out.
        $large = array_intersect_key($event, ['causes' => 0, 'breadcrumbs' => 0, 'extra' => 0]);
        $event = array_diff_key($event, $large) + $large;
        $json = Json::encode($event, self::MAX_BYTES);
        // Escaping makes a byte six at most.
        return \strlen($json) <= self::MAX_BYTES ? $json : Json::encode($event, intdiv(self::MAX_BYTES, 6) - 10_000);
    }
}
