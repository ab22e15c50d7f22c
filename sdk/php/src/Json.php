<?php

declare(strict_types=1);

namespace Obs;

/** Encodes any PHP value as JSON of limited size, even if the value's own methods fail. */
final class Json
{
    private const MAX_DEPTH = 32, MAX_CHARACTERS = 8192; // Of a string that does not fit.
    private const FLAGS = \JSON_UNESCAPED_UNICODE | \JSON_UNESCAPED_SLASHES
        | \JSON_INVALID_UTF8_SUBSTITUTE | \JSON_PRESERVE_ZERO_FRACTION;

    private function __construct(private int $room)
    {
    }

    /** Replaces what does not fit into $maxBytes, before escaping. So the most important data must come first. */
    public static function encode(mixed $value, int $maxBytes): string
    {
        return json_encode((new self($maxBytes))->plain($value, self::MAX_DEPTH), self::FLAGS | \JSON_THROW_ON_ERROR);
    }

    /** Returns valid UTF-8 of at most $maxCharacters code points. */
    public static function truncate(string $text, int $maxCharacters): string
    {
        $text = substr($text, 0, 4 * $maxCharacters);
        $text = preg_match('//u', $text) ? $text : (string) json_decode(self::encode($text, \PHP_INT_MAX));
        return preg_replace("/^.{{$maxCharacters}}\K.+/su", '', $text) ?? $text;
    }

    /** A circular value ends at the greatest depth. */
    private function plain(mixed $value, int $depth): mixed
    {
        $size = \is_string($value) ? \strlen($value) : (\is_array($value) ? 8 * \count($value) : 0);
        if ($size > $this->room) {
            $isCut = \is_string($value) && $this->room >= 4 * self::MAX_CHARACTERS;
            return $isCut ? $this->plain(self::truncate($value, self::MAX_CHARACTERS), $depth) : '[too large]';
        }
        $this->room -= $size;
        return match (true) {
            \is_float($value) && !is_finite($value) => "[unserialisable: $value]",
            $value === null, \is_scalar($value) => $value,
            $depth === 0 => '[too deep]',
            \is_array($value) => array_map(fn (mixed $item) => $this->plain($item, $depth - 1), $value),
            \is_object($value) => $this->plain(self::data($value), $depth - 1),
            default => '[unserialisable: resource]',
        };
    }

    /** Returns what stands for an object. */
    private static function data(object $object): mixed
    {
        try {
            $data = match (true) {
                $object instanceof \JsonSerializable => $object->jsonSerialize(),
                $object instanceof \DateTimeInterface => $object->format('Y-m-d\TH:i:s.uP'),
                $object instanceof \Throwable => $object::class . ': ' . $object->getMessage(),
                $object instanceof \Stringable => (string) $object,
                default => get_object_vars($object) ?: ($object instanceof \stdClass ? [] : null),
            };
        } catch (\Throwable) {
            // Then only its type is sent.
        }
        return $data ?? '[unserialisable: ' . explode("\0", $object::class)[0] . ']';
    }
}
