<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\Endings;
use Obs\Tests\Support\ProgramTestCase;

/** The end of a script: whatever fails in it, what was captured arrives, and so does the error itself. */
final class EndingTest extends ProgramTestCase
{
    use Endings;

    private const FIFTY = 'for ($i = 0; $i < 50; $i++) { Client::captureMessage("m $i"); }';
    private const ON = ['capture_unhandled' => true, 'shutdown_timeout' => 10];

    protected function setUp(): void
    {
        parent::setUp();
        file_put_contents("{$this->folder}/invalid.php", '<?php if (true) { class A implements Countable {} }');
        file_put_contents("{$this->folder}/unfinished.php", '<?php if (');
        $this->serve();
    }

    protected function playToTheEnd(string $code, string $before): void
    {
        $this->execute($this->program($code, ['shutdown_timeout' => 10], 'program.php', $before));
    }

    /** @return string[] */
    private function messages(): array
    {
        return array_column($this->server->events(), 'message', 'event_id');
    }

    /** @dataProvider failures */
    public function testAFailingShutdownFunctionLosesNothing(string $code, ?string $type, ?string $message): void
    {
        $code = "register_shutdown_function(function () {\n$code });";
        $with = $this->play(self::FIFTY . $code, self::ON);
        file_put_contents("{$this->folder}/program.php", "<?php\n$code\n");
        $without = $this->execute("{$this->folder}/program.php");
        self::assertSame([$without->status, $without->stdout, $without->stderr], [$with->status, $with->stdout, $with->stderr]);
        $messages = $this->messages();
        self::assertSame(array_map(static fn ($i) => "m $i", range(0, 49)), \array_slice(array_values($messages), 0, 50));
        self::assertCount($message === null ? 50 : 51, $messages);
        if ($message !== null) {
            $event = $this->server->events()[50];
            self::assertStringContainsString($message, $event['message']);
            self::assertSame([$type, 'error', 3], [$event['type'], $event['level'], $event['stacktrace'][0]['lineno']]);
        }
    }

    public function failures(): array
    {
        return [
            'an exception' => ['throw new RuntimeException("boom");', 'RuntimeException', 'boom'],
            'an exception with a cause' => ['throw new LogicException("outer", 0, new Exception("inner"));', 'LogicException', 'outer'],
            'an undefined function' => ['no_such_function();', 'Error', 'Call to undefined function no_such_function()'],
            'exit' => ['exit(3);', null, null],
            'a fatal error of the application' => ['trigger_error("own", E_USER_ERROR);', 'ErrorException', 'own'],
            'a time limit' => ['set_time_limit(1); while (true);', 'ErrorException', 'Maximum execution time'],
            'exhausted memory' => ['ini_set("memory_limit", "16M"); str_repeat("x", 100 << 20);', null, null],
        ];
    }

    /** @dataProvider files */
    public function testAFileThatDoesNotCompileInAShutdownFunctionLosesNothing(string $file, string $message): void
    {
        $this->play(self::FIFTY . "register_shutdown_function(fn () => require '$file.php');", self::ON);
        self::assertCount(51, $this->messages());
        $event = $this->server->events()[50];
        self::assertStringContainsString($message, $event['message']);
        self::assertStringEndsWith("/$file.php", $event['stacktrace'][0]['filename']);
    }

    public function files(): array
    {
        return [['invalid', 'abstract method'], ['unfinished', "Unclosed '('"]];
    }

