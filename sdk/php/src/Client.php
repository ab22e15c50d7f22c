<?php

declare(strict_types=1);

namespace Obs;

/**
 * The public API of the SDK. Nothing in it throws, and only flush() waits for the server for long.
 *
 * @phpstan-import-type Settings from Options
 */
final class Client
{
    public const VERSION = '0.2.0';

    /** Loaded by init: later, the memory may be exhausted, or a deployment may have replaced the files. */
    private const LOADED_EARLY = ['Context', 'Event', 'Json', 'Log', 'Queue', 'Request', 'StackTrace'];

    private static ?self $current = null;
    private static ?Context $context = null;
    private static ?Queue $queue = null;
    private static ?int $process = null;
    /** @var \WeakMap<\Throwable, string>|null the ids of the errors that were captured */
    private static ?\WeakMap $ids = null;
    private static bool $isCapturing = false;

    private readonly Connection $connection;

    /** @param Settings $options */
    private function __construct(private readonly array $options)
    {
        $this->connection = new Connection(Dsn::parse($options['dsn']), $options);
    }

    /**
     * Configures the SDK. If an option is invalid, PHP's error log says so and no events are captured. Unknown options
     * are logged and ignored.
     *
     * @param array<string, mixed> $options see README.md
     */
    public static function init($options = [], mixed ...$unknown): void
    {
        try {
            if (self::$ids === null) {
                self::$ids = new \WeakMap();
                array_map(static fn (string $name) => class_exists(__NAMESPACE__ . "\\$name"), self::LOADED_EARLY);
                Ending::watch(self::atEnd(...));
            }
            $host = \function_exists('gethostname') ? (string) gethostname() : '';
            $defaults = ['server_name' => $host] + Options::DEFAULTS;
            /** @var Settings $options */
            $options = Options::check($options, array_keys($defaults), $unknown, true) + $defaults;
            [self::$current, Handlers::$isEnabled] = [new self($options), $options['capture_unhandled']];
            Handlers::takePlace();
        } catch (\Throwable $error) {
            self::$current = null;
            Log::warn($error->getMessage() . '; no events will be captured');
        }
    }

    /**
     * Captures an exception or any other value. An exception that was captured before is not captured again.
     *
     * @param mixed $thrown
     * @param array{level?: string, user?: mixed[], tags?: mixed[], extra?: mixed[], fingerprint?: string[],
     *     handled?: bool} $options
     * @return string the event's id, or '' if the event is not sent
     */
    public static function captureException($thrown = null, $options = [], mixed ...$unknown): string
    {
        $error = $thrown instanceof \Throwable ? $thrown : null;
        $options = Options::check($options, Options::OF_A_CAPTURE, $unknown) + ['level' => 'error'];
        $describe = static fn (bool $withSource) => Event::fromThrown($thrown, $withSource);
        return ($error ? self::$ids[$error] ?? null : null) ?? self::capture($describe, $options, $error);
    }

    /**
     * Captures a message.
     *
     * @param mixed $message values other than strings are encoded as JSON
     * @param string $level 'error', 'warning' or 'info'
     * @param array{user?: mixed[], tags?: mixed[], extra?: mixed[], fingerprint?: string[]} $options
     * @return string the event's id, or '' if the event is not sent
     */
    public static function captureMessage($message = null, $level = 'info', $options = [], mixed ...$unknown): string
    {
        $options = Options::check($options, Options::OF_A_CAPTURE, $unknown)
            + Options::check(['level' => $level], ['level'], []) + ['level' => 'info'];
        return self::capture(static fn () => ['message' => Event::text($message)], $options);
    }

    /** @param array<string, mixed>|null $user the user of later events: id, email, username, ip_address and more */
    public static function setUser($user = null, mixed ...$unknown): void
    {
        self::context()->user = Options::check(['user' => $user], ['user'], $unknown)['user'] ?? null;
    }

    /**
     * Sets a tag of later events. Null removes it.
     *
     * @param mixed $name a string
     * @param mixed $value a string, number or boolean
     */
    public static function setTag($name = null, $value = null, mixed ...$unknown): void
    {
        $tags = ['tags' => \is_scalar($name) ? [(string) $name => $value] : false];
        self::setTags(...Options::check($tags, ['tags'], array_values($unknown)));
    }

    /** @param array<string, string|int|float|bool|null> $tags are added to those that are set */
    public static function setTags($tags = [], mixed ...$unknown): void
    {
        $tags = Options::check(['tags' => $tags], ['tags'], $unknown)['tags'] ?? [];
        self::context()->tags = $tags + self::context()->tags;
    }

