<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\ProgramTestCase;
use Obs\Tests\Support\Run;

/** capture_unhandled: uncaught exceptions, PHP errors and fatal errors are captured, and the program behaves as before. */
final class UnhandledTest extends ProgramTestCase
{
    private const ON = ['capture_unhandled' => true];

    protected function setUp(): void
    {
        parent::setUp();
        $this->serve();
    }

    /** @return Run[] runs of the same code with and without the SDK */
    private function compare(string $code, array $arguments = []): array
    {
        $with = $this->execute($this->program($code, self::ON), $arguments);
        file_put_contents("{$this->folder}/program.php", "<?php\n$code\n");
        return [$with, $this->execute("{$this->folder}/program.php", $arguments)];
    }

    private function assertSameBehaviour(Run $with, Run $without): void
    {
        self::assertSame($without->stdout, $with->stdout);
        $comparable = static fn (string $text) => preg_replace('/tried to allocate \d+/', '', $text); // The SDK uses some memory too.
        self::assertSame($comparable($without->stderr), $comparable($with->stderr));
        self::assertSame($without->status, $with->status);
    }

    /** @dataProvider settings */
    public function testAnUncaughtExceptionIsCapturedAndEndsTheProgramAsUsual(string ...$settings): void
    {
        $code = 'function f($p) { throw new RuntimeException("not caught"); }
            echo "started\n"; register_shutdown_function(fn () => print("shutdown\n")); f(1);';
        [$with, $without] = $this->compare($code, array_merge(...array_map(static fn ($s) => ['-d', $s], $settings)));
        $this->assertSameBehaviour($with, $without);
        self::assertSame(255, $with->status);
        $event = $this->event();
        self::assertSame(['RuntimeException', 'not caught', 'error'], [$event['type'], $event['message'], $event['level']]);
        self::assertSame('f', $event['stacktrace'][0]['function']);
    }

    public function settings(): array
    {
        return [
            'defaults' => [], 'shown and logged' => ['display_errors=1', 'log_errors=1'],
            'quiet' => ['display_errors=0', 'log_errors=0'], 'with html' => ['html_errors=1', 'display_errors=1'],
        ];
    }

    public function testPreviousHandlersStillRun(): void
    {
        $before = 'set_exception_handler(function ($e) { echo "handled ", $e->getMessage(), "\n"; });
            set_error_handler(function ($no, $text) { echo "error ", $text, "\n"; return true; });';
        $after = 'trigger_error("watch out", E_USER_WARNING); throw new RuntimeException("x");';
        $dsn = $this->server->dsn();
        $this->program("$before Client::init(['dsn' => '$dsn', 'capture_unhandled' => true]); $after");
        $with = $this->execute("{$this->folder}/program.php");
        file_put_contents("{$this->folder}/plain.php", "<?php $before $after");
        $this->assertSameBehaviour($with, $this->execute("{$this->folder}/plain.php"));
        self::assertSame(['watch out', 'x'], array_column($this->server->events(), 'message'));
    }

    public function testWarningsNoticesAndDeprecationsAreCapturedWithTheirLine(): void
    {
        [$with, $without] = $this->compare('function f() {
            echo $undefined;
            fopen("/does/not/exist", "r");
            trigger_error("old", E_USER_DEPRECATED);
            trigger_error("bad", E_USER_NOTICE);
        }
        f();');
        $this->assertSameBehaviour($with, $without);
        $events = $this->server->events();
        self::assertSame(['warning', 'warning', 'info', 'info'], array_column($events, 'level'));
        self::assertSame(['ErrorException'], array_unique(array_column($events, 'type')));
        foreach ($events as $i => $event) {
            self::assertSame([['f', 3 + $i], ['{main}', 8]], array_map(static fn ($f) => [$f['function'], $f['lineno']], $event['stacktrace']));
        }
    }

    public function testSilencedAndUnreportedErrorsAreNotCaptured(): void
    {
        $this->play('@fopen("/does/not/exist", "r"); error_reporting(E_ALL & ~E_USER_NOTICE); trigger_error("no", E_USER_NOTICE);', self::ON);
        self::assertSame([], $this->server->events());
    }

