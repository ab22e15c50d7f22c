<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\ProgramTestCase;

/** Long-running programs: events leave while they run, even without a flush, and one that is killed loses little. */
final class WorkerTest extends ProgramTestCase
{
    private const FIFTY_FIVE = 'for ($i = 0; $i < 55; $i++) { Client::captureMessage("m $i"); }';

    /** @var resource|null */
    private $process = null;

    protected function tearDown(): void
    {
        $this->process && proc_terminate($this->process, 9);
        parent::tearDown();
    }

    /** Starts a program that waits at each `pause()`. The function that is returned waits for that, and resumes it. */
    private function start(string $code): \Closure
    {
        $file = $this->program("function pause() { echo '.'; fgets(STDIN); }\n$code");
        $this->process = proc_open([\PHP_BINARY, $file], [['pipe', 'r'], ['pipe', 'w']], $pipes);
        return function () use ($pipes) {
            self::assertSame('.', fread($pipes[1], 1));
            $messages = array_column($this->server->events(), 'message');
            fwrite($pipes[0], "\n");
            return $messages;
        };
    }

    public function testTenEventsLeaveAtOnce(): void
    {
        $this->serve();
        $next = $this->start('for ($i = 0; $i < 9; $i++) { Client::captureMessage("m $i"); } pause(); Client::captureMessage("m 9"); pause();');
        self::assertSame([], $next());
        self::assertCount(10, $next());
    }

    public function testWhatIsOlderThanASecondLeavesAtTheNextCapture(): void
    {
        $this->serve();
        $next = $this->start('Client::captureMessage("a"); pause(); Client::captureMessage("b"); pause();');
        usleep(1_100_000); // It is the passing of time that is tested.
        self::assertSame([], $next());
        self::assertSame(['a', 'b'], $next());
    }

    public function testAnEventLeftEarlyThatIsLostIsReportedByTheNextFlush(): void
    {
        $this->serve(['status' => 400]);
        $run = $this->play('for ($i = 0; $i < 10; $i++) { Client::captureMessage("m $i"); } var_dump(Client::flush(), Client::flush());');
        self::assertSame("bool(false)\nbool(true)\n", $run->stdout);
    }

    /** @dataProvider kills */
    public function testAProgramThatIsKilledLosesAtMostNineEventsOfABurst(string $signal): void
    {
        $this->serve();
        $run = $this->play(self::FIFTY_FIVE . "exec('kill -$signal ' . getmypid()); sleep(20);");
        self::assertLessThan(15, $run->seconds);
        self::assertGreaterThanOrEqual(46, \count($this->server->events()));
    }

    public function kills(): array
    {
        return [['TERM'], ['INT'], ['KILL']];
    }

    /** @dataProvider handlers */
    public function testAProgramWhoseSignalHandlerExitsLosesNothing(string $handler): void
    {
        $this->serve();
        $this->play("pcntl_async_signals(true); pcntl_signal(SIGTERM, $handler);" . self::FIFTY_FIVE . "exec('kill ' . getmypid()); sleep(20);");
        self::assertCount(55, array_unique(array_column($this->server->events(), 'event_id')));
    }

    public function handlers(): array
    {
        return ['exits' => ['fn () => exit(143)'], 'flushes' => ['function () { Client::flush(); posix_kill(getmypid(), SIGKILL); }']];
    }

    public function testABurstNeverWaitsLongForAnUnresponsiveServer(): void
    {
        $this->serve(['silent' => true]);
        $run = $this->play('$t = microtime(true); for ($i = 0; $i < 1000; $i++) { Client::captureMessage("m $i"); }
            echo microtime(true) - $t < 1 ? "quick" : "slow";', ['shutdown_timeout' => 0.1]);
        self::assertSame('quick', $run->stdout);
    }

    public function testAnUnresponsiveServerCostsATenthOfTheTimeAtMost(): void
    {
        $this->serve(...array_fill(0, 50, ['silent' => true]));
        $run = $this->play('$waited = 0; for ($t = microtime(true); microtime(true) - $t < 6; usleep(20000)) {
            $before = microtime(true); Client::captureMessage("m" . $before); $waited += microtime(true) - $before; } echo $waited;', ['shutdown_timeout' => 0.1]);
        self::assertLessThan(1.7, (float) $run->stdout); // The first second, and a tenth.
        self::assertGreaterThan(1, \count($this->server->requests()));
    }

    public function testASlowServerGetsTheEventsWhileTheProgramRuns(): void
    {
        $this->serve(...array_fill(0, 50, ['delay' => 0.3]));
        $next = $this->start('for ($i = 0; $i < 10; $i++) { Client::captureMessage("m $i"); } pause();');
        self::assertNotEmpty($next());
    }
}
