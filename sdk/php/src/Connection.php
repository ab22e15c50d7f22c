<?php // One kept-alive HTTP/1.1 connection to a server. It never waits, but yields what it would wait for.

declare(strict_types=1);

namespace Obs;

final class Connection
{
    private const CHUNK = 64 << 10;
    private const MAX_ANSWER = 64 << 10;
    private const LONGEST_RETRY_AFTER = 300.0;

    /** @var resource|null between two requests */
    private $socket = null;

    public function __construct(
        public readonly Dsn $dsn,
        private readonly float $connectTimeout,
        private readonly float $timeout,
    ) {
    }

    /**
     * Sends one event, and returns the answer: `status`, `retryAfter` (seconds), `error`.
     *
     * @throws \RuntimeException if the connection fails, or there is no answer in time
     */
    public function post(string $json): \Generator
    {
        $deadline = Transport::clock() + $this->timeout;
        [$socket, $this->socket] = [$this->socket, null]; // It comes back when all went well.
        if (!$socket || fread($socket, 1) !== '' || feof($socket)) {
            $socket = yield from $this->open(min($deadline, Transport::clock() + $this->connectTimeout));
        }
        $request = "POST /api/events HTTP/1.1\r\nHost: {$this->dsn->host}:{$this->dsn->port}\r\n"
            . "Content-Type: application/json\r\nX-OBS-Key: {$this->dsn->key}\r\nContent-Length: " . \strlen($json) . "\r\n\r\n"
            . substr($json, 0, self::CHUNK); // In pieces: where the memory is exhausted, a second copy is too much.
        $next = self::CHUNK;
        $answer = '';
        while (true) {
            $sent = $request === '' ? 0 : fwrite($socket, $request); // False where the connection is broken.
            $request = substr($request, (int) $sent);
            if ($request === '') {
                $request = substr($json, $next, self::CHUNK);
                $next += self::CHUNK;
            }
            // A server may refuse before it has read everything, so its answer is looked for from the start.
            $bytes = (string) fread($socket, self::CHUNK);
            $answer .= $bytes;
            if ($response = self::parse($answer, $sent === false || feof($socket) || \strlen($answer) > self::MAX_ANSWER)) {
                $this->socket = $response['keepsAlive'] && $request === '' ? $socket : null;
                return $response;
            }
            if (!$sent && $bytes === '') {
                yield from self::await($socket, $request !== '', $deadline);
            }
        }
    }

    /** Where PHP does not wait it tries only the first address of a name, and `localhost` would fail where that is a deaf ::1. */
    private function open(float $deadline): \Generator
    {
        $host = $this->dsn->host;
        $context = stream_context_create(['socket' => ['tcp_nodelay' => true], 'ssl' => ['peer_name' => trim($host, '[]')]]);
        $flags = \STREAM_CLIENT_CONNECT | \STREAM_CLIENT_ASYNC_CONNECT;
        $addresses = $host[0] === '[' || !\function_exists('gethostbynamel') ? [] : gethostbynamel($host);
        foreach (array_unique([...($addresses ?: []), $host]) as $address) {
            $socket = stream_socket_client("tcp://$address:{$this->dsn->port}", $code, $error, 0, $flags, $context);
            if (!$socket) {
                continue;
            }
            stream_set_blocking($socket, false);
            for ($none = [], $write = [$socket]; stream_select($none, $write, $none, 0) === 0; $write = [$socket]) {
                yield from self::await($socket, true, $deadline);
            }
            if (stream_socket_get_name($socket, true) === false) {
                continue;
            }
            $start = fn () => stream_socket_enable_crypto($socket, true, \STREAM_CRYPTO_METHOD_TLS_CLIENT);
            while (($isReady = $this->dsn->isSecure ? $start() : true) === 0) {
                yield from self::await($socket, false, $deadline);
            }
            return $isReady ? $socket : throw new \RuntimeException('the TLS handshake failed');
        }
        throw new \RuntimeException('the connection was refused');
    }

    /** @param resource $socket */
    private static function await($socket, bool $isWriting, float $deadline): \Generator
    {
        if (Transport::clock() >= $deadline) {
            throw new \RuntimeException('it does not answer');
        }
        yield [$deadline, $socket, $isWriting];
    }

    /** Null while the answer is not complete. What has ended, or is too long to be read, is complete as it is. */
    private static function parse(string $bytes, bool $hasEnded): ?array
    {
        if (!$hasEnded && !str_contains($bytes, "\r\n\r\n")) {
            return null;
        }
        [$head, $body] = explode("\r\n\r\n", $bytes, 2) + [1 => ''];
        if (!preg_match('~^HTTP/1\.[01] (\d{3})~', $head, $status)) {
            throw new \RuntimeException($bytes === '' ? 'the connection was closed' : 'the answer is not HTTP');
        }
        preg_match_all('/^([^:\r\n]+):[ \t]*(.*?)[ \t]*\r?$/m', $head, $lines);
        $headers = array_change_key_case(array_combine($lines[1], $lines[2]));
        $isWhole = isset($headers['transfer-encoding']) // Which is chunked: but for trailers, the last line is a 0.
            ? preg_match('/(^|\n)0+\r\n([^\r\n]+\r\n)*\r\n$/D', $body) === 1
            : \strlen($body) >= (int) ($headers['content-length'] ?? \PHP_INT_MAX);
        if (!$isWhole && !$hasEnded) {
            return null;
        }
        $after = $headers['retry-after'] ?? '';
        $seconds = is_numeric($after) ? (float) $after : (float) strtotime($after) - time();
        preg_match('/"error":\s*("(?:[^"\\\\]++|\\\\.)*+")/s', $body, $error);
        return [
            'status' => (int) $status[1],
            'retryAfter' => max(0.0, min($seconds, self::LONGEST_RETRY_AFTER)),
            'error' => Json::cut((string) json_decode($error[1] ?? ''), 200),
            'keepsAlive' => !$hasEnded && strtolower($headers['connection'] ?? '') !== 'close',
        ];
    }
}
