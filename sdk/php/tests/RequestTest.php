<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\ProgramTestCase;

/** In a web server, events have the request: from PHP's own server, and under HTTPS from server variables. */
final class RequestTest extends ProgramTestCase
{
    /** @var resource|null */
    private $web = null;

    protected function setUp(): void
    {
        parent::setUp();
        $this->serve();
    }

    protected function tearDown(): void
    {
        if ($this->web) {
            proc_terminate($this->web);
            proc_close($this->web);
        }
        parent::tearDown();
    }

    /** Requests a program from PHP's own server, and returns the request of the event. */
    private function requested(string $path, array $http): array
    {
        $program = $this->program('Client::captureException(new Exception("in a request"));');
        $this->web = proc_open([\PHP_BINARY, '-S', '127.0.0.1:0', $program], [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes);
        for ($line = ''; !preg_match('~http://127.0.0.1:(\d+)~', $line, $port);) {
            $line = fgets($pipes[2]);
        }
        file_get_contents("http://127.0.0.1:$port[1]$path", false, stream_context_create(['http' => $http]));
        return $this->event()['request'] + ['port' => $port[1]];
    }

    public function testAnEventHasMethodAddressQueryAndHeaders(): void
    {
        $request = $this->requested('/pay?coupon=1', ['method' => 'POST', 'content' => 'card=4111', 'header' => ['User-Agent: compat/1', 'X-Trace: t', 'Content-Type: text/plain']]);
        self::assertSame(['POST', "http://127.0.0.1:$request[port]/pay", 'coupon=1'], [$request['method'], $request['url'], $request['query_string']]);
        $headers = ['User-Agent' => 'compat/1', 'X-Trace' => 't', 'Content-Type' => 'text/plain', 'Content-Length' => '9'];
        self::assertEquals($headers, array_intersect_key($request['headers'], $headers));
        self::assertStringNotContainsString('4111', $this->server->requests()[0]['body']);
    }

    public function testHeadersThatCarrySecretsAreLeftOut(): void
    {
        $secret = ['Authorization', 'Proxy-Authorization', 'Cookie', 'Set-Cookie', 'X-CSRF-Token', 'X-XSRF-TOKEN', 'X-Api-Key', 'X-APIKEY', 'X-Auth-User',
            'X-Session-Id', 'X-Secret', 'X-Password', 'X-Credential', 'X-Access-Token'];
        $request = $this->requested('/', ['header' => [...array_map(static fn ($name) => "$name: hunter2", $secret), 'X-Request-Id: 1', 'Accept: text/html']]);
        self::assertEqualsCanonicalizing(['Host', 'Connection', 'X-Request-Id', 'Accept'], array_keys($request['headers']));
        self::assertStringNotContainsString('hunter2', $this->server->requests()[0]['body']);
    }

    public function testQueryParametersThatCarrySecretsAreLeftOut(): void
    {
        $request = $this->requested('/?a=1&token=hunter2&reset%5Ftoken=hunter2&PASSWORD[]=hunter2&api_key=hunter2&b[]=2&b[]=%263', []);
        self::assertSame('a=1&b[]=2&b[]=%263', $request['query_string']);
        self::assertStringNotContainsString('hunter2', $this->server->requests()[0]['body']);
    }

    public function testTheAddressHasTheSchemeOfTheServer(): void
    {
        $this->play('$_SERVER = ["REQUEST_METHOD" => "GET", "HTTPS" => "on", "HTTP_HOST" => "shop.example.com", "REQUEST_URI" => "/a/b?c=d", "QUERY_STRING" => "c=d",
            "HTTP_ODD" => ["no text"]] + $_SERVER; Client::captureMessage("m");');
        self::assertSame(['method' => 'GET', 'url' => 'https://shop.example.com/a/b', 'query_string' => 'c=d', 'headers' => ['Host' => 'shop.example.com']], $this->event()['request']);
    }
}
