<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\ProgramTestCase;

/** The bridges from PSR-3 and Monolog. */
final class LoggerTest extends ProgramTestCase
{
    private const PSR = 'require "Psr/Log/autoload.php"; $log = new Obs\Logger("info"); ';
    private const MONOLOG = 'require "Monolog/autoload.php"; $log = new Monolog\Logger("shop", [new Obs\MonologHandler("info")]); ';

    protected function setUp(): void
    {
        parent::setUp();
        $this->serve();
        self::assertNotFalse(stream_resolve_include_path('Monolog/autoload.php'), 'php-monolog is needed for this test');
    }

    public function loggers(): array
    {
        return ['PSR-3' => [self::PSR], 'Monolog' => [self::MONOLOG]];
    }

    /** @dataProvider loggers */
    public function testARecordIsAMessageWithItsLevelAndContext(string $logger): void
    {
        $run = $this->play($logger . '$log->warning("order {order} of {user} is late", ["order" => 7, "user" => "ann", "n" => [1]]);');
        self::assertSame('', $run->stdout . $run->stderr);
        $event = $this->event();
        self::assertSame(['order 7 of ann is late', 'warning', ['order' => 7, 'user' => 'ann', 'n' => [1]]], [$event['message'], $event['level'], $event['extra']]);
    }

    /** @dataProvider loggers */
    public function testAnExceptionInTheContextIsCapturedWithTheText(string $logger): void
    {
        $this->play($logger . '$log->error("payment failed", ["exception" => new DomainException("declined"), "order" => 7]);');
        $event = $this->event();
        self::assertSame(['DomainException', 'declined', 'error'], [$event['type'], $event['message'], $event['level']]);
        self::assertSame(['order' => 7, 'log' => 'payment failed'], $event['extra']);
        self::assertSame("{$this->folder}/program.php", $event['stacktrace'][0]['filename']);
    }

    /** @dataProvider loggers */
    public function testEveryLevelHasOneOfTheServersLevels(string $logger): void
    {
        $this->play($logger . 'foreach (["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as $level) { $log->log($level, $level); }');
        self::assertSame(
            ['info' => 'info', 'notice' => 'info', 'warning' => 'warning', 'error' => 'error', 'critical' => 'error', 'alert' => 'error', 'emergency' => 'error'],
            array_column($this->server->events(), 'level', 'message'),
        );
    }

    /** @dataProvider loggers */
    public function testALoggedExceptionThatIsRethrownIsOneEvent(string $logger): void
    {
        $this->play($logger . '$e = new Exception("once"); $log->error("failed", ["exception" => $e]); throw $e;');
        self::assertSame('once', $this->event()['message']);
    }

    public function testByDefaultThePsrLoggerCapturesErrors(): void
    {
        $this->play(self::PSR . '$log = new Obs\Logger; $log->warning("w"); $log->error("e");');
        self::assertSame('e', $this->event()['message']);
    }

    public function testALoggerInBeforeSendDoesNotRecurse(): void
    {
        $this->play(self::PSR . 'Client::init(["dsn" => "' . $this->server->dsn() . '", "before_send" => function ($event) use ($log) { $log->error("inner"); return $event; }]);
            $log->error("outer");');
        self::assertSame('outer', $this->event()['message']);
    }

    public function testTheInterfacesAreLoadedOnlyWhenUsed(): void
    {
        $this->play('Client::captureMessage(json_encode([interface_exists("Psr\Log\LoggerInterface", false), class_exists("Obs\Logger", false)]));');
        self::assertSame('[false,false]', $this->event()['message']);
    }
}