    /**
     * Sets a value in the extra data of later events. Null removes it.
     *
     * @param mixed $name a string
     * @param mixed $value
     */
    public static function setExtra($name = '', $value = null, mixed ...$unknown): void
    {
        Options::check([], [], $unknown);
        self::context()->extra = [Event::text($name) => $value] + self::context()->extra;
    }

    /**
     * Adds a step that led to later events. The last 50 are sent with an event.
     *
     * @param array{message?: string, category?: string, level?: string, type?: string, data?: mixed[]} $breadcrumb
     */
    public static function addBreadcrumb($breadcrumb = null, mixed ...$unknown): void
    {
        $valid = Options::check(['breadcrumb' => $breadcrumb], ['breadcrumb'], $unknown);
        array_map(self::context()->addBreadcrumb(...), $valid);
    }

    /** Forgets the user, tags, extra data and breadcrumbs that were set since init: for workers, before each job. */
    public static function clearContext(mixed ...$unknown): void
    {
        Options::check([], [], $unknown);
        self::$context = null;
    }

    /**
     * Sends all captured events.
     *
     * @param float $timeout in seconds
     * @return bool true if all were accepted; false if the time is up or an event was lost since the last flush
     */
    public static function flush($timeout = 5.0, mixed ...$unknown): bool
    {
        $valid = Options::check(['timeout' => $timeout], ['timeout'], $unknown);
        $queue = self::queue();
        $areSent = $queue->send($valid['timeout'] ?? 5.0);
        [$hasLost, $queue->hasLost] = [$queue->hasLost, false];
        return $areSent && !$hasLost;
    }

    /**
     * @param \Closure(bool): array<string, mixed> $describe returns the event, with source lines or without
     * @param mixed[] $options
     */
    private static function capture(\Closure $describe, array $options, ?\Throwable $error = null): string
    {
        $queue = self::queue();
        if (self::$isCapturing || !self::$current) {
            // During a capture: from before_send, an object being encoded (without end?), or a signal handler.
            $queue->hasLost = true;
            Log::warn('an event was captured ' . (self::$current ? 'during another' : 'before init') . ' and dropped');
            return '';
        }
        self::$isCapturing = true;
        try {
            $id = self::$current->record($describe, $options, $queue);
        } catch (\Throwable $failure) {
            $queue->hasLost = true;
            Log::warn('an event was dropped: ' . $failure::class . " in {$failure->getFile()}:{$failure->getLine()}");
        }
        self::$isCapturing = false;
        if ($error) {
            self::$ids?->offsetSet($error, $id ?? '');
            Handlers::$last = $error;
        }
        Ending::send();
        return $id ?? '';
    }

    /**
     * @param \Closure(bool): array<string, mixed> $describe
     * @param mixed[] $options
     */
    private function record(\Closure $describe, array $options, Queue $queue): string
    {
        $event = Event::identified()
            + array_intersect_key($options, ['level' => 0, 'fingerprint' => 0])
            + $describe($this->options['source_lines'])
            + (($options['handled'] ?? true) ? [] : ['mechanism' => ['handled' => false]])
            + array_intersect_key($this->options, ['server_name' => 0, 'environment' => 0, 'release' => 0])
            + self::context()->fields($this->options, $options) + ['request' => Request::current()];
        $id = $event['event_id'];
        $event = $this->options['before_send'] ? ($this->options['before_send'])($event) : $event;
        if ($event === null) {
            return '';
        }
        $event = Event::normalize(['event_id' => $id] + $event);
        return $queue->push($this->connection, $id, Event::identity($event), Event::encode($event)) ? $id : '';
    }

    private static function context(): Context
    {
        return self::$context ??= new Context();
    }

    /** Returns the queue of this process: a forked child sends only its own events, on its own connection. */
    private static function queue(): Queue
    {
        $process = \function_exists('getmypid') ? (int) getmypid() : 0;
        if (self::$process !== $process) {
            [self::$process, self::$queue] = [$process, null];
            self::$current = self::$current ? new self(self::$current->options) : null;
        }
        return self::$queue ??= new Queue();
    }

    /** @return array{Queue, int|float} the queue and shutdown_timeout */
    private static function atEnd(): array
    {
        self::$isCapturing = false; // exit() and fatal errors skip `finally` blocks.
        return [self::queue(), (self::$current?->options ?? Options::DEFAULTS)['shutdown_timeout']];
    }
}
