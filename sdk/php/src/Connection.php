<?php

declare(strict_types=1);

namespace Obs;

/**
 * A blocking HTTP/1.1 connection to the server. It stays open for the next event.
 *
 * @phpstan-import-type Settings from Options
 */
final class Connection
{
    private const CHUNK = 64 << 10, MAX_RETRY_AFTER = 300;

    /** @var resource|null */
    private $socket = null;

    /** @param Settings $options */
    public function __construct(public readonly Dsn $dsn, private readonly array $options)
    {
    }

    /**
     * Sends one event and waits for the response.
     *
     * @param float $age seconds since the event was captured
     * @return array{int, string, int} the status, the server's reason, and Retry-After in seconds. Status 0: there is
     *     no response, and the reason says why
     */
    public function post(string $json, float $age, float $deadline): array
    {
        $deadline = min($deadline, Queue::clock() + $this->options['timeout']);
        $socket = $this->socket ?? $this->open($deadline, $problem);
        if (!$socket) {
            return [0, $problem ? lcfirst($problem) : 'TLS handshake failed', 0];
        }
        $this->socket = null; // Until the response is complete.
        $next = "POST {$this->dsn->path}/api/events HTTP/1.1\r\nHost: {$this->dsn->authority}\r\n"
            . "Content-Type: application/json\r\nX-OBS-Key: {$this->dsn->key}\r\n"
            . sprintf("X-OBS-Age: %.3F\r\nContent-Length: %d\r\n\r\n", max(0.0, $age), \strlen($json));
        // In chunks, because a second copy of the event could exhaust the memory. The server may refuse an event before
        // it has read all of it; then its response says why.
        for ($at = 0; $next !== '' && self::limit($socket, $deadline) && fwrite($socket, $next); $at += self::CHUNK) {
            $next = substr($json, $at, self::CHUNK);
        }
        [$head, $body, $isComplete, $hasEnded, $match] = ['', null, false, false, []];
        for ($received = ''; !$isComplete && !$hasEnded && self::limit($socket, $deadline);) {
            $received .= (string) fread($socket, self::CHUNK);
            $hasEnded = stream_get_meta_data($socket)['eof'] || \strlen($received) > self::CHUNK;
            [$head, $body] = explode("\r\n\r\n", $received, 2) + ['', null];
            $length = preg_match('/^Content-Length: *(\d+)/mi', $head, $match) ? (int) $match[1] : \PHP_INT_MAX;
            // If the body is chunked, the last chunk has size 0.
            $isComplete = $body !== null && (\strlen($body) >= $length || str_ends_with($body, "\r\n0\r\n\r\n"));
        }
        $this->socket = $isComplete && $next === '' && !preg_match('/^Connection: *close/mi', $head) ? $socket : null;
        if (!preg_match('~^HTTP/1\.[01] (\d{3})~', $head, $status)) {
            return [0, $hasEnded ? 'connection closed' : 'timed out', 0];
        }
        preg_match('/^Retry-After: *(\d+)/mi', $head, $after);
        preg_match('/"error":\s*("(?:[^"\\\\]++|\\\\.)*+")/s', (string) $body, $error);
        $reason = Json::truncate((string) json_decode($error[1] ?? ''), 200);
        return [(int) $status[1], $reason, min((int) ($after[1] ?? 0), self::MAX_RETRY_AFTER)];
    }

    /** @return resource|false */
    private function open(float $deadline, ?string &$error)
    {
        $address = ($this->dsn->isSecure ? 'tls://' : 'tcp://') . $this->dsn->authority;
        $timeout = max(0.001, min($this->options['connect_timeout'], $deadline - Queue::clock()));
        $context = stream_context_create(['socket' => ['tcp_nodelay' => true]]);
        return stream_socket_client($address, $code, $error, $timeout, \STREAM_CLIENT_CONNECT, $context);
    }

    /**
     * Lets the next operation block until the deadline. Returns false if that has passed.
     *
     * @param resource $socket
     */
    private static function limit($socket, float $deadline): bool
    {
        $left = $deadline - Queue::clock();
        return $left > 0.0 && stream_set_timeout($socket, (int) $left, (int) (fmod($left, 1.0) * 1e6) + 1);
    }
}
