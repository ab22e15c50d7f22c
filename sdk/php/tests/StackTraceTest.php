<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\ProgramTestCase;

/** Frames: where a trace starts, function names, in_app, and source lines. */
final class StackTraceTest extends ProgramTestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        $this->serve();
    }

    /** @return array<array{string, ?int}> function and line of each frame */
    private function frames(string $code): array
    {
        $this->play($code);
        return array_map(static fn ($frame) => [$frame['function'], $frame['lineno'] ?? null], $this->event()['stacktrace']);
    }

    public function testEachFrameHasTheFunctionThatContainsItsLine(): void
    {
        self::assertSame([['Shop->pay', 4], ['Shop::open', 5], ['{closure}', 7], ['{main}', 7]], $this->frames('
            class Shop {
                function pay() { throw new Exception("x"); }
                static function open() { (new Shop)->pay(); }
            }
            try { (function () { Shop::open(); })(); } catch (Exception $e) { Client::captureException($e); }'));
    }

    public function testAnInternalFunctionThatThrowsHasNoFrame(): void
    {
        self::assertSame([['half', 3], ['{main}', 4]], $this->frames('
            function half() { intdiv(1, 0); }
            try { half(); } catch (Error $e) { Client::captureException($e); }'));
    }

    public function testAnInternalFunctionThatCallsBackHasAFrame(): void
    {
        self::assertSame([['{closure}', 2], ['array_map', null], ['{main}', 2]], $this->frames(
            'try { array_map(function () { throw new Exception(); }, [1]); } catch (Exception $e) { Client::captureException($e); }',
        ));
        self::assertSame([true, false, true], array_column($this->event()['stacktrace'], 'in_app'));
    }

    public function testACaptureCalledByAnInternalFunctionStartsInItsCaller(): void
    {
        self::assertSame([['f', 2], ['{main}', 3]], $this->frames("function f() { array_map(Client::captureException(...), ['thing']); }\nf();"));
    }

    public function testRecursionKeepsAllFrames(): void
    {
        self::assertSame([['f', 3], ['f', 4], ['f', 4], ['{main}', 6]], $this->frames(
            "function f(\$n) {\n if (!\$n) throw new Exception();\n f(\$n - 1);\n }\n try { f(2); } catch (Exception \$e) { Client::captureException(\$e); }",
        ));
    }

    public function testMethodsOfAnonymousClassesHaveNoPath(): void
    {
        self::assertSame(['class@anonymous->go', 2], $this->frames(
            "try { (new class { function go() { throw new Exception(); }\n })->go(); } catch (Exception \$e) { Client::captureException(\$e); }",
        )[0]);
    }

    public function testFilesInVendorAreNotInApp(): void
    {
        mkdir("{$this->folder}/vendor/acme", 0700, true);
        file_put_contents("{$this->folder}/vendor/acme/lib.php", '<?php function lib() { throw new Exception("x"); }');
        $this->play('require __DIR__ . "/vendor/acme/lib.php"; try { lib(); } catch (Exception $e) { Client::captureException($e); }');
        self::assertSame([false, true], array_column($this->event()['stacktrace'], 'in_app'));
    }

    public function testPathsOfLibrariesAreRecognised(): void
    {
        $paths = json_decode(file_get_contents(\dirname(__DIR__, 3) . '/tests/library-paths.json'), true, 512, \JSON_THROW_ON_ERROR);
        self::assertSame($paths['library'], array_values(array_filter($paths['library'], \Obs\StackTrace::isLibrary(...))));
        self::assertSame([], array_filter($paths['own'], \Obs\StackTrace::isLibrary(...)));
    }

    public function testAtMost100FramesAreSent(): void
    {
        self::assertCount(100, $this->frames(
            'function f($n) { $n ? f($n - 1) : throw new Exception(); } try { f(300); } catch (Exception $e) { Client::captureException($e); }',
        ));
    }

    public function testArgumentsAreNeverSent(): void
    {
        $file = $this->program('function f($p) { throw new Exception("x"); } try { f("hunter" . 2); } catch (Exception $e) { Client::captureException($e); }');
        $this->execute($file, ['-d', 'zend.exception_ignore_args=0']);
        self::assertStringNotContainsString('hunter2', $this->server->requests()[0]['body']);
    }

    public function testSourceLinesIncludeThreeOnEachSide(): void
    {
        $long = str_repeat('é', 300);
        $this->play("// two\n// three\n// $long\n// five\nClient::captureException(new Exception);\n// seven\n// \xFF");
        $frame = $this->event()['stacktrace'][0];
        self::assertSame(['// three', '// ' . str_repeat('é', 197), '// five'], $frame['pre_context']);
        self::assertSame('Client::captureException(new Exception);', $frame['context_line']);
        self::assertSame(['// seven', "// \u{FFFD}"], $frame['post_context']);
    }

    public function testSourceLinesCanBeTurnedOff(): void
    {
        $this->play('Client::captureException(new Exception);', ['source_lines' => false]);
        self::assertArrayNotHasKey('context_line', $this->event()['stacktrace'][0]);
    }

    public function testEvaluatedCodeHasNoSourceLines(): void
    {
        $this->play('eval("function f() { throw new Exception; }"); try { f(); } catch (Exception $e) { Client::captureException($e); }');
        [$evaluated, $main] = $this->event()['stacktrace'];
        self::assertArrayNotHasKey('context_line', $evaluated);
        self::assertArrayHasKey('context_line', $main);
    }
}
