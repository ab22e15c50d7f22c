<?php // Any PHP value as JSON: within a size, whatever it holds, and whatever its objects do when they are asked.

declare(strict_types=1);

namespace Obs;

final class Json
{
    private const MAX_DEPTH = 32;
    private const FLAGS = \JSON_UNESCAPED_UNICODE | \JSON_UNESCAPED_SLASHES | \JSON_INVALID_UTF8_SUBSTITUTE
        | \JSON_PRESERVE_ZERO_FRACTION;

    private function __construct(private int $room, private readonly int $maxCharacters)
    {
    }

    /** Null where it would be longer than $maxBytes: what is too large costs no more than what is not. */
    public static function encode(mixed $value, int $maxBytes, int $maxCharacters = \PHP_INT_MAX): ?string
    {
        try {
            $json = json_encode((new self($maxBytes, $maxCharacters))->plain($value), self::FLAGS);
            return \strlen($json) <= $maxBytes ? $json : null;
        } catch (\OverflowException) {
            return null;
        }
    }

    /** Valid UTF-8 of at most so many characters (code points). */
    public static function cut(string $text, int $maxCharacters): string
    {
        $text = substr($text, 0, 4 * $maxCharacters);
        if (!preg_match('//u', $text)) {
            $text = json_decode(json_encode($text, self::FLAGS));
        }
        preg_match("/^.{0,$maxCharacters}/su", $text, $match);
        return $match[0] ?? '';
    }

    /** @param array<int|string, true> $path the objects and references that it is inside of (an array only by reference) */
    private function plain(mixed $value, int $depth = 0, array $path = [], ?string $reference = null): mixed
    {
        if (\is_string($value) && \strlen($value) > $this->maxCharacters) {
            $value = self::cut($value, $this->maxCharacters);
        }
        $this->room -= match (true) {
            \is_string($value) => \strlen($value) + 2,
            $value === null, \is_scalar($value) => 1,
            default => 8, // The JSON of an array may be short, but not what it takes in memory.
        };
        if ($this->room < 0) {
            throw new \OverflowException();
        }
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
            $told = match (true) {
                $object instanceof \JsonSerializable => $object->jsonSerialize(),
                $object instanceof \DateTimeInterface => $object->format('Y-m-d\TH:i:s.uP'),
                $object instanceof \UnitEnum => $object->value ?? $object->name,
                $object instanceof \Throwable => $object::class . ': ' . Log::silently($object->getMessage(...)),
                $object instanceof \Stringable => (string) $object,
                default => get_object_vars($object) ?: ($object instanceof \stdClass ? [] : null),
            };
        } catch (\Throwable) {
            $told = null;
        }
        $told ??= '[unserialisable: ' . self::cut(explode("\0", $object::class)[0], 200) . ']';
        return $this->plain($told, \is_object($told) ? $depth + 1 : $depth, $path);
    }
}