    public function testAPreviousHandlerThatThrowsMakesOnlyOneEvent(): void
    {
        $this->play('set_error_handler(function ($no, $text) { throw new ErrorException($text); });
            Client::init(["dsn" => "' . $this->server->dsn() . '", "capture_unhandled" => true]); echo $undefined;');
        self::assertSame('ErrorException', $this->event()['type']);
    }

    /** @dataProvider fatal */
    public function testAFatalErrorIsCapturedOnce(string $code, string $message, int $line = 2): void
    {
        [$with, $without] = $this->compare($code);
        $this->assertSameBehaviour($with, $without);
        $event = $this->event();
        self::assertStringContainsString($message, $event['message']);
        self::assertSame(["{$this->folder}/program.php", $line], [$event['stacktrace'][0]['filename'], $event['stacktrace'][0]['lineno']]);
    }

    public function fatal(): array
    {
        return [
            'memory exhausted by one allocation' => ['ini_set("memory_limit", "8M"); str_repeat("x", 100 << 20);', 'Allowed memory size'],
            'memory exhausted by an array' => ["ini_set('memory_limit', '8M'); \$a = [];\nwhile (true) { \$a[] = [1]; }", 'Allowed memory size', 3],
            'memory exhausted by small allocations' => ["ini_set('memory_limit', '8M'); \$l = new SplDoublyLinkedList;\nwhile (true) { \$l->push(str_repeat('x', 3000)); }", 'Allowed memory size', 3],
            'an invalid class' => ['if (true) { class A implements Countable {} }', 'abstract method'],
        ];
    }

    /** @dataProvider endings */
    public function testAFatalErrorLosesNoQueuedEvents(string $code, bool $isCaptured): void
    {
        $this->server->stop();
        $this->serve(['delay' => 0.3]); // The first event is in flight when the script ends.
        $code = "ini_set('memory_limit', '16M');\n$code";
        $captures = 'foreach ([1, 2] as $n) { Client::captureMessage("message $n", "info", ["extra" => [str_repeat("x", 900000)]]); }';
        $with = $this->play("$captures $code", ['capture_unhandled' => $isCaptured]);
        file_put_contents("{$this->folder}/program.php", "<?php\n$code\n");
        $this->assertSameBehaviour($with, $this->execute("{$this->folder}/program.php"));
        $messages = array_column($this->server->events(), 'message', 'event_id');
        self::assertSame(['message 1', 'message 2'], \array_slice(array_values($messages), 0, 2));
        self::assertCount($isCaptured ? 3 : 2, $messages);
    }

    public function endings(): iterable
    {
        foreach ([true, false] as $isCaptured) {
            yield ['set_time_limit(1); while (true);', $isCaptured];
            yield ['str_repeat("x", 100 << 20);', $isCaptured];
            yield ['$l = new SplDoublyLinkedList; while (true) { $l->push(str_repeat("x", 3000)); }', $isCaptured];
            yield ['if (true) { class A implements Countable {} }', $isCaptured];
            yield ['trigger_error("x", E_USER_ERROR);', $isCaptured];
            yield ['throw new Exception("x");', $isCaptured];
        }
    }

    /** @dataProvider frameworks */
    public function testHandlersThatAFrameworkSetsAfterInitAreCalledAndHideNothing(string $after): void
    {
        $framework = 'class Framework {
                public $error; public $exception;
                function boot() { $this->error = set_error_handler([$this, "error"]); $this->exception = set_exception_handler([$this, "exception"]); }
                function error($severity, $text) { echo "error $text\n"; if ($text === "thrown") { throw new ErrorException($text); } return true; }
                function exception($e) { echo "page: {$e->getMessage()}\n"; }
                function forward($e) { echo "page: {$e->getMessage()}\n"; try { $this->exception && ($this->exception)($e); } catch (Throwable) {} }
            }
            spl_autoload_register(function ($class) { eval("class $class {}"); });
            $framework = new Framework; $framework->boot();';
        [$with, $without] = $this->compare("$framework\n$after", ['-d', 'display_errors=0', '-d', 'log_errors=0']);
        $this->assertSameBehaviour($with, $without);
        preg_match_all('/^(?:page:|error) (.*)$/m', $without->stdout, $seen);
        self::assertSame(array_values(array_unique($seen[1])), array_column($this->server->events(), 'message'));
        self::assertNotEmpty($seen[1]);
    }

    public function frameworks(): array
    {
        return [
            'a class is loaded afterwards' => ['new Controller; throw new RuntimeException("x");'],
            'a class is loaded by the handler' => ['set_exception_handler(function ($e) { new Page; echo "page: {$e->getMessage()}\n"; }); throw new RuntimeException("x");'],
            'its handler calls the previous one' => ['set_exception_handler([$framework, "forward"]); new Controller; throw new RuntimeException("x");'],
            'a warning' => ['new Controller; trigger_error("w", E_USER_WARNING); throw new RuntimeException("x");'],
            'a warning that it throws' => ['new Controller; trigger_error("thrown", E_USER_WARNING);'],
            'its handlers are set again and again' => ['for ($i = 0; $i < 3; $i++) { $framework->boot(); eval("new Controller$i;"); } throw new RuntimeException("x");'],
            'its handlers are restored' => ['new Controller; restore_exception_handler(); restore_error_handler(); $framework->boot(); new View; throw new RuntimeException("x");'],
            'its handler exits' => ['set_exception_handler(function ($e) { echo "page: x\n"; exit(4); }); new Controller; throw new RuntimeException("x");'],
        ];
    }

