<?php

declare(strict_types=1);

namespace Obs;

/**
 * A persistent HTTP/1.1 connection to a server.
 *
 * It never blocks: its generators yield whenever they would have to wait.
 */
final class Connection
{
    private const CHUNK = 64 << 10, MAX_RESPONSE = 64 << 10, MAX_RETRY_AFTER = 300.0; // In bytes and seconds.

    /** @var resource|null the idle connection; null during a request */
    private $socket = null;

    public function __construct(public readonly Dsn $dsn, private readonly float $connectTimeout, private readonly float $timeout) {}

    /**
     * Sends one event, which is the time of its capture, a space, and JSON, and returns the response.
     *
     * @return \Generator<int, array{float, resource, bool}, mixed, array{status: int, retryAfter: float, error: string, keepsAlive: bool}>
     *         yields the deadline, the socket to wait for, and whether to wait for writing; retryAfter is in seconds
     * @throws \RuntimeException if the connection fails or times out
     */
    public function post(string $event): \Generator
    {
        $deadline = Transport::clock() + $this->timeout;
        [$socket, $this->socket] = [$this->socket, null]; // Put back if the request succeeds.
        if (!$socket || fread($socket, 1) !== '' || feof($socket)) {
            $socket = yield from $this->open(min($deadline, Transport::clock() + $this->connectTimeout));
        }
        $next = strpos($event, '{');
        $request = "POST /api/events HTTP/1.1\r\nHost: {$this->dsn->host}:{$this->dsn->port}\r\nContent-Type: application/json\r\n"
            . sprintf("X-OBS-Age: %.3F\r\n", max(0.0, Transport::clock() - (float) $event))
            . "X-OBS-Key: {$this->dsn->key}\r\nContent-Length: " . \strlen($event) - $next . "\r\n\r\n";
        $received = '';
        while (true) {
            $sent = $request === '' ? 0 : fwrite($socket, $request); // False if the connection is broken.
            $request = substr($request, (int) $sent);
            // In chunks: a second copy could exhaust the memory.
            [$request, $next] = $request === '' ? [substr($event, $next, self::CHUNK), $next + self::CHUNK] : [$request, $next];
            // The server may respond before it has read the whole request.
            $received .= $bytes = (string) fread($socket, self::CHUNK);
            if ($response = self::parse($received, $sent === false || feof($socket) || \strlen($received) > self::MAX_RESPONSE)) {
                $this->socket = $response['keepsAlive'] && $request === '' ? $socket : null;
                return $response;
            }
            if (!$sent && $bytes === '') {
                yield from self::await($socket, $request !== '', $deadline);
            }
        }
    }

    /**
     * Tries all addresses of the host. Asynchronously, PHP itself tries only the first one, so `localhost` would
     * fail if nothing listens on ::1.
     */
    private function open(float $deadline): \Generator
    {
        $host = $this->dsn->host;
        $context = stream_context_create(['socket' => ['tcp_nodelay' => true], 'ssl' => ['peer_name' => trim($host, '[]')]]);
        $flags = \STREAM_CLIENT_CONNECT | \STREAM_CLIENT_ASYNC_CONNECT;
        $addresses = $host[0] === '[' || !\function_exists('gethostbynamel') ? [] : gethostbynamel($host);
        foreach (array_unique([...($addresses ?: []), $host]) as $address) {
            $socket = stream_socket_client("tcp://$address:{$this->dsn->port}", $code, $error, 0, $flags, $context);
            $socket && stream_set_blocking($socket, false);
            for ($none = [], $write = [$socket]; $socket && stream_select($none, $write, $none, 0) === 0; $write = [$socket]) {
                yield from self::await($socket, true, $deadline);
            }
            if (!$socket || stream_socket_get_name($socket, true) === false) {
                continue;
            }
            $handshake = fn () => stream_socket_enable_crypto($socket, true, \STREAM_CRYPTO_METHOD_TLS_CLIENT);
            while (($isReady = $this->dsn->isSecure ? $handshake() : true) === 0) {
                yield from self::await($socket, false, $deadline);
            }
            return $isReady ? $socket : throw new \RuntimeException('TLS handshake failed');
        }
        throw new \RuntimeException('connection refused');
    }

    /** @param resource $socket */
    private static function await($socket, bool $isWriting, float $deadline): \Generator
    {
        Transport::clock() < $deadline ? yield [$deadline, $socket, $isWriting] : throw new \RuntimeException('timed out');
    }

    /** Returns null while the response is incomplete. One that was cut off or is too long is used as far as it was read. */
    private static function parse(string $bytes, bool $hasEnded): ?array
    {
        [$head, $body] = explode("\r\n\r\n", $bytes, 2) + [1 => null];
        preg_match_all('/^([^:\r\n]+):[ \t]*(.*?)[ \t]*\r?$/m', $head, $lines);
        $headers = array_change_key_case(array_combine($lines[1], $lines[2]));
        $isComplete = isset($headers['transfer-encoding']) // Chunked: the last chunk has size 0, and trailers may follow.
            ? preg_match('/(^|\n)0+\r\n([^\r\n]+\r\n)*\r\n$/D', (string) $body) === 1
            : \strlen((string) $body) >= (int) ($headers['content-length'] ?? \PHP_INT_MAX);
        if (!$hasEnded && ($body === null || !$isComplete)) {
            return null;
        }
        preg_match('~^HTTP/1\.[01] (\d{3})~', $head, $status)
            || throw new \RuntimeException($bytes === '' ? 'connection closed' : 'invalid HTTP response');
        $after = $headers['retry-after'] ?? '';
        $seconds = is_numeric($after) ? (float) $after : (float) strtotime($after) - time();
        preg_match('/"error":\s*("(?:[^"\\\\]++|\\\\.)*+")/s', $body, $error);
        return ['status' => (int) $status[1], 'retryAfter' => max(0.0, min($seconds, self::MAX_RETRY_AFTER)),
            'error' => Json::truncate((string) json_decode($error[1] ?? ''), 200),
            'keepsAlive' => !$hasEnded && strtolower($headers['connection'] ?? '') !== 'close'];
    }
}
