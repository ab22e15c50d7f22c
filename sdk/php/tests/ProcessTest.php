<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\ProgramTestCase;
use Obs\Tests\Support\Server;

/** The process: shutdown, forks, signals, repeated init, and class loading. */
final class ProcessTest extends ProgramTestCase
{
    public function testCapturesInShutdownFunctionsAreSent(): void
    {
        $this->serve();
        $this->play('register_shutdown_function(fn () => Client::captureMessage("late")); Client::captureMessage("early"); exit(3);');
        self::assertSame(['early', 'late'], array_column($this->server->events(), 'message'));
    }

    public function testTheExitStatusIsKept(): void
    {
        $this->serve();
        self::assertSame(3, $this->play('Client::captureMessage("m"); exit(3);')->status);
    }

    public function testAForkedChildSendsOnlyItsOwnEvents(): void
    {
        $this->serve(['delay' => 0.3]);
        $run = $this->play('Client::captureMessage("parent 1"); Client::flush(); Client::captureMessage("parent 2");
            for ($i = 0; $i < 150; $i++) { Client::captureMessage("same"); }
            if (pcntl_fork() === 0) { Client::captureMessage("child"); exit(0); }
            pcntl_wait($status); Client::captureMessage("parent 3"); var_dump(Client::flush());');
        self::assertSame("bool(true)\n", $run->stdout);
        $messages = array_count_values(array_column($this->server->events(), 'message'));
        ksort($messages);
        self::assertSame(['child' => 1, 'parent 1' => 1, 'parent 2' => 1, 'parent 3' => 1, 'same' => 101], $messages);
        $connections = array_column($this->server->requests(), 'connection', 'body');
        self::assertCount(2, array_unique($connections));
    }

    public function testACaptureInASignalHandlerDuringFlushIsSent(): void
    {
        $this->serve(['delay' => 0.5]);
        $run = $this->play('pcntl_async_signals(true); pcntl_signal(SIGALRM, function () { Client::captureMessage("signal"); });
            $parent = getmypid(); if (pcntl_fork() === 0) { usleep(200000); posix_kill($parent, SIGALRM); exit(0); }
            Client::captureMessage("m"); var_dump(Client::flush());');
        self::assertSame("bool(true)\n", $run->stdout);
        self::assertSame(['m', 'signal'], array_column($this->server->events(), 'message'));
    }

    public function testACaptureInASignalHandlerDuringACaptureIsLost(): void
    {
        $this->serve();
        $run = $this->play('class Slow implements JsonSerializable { function jsonSerialize(): mixed { posix_kill(getmypid(), SIGUSR1); return 1; } }
            pcntl_async_signals(true); pcntl_signal(SIGUSR1, fn () => var_dump(Client::captureMessage("signal")));
            Client::captureMessage("m", "info", ["extra" => [new Slow]]); var_dump(Client::flush(), Client::flush());');
        self::assertSame("string(0) \"\"\nbool(false)\nbool(true)\n", $run->stdout);
        self::assertSame('m', $this->event()['message']);
    }

    public function testExitInBeforeSendLosesOnlyThatEvent(): void
    {
        $this->serve();
        $run = $this->play('Client::init(["dsn" => "' . $this->server->dsn() . '", "before_send" => fn ($event) => $event["message"] === "exit" ? exit(4) : $event]);
            register_shutdown_function(fn () => Client::captureMessage("late")); Client::captureMessage("early"); Client::captureMessage("exit");');
        self::assertSame(4, $run->status);
        self::assertSame(['early', 'late'], array_column($this->server->events(), 'message'));
    }

    public function testAWorkerEndedByASignalSendsAllItsEvents(): void
    {
        $this->serve();
        $file = $this->program('pcntl_async_signals(true); pcntl_signal(SIGTERM, fn () => exit(0));
            $parent = getmypid(); if (pcntl_fork() === 0) { usleep(50000); posix_kill($parent, SIGTERM); posix_kill(getmypid(), SIGKILL); }
            for ($n = 0; true; $n++) { echo Client::captureMessage("m $n"), "\n"; }', ['shutdown_timeout' => 10]);
        for ($round = 0; $round < 4; $round++) { // Some rounds end while a capture is sending.
            $ids = array_filter(explode("\n", $this->execute($file)->stdout));
            self::assertSame([], array_diff($ids, array_column($this->server->events(), 'event_id')));
        }
    }

    public function testExitDuringFlushRestoresTheErrorHandler(): void
    {
        $this->serve(['silent' => true]);
        $run = $this->play('register_shutdown_function(fn () => trigger_error("seen", E_USER_WARNING)); set_error_handler(fn ($no, $text) => print($text));
            pcntl_async_signals(true); pcntl_signal(SIGTERM, fn () => exit(0));
            $parent = getmypid(); if (pcntl_fork() === 0) { usleep(200000); posix_kill($parent, SIGTERM); posix_kill(getmypid(), SIGKILL); }
            Client::captureMessage("m"); Client::flush();', ['shutdown_timeout' => 0.1]);
        self::assertSame('seen', $run->stdout);
    }

    public function testRepeatedInitStillSendsQueuedEvents(): void
    {
        $this->serve(['delay' => 0.2]);
        $other = new Server();
        $this->play('Client::captureMessage("a"); Client::captureMessage("b"); Client::init(["dsn" => "' . $other->dsn() . '"]); Client::captureMessage("c");');
        self::assertSame(['a', 'b'], array_column($this->server->events(), 'message'));
        self::assertSame(['c'], array_column($other->events(), 'message'));
        $other->stop();
    }

    public function testTheSdkNeedsNothingButAPsr4Autoloader(): void
    {
        $this->serve();
        $psr4 = json_decode(file_get_contents(\dirname(__DIR__) . '/composer.json'), true)['autoload']['psr-4'];
        $folder = var_export(\dirname(__DIR__) . '/' . $psr4['Obs\\'], true);
        file_put_contents("{$this->folder}/p.php", '<?php
            spl_autoload_register(function ($class) { if (str_starts_with($class, "Obs\\\\")) { require ' . $folder . ' . str_replace("\\\\", "/", substr($class, 4)) . ".php"; } });
            \Obs\Client::init(["dsn" => "' . $this->server->dsn() . '"]); \Obs\Client::captureMessage("m"); echo count(spl_autoload_functions());');
        self::assertSame('2', $this->execute("{$this->folder}/p.php")->stdout); // The SDK's own looks for new handlers.
        self::assertSame('m', $this->event()['message']);
    }

    public function testNoOptionalExtensionIsNeeded(): void
    {
        $this->serve();
        $file = $this->program('var_dump(extension_loaded("mbstring")); Client::captureException(new Exception("é \xFF")); var_dump(Client::flush());');
        self::assertSame("bool(false)\nbool(true)\n", $this->execute($file, ['-n'])->stdout);
    }

    public function testARunningProgramSurvivesTheRemovalOfTheSdksFiles(): void
    {
        $this->serve();
        exec('cp -r ' . escapeshellarg(\dirname(__DIR__) . '/src') . ' ' . escapeshellarg(__DIR__ . '/autoload.php') . " {$this->folder}");
        mkdir("{$this->folder}/tests");
        rename("{$this->folder}/autoload.php", "{$this->folder}/tests/autoload.php");
        file_put_contents("{$this->folder}/p.php", '<?php require __DIR__ . "/tests/autoload.php"; use Obs\Client;
            Client::init(["dsn" => "' . $this->server->dsn() . '"]); array_map("unlink", glob(__DIR__ . "/src/*"));
            Client::captureException(new Exception("e")); var_dump(Client::flush());');
        self::assertSame("bool(true)\n", $this->execute("{$this->folder}/p.php")->stdout);
    }

    public function testEveryFileHasValidSyntax(): void
    {
        foreach (glob(\dirname(__DIR__) . '/{src,tests,tests/Support}/*.php', \GLOB_BRACE) as $file) {
            exec(escapeshellarg(\PHP_BINARY) . ' -d display_errors=1 -l ' . escapeshellarg($file), $output, $status);
            self::assertSame(0, $status, implode("\n", $output));
        }
    }
}