    public function testSeveralFailuresAtTheEndAreCapturedOnceEach(): void
    {
        $this->play('register_shutdown_function(fn () => throw new Exception("in a shutdown function"));
            class A { function __destruct() { trigger_error("in a destructor", E_USER_WARNING); } } $a = new A;
            ob_start(fn () => throw new Exception("in an output callback"));', self::ON);
        self::assertEqualsCanonicalizing(
            ['in a shutdown function', 'in a destructor', 'in an output callback'],
            array_values($this->messages()),
        );
    }

    /** @dataProvider holders */
    public function testWhatADestructorCapturesArrives(string $holder): void
    {
        $this->play('class A { static $held; function __destruct() { for ($i = 0; $i < 20; $i++) { Client::captureMessage("late $i"); } } }'
            . "$holder = new A;", ['shutdown_timeout' => 10]);
        self::assertCount(20, $this->messages());
    }

    /** @dataProvider holders */
    public function testAnExceptionFromADestructorLosesNothingThatWasCaptured(string $holder): void
    {
        $this->play('class A { static $held; function __destruct() { Client::captureMessage("1"); Client::captureMessage("2"); throw new Exception; } }'
            . self::FIFTY . "$holder = new A;", self::ON);
        self::assertCount(52, $this->messages());
    }

    public function holders(): array
    {
        return ['a global variable' => ['$a'], 'a static property' => ['A::$held']];
    }

    public function testWhatAShutdownFunctionCapturesSurvivesTheNextOne(): void
    {
        $this->play('Client::captureMessage("early"); register_shutdown_function(fn () => Client::captureMessage("late"));
            register_shutdown_function(function () { ini_set("memory_limit", "16M"); str_repeat("x", 100 << 20); });', self::ON);
        self::assertSame(['early', 'late'], array_values($this->messages()));
    }

    public function testExhaustedMemoryInADestructorLosesNothing(): void
    {
        $this->play('Client::captureMessage("early"); register_shutdown_function(fn () => Client::captureMessage("late"));
            class A { function __destruct() { ini_set("memory_limit", "16M"); str_repeat("x", 100 << 20); } } $GLOBALS["later than the SDK"] = new A;', self::ON);
        self::assertSame(['early', 'late'], \array_slice(array_values($this->messages()), 0, 2));
    }

    public function testAFailingOutputCallbackIsCaptured(): void
    {
        $this->play(self::FIFTY . 'ob_start(fn () => no_such_function());', self::ON);
        self::assertContains('Call to undefined function no_such_function()', $this->messages());
        self::assertCount(51, $this->messages());
    }

    public function testWhatAnOutputCallbackCapturesArrives(): void
    {
        $this->play('ob_start(function ($text) { Client::captureMessage("in the callback"); return $text; });', self::ON);
        self::assertSame(['in the callback'], array_values($this->messages()));
    }

    public function testCaptureUnhandledOffAlsoHoldsAtTheEnd(): void
    {
        $this->play('Client::captureMessage("m"); register_shutdown_function(fn () => throw new Exception("x"));', ['capture_unhandled' => false]);
        self::assertSame(['m'], array_values($this->messages()));
    }

    /** @dataProvider late */
    public function testInitMayComeLate(string $code): void
    {
        file_put_contents("{$this->folder}/late.php", '<?php require ' . var_export(__DIR__ . '/autoload.php', true) . ';
            function late() { Obs\Client::init(["dsn" => "' . $this->server->dsn() . '"]); Obs\Client::captureMessage("late"); }' . "\n$code");
        $this->execute("{$this->folder}/late.php");
        self::assertSame(['late'], array_values($this->messages()));
    }

    public function late(): array
    {
        return [
            'in a shutdown function' => ['register_shutdown_function(late(...));'],
            'in one that a shutdown function registers' => ['register_shutdown_function(fn () => register_shutdown_function(late(...)));'],
            'in a destructor' => ['class A { function __destruct() { late(); } } $a = new A;'],
        ];
    }

    public function testWhatTheLastOfNestedShutdownFunctionsCapturesArrives(): void
    {
        $this->play('$nest = function ($n) use (&$nest) { Client::captureMessage("m $n"); if ($n > 0) { register_shutdown_function($nest, $n - 1); } };
            register_shutdown_function($nest, 3);', self::ON);
        self::assertSame(['m 3', 'm 2', 'm 1', 'm 0'], array_values($this->messages()));
    }

    public function testTheReportOfAnUncaughtExceptionSendsNoArguments(): void
    {
        $file = $this->program('function f($p) { throw new Exception("x"); } register_shutdown_function(fn () => f("hunter" . 2));', self::ON);
        $this->execute($file, ['-d', 'zend.exception_ignore_args=0']);
        self::assertSame('x', $this->event()['message']);
        self::assertStringNotContainsString('hunter2"', preg_replace('/"(pre|post)_context.*?\]|"context_line":".*?"/', '', $this->server->requests()[0]['body']));
    }

    public function testAnErrorHandlerThatExitsDoesNotHideTheError(): void
    {
        $run = $this->play('set_error_handler(fn () => exit(5)); Client::init(["dsn" => "' . $this->server->dsn() . '", "capture_unhandled" => true]);
            trigger_error("last words", E_USER_WARNING);', ['capture_unhandled' => false]);
        self::assertSame([5, 'last words', 'warning'], [$run->status, $this->event()['message'], $this->event()['level']]);
    }

    public function testShutdownTimeoutLimitsAllStagesTogether(): void
    {
        $this->server->stop();
        $this->serve(['silent' => true]);
        $run = $this->play('Client::captureMessage("a"); register_shutdown_function(fn () => Client::captureMessage("b"));
            class A { function __destruct() { Client::captureMessage("c"); } } $a = new A;', ['shutdown_timeout' => 0.5]);
        self::assertLessThan(1.5, $run->seconds);
    }
}
