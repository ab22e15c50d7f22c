<?php

declare(strict_types=1);

namespace Obs\Tests\Support;

/** Tests that whatever ends a script after some captures, all of them arrive, and so does the error itself if PHP has a hook. */
trait Endings
{
    /** Runs a program; $before comes before init. */
    abstract protected function playToTheEnd(string $code, string $before): void;

    /**
     * @dataProvider endings
     * @param string[]|null $captured what else arrives; null if PHP has no hook for all of it
     */
    public function testHoweverAScriptEndsWhatWasCapturedArrives(string $code, ?array $captured, string $before = ''): void
    {
        isset($this->server) || $this->serve();
        $this->playToTheEnd('for ($i = 0; $i < 55; $i++) { Client::captureMessage("m $i"); }' . "\n$code", $before);
        $messages = fn () => array_values(array_column($this->server->events(), 'message', 'event_id'));
        for ($deadline = microtime(true) + 5; \count($messages()) < 55 + \count($captured ?? []) && microtime(true) < $deadline;) {
            usleep(5000);
        }
        self::assertSame(array_map(static fn ($i) => "m $i", range(0, 54)), \array_slice($messages(), 0, 55));
        if ($captured !== null) {
            $others = \array_slice($messages(), 55);
            self::assertCount(\count($captured), $others);
            array_map(self::assertStringContainsString(...), $captured, $others);
        }
    }

    /** @return iterable<string, array{string, string[]|null, 2?: string}> */
    public function endings(): iterable
    {
        $failures = [
            'an exception' => ['throw new Exception("boom");', ['boom']],
            'an undefined function' => ['no_such_function();', ['Call to undefined function no_such_function()']],
            'exit' => ['exit(3);', []],
            'a fatal error of its own' => ['trigger_error("own", E_USER_ERROR);', ['own']],
            'a class that does not compile' => ['eval("class A implements Countable {}");', ['abstract method']],
            'a file that does not parse' => ['eval("if (");', ["Unclosed '('"]],
            'a missing file' => ['require "missing.php";', ['Failed to open stream', 'Failed opening required']],
            'exhausted memory' => ['ini_set("memory_limit", "16M"); str_repeat("x", 100 << 20);', ['Allowed memory size']],
        ];
        foreach ($failures as $name => [$fail, $captured]) {
            $object = "class D { static \$held; function __destruct() { $fail } }";
            $shutdown = "register_shutdown_function(function () { $fail });";
            $capturedThen = $name === 'exhausted memory' ? [] : $captured; // Afterwards, PHP calls nothing.
            yield $name => [$fail, $captured];
            yield "$name in a shutdown function" => [$shutdown, $capturedThen];
            yield "$name in one that a shutdown function registers" => ["register_shutdown_function(function () { $shutdown });", $capturedThen];
            yield "$name in a destructor" => ["$object \$object = new D; unset(\$object);", $captured];
            yield "$name in the destructor of a global" => ["$object \$object = new D;", null];
            yield "$name in the destructor of what a class holds" => ["$object D::\$held = new D;", null];
            yield "$name in an output callback" => ["ob_start(function () { $fail });", null];
            yield "$name in an exception handler that loads the first class" => ["set_exception_handler(function () { new Page; $fail }); throw new Exception('first');",
                ['first', ...$captured], 'spl_autoload_register(function ($class) { eval("class $class {}"); });'];
            if ($name !== 'exhausted memory') {
                yield "$name in a shutdown function registered before init" => ['', $captured, $shutdown];
            }
        }
    }
}