    public function testAnUncaughtExceptionThatTheApplicationReportsItselfIsOneEvent(): void
    {
        $run = $this->play('spl_autoload_register(fn () => null); set_exception_handler(fn ($e) => print(Client::captureException($e)));
            class_exists("X"); throw new Exception("x");', self::ON);
        self::assertSame($this->event()['event_id'], $run->stdout);
    }

    public function testATemporaryErrorHandlerStaysInPlaceAndIsRestored(): void
    {
        [$with, $without] = $this->compare('spl_autoload_register(function ($class) { eval("class $class {}"); });
            set_error_handler(fn () => print("temporary\n")); new Thing; echo $undefined; restore_error_handler(); echo $other;');
        $this->assertSameBehaviour($with, $without);
        self::assertSame(['Undefined variable $other'], array_column($this->server->events(), 'message'));
    }

    public function testAnExceptionHandlerThatFailsIsCapturedToo(): void
    {
        [$with, $without] = $this->compare('set_exception_handler(fn ($e) => no_such_function()); spl_autoload_register(fn () => null);
            class_exists("X"); throw new Exception("first");', ['-d', 'log_errors=0']);
        self::assertSame($without->status, $with->status);
        self::assertSame(['first', 'Call to undefined function no_such_function()'], array_column($this->server->events(), 'message'));
    }

    /** @dataProvider unhandled */
    public function testWhatNothingCaughtIsUnhandled(string $code, bool $isUnhandled, array $options = self::ON): void
    {
        $this->play($code, $options);
        $events = array_column($this->server->events(), null, 'event_id'); // After a fatal error, one may be sent again.
        self::assertSame([$isUnhandled ? ['handled' => false] : null], array_map(static fn ($e) => $e['mechanism'] ?? null, array_values($events)));
    }

    public function unhandled(): array
    {
        $accept = 'set_error_handler(fn () => true); spl_autoload_register(fn () => null); set_exception_handler(null); class_exists("X");';
        return [
            'an uncaught exception' => ['throw new Exception("x");', true],
            'one that the program\'s handler reports' => ['set_exception_handler(fn ($e) => Client::captureException($e)); throw new Exception("x");', false, ['capture_unhandled' => false]],
            'a fatal error' => ['if (true) { class A implements Countable {} }', true],
            'an error that ends the script' => ['trigger_error("x", E_USER_ERROR);', true],
            'the same where the program goes on' => ["$accept trigger_error('x', E_USER_ERROR);", false],
            'a warning' => ['echo $undefined;', false],
            'a caught exception' => ['Client::captureException(new Exception("x"));', false],
            'a caught exception, and its cause' => ['Client::captureException(new Exception("x", 0, new Exception("y")));', false],
        ];
    }

    public function testABeforeSendHookSeesWhatIsUnhandled(): void
    {
        $this->play('Client::init(["dsn" => "' . $this->server->dsn() . '", "capture_unhandled" => true,
            "before_send" => fn ($event) => ["message" => json_encode($event["mechanism"])] + $event]); throw new Exception("x");');
        self::assertSame('{"handled":false}', $this->event()['message']);
    }

    public function testRepeatedInitRegistersHandlersOnce(): void
    {
        $this->play('for ($i = 0; $i < 3; $i++) { Client::init(["dsn" => "' . $this->server->dsn() . '", "capture_unhandled" => true]); }
            trigger_error("one"); throw new Exception("two");', self::ON);
        self::assertSame(['one', 'two'], array_column($this->server->events(), 'message'));
    }

    public function testUncaughtErrorsAreCapturedByDefault(): void
    {
        $this->play('echo $undefined; throw new Exception("x");');
        self::assertSame(['Undefined variable $undefined', 'x'], array_column($this->server->events(), 'message'));
    }

    public function testOneOptionTurnsThatOff(): void
    {
        $this->play('echo $undefined; throw new Exception("x");', ['capture_unhandled' => false]);
        self::assertSame([], $this->server->events());
    }

    /** @dataProvider repeated */
    public function testTheSameErrorIsOneEvent(string $code): void
    {
        $this->play($code);
        self::assertSame('once', $this->event()['message']);
    }

    public function repeated(): array
    {
        $capture = '$e = new Exception("once"); $id = Client::captureException($e);';
        return [
            'captured twice' => ["$capture if (Client::captureException(\$e) !== \$id) { throw new Exception('another id'); }"],
            'captured and rethrown' => ["$capture throw \$e;"],
            'captured and rethrown in a shutdown function' => ["register_shutdown_function(function () { $capture\nthrow \$e; });"],
            'captured, flushed and rethrown' => ["$capture Client::flush(); throw \$e;"],
            'captured and rethrown by a handler' => ['set_exception_handler(function ($e) { Client::captureException($e); throw $e; }); throw new Exception("once");'],
        ];
    }
}
