<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\ProgramTestCase;
use Obs\Tests\Support\Server;

/** Sending: connections, retries, limits of the queue, and flush. */
final class SendingTest extends ProgramTestCase
{
    private const FLUSH = 'Client::captureMessage("m"); var_dump(Client::flush());';

    public function testManyEventsShareOneConnection(): void
    {
        $this->serve(['chunked' => true]);
        $this->play('for ($i = 0; $i < 300; $i++) { Client::captureMessage("m $i"); }');
        self::assertSame(array_map(static fn ($i) => "m $i", range(0, 299)), array_column($this->server->events(), 'message'));
        self::assertSame([1], array_values(array_unique(array_column($this->server->requests(), 'connection'))));
    }

    /** @dataProvider transient */
    public function testTemporaryFailuresAreRetriedWithTheSameId(array $answer): void
    {
        $this->serve($answer, $answer);
        self::assertSame("bool(true)\n", $this->play(self::FLUSH)->stdout);
        self::assertCount(3, $this->server->events());
        self::assertCount(1, array_unique(array_column($this->server->events(), 'event_id')));
    }

    public function transient(): array
    {
        return [
            '429' => [['status' => 429]], '503' => [['status' => 503]], '502 and a closed connection' => [['status' => 502, 'close' => true]],
            '504' => [['status' => 504]], '500' => [['status' => 500]], 'a closed connection' => [['hangUp' => true]],
        ];
    }

    /** @dataProvider final */
    public function testARejectedEventIsDroppedWithOneLine(int $status): void
    {
        $rejection = ['status' => $status, 'error' => "no\nway, test-key"];
        $this->serve($rejection, $rejection);
        $run = $this->play('Client::captureMessage("a"); Client::captureMessage("b"); var_dump(Client::flush()); ' . self::FLUSH);
        self::assertSame("bool(false)\nbool(true)\n", $run->stdout);
        self::assertSame(['a', 'b', 'm'], array_column($this->server->events(), 'message'));
        self::assertSame("obs: the server rejected an event: $status no way, ***\n", $run->stderr);
    }

    public function final(): array
    {
        return [[400], [401], [403], [404], [413], [302]];
    }

