<?php

declare(strict_types=1);

namespace Obs;

/** A parsed DSN: http(s)://KEY@HOST[:PORT][/PATH]. Sentry's project number at the end means nothing. */
final class Dsn
{
    private function __construct(
        public readonly bool $isSecure,
        public readonly string $key,
        public readonly string $authority,
        public readonly string $path,
    ) {
    }

    /** @throws \InvalidArgumentException with a message that does not contain the key */
    public static function parse(string $dsn): self
    {
        $pattern = '~^(https?)://([\w-]{1,200})@(\[[\da-f:.]+\]|[a-z\d._-]+)(?::(\d{1,5}))?(/[^?#\s]*|)([?#].*)?$~iD';
        $isValid = preg_match($pattern, $dsn, $part) && (int) $part[4] <= 65535;
        $isValid || throw new \InvalidArgumentException('the DSN is not http(s)://KEY@HOST[:PORT][/PATH]');
        $isSecure = strtolower($part[1]) === 'https';
        $port = (int) $part[4] ?: ($isSecure ? 443 : 80);
        return new self($isSecure, $part[2], "$part[3]:$port", (string) preg_replace('~(/\d+)?/*$~D', '', $part[5]));
    }
}
