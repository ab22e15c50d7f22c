<?php

declare(strict_types=1);

namespace Obs;

/** Checks what the application passes in. The log names what is unknown or invalid, and nothing throws. */
final class Options
{
    public const DEFAULTS = [
        'dsn' => '', 'environment' => '', 'server_name' => '', 'release' => '', 'tags' => [], 'extra' => [],
        'before_send' => null, 'source_lines' => true, 'capture_unhandled' => true,
        'connect_timeout' => 2.0, 'timeout' => 5.0, 'shutdown_timeout' => 2.0,
    ];
    public const OF_A_CAPTURE = ['level', 'fingerprint', 'user', 'tags', 'extra', 'handled'];

    /**
     * Returns the options that are known and valid.
     *
     * @param string[] $known
     * @throws \InvalidArgumentException if $isStrict and an option is invalid
     */
    public static function check(mixed $options, array $known, bool $isStrict = false): array
    {
        if (!\is_array($options)) {
            Log::warn('the options must be an array, not ' . get_debug_type($options));
            return [];
        }
        $options = array_filter($options, static fn ($value) => $value !== null);
        foreach ($options as $name => $value) {
            $isKnown = \in_array($name, $known, true);
            if ($isKnown && self::isValid($name, $value)) {
                continue;
            }
            if ($isKnown && $isStrict) {
                throw new \InvalidArgumentException("invalid value for option '$name'");
            }
            Log::warn($isKnown ? "invalid value for option '$name'" : "unknown option '$name'");
            unset($options[$name]);
        }
        return $options;
    }

    private static function isValid(string $name, mixed $value): bool
    {
        return match ($name) {
            'dsn', 'environment', 'server_name', 'release' => \is_string($value),
            'level' => \is_string($value) && preg_match('/^(error|warn(ing)?|info|notice|debug|log)$/iD', $value),
            'user', 'tags', 'extra', 'breadcrumb' => \is_array($value),
            'before_send' => \is_callable($value),
            'fingerprint' => \is_array($value) && \count($value) <= 8 && array_filter($value, 'is_string') === $value,
            'source_lines', 'capture_unhandled', 'handled' => \is_bool($value),
            default => \is_int($value) || \is_float($value),
        };
    }
}
