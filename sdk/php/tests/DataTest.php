<?php

// Whatever a message or extra holds, the event is valid JSON within the server's limits, and nothing is thrown.

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\ProgramTestCase;

final class DataTest extends ProgramTestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        $this->serve();
    }

    /** What arrives of an extra that is made by $code in $extra. */
    private function extra(string $code): mixed
    {
        $run = $this->play("$code\necho Client::captureMessage('m', 'info', ['extra' => \$extra]);");
        self::assertSame('', $run->stderr);
        self::assertSame($this->event()['event_id'], $run->stdout);
        return $this->event()['extra'];
    }

    public function testInvalidUtf8BecomesTheReplacementCharacter(): void
    {
        self::assertSame(["k\u{FFFD}" => "v\u{FFFD}"], $this->extra('$extra = ["k\xFF" => "v\xFE"]; Client::init(["dsn" => "' . $this->server->dsn() . '", "environment" => "e"]);'));
    }

    public function testAMessageOfInvalidUtf8AndNulArrives(): void
    {
        $this->play('Client::captureMessage("broken:\xFF:end a\0b 🦀");');
        self::assertSame("broken:\u{FFFD}:end a\0b 🦀", $this->event()['message']);
    }

    public function testAMessageIsCutAt8192CharactersNotBytes(): void
    {
        $this->play('Client::captureMessage("x" . str_repeat("🦀", 10000)); Client::captureException(new Exception(str_repeat("\xFF", 100000)));');
        [$first, $second] = $this->server->events();
        self::assertSame('x' . str_repeat('🦀', 8191), $first['message']);
        self::assertSame(str_repeat("\u{FFFD}", 8192), $second['message']);
    }

    public function testOtherTextsAreCutAt200Characters(): void
    {
        $this->play('Client::captureMessage("m");', ['environment' => str_repeat('é', 300)]);
        self::assertSame(str_repeat('é', 200), $this->event()['environment']);
    }

    public function testWhatHoldsItselfIsCircular(): void
    {
        $extra = $this->extra('
            $object = new stdClass; $object->me = $object; $object->twice = [new ArrayObject, $shared = new stdClass, $shared];
            $extra = ["ok" => "fine", "object" => $object]; $extra["self"] = &$extra;');
        self::assertSame('fine', $extra['ok']);
        self::assertSame('[circular]', $extra['object']['me']);
        self::assertSame(['[unserialisable: ArrayObject]', [], []], $extra['object']['twice']);
        self::assertSame('[circular]', $extra['self']['self']);
    }

    public function testWhatIsTooDeepIsCut(): void
    {
        $json = json_encode($this->extra('for ($extra = [], $i = 0; $i < 5000; $i++) { $extra = ["d" => $extra]; }'));
        self::assertStringContainsString('"[too deep]"', $json);
        self::assertLessThan(127, substr_count($json, '{'));
    }

    public function testObjectsTellWhatTheyCan(): void
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
            'enum' => 'H', 'plain' => 'One', 'point' => ['x' => 1], 'closed' => '[unserialisable: Closed]', 'text' => 'text',
            'json' => ['a' => [1]], 'empty' => [], 'date' => '2026-01-02T03:04:05.000000+00:00', 'error' => 'Exception: e',
            'closure' => '[unserialisable: Closure]', 'generator' => '[unserialisable: Generator]', 'stream' => '[unserialisable: resource]',
            'list' => [1, 2.0, true, null],
        ], $extra);
    }

    public function testObjectsThatThrowAreNamed(): void
    {
        $extra = $this->extra('
            class Bad implements JsonSerializable { function jsonSerialize(): mixed { throw new Exception("no"); } }
            class Endless implements JsonSerializable { function jsonSerialize(): mixed { return new Endless; } }
            class Mute { function __toString(): string { throw new Exception("no"); } }
            $extra = ["bad" => new Bad, "endless" => new Endless, "mute" => new Mute, "nan" => NAN, "inf" => -INF, "ok" => 1];');
        self::assertSame([
            'bad' => '[unserialisable: Bad]', 'endless' => '[too deep]', 'mute' => '[unserialisable: Mute]',
            'nan' => '[unserialisable: NAN]', 'inf' => '[unserialisable: -INF]', 'ok' => 1,
        ], $extra);
    }

    public function testNineHundredKilobytesArriveWhole(): void
    {
        $this->play('Client::captureException(new Exception("e"), ["extra" => ["blob" => str_repeat("x", 900000)]]);');
        self::assertSame(900000, \strlen($this->event()['extra']['blob']));
        self::assertNotEmpty($this->event()['stacktrace']);
    }

    public function testLongTextsAreCutWhereTheEventIsTooLarge(): void
    {
        $extra = $this->extra('$extra = ["ok" => "fine", "blob" => str_repeat("x", 3000000)];');
        self::assertSame(['fine', 8192], [$extra['ok'], \strlen($extra['blob'])]);
    }

    public function testAnExtraThatIsStillTooLargeIsLeftOutAndCostsLittle(): void
    {
        $extra = $this->extra('$part = array_fill(0, 1000, str_repeat("x", 5000)); $extra = array_fill(0, 1000, $part);');
        self::assertMatchesRegularExpression('/^extra of over \d+ bytes was left out$/', $extra['obs']);
    }

    public function testManySmallListsThatDoNotFitTakeLittleMemory(): void
    {
        $extra = $this->extra('$extra = array_fill(0, 500000, [1]); ini_set("memory_limit", "40M");');
        self::assertMatchesRegularExpression('/^extra of over \d+ bytes was left out$/', $extra['obs']);
    }

    public function testTheEventStaysBelowAMillionBytesWhateverIsInIt(): void
    {
        $this->play('
            for ($e = null, $i = 0; $i < 30; $i++) {
                try { (function ($n) use ($e, $i) { $f = function ($n) use (&$f, $e) { $n ? $f($n - 1) : throw new Exception(str_repeat("\u{1}", 8192), 0, $e); }; $f(200); })(1); }
                catch (Exception $e) {}
            }
            Client::captureException($e, ["extra" => ["a" => str_repeat("\u{1}", 900000)]]);');
        self::assertLessThanOrEqual(1_000_000, \strlen($this->server->requests()[0]['body']));
        self::assertSame(str_repeat("\u{1}", 8192), $this->event()['message']);
        self::assertSame(str_repeat("\u{1}", 8192), $this->event()['extra']['a'] ?? null);
    }
}
