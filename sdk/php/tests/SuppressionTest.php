<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Suppression;
use Obs\Tests\Support\ProgramTestCase;

/** Repeats: at most 100 per minute are sent, plus one with the number of the rest. */
final class SuppressionTest extends ProgramTestCase
{
    public function testTenThousandRepeatsAreCountedWith101Events(): void
    {
        $this->serve();
        $run = $this->play('for ($i = 0; $i < 10000; $i++) { $id = Client::captureException(new Exception("same"), ["extra" => ["i" => $i]]); $ids[$id] = 1; }
            var_dump(count($ids), Client::flush());');
        $events = $this->server->events();
        self::assertSame("int(101)\nbool(true)\n", $run->stdout); // 100 ids and the empty string.
        self::assertCount(101, $events);
        self::assertSame([9899, 9999], [$events[100]['suppressed'], $events[100]['extra']['i']]);
        self::assertArrayNotHasKey('suppressed', $events[99]);
    }

    public function testRepeatsHaveTheSameTypeMessageAndTopFrame(): void
    {
        $this->serve();
        $this->play('for ($i = 0; $i < 60; $i++) { Client::captureException(new Exception("same"));
            Client::captureException(new Exception("same")); Client::captureException(new Exception("other")); Client::captureException(new Error("other")); }');
        self::assertCount(240, $this->server->events());
    }

    public function testFlushSendsTheHeldEventAndKeepsTheWindow(): void
    {
        $this->serve();
        $this->play('for ($i = 0; $i < 300; $i++) { Client::captureMessage("same"); if ($i % 100 === 50) { Client::flush(); } }');
        $events = $this->server->events();
        self::assertSame([50, 99, 48], array_values(array_column($events, 'suppressed')));
        self::assertSame(300, \count($events) + 50 + 99 + 48);
    }

    public function testTheHeldEventIsSentWhenTheMinuteEnds(): void
    {
        $suppression = new Suppression();
        for ($i = 0; $i < 103; $i++) {
            $admitted[] = $suppression->admit('e', "{\"n\":$i}", 1000.0);
        }
        self::assertCount(100, array_filter($admitted));
        self::assertSame([], $suppression->takeExpired(1059.9));
        self::assertSame(['{"n":102,"suppressed":2}'], $suppression->takeExpired(1060.0));
        self::assertSame('{"n":103}', $suppression->admit('e', '{"n":103}', 1060.0));
    }

    public function testTheOldestWindowEndsIfThereAreTooMany(): void
    {
        $suppression = new Suppression();
        for ($i = 0; $i < 101; $i++) {
            $suppression->admit('oldest', '{"held":1}', 1.0);
        }
        for ($i = 0; $i < 999; $i++) {
            self::assertSame([], $suppression->takeExpired(2.0));
            $suppression->admit("e$i", '{}', 2.0);
        }
        self::assertSame(['{"held":1}'], $suppression->takeExpired(2.0));
    }

    public function testTheSuppressedCountStaysWithinTheServersLimit(): void
    {
        $suppression = new Suppression();
        for ($i = 0; $i < 1_000_100; $i++) {
            $suppression->admit('e', '{"a":1}', 1.0);
        }
        self::assertSame('{"a":1,"suppressed":1000000}', $suppression->admit('e', '{"a":1}', 1.0));
        self::assertSame([], $suppression->takeAll());
    }
}
