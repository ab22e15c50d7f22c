<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\ProgramTestCase;

/** Mistakes are logged in one line without the key, and never affect the program. */
final class MisuseTest extends ProgramTestCase
{
    /** @dataProvider invalidDsns */
    public function testAnInvalidDsnLogsOneLineAndCapturesNothing(mixed $dsn, string $line = 'the DSN is not http(s)://KEY@HOST[:PORT][/PATH]'): void
    {
        $run = $this->play('var_dump(Client::captureMessage("m"), Client::captureException(new Exception), Client::flush(), Client::flush());', ['dsn' => $dsn]);
        self::assertSame("string(0) \"\"\nstring(0) \"\"\nbool(false)\nbool(true)\n", $run->stdout);
        self::assertSame("obs: $line; no events will be captured\nobs: an event was captured before init and dropped\n", $run->stderr);
        self::assertSame(0, $run->status);
        self::assertStringNotContainsString('s3cret', $run->stderr);
    }

    public function invalidDsns(): array
    {
        return [
            [''], [null], ['localhost:8000'], ['ftp://s3cret@host'], ['http://localhost:8000'], ['http://@localhost'],
            ['http://s3cret:x@localhost'], ['http://s3cret@'], ['http://s3cret@ho st'], ['http://s3cret@host:70000'],
            [['s3cret'], "invalid value for option 'dsn'"],
        ];
    }

    /** @dataProvider validDsns */
    public function testAValidDsnIsParsed(string $dsn, array $expected): void
    {
        self::assertSame($expected, array_values(get_object_vars(\Obs\Dsn::parse($dsn))));
    }

    public function validDsns(): array
    {
        return [
            ['http://k@h', [false, 'k', 'h:80', '']], ['https://k-_1@h.example/1', [true, 'k-_1', 'h.example:443', '']],
            ['HTTP://k@[::1]:8000/a?b', [false, 'k', '[::1]:8000', '/a']], ['http://k@h/obs/12/', [false, 'k', 'h:80', '/obs']],
            ['http://k@h/a/b/', [false, 'k', 'h:80', '/a/b']], ['http://k@h/v2', [false, 'k', 'h:80', '/v2']],
        ];
    }

