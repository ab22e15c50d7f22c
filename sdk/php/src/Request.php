<?php

declare(strict_types=1);

namespace Obs;

/** The web request that the script serves, from PHP's server variables. */
final class Request
{
    /** Names of headers and query parameters that are not sent. */
    private const SECRET = '/^(set-)?cookie$|token|secret|password|api[-_]?key|auth|session|credential/i';

    /**
     * Returns the request as Sentry has it, without its body and its secrets, or null on the command line.
     *
     * @return array<string, mixed>|null
     */
    public static function current(): ?array
    {
        /** @var mixed[] $server */
        $server = array_filter($_SERVER, 'is_string');
        [$headers, $match] = [[], []];
        foreach ($server as $variable => $value) {
            if (preg_match('/^(?:HTTP_(.+)|(CONTENT_(?:TYPE|LENGTH)))$/D', (string) $variable, $match)) {
                $name = ucwords(strtolower(strtr($match[2] ?? $match[1], '_', '-')), '-');
                $headers += preg_match(self::SECRET, $name === 'Referer' ? $value : $name) ? [] : [$name => $value];
            }
        }
        $isPublic = static fn (string $pair) => !preg_match(self::SECRET, urldecode(explode('=', $pair)[0]));
        $scheme = \in_array(strtolower($server['HTTPS'] ?? ''), ['', 'off'], true) ? 'http' : 'https';
        return !isset($server['REQUEST_METHOD']) ? null : [
            'method' => $server['REQUEST_METHOD'],
            'url' => "$scheme://" . ($server['HTTP_HOST'] ?? '') . explode('?', $server['REQUEST_URI'] ?? '/')[0],
            'query_string' => implode('&', array_filter(explode('&', $server['QUERY_STRING'] ?? ''), $isPublic)),
            'headers' => $headers,
        ];
    }
}
