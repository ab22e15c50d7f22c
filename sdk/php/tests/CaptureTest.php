<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\ProgramTestCase;

/** The content of events: captured values, options and before_send. */
final class CaptureTest extends ProgramTestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        $this->serve();
    }

    public function testAMessageHasItsLevelAndContext(): void
    {
        $run = $this->play('echo Client::captureMessage("deploy done");', ['environment' => 'production', 'release' => '1.2']);
        $event = $this->event();
        $expected = ['event_id' => $run->stdout, 'level' => 'info', 'message' => 'deploy done', 'platform' => 'php',
            'server_name' => gethostname(), 'environment' => 'production', 'release' => '1.2',
            'sdk' => ['name' => 'obs/sdk', 'version' => \Obs\Client::VERSION]];
        self::assertEquals($expected, array_intersect_key($event, $expected));
        self::assertArrayNotHasKey('type', $event);
        self::assertArrayNotHasKey('stacktrace', $event);
        self::assertMatchesRegularExpression('/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/', $event['timestamp']);
        self::assertEqualsWithDelta(time(), strtotime($event['timestamp']), 60);
    }

    public function testABlankMessageIsReplacedByAPlaceholder(): void
    {
        $this->play('Client::captureMessage(""); Client::captureMessage(" ");');
        self::assertSame(['(empty message)', '(empty message)'], array_column($this->server->events(), 'message'));
    }

    /** @dataProvider messages */
    public function testAMessageThatIsNotAStringIsEncoded(string $message, string $expected): void
    {
        $run = $this->play("class Unprintable { function __toString() { throw new Exception; } } Client::captureMessage($message);");
        self::assertSame(['', 0], [$run->stdout . $run->stderr, $run->status]);
        self::assertSame($expected, $this->event()['message']);
    }

    public function messages(): array
    {
        return [['null', 'null'], ['7', '7'], ['["a" => 1]', '{"a":1}'], ['new Unprintable', '[unserialisable: Unprintable]'], ['new Exception("x")', 'Exception: x']];
    }

    /** @dataProvider oddMessages */
    public function testAnExceptionWhoseMessageIsNotAStringIsCapturedWithoutWarnings(string $message, string $expected): void
    {
        $run = $this->play("class Odd extends Exception { function __construct() { \$this->message = $message; } } Client::captureException(new Odd);");
        self::assertSame('', $run->stdout . $run->stderr);
        self::assertSame(['Odd', $expected], [$this->event()['type'], $this->event()['message']]);
    }

    public function oddMessages(): array
    {
        return [['["a"]', '["a"]'], ['new stdClass', '[]'], ['7', '7']];
    }

    public function testExtraUserAndTagsMayBeObjects(): void
    {
        $run = $this->play('class Order { public $id = 7; protected $a = 1; private $b = 2; }
            Client::captureMessage("m", "info", ["extra" => new Order, "tags" => (object) ["plan" => "pro"]]);
            Client::setUser(new Order); Client::captureException(new Exception("e"), ["extra" => new Order]);', ['extra' => (object) ['app' => 1]]);
        [$message, $exception] = $this->server->events();
        self::assertSame('', $run->stderr);
        self::assertSame([['app' => 1, 'id' => 7], ['plan' => 'pro']], [$message['extra'], $message['tags']]);
        self::assertSame([['app' => 1, 'id' => 7], ['id' => 7]], [$exception['extra'], $exception['user']]);
    }

    public function testTheRequestHasTheHeadersThatTheServerExpects(): void
    {
        $this->play('Client::captureMessage("x");');
        $head = $this->server->requests()[0]['head'];
        self::assertStringStartsWith("POST /api/events HTTP/1.1\r\nHost: 127.0.0.1:{$this->server->port}\r\n", $head);
        self::assertStringContainsString("\r\nContent-Type: application/json\r\n", $head);
        self::assertStringContainsString("\r\nX-OBS-Key: test-key\r\n", $head);
    }

    public function testIdsAreUniqueVersion7Uuids(): void
    {
        $run = $this->play('for ($i = 0; $i < 50; $i++) { echo Client::captureMessage("m $i"), "\n"; }');
        $ids = explode("\n", trim($run->stdout));
        self::assertCount(50, array_unique($ids));
        foreach ($ids as $id) {
            self::assertMatchesRegularExpression('/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/', $id);
            self::assertEqualsWithDelta(time(), hexdec(substr(str_replace('-', '', $id), 0, 12)) / 1000, 60);
        }
    }

    public function testAnExceptionHasItsTypeMessageLevelAndStackTrace(): void
    {
        $this->play("Client::captureException(new LogicException('broke'));");
        $event = $this->event();
        self::assertSame(['LogicException', 'broke', 'error'], [$event['type'], $event['message'], $event['level']]);
        self::assertSame(["{$this->folder}/program.php", 2], [$event['stacktrace'][0]['filename'], $event['stacktrace'][0]['lineno']]);
    }

    public function testAnExceptionWithoutAMessageKeepsItsType(): void
    {
        $this->play('Client::captureException(new DomainException());');
        self::assertSame('DomainException', $this->event()['type']);
        self::assertArrayNotHasKey('message', $this->event());
    }

    public function testTheTypeOfAnAnonymousClassHasNoPath(): void
    {
        $this->play('Client::captureException(new class("x") extends Exception {});');
        self::assertSame('Exception@anonymous', $this->event()['type']);
    }

    public function testCausesAreListedFromTheDirectCauseToTheRoot(): void
    {
        $this->play("Client::captureException(new LogicException('outer', 0, new DomainException('middle',\n 0, new Error('root'))));");
        $causes = $this->event()['causes'];
        self::assertSame(['middle', 'root'], array_column($causes, 'message'));
        self::assertSame(['DomainException', 'Error'], array_column($causes, 'type'));
        self::assertSame(3, $causes[1]['stacktrace'][0]['lineno']);
    }

    public function testCausesAreLimitedAndMayBeCyclic(): void
    {
        $this->play('
            for ($e = null, $i = 0; $i < 50; $i++) { $e = new Exception("e$i", 0, $e); }
            Client::captureException($e);
            $a = new Exception("a");
            $b = new Exception("b", 0, $a);
            (new ReflectionProperty(Exception::class, "previous"))->setValue($a, $b);
            Client::captureException($b);
        ');
        [$long, $cycle] = $this->server->events();
        self::assertCount(20, $long['causes']);
        self::assertSame(['a'], array_column($cycle['causes'], 'message'));
    }

    /** @dataProvider values */
    public function testAnyValueIsCaptured(string $value, string $type, ?string $message): void
    {
        $this->play("function here() {\n Client::captureException($value); }\nhere();");
        $event = $this->event();
        self::assertSame([$type, $message], [$event['type'], $event['message']]);
        self::assertSame([3, 'here'], [$event['stacktrace'][0]['lineno'], $event['stacktrace'][0]['function']]);
        self::assertSame([4, '{main}'], [$event['stacktrace'][1]['lineno'], $event['stacktrace'][1]['function']]);
    }

    public function values(): array
    {
        return [
            'a string' => ['"just a string"', 'string', 'just a string'],
            'a number' => ['42', 'int', '42'],
            'null' => ['null', 'null', 'null'],
            'an array' => ['["a" => 1]', 'array', '{"a":1}'],
            'an object' => ['(object) ["a" => 1]', 'stdClass', '{"a":1}'],
            'a closure' => ['fn () => 1', 'Closure', '[unserialisable: Closure]'],
        ];
    }

    public function testOptionsOfACaptureOverrideTheDefaults(): void
    {
        $this->play('
            Client::captureMessage("m", "warning", ["extra" => ["app" => "call", "n" => 1], "fingerprint" => ["a", "b"]]);
            Client::captureException(new Exception("e"), ["level" => "info"]);
        ', ['extra' => ['app' => 'default', 'kept' => true], 'server_name' => 'host-7']);
        [$message, $exception] = $this->server->events();
        self::assertSame(['app' => 'call', 'kept' => true, 'n' => 1], $message['extra']);
        self::assertSame(['warning', ['a', 'b'], 'host-7'], [$message['level'], $message['fingerprint'], $message['server_name']]);
        self::assertSame(['info', ['app' => 'default', 'kept' => true]], [$exception['level'], $exception['extra']]);
    }

    public function testBeforeSendModifiesAndDropsEvents(): void
    {
        $run = $this->play('
            Client::init(["dsn" => "' . $this->server->dsn() . '", "before_send" => function (array $event) {
                if ($event["message"] === "drop") { return null; }
                $event["message"] = str_replace("secret", "***", $event["message"]);
                unset($event["server_name"], $event["event_id"]);
                $event["extra"]["seen"] = true;
                return $event;
            }]);
            var_dump(Client::captureMessage("drop"), Client::flush());
            echo Client::captureMessage("the secret");
        ');
        $event = $this->event();
        self::assertSame("string(0) \"\"\nbool(true)\n{$event['event_id']}", $run->stdout);
        self::assertSame(['the ***', ['seen' => true]], [$event['message'], $event['extra']]);
        self::assertArrayNotHasKey('server_name', $event);
    }

    public function testABeforeSendThatThrowsDropsTheEventWithOneLine(): void
    {
        $run = $this->play('
            Client::init(["dsn" => "' . $this->server->dsn() . '", "before_send" => fn ($e) => throw new Exception("secret")]);
            var_dump(Client::captureMessage("secret"), Client::flush());
        ');
        self::assertSame([], $this->server->events());
        self::assertSame("string(0) \"\"\nbool(false)\n", $run->stdout);
        self::assertSame("obs: an event was dropped: Exception in {$this->folder}/program.php:3\n", $run->stderr);
    }

    public function testACaptureInBeforeSendIsIgnored(): void
    {
        $this->play('
            Client::init(["dsn" => "' . $this->server->dsn() . '", "before_send" => function ($e) { Client::captureMessage("inner"); return $e; }]);
            Client::captureMessage("outer");
        ');
        self::assertSame('outer', $this->event()['message']);
    }
}