    public function testFlushDoesNotWaitForARetryThatIsDueAfterItsTimeout(): void
    {
        $this->serve(['status' => 503, 'headers' => ['Retry-After' => '2']]);
        $run = $this->play('Client::captureMessage("m"); Client::flush(1); $started = microtime(true);
            for ($i = 0; $i < 20; $i++) { $accepted[] = Client::flush(0.5); } echo count(array_filter($accepted)), microtime(true) - $started < 0.4 ? " at once" : " late";');
        self::assertSame('0 at once', $run->stdout);
        self::assertCount(2, $this->server->events()); // The end is the last chance.
    }

    public function testFlushHonoursRetryAfter(): void
    {
        $this->serve(['status' => 429, 'headers' => ['Retry-After' => '1']]);
        self::assertSame("bool(false)\nbool(true)\n", $this->play('Client::captureMessage("m"); var_dump(Client::flush(0.2)); var_dump(Client::flush());')->stdout);
        [$first, $second] = array_column($this->server->requests(), 'at');
        self::assertGreaterThanOrEqual(0.95, $second - $first);
    }

    public function testAnIdleConnectionClosedByTheServerIsNotAFailure(): void
    {
        $this->serve(['close' => true], [], ['hangUp' => true]);
        $run = $this->play('foreach ([1, 2, 3] as $i) { Client::captureMessage("m $i"); var_dump(Client::flush(0.5)); }');
        self::assertSame("bool(true)\nbool(true)\nbool(true)\n", $run->stdout);
        self::assertSame(['m 1', 'm 2', 'm 3', 'm 3'], array_column($this->server->events(), 'message'));
        self::assertSame('', $run->stderr);
    }

    public function testConnectionCloseIsHonoured(): void
    {
        $this->serve(['headers' => ['Connection' => 'close']]);
        $this->play('Client::captureMessage("a"); Client::captureMessage("b");');
        self::assertSame([1, 2], array_column($this->server->requests(), 'connection'));
    }

    public function testAnOverlongResponseIsNotReadCompletely(): void
    {
        $this->serve(['status' => 400, 'error' => str_repeat('x', 100_000)]);
        $run = $this->play('Client::captureMessage("a"); Client::captureMessage("b"); var_dump(Client::flush());');
        self::assertSame("bool(false)\n", $run->stdout);
        self::assertSame("obs: the server rejected an event: 400\n", $run->stderr);
        self::assertSame([1, 2], array_column($this->server->requests(), 'connection'));
    }

    public function testFlushTimesOutAndQueuedEventsAreSentLater(): void
    {
        $this->serve(['silent' => true]);
        $run = $this->play('Client::captureMessage("m"); $t = microtime(true); var_dump(Client::flush(0.3));
            echo microtime(true) - $t < 2 ? "in time" : "late", "\n"; var_dump(Client::flush());', ['timeout' => 0.5]);
        self::assertSame("bool(false)\nin time\nbool(true)\n", $run->stdout);
        self::assertCount(2, $this->server->events());
    }

    public function testTheShutdownTimeoutIsKept(): void
    {
        $this->serve(['silent' => true]);
        self::assertLessThan(2.5, $this->play('Client::captureMessage("m");', ['shutdown_timeout' => 0.3])->seconds);
    }

    public function testEventsWaitForAServerThatIsDownWithOneLine(): void
    {
        $this->serve();
        $this->server->stop();
        $run = $this->play('Client::captureMessage("a"); Client::captureMessage("b"); var_dump(Client::flush(0.5));', ['shutdown_timeout' => 0.1]);
        $port = $this->server->port;
        unset($this->server);
        self::assertSame("bool(false)\n", $run->stdout);
        self::assertSame("obs: cannot send events to 127.0.0.1:$port, will retry: connection refused\n", $run->stderr);
    }

    public function testAllAddressesOfAHostNameAreTried(): void
    {
        $this->serve();
        $run = $this->play(self::FLUSH, ['dsn' => $this->server->dsn('localhost')]);
        self::assertSame("bool(true)\n", $run->stdout);
    }

    public function testTheQueueHoldsEightMebibytes(): void
    {
        $this->serve([], ['delay' => 1]);
        $run = $this->play('Client::captureMessage("first"); Client::flush();
            for ($i = 0; $i < 20; $i++) { $ids[] = Client::captureMessage("m $i", "info", ["extra" => [str_repeat("x", 900000)]]); }
            echo count(array_filter($ids)); Client::flush(20);
            for ($i = 0; $i < 9; $i++) { Client::captureMessage("n $i", "info", ["extra" => [str_repeat("x", 900000)]]); } var_dump(Client::flush(20));');
        self::assertSame("9bool(true)\n", $run->stdout);
        self::assertSame("obs: the queue is full; events are dropped\n", $run->stderr);
        self::assertCount(19, $this->server->events());
    }

    /** @return float[] the X-OBS-Age of each request */
    private function ages(): array
    {
        return array_map(function (array $request) {
            self::assertSame(1, preg_match('/\r\nX-OBS-Age: (\d+\.\d+)\r\n/', $request['head'] . "\r\n", $age));
            return (float) $age[1];
        }, $this->server->requests());
    }

    public function testEachAttemptSaysHowLongAgoTheEventWasCaptured(): void
    {
        $this->serve(['status' => 503, 'headers' => ['Retry-After' => '1']], [], [], ['status' => 503, 'headers' => ['Retry-After' => '1']]);
        $this->play('Client::captureMessage("a"); usleep(200000); Client::captureMessage("b"); var_dump(Client::flush()); Client::captureMessage("c"); Client::flush();');
        [$first, $second, $b, $c, $again] = $this->ages();
        self::assertLessThan(0.9, $first);
        self::assertGreaterThanOrEqual(1.0, $second);
        self::assertEqualsWithDelta($second - 0.2, $b, 0.15);
        self::assertLessThan(0.9, $c);
        self::assertGreaterThanOrEqual(1.0, $again);
        self::assertSame(['a', 'a', 'b', 'c', 'c'], array_column($this->server->events(), 'message'));
    }

    public function testTheAgeOfAHeldEventIsThatOfTheLatestRepeat(): void
    {
        $this->serve();
        $this->play('for ($i = 0; $i < 102; $i++) { Client::captureMessage("m"); } Client::flush(); usleep(500000); Client::captureMessage("m"); usleep(300000); Client::flush();');
        $ages = $this->ages();
        self::assertCount(102, $ages);
        self::assertGreaterThanOrEqual(0.3, $ages[101]);
        self::assertLessThan(0.75, $ages[101]);
    }

    public function testTheAgeDoesNotDependOnThePrecisionOfFloats(): void
    {
        $this->serve();
        $this->execute($this->program('setlocale(LC_ALL, "de_DE.UTF-8", "C.UTF-8"); Client::captureMessage("m");'), ['-d', 'precision=3', '-d', 'serialize_precision=3']);
        self::assertLessThan(1.0, $this->ages()[0]);
    }

    public function testHttpsRequiresAValidCertificate(): void
    {
        $key = openssl_pkey_new(['private_key_bits' => 2048]);
        file_put_contents("{$this->folder}/ssl.cnf", "[req]\ndistinguished_name=dn\n[dn]\n[san]\nsubjectAltName=DNS:localhost\nbasicConstraints=CA:TRUE\n");
        $options = ['config' => "{$this->folder}/ssl.cnf", 'x509_extensions' => 'san', 'digest_alg' => 'sha256'];
        $certificate = openssl_csr_sign(openssl_csr_new(['commonName' => 'localhost'], $key, $options), null, $key, 2, $options, 7);
        openssl_x509_export($certificate, $public);
        openssl_pkey_export($key, $private, null, $options);
        file_put_contents("{$this->folder}/both.pem", $public . $private);
        file_put_contents("{$this->folder}/public.pem", $public);
        $this->server = new Server([], "{$this->folder}/both.pem");
        $program = $this->program('for ($i = 0; $i < 3; $i++) { Client::captureMessage("m", "info", ["extra" => [str_repeat("x", 900000)]]); }
            var_dump(Client::flush(2));', ['dsn' => "https://test-key@localhost:{$this->server->port}", 'shutdown_timeout' => 0.1]);

        self::assertSame("bool(true)\n", $this->execute($program, ['-d', "openssl.cafile={$this->folder}/public.pem"])->stdout);
        self::assertCount(3, $this->server->events());
        self::assertSame([1], array_values(array_unique(array_column($this->server->requests(), 'connection'))));
        $untrusted = $this->execute($program);
        self::assertSame("bool(false)\n", $untrusted->stdout);
        self::assertSame("obs: cannot send events to localhost:{$this->server->port}, will retry: TLS handshake failed\n", $untrusted->stderr);
        self::assertCount(3, $this->server->events());
    }
}
