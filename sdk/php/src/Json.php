<?php

declare(strict_types=1);

namespace Obs;

/** Encodes any PHP value as JSON of limited size, even if the value's own methods fail. */
final class Json
{
    private const MAX_DEPTH = 32;
    private const FLAGS = \JSON_UNESCAPED_UNICODE | \JSON_UNESCAPED_SLASHES | \JSON_INVALID_UTF8_SUBSTITUTE | \JSON_PRESERVE_ZERO_FRACTION;

    private function __construct(private int $room, private readonly int $maxCharacters) {}

    /** Returns null if the JSON would exceed $maxBytes. It stops early, so a huge value takes little memory. */
    public static function encode(mixed $value, int $maxBytes, int $maxCharacters = \PHP_INT_MAX): ?string
    {
        try {
            $json = json_encode((new self($maxBytes, $maxCharacters))->plain($value), self::FLAGS);
            return \strlen($json) <= $maxBytes ? $json : null;
        } catch (\OverflowException) {
            return null;
        }
    }

    /** Returns valid UTF-8 of at most $maxCharacters code points. */
    public static function truncate(string $text, int $maxCharacters): string
    {
        $text = substr($text, 0, 4 * $maxCharacters);
        $text = preg_match('//u', $text) ? $text : json_decode(json_encode($text, self::FLAGS));
        preg_match("/^.{0,$maxCharacters}/su", $text, $match);
        return $match[0] ?? '';
    }

    /** @param array<int|string, true> $path the enclosing objects, and the enclosing arrays held by reference */
    private function plain(mixed $value, int $depth = 0, array $path = [], ?string $reference = null): mixed
    {
        $value = \is_string($value) && \strlen($value) > $this->maxCharacters ? self::truncate($value, $this->maxCharacters) : $value;
        // An array takes more memory than its JSON suggests.
        $this->room -= \is_string($value) ? \strlen($value) + 2 : ($value === null || \is_scalar($value) ? 1 : 8);
        $this->room < 0 && throw new \OverflowException();
        $identity = \is_object($value) ? spl_object_id($value) : $reference;
        $isCircular = $identity !== null && isset($path[$identity]);
        $path += $identity === null ? [] : [$identity => true];
        return match (true) {
            \is_float($value) && !is_finite($value) => "[unserialisable: $value]",
            $value === null, \is_scalar($value) => $value,
            $isCircular => '[circular]',
            $depth > self::MAX_DEPTH => '[too deep]',
            \is_array($value) => $this->plainArray($value, $depth + 1, $path),
            \is_object($value) => $this->plainObject($value, $depth, $path),
            default => '[unserialisable: resource]',
        };
    }

    private function plainArray(array $array, int $depth, array $path): array
    {
        $plain = [];
        foreach ($array as $key => $value) {
            $this->room -= \strlen((string) $key);
            $reference = \is_array($value) ? \ReflectionReference::fromArrayElement($array, $key)?->getId() : null;
            $plain[$key] = $this->plain($value, $depth, $path, $reference);
        }
        return $plain;
    }

    private function plainObject(object $object, int $depth, array $path): mixed
    {
        try {
            $data = match (true) {
                $object instanceof \JsonSerializable => $object->jsonSerialize(),
                $object instanceof \DateTimeInterface => $object->format('Y-m-d\TH:i:s.uP'),
                $object instanceof \UnitEnum => $object->value ?? $object->name,
                $object instanceof \Throwable => $object::class . ': ' . Log::silently($object->getMessage(...)),
                $object instanceof \Stringable => (string) $object,
                default => get_object_vars($object) ?: ($object instanceof \stdClass ? [] : null),
            };
        } catch (\Throwable) {
            // As if it had no properties.
        }
        $data ??= '[unserialisable: ' . self::truncate(explode("\0", $object::class)[0], 200) . ']';
        return $this->plain($data, \is_object($data) ? $depth + 1 : $depth, $path);
    }
}