    public function testCapturesBeforeInitAreDroppedWithOneLine(): void
    {
        $client = var_export(__DIR__ . '/autoload.php', true);
        file_put_contents("{$this->folder}/p.php", "<?php require $client; use Obs\Client; var_dump(Client::flush());
            Client::captureMessage('a'); Client::captureMessage('b'); var_dump(Client::flush(), Client::flush());");
        $run = $this->execute("{$this->folder}/p.php");
        self::assertSame("bool(true)\nbool(false)\nbool(true)\n", $run->stdout);
        self::assertSame("obs: an event was captured before init and dropped\n", $run->stderr);
    }

    public function testAnUnknownOptionIsLoggedAndIgnored(): void
    {
        $this->serve();
        $run = $this->play('Client::captureMessage("m");', ['enviroment' => 'x']);
        self::assertSame("obs: unknown option 'enviroment'\n", $run->stderr);
        self::assertSame('m', $this->event()['message']);
    }

    /** @dataProvider mistakes */
    public function testAMistakeInACallIsLoggedInOneLineAndTheEventArrives(string $call, string $line): void
    {
        $this->serve();
        $file = $this->program('');
        file_put_contents($file, '<?php declare(strict_types=1); ' . substr(file_get_contents($file), 5) . "for (\$i = 0; \$i < 2; \$i++) { $call; } echo 'done';");
        $run = $this->execute($file);
        self::assertSame(['done', "obs: $line\n", 0], [$run->stdout, $run->stderr, $run->status]);
        self::assertCount(2, $this->server->events());
    }

    public function mistakes(): array
    {
        return [
            'an unknown option' => ['Client::captureMessage("m", "info", ["tag" => ["a" => "b"]])', "unknown option 'tag'"],
            'an unknown option of an exception' => ['Client::captureException(new Exception("e"), ["user" => 1])', "invalid value for option 'user'"],
            'options in place of the level' => ['Client::captureMessage("m", ["extra" => []])', "invalid value for option 'level'"],
            'a number as the level' => ['Client::captureMessage("m", E_WARNING)', "invalid value for option 'level'"],
            'the level in place of the options' => ['Client::captureException(new Exception("e"), "warning")', 'unknown argument of type string'],
            'an exception in place of the options' => ['Client::captureMessage("m", "info", new Exception("e"))', 'unknown argument of type Exception'],
            'an unknown level' => ['Client::captureMessage("m", "fatal")', "invalid value for option 'level'"],
            'a fingerprint that is no array' => ['Client::captureMessage("m", "info", ["fingerprint" => "f"])', "invalid value for option 'fingerprint'"],
            'a fingerprint of numbers' => ['Client::captureMessage("m", "info", ["fingerprint" => [1]])', "invalid value for option 'fingerprint'"],
            'too many arguments' => ['Client::captureMessage("m", "info", [], 7)', 'unknown argument of type int'],
            'an unknown named argument' => ['Client::captureException(new Exception("e"), tags: ["a" => 1])', "unknown argument 'tags'"],
            'an unknown named argument of a message' => ['Client::captureMessage("m", extra: [])', "unknown argument 'extra'"],
            'an unknown named argument of a user' => ['Client::captureMessage("m"); Client::setUser(id: 7)', "unknown argument 'id'"],
            'an unknown named argument of tags' => ['Client::captureMessage("m"); Client::setTags(plan: "pro")', "unknown argument 'plan'"],
            'an unknown named argument of a breadcrumb' => ['Client::captureMessage("m"); Client::addBreadcrumb(message: "b")', "unknown argument 'message'"],
            'too many arguments of a tag' => ['Client::captureMessage("m"); Client::setTag("a", "b", 7)', 'unknown argument of type int'],
            'too many arguments of extra' => ['Client::captureMessage("m"); Client::setExtra("a", "b", 7)', 'unknown argument of type int'],
            'too many arguments of clearContext' => ['Client::captureMessage("m"); Client::clearContext(7)', 'unknown argument of type int'],
            'too many arguments of flush' => ['Client::captureMessage("m"); Client::flush(1.0, 7)', 'unknown argument of type int'],
            'a user that is no array' => ['Client::setUser("ann"); Client::captureMessage("m")', "invalid value for option 'user'"],
            'tags that are no array' => ['Client::setTags("a"); Client::captureMessage("m")', "invalid value for option 'tags'"],
            'a tag whose name is no text' => ['Client::setTag(new stdClass, "b"); Client::captureMessage("m")', "invalid value for option 'tags'"],
            'a breadcrumb that is no array' => ['Client::addBreadcrumb("b"); Client::captureMessage("m")', "invalid value for option 'breadcrumb'"],
            'a timeout that is no number' => ['Client::captureMessage("m"); Client::flush("5")', "invalid value for option 'timeout'"],
        ];
    }

    public function testMissingArgumentsAreNoError(): void
    {
        $this->serve();
        $run = $this->play('Client::setUser(); Client::setTag(); Client::setTags(); Client::setExtra(); Client::addBreadcrumb(); Client::clearContext();
            Client::captureException(); Client::captureMessage(); Client::flush(); Client::init();');
        self::assertSame(0, $run->status);
        self::assertSame(['null', 'null'], array_column($this->server->events(), 'message'));
    }

    public function testABeforeSendThatReturnsSomethingElseIsLogged(): void
    {
        $this->serve();
        $run = $this->play('Client::init(["dsn" => "' . $this->server->dsn() . '", "before_send" => fn ($event) => true]);
            var_dump(Client::captureMessage("m"), Client::flush());');
        self::assertSame(["string(0) \"\"\nbool(false)\n", 1], [$run->stdout, preg_match('/^obs: an event was dropped: TypeError in .*\n$/D', $run->stderr)]);
    }

    public function testABeforeSendThatIsNotCallableDisablesTheSdk(): void
    {
        $this->serve();
        $run = $this->play('Client::captureMessage("m");', ['before_send' => 'no_such_function']);
        self::assertStringStartsWith("obs: invalid value for option 'before_send'; no events will be captured\n", $run->stderr);
        self::assertSame([], $this->server->events());
    }

    /** @dataProvider functions */
    public function testADisabledFunctionDoesNotAffectTheProgram(string $function, bool $isNeeded): void
    {
        $this->serve();
        $file = $this->program('Client::captureMessage("a"); Client::captureMessage("b"); var_dump(Client::flush(), Client::captureMessage("c") !== "");', ['capture_unhandled' => false]);
        $run = $this->execute($file, ['-d', "disable_functions=$function"]);
        self::assertSame(0, $run->status);
        self::assertSame($isNeeded ? "bool(false)\nbool(true)\n" : "bool(true)\nbool(true)\n", $run->stdout);
        self::assertSame($isNeeded ? "obs: failed to send an event: Call to undefined function Obs\\$function()\n" : '', $run->stderr);
        self::assertCount($isNeeded ? 0 : 3, $this->server->events());
    }

    public function functions(): iterable
    {
        foreach (['stream_socket_client', 'stream_set_timeout', 'stream_context_create', 'set_error_handler', 'usleep'] as $needed) {
            yield $needed => [$needed, true];
        }
        foreach (['gethostbynamel', 'getmypid', 'gethostname', 'error_log'] as $function) {
            yield $function => [$function, false];
        }
    }

    public function testInitWithoutAnArrayIsLogged(): void
    {
        $run = $this->play('Client::init("http://s3cret@localhost", tags: []); var_dump(Client::captureMessage("m"));', ['dsn' => 'http://k@127.0.0.1:1']);
        self::assertSame("string(0) \"\"\n", $run->stdout);
        self::assertStringStartsWith("obs: unknown argument 'tags'\nobs: unknown argument of type string\nobs: the DSN is not ", $run->stderr);
        self::assertStringNotContainsString('s3cret', $run->stderr);
    }

    public function testInitLogsThatNothingCanBeCaptured(): void
    {
        $this->serve();
        $file = $this->program('var_dump(Client::captureMessage("m"), Client::flush());');
        $run = $this->execute($file, ['-d', 'disable_functions=set_error_handler']);
        self::assertSame("string(0) \"\"\nbool(false)\n", $run->stdout);
        self::assertStringStartsWith("obs: Call to undefined function Obs\\set_error_handler(); no events will be captured\n", $run->stderr);
    }

    public function testTheSdkDoesNotChangeTheErrorAndRandomStateOfTheProgram(): void
    {
        $run = $this->play('set_error_handler(function ($no, $text) { echo "seen: $text\n"; });
            Client::captureException(new Exception); Client::flush(0.2); restore_error_handler(); var_dump(error_get_last());
            mt_srand(1); $a = mt_rand(); mt_srand(1); Client::captureMessage("m"); Client::flush(0); var_dump(mt_rand() === $a);
            ', ['dsn' => 'http://k@127.0.0.1:1', 'shutdown_timeout' => 0.1]);
        self::assertSame("NULL\nbool(true)\n", $run->stdout);
    }
}
