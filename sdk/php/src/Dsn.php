<?php

declare(strict_types=1);

namespace Obs;

/** A parsed DSN: http(s)://KEY@HOST[:PORT]. A path is ignored. */
final class Dsn
{
    private function __construct(
        public readonly bool $isSecure, public readonly string $key, public readonly string $host, public readonly int $port,
    ) {}

    /** @throws \InvalidArgumentException with a message that does not contain the key */
    public static function parse(string $dsn): self
    {
        $isUrl = preg_match('~^(https?)://(?:([^/?#]*)@)?([^/?#@]*)~i', $dsn, $url);
        [, $scheme, $key, $authority] = $url + ['', '', '', ''];
        $isValidHost = preg_match('/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/iD', $authority, $parts);
        $isSecure = strtolower($scheme) === 'https';
        $port = (int) ($parts[2] ?? ($isSecure ? 443 : 80));
        $error = match (true) {
            $dsn === '' => 'the DSN is empty',
            !$isUrl => 'the DSN must begin with http:// or https://',
            $key === '' => 'the DSN has no key',
            !preg_match('/^[A-Za-z0-9_-]{1,200}$/D', $key) => "the DSN's key must be 1 to 200 characters from A-Z a-z 0-9 _ -",
            !$isValidHost || $port < 1 || $port > 65535 => "the DSN's host or port is invalid",
            default => null,
        };
        $error === null || throw new \InvalidArgumentException("$error (expected http://KEY@HOST:PORT)");
        return new self($isSecure, $key, $parts[1], $port);
    }
}
