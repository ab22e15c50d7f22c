<?php

declare(strict_types=1);

namespace Obs;

/**
 * Checks what the application passes in. The log names what is unknown or invalid, and nothing throws.
 *
 * @phpstan-type Settings array{
 *     dsn: string, environment: string, server_name: string, release: string, tags: mixed[], extra: mixed[],
 *     before_send: (callable(mixed[]): mixed)|null, source_lines: bool, capture_unhandled: bool,
 *     connect_timeout: int|float, timeout: int|float, shutdown_timeout: int|float,
 * }
 */
final class Options
{
    public const DEFAULTS = [
        'dsn' => '', 'environment' => '', 'server_name' => '', 'release' => '', 'tags' => [], 'extra' => [],
        'before_send' => null, 'source_lines' => true, 'capture_unhandled' => true,
        'connect_timeout' => 2.0, 'timeout' => 5.0, 'shutdown_timeout' => 2.0,
    ];
    public const OF_A_CAPTURE = ['level', 'fingerprint', 'user', 'tags', 'extra', 'handled'];

    /**
     * Returns the options that are known and valid. Objects become arrays.
     *
     * @param string[] $known
     * @param mixed[] $unknown arguments
     * @return mixed[]
     * @throws \InvalidArgumentException if $isStrict and an option is invalid
     */
    public static function check(mixed $options, array $known, array $unknown, bool $isStrict = false): array
    {
        [$options, $unknown] = \is_array($options) ? [$options, $unknown] : [[], [...$unknown, $options]];
        foreach ($unknown as $name => $value) {
            Log::warn('unknown argument ' . (\is_int($name) ? 'of type ' . get_debug_type($value) : "'$name'"));
        }
        $options = array_filter($options, static fn ($value) => $value !== null);
        foreach ($options as $name => $value) {
            $isKnown = \in_array($name, $known, true);
            $value = $options[$name] = \is_object($value) && !\is_callable($value) ? get_object_vars($value) : $value;
            if (!$isKnown || !self::isValid((string) $name, $value)) {
                $problem = ($isKnown ? 'invalid value for' : 'unknown') . " option '$name'";
                $isKnown && $isStrict ? throw new \InvalidArgumentException($problem) : Log::warn($problem);
                unset($options[$name]);
            }
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
