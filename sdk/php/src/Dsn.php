<?php // Where events go, and with which key: http(s)://KEY@HOST[:PORT], any path behind it means nothing.

declare(strict_types=1);

namespace Obs;

final class Dsn
{
    private function __construct(
        public readonly bool $isSecure,
        public readonly string $key,
        public readonly string $host,
        public readonly int $port,
    ) {
    }

    /** @throws \InvalidArgumentException which says what is wrong and does not hold the key */
    public static function parse(string $dsn): self
    {
        $isUrl = preg_match('~^(https?)://(?:([^/?#]*)@)?([^/?#@]*)~i', $dsn, $url);
        [, $scheme, $key, $place] = $url + ['', '', '', ''];
        $isPlace = preg_match('/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/iD', $place, $parts);
        $isSecure = strtolower($scheme) === 'https';
        $port = (int) ($parts[2] ?? ($isSecure ? 443 : 80));
        $wrong = match (true) {
            $dsn === '' => 'the DSN is empty',
            !$isUrl => 'the DSN does not begin with http:// or https://',
            $key === '' => 'the DSN has no key',
            !preg_match('/^[A-Za-z0-9_-]{1,200}$/D', $key) => "the DSN's key is not 1 to 200 characters of A-Z a-z 0-9 _ -",
            !$isPlace || $port < 1 || $port > 65535 => "the DSN's host or port is not valid",
            default => null,
        };
        return $wrong === null
            ? new self($isSecure, $key, $parts[1], $port)
            : throw new \InvalidArgumentException("$wrong (expected http://KEY@HOST:PORT)");
    }
}
