<?php

// A small HTTP server for the tests: php http-server.php LOG ANSWERS [CERTIFICATE]
// Appends each request to LOG as a line of JSON. Responds with ANSWERS (JSON, see Server.php), and then with 201.

declare(strict_types=1);

[, $log, $answers, $certificate] = $argv + [3 => null];
$answers = json_decode($answers, true);
$context = stream_context_create(['ssl' => ['local_cert' => $certificate]]);
$listener = stream_socket_server($certificate ? 'tls://127.0.0.1:0' : 'tcp://127.0.0.1:0', $code, $error, \STREAM_SERVER_BIND | \STREAM_SERVER_LISTEN, $context);
echo substr(strrchr(stream_socket_get_name($listener, false), ':'), 1), "\n";

$sockets = $buffers = $due = [];
$connections = 0;
while (true) {
    $read = ['listener' => $listener] + $sockets;
    $none = null;
    stream_select($read, $none, $none, 0, 20_000);
    if (isset($read['listener']) && ($socket = @stream_socket_accept($listener, 5))) {
        stream_set_blocking($socket, false);
        $sockets[++$connections] = $socket;
        $buffers[$connections] = '';
    }
    foreach ($sockets as $number => $socket) {
        while (($bytes = (string) fread($socket, 65536)) !== '') {
            $buffers[$number] .= $bytes;
        }
        [$head, $body] = explode("\r\n\r\n", $buffers[$number], 2) + [1 => null];
        if ($body !== null && preg_match('/^Content-Length: (\d+)/mi', $head, $match) && strlen($body) >= (int) $match[1]) {
            $buffers[$number] = substr($body, (int) $match[1]);
            $answer = array_shift($answers) ?? [];
            $request = ['connection' => $number, 'at' => microtime(true), 'head' => $head, 'body' => substr($body, 0, (int) $match[1])];
            file_put_contents($log, json_encode($request) . "\n", FILE_APPEND);
            $due[] = [microtime(true) + ($answer['delay'] ?? 0), $number, $answer];
        } elseif (feof($socket)) {
            unset($sockets[$number]);
        }
    }
    foreach ($due as $i => [$at, $number, $answer]) {
        if (microtime(true) < $at || !empty($answer['silent'])) {
            continue;
        }
        unset($due[$i]);
        if (!isset($sockets[$number])) {
            continue;
        }
        $body = json_encode(isset($answer['error']) ? ['error' => $answer['error']] : ['id' => 'x']);
        $size = dechex(strlen($body));
        $headers = ($answer['headers'] ?? []) + (empty($answer['chunked']) ? ['Content-Length' => strlen($body)] : ['Transfer-Encoding' => 'chunked']);
        $lines = array_map(static fn ($name, $value) => "$name: $value\r\n", array_keys($headers), $headers);
        $text = empty($answer['chunked']) ? $body : "$size\r\n$body\r\n0\r\n\r\n";
        if (empty($answer['hangUp'])) {
            fwrite($sockets[$number], 'HTTP/1.1 ' . ($answer['status'] ?? 201) . " Scripted\r\n" . implode('', $lines) . "\r\n$text");
        }
        if (!empty($answer['close']) || !empty($answer['hangUp'])) {
            fclose($sockets[$number]);
            unset($sockets[$number]);
        }
    }
}
