<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\ProgramTestCase;

/** Any value in a message or in extra makes valid JSON within the server's limits. */
final class DataTest extends ProgramTestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        $this->serve();
    }

    /** Runs $code, which sets $extra, and returns the extra that arrives. */
    private function extra(string $code): mixed
    {
        $run = $this->play("$code\necho Client::captureMessage('m', 'info', ['extra' => \$extra]);");
        self::assertSame('', $run->stderr);
        self::assertSame($this->event()['event_id'], $run->stdout);
        return $this->event()['extra'];
    }

    public function testInvalidUtf8InExtraIsReplaced(): void
    {
        self::assertSame(["k\u{FFFD}" => "v\u{FFFD}"], $this->extra('$extra = ["k\xFF" => "v\xFE"]; Client::init(["dsn" => "' . $this->server->dsn() . '", "environment" => "e"]);'));
    }

    public function testInvalidUtf8InAMessageIsReplaced(): void
    {
        $this->play('Client::captureMessage("broken:\xFF:end a\0b 🦀");');
        self::assertSame("broken:\u{FFFD}:end a\0b 🦀", $this->event()['message']);
    }

    public function testAMessageIsTruncatedTo8192Characters(): void
    {
        $this->play('Client::captureMessage("x" . str_repeat("🦀", 10000)); Client::captureException(new Exception(str_repeat("\xFF", 100000)));');
        [$first, $second] = $this->server->events();
        self::assertSame('x' . str_repeat('🦀', 8191), $first['message']);
        self::assertSame(str_repeat("\u{FFFD}", 8192), $second['message']);
    }

    public function testOtherStringsAreTruncatedTo200Characters(): void
    {
        $this->play('Client::captureMessage("m");', ['environment' => str_repeat('é', 300)]);
        self::assertSame(str_repeat('é', 200), $this->event()['environment']);
    }

    public function testCircularReferencesEnd(): void
    {
        $extra = $this->extra('
            $object = new stdClass; $object->me = $object; $object->twice = [new ArrayObject, $shared = new stdClass, $shared];
            $extra = ["ok" => "fine", "object" => $object]; $extra["self"] = &$extra;');
        self::assertSame('fine', $extra['ok']);
        self::assertSame(['[unserialisable: ArrayObject]', [], []], $extra['object']['twice']);
        self::assertStringContainsString('[too deep]', json_encode($extra['object']['me']));
        self::assertStringContainsString('[too deep]', json_encode($extra['self']));
    }

    public function testAnObjectGraphThatIsCircularInManyWaysEnds(): void
    {
        $run = $this->play('class Node { public $links = []; } $nodes = array_map(fn () => new Node, range(1, 50));
            foreach ($nodes as $node) { $node->links = $nodes; }
            ini_set("memory_limit", "64M"); Client::captureMessage("m", "info", ["extra" => ["graph" => $nodes[0]], "tags" => ["a" => "b"]]);');
        self::assertSame(['m', ['a' => 'b']], [$this->event()['message'], $this->event()['tags']]);
        self::assertLessThan(10.0, $run->seconds);
    }

    public function testDeeplyNestedValuesAreReplaced(): void
    {
        $json = json_encode($this->extra('for ($extra = [], $i = 0; $i < 5000; $i++) { $extra = ["d" => $extra]; }'));
        self::assertStringContainsString('"[too deep]"', $json);
        self::assertLessThan(127, substr_count($json, '{'));
    }

    public function testObjectsAreEncodedByTheirMethodsOrPublicProperties(): void
    {
        $extra = $this->extra('
            enum Suit: string { case Hearts = "H"; }
            enum Plain { case One; }
            class Point { public $x = 1; protected $hidden = 2; private $secret = 3; }
            class Closed { private $secret = 3; }
            class Text { public $a = 1; function __toString() { return "text"; } }
            class Json implements JsonSerializable { function jsonSerialize(): mixed { return ["a" => [1]]; } }
            $extra = ["enum" => Suit::Hearts, "plain" => Plain::One, "point" => new Point, "closed" => new Closed, "text" => new Text,
                "json" => new Json, "empty" => new stdClass, "date" => new DateTime("2026-01-02 03:04:05 UTC"), "error" => new Exception("e"),
                "closure" => fn () => 1, "generator" => (fn () => yield 1)(), "stream" => STDERR, "list" => [1, 2.0, true, null]];');
        self::assertSame([
            'enum' => ['name' => 'Hearts', 'value' => 'H'], 'plain' => ['name' => 'One'], 'point' => ['x' => 1], 'closed' => '[unserialisable: Closed]', 'text' => 'text',
            'json' => ['a' => [1]], 'empty' => [], 'date' => '2026-01-02T03:04:05.000000+00:00', 'error' => 'Exception: e',
            'closure' => '[unserialisable: Closure]', 'generator' => '[unserialisable: Generator]', 'stream' => '[unserialisable: resource]',
            'list' => [1, 2.0, true, null],
        ], $extra);
    }

    public function testObjectsThatThrowAreReplacedByTheirType(): void
    {
        $extra = $this->extra('
            class Bad implements JsonSerializable { function jsonSerialize(): mixed { throw new Exception("no"); } }
            class Endless implements JsonSerializable { function jsonSerialize(): mixed { return new Endless; } }
            class Unprintable { function __toString(): string { throw new Exception("no"); } }
            $extra = ["bad" => new Bad, "endless" => new Endless, "unprintable" => new Unprintable, "nan" => NAN, "inf" => -INF, "ok" => 1];');
        self::assertSame([
            'bad' => '[unserialisable: Bad]', 'endless' => '[too deep]', 'unprintable' => '[unserialisable: Unprintable]',
            'nan' => '[unserialisable: NAN]', 'inf' => '[unserialisable: -INF]', 'ok' => 1,
        ], $extra);
    }

    public function testNineHundredKilobytesArriveUnchanged(): void
    {
        $this->play('Client::captureException(new Exception("e"), ["extra" => ["blob" => str_repeat("x", 900000)]]);');
        self::assertSame(900000, \strlen($this->event()['extra']['blob']));
        self::assertNotEmpty($this->event()['stacktrace']);
    }

    public function testLongStringsAreTruncatedIfTheEventIsTooLarge(): void
    {
        $extra = $this->extra('$extra = ["ok" => "fine", "blob" => str_repeat("x", 3000000)];');
        self::assertSame(['fine', 8192], [$extra['ok'], \strlen($extra['blob'])]);
    }

    public function testWhatDoesNotFitIsLeftOut(): void
    {
        $extra = $this->extra('$part = array_fill(0, 1000, str_repeat("x", 5000)); $extra = ["ok" => "fine", "parts" => array_fill(0, 1000, $part)];');
        self::assertSame(['fine', 1000, '[too large]'], [$extra['ok'], \count($extra['parts']), $extra['parts'][999]]);
    }

    public function testManySmallListsTakeLittleMemory(): void
    {
        $extra = $this->extra('$extra = ["lists" => array_fill(0, 500000, [1])]; ini_set("memory_limit", "40M");');
        self::assertSame(['lists' => '[too large]'], $extra);
    }

    public function testAnEventNeverExceedsAMillionBytes(): void
    {
        $this->play('
            for ($e = null, $i = 0; $i < 30; $i++) {
                try { (function ($n) use ($e, $i) { $f = function ($n) use (&$f, $e) { $n ? $f($n - 1) : throw new Exception(str_repeat("\u{1}", 8192), 0, $e); }; $f(200); })(1); }
                catch (Exception $e) {}
            }
            Client::captureException($e, ["extra" => ["a" => str_repeat("\u{1}", 900000)]]);');
        self::assertLessThanOrEqual(1_000_000, \strlen($this->server->requests()[0]['body']));
        self::assertSame(str_repeat("\u{1}", 8192), $this->event()['message']);
    }
}
