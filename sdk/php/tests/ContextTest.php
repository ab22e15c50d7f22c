<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\ProgramTestCase;

/** What events carry: user, tags, extra and breadcrumbs, set for all later events or for one capture. */
final class ContextTest extends ProgramTestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        $this->serve();
    }

    /** @return array[] the given fields of each event; null if an event has none */
    private function fields(string $field, string $code, array $options = []): array
    {
        $run = $this->play($code, $options);
        self::assertSame('', $run->stderr);
        return array_map(static fn ($event) => $event[$field] ?? null, $this->server->events());
    }

    public function testAnEventCarriesTheUserThatWasSetBeforeIt(): void
    {
        self::assertSame([null, ['id' => 7, 'email' => 'ann@example.com'], ['id' => 8], null], $this->fields('user', '
            Client::captureMessage("nobody");
            Client::setUser(["id" => 7, "email" => "ann@example.com"]);
            Client::captureMessage("ann");
            Client::captureMessage("someone else", "info", ["user" => ["id" => 8]]);
            Client::setUser(null);
            Client::captureMessage("nobody again");'));
    }

    public function testTagsOfACaptureWinOverThoseSetWhichWinOverTheDefaults(): void
    {
        self::assertEquals([
            ['a' => 'default', 'b' => 'set', 'c' => 'set', 'd' => 1, 'e' => true],
            ['a' => 'default', 'b' => 'set', 'c' => 'capture', 'd' => 1, 'e' => true],
            ['b' => 'set', 'c' => 'set', 'd' => 1],
        ], $this->fields('tags', '
            Client::setTag("b", "set"); Client::setTags(["c" => "set", "d" => 1]); Client::setTags(["e" => true]);
            Client::captureMessage("set");
            Client::captureMessage("capture", "info", ["tags" => ["c" => "capture"]]);
            Client::setTag("a", null); Client::setTag("e", null);
            Client::captureMessage("removed");', ['tags' => ['a' => 'default', 'b' => 'default']]));
    }

    public function testATagThatIsNoScalarBecomesText(): void
    {
        self::assertSame([['list' => '[1,2]', 'text' => 'printed']], $this->fields('tags', '
            class Text { function __toString() { return "printed"; } }
            Client::setTags(["list" => [1, 2], "text" => new Text]); Client::captureMessage("m");'));
    }

    public function testExtraOfACaptureWinsOverWhatWasSetWhichWinsOverTheDefaults(): void
    {
        self::assertEquals([['a' => 'default', 'b' => 'set', 'c' => 'capture', 'd' => null], ['a' => 'default', 'b' => 'set']], $this->fields('extra', '
            Client::setExtra("b", "set"); Client::setExtra("c", "set");
            Client::captureMessage("all", "info", ["extra" => ["c" => "capture", "d" => null]]);
            Client::setExtra("c", null);
            Client::captureMessage("removed");', ['extra' => ['a' => 'default', 'b' => 'default']]));
    }

    public function testTheLastFiftyBreadcrumbsAreSentOldestFirst(): void
    {
        [$crumbs] = $this->fields('breadcrumbs', 'for ($i = 0; $i < 60; $i++) {
            Client::addBreadcrumb(["message" => "step $i", "category" => "cart", "data" => ["i" => $i]]); } Client::captureMessage("m");');
        self::assertSame(array_map(static fn ($i) => "step $i", range(10, 59)), array_column($crumbs, 'message'));
        self::assertSame(['cart', ['i' => 59]], [$crumbs[49]['category'], $crumbs[49]['data']]);
        self::assertMatchesRegularExpression('/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/', $crumbs[49]['timestamp']);
        self::assertEqualsWithDelta(time(), strtotime($crumbs[49]['timestamp']), 60);
    }

    public function testABreadcrumbKeepsItsOwnTimestamp(): void
    {
        self::assertSame([[['timestamp' => '2026-01-02T03:04:05Z', 'message' => 'm']]], $this->fields('breadcrumbs', '
            Client::addBreadcrumb(["timestamp" => "2026-01-02T03:04:05Z", "message" => "m"]); Client::captureMessage("m");'));
    }

    public function testAWorkersNextJobStartsWithoutTheContextOfTheLast(): void
    {
        $this->play('foreach ([1, 2] as $job) { Client::clearContext(); if ($job === 1) { Client::setUser(["id" => 1]); Client::setTag("job", 1);
            Client::setExtra("job", 1); Client::addBreadcrumb(["message" => "job 1"]); } Client::captureMessage("job $job"); Client::flush(); }', ['tags' => ['app' => 'worker']]);
        [$first, $second] = $this->server->events();
        self::assertSame([['id' => 1], ['job' => 1, 'app' => 'worker'], ['job' => 1]], [$first['user'], $first['tags'], $first['extra']]);
        self::assertSame(['app' => 'worker'], $second['tags']);
        self::assertSame([], array_intersect_key($second, ['user' => 0, 'extra' => 0, 'breadcrumbs' => 0]));
    }

    public function testContextMayBeSetBeforeInitAndSurvivesIt(): void
    {
        self::assertSame([['id' => 1]], $this->fields('user', 'Client::setUser(["id" => 1]); Client::init(["dsn" => "' . $this->server->dsn() . '"]); Client::captureMessage("m");'));
    }

    public function testAnUncaughtExceptionCarriesTheContext(): void
    {
        $this->play('Client::setUser(["id" => 7]); Client::setTag("plan", "pro"); Client::addBreadcrumb(["message" => "added"]); throw new Exception("x");');
        $event = $this->event();
        self::assertSame([['id' => 7], ['plan' => 'pro'], 'added'], [$event['user'], $event['tags'], $event['breadcrumbs'][0]['message']]);
    }

    public function testBeforeSendSeesAndChangesTheContext(): void
    {
        self::assertSame([['id' => 7]], $this->fields('user', 'Client::init(["dsn" => "' . $this->server->dsn() . '",
            "before_send" => function ($event) { unset($event["user"]["email"]); return $event; }]);
            Client::setUser(["id" => 7, "email" => "ann@example.com"]); Client::captureMessage("m");'));
    }

    public function testACaptureCanBeMarkedAsUnhandled(): void
    {
        self::assertSame([['handled' => false], null], $this->fields('mechanism', 'Client::captureException(new Exception("a"), ["handled" => false]);
            Client::captureException(new Exception("b"), ["handled" => true]);'));
    }

    public function testOnTheCommandLineThereIsNoRequest(): void
    {
        self::assertSame([null], $this->fields('request', 'Client::captureMessage("m");'));
    }
}
