<?php

declare(strict_types=1);

namespace Obs\Tests;

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
        self::assertSame(300, \count($events) + array_sum(array_column($events, 'suppressed')));
        self::assertLessThan(106, \count($events)); // Three flushes, and the end; some are sent early, with others.
        self::assertSame(48, end($events)['suppressed']);
    }

    public function testTheMinuteStartsAgainWhenItIsOver(): void
    {
        $this->serve();
        $program = $this->program('for ($n = 0; $n < 150; $n++) { Client::captureMessage("same"); } Client::flush(); echo "captured\n"; fgets(STDIN);
            for ($n = 0; $n < 50; $n++) { Client::captureMessage("same"); }');
        // A copy of the class in which the minute is a second.
        $queue = file_get_contents(\dirname(__DIR__) . '/src/Queue.php');
        self::assertStringContainsString('REPEATS_WINDOW = 60.0', $queue);
        file_put_contents("{$this->folder}/Queue.php", str_replace('REPEATS_WINDOW = 60.0', 'REPEATS_WINDOW = 1.0', $queue));
        file_put_contents($program, str_replace('use Obs\Client;', 'use Obs\Client; require __DIR__ . "/Queue.php";', file_get_contents($program)));
        $process = proc_open([\PHP_BINARY, $program], [['pipe', 'r'], ['pipe', 'w']], $pipes);
        fgets($pipes[1]);
        self::assertCount(101, $this->server->events());
        usleep(1_100_000); // It is the passing of time that is tested.
        fclose($pipes[0]);
        fgets($pipes[1]);
        proc_close($process);
        self::assertCount(151, $this->server->events());
    }

    public function testManyDifferentErrorsTakeLittleMemory(): void
    {
        $this->serve();
        $run = $this->play('for ($i = 0; $i < 30000; $i++) { Client::captureMessage("m $i"); } echo memory_get_peak_usage() < 64 << 20 ? "little" : memory_get_peak_usage();', ['shutdown_timeout' => 0.1]);
        self::assertSame('little', $run->stdout);
    }
}
