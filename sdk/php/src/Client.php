<?php

declare(strict_types=1);

namespace Obs;

// Load all classes now: there may be no autoloader, and later the memory may be exhausted or a deployment
// may have replaced the files.
array_map(static fn (string $class) => require_once __DIR__ . "/$class.php",
    ['Connection', 'Dsn', 'Ending', 'Event', 'Handlers', 'Json', 'Log', 'StackTrace', 'Suppression', 'Transport']);

/** The public API of the SDK: init, captureException, captureMessage and flush. */
final class Client
{
    public const VERSION = '0.1.0';

    private const DEFAULTS = ['dsn' => '', 'environment' => '', 'server_name' => '', 'release' => '', 'extra' => [], 'before_send' => null,
        'source_lines' => true, 'capture_unhandled' => false, 'connect_timeout' => 2.0, 'timeout' => 5.0, 'shutdown_timeout' => 2.0];
    private const CAPTURE_OPTIONS = ['level' => 0, 'fingerprint' => 0, 'extra' => 0];
    /** How long the response may wait, altogether and for the next event to be accepted; in seconds. */
    private const MAX_DELAY = 1.0, MAX_STALL = 0.25;

    private static ?self $current = null;
    private static ?Transport $transport = null;
    private static ?int $process = null;
    private static ?string $reservedMemory = null; // Freed at shutdown, for a script that has run out of memory.
    /** With $isLast, the application's shutdown functions have ended, and each event may be the last. */
    private static bool $isCapturing = false, $isLast = false;
    private static ?float $patience = null; // What is left of shutdown_timeout.

    private readonly Connection $connection;

    private function __construct(private readonly array $options, private readonly Suppression $suppression = new Suppression())
    {
        $this->connection = new Connection(Dsn::parse($options['dsn']), $options['connect_timeout'], $options['timeout']);
    }

    /**
     * Configures the SDK. Never throws: if an option is invalid, PHP's error log says so and no events are
     * captured. Options that do not exist are logged and ignored.
     */
    public static function init(mixed $options = [], mixed ...$unknown): void
    {
        Log::clear('init');
        try {
            self::transport();
            self::$reservedMemory ??= str_repeat('x', 512 << 10);
            self::$current?->push(self::$current->suppression->takeAll());
            $host = \function_exists('gethostname') ? (string) gethostname() : '';
            self::$current = new self(self::usable($options, self::DEFAULTS, $unknown, true) + ['server_name' => $host] + self::DEFAULTS);
            Handlers::$isEnabled = self::$current->options['capture_unhandled'];
            Handlers::takePlace();
        } catch (\Throwable $error) {
            self::$current = null;
            Log::once('init', $error->getMessage() . '; no events will be captured');
        }
    }

    /**
     * Captures an exception or any other value. Never throws and never blocks.
     *
     * @param array{extra?: array, level?: string, fingerprint?: string[]} $options
     * @return string the event's id, or '' if the event is not sent
     */
    public static function captureException(mixed $thrown = null, mixed $options = [], mixed ...$unknown): string
    {
        $isUnhandled = $thrown !== null && $thrown === Handlers::$fatal; // The application's handler may report it as well.
        $mechanism = $isUnhandled ? ['mechanism' => ['handled' => false]] : [];
        $describe = static fn (bool $withSource) => Event::fromThrown($thrown, $withSource) + $mechanism;
        return ($isUnhandled ? Handlers::$id : null) ?? self::capture($describe, 'error', $options, $unknown);
    }

    /**
     * Captures a message. Never throws and never blocks.
     *
     * @param mixed $message values other than strings are encoded as JSON
     * @param string $level 'error', 'warning' or 'info'
     * @param array{extra?: array, fingerprint?: string[]} $options
     * @return string the event's id, or '' if the event is not sent
     */
    public static function captureMessage(mixed $message = null, mixed $level = 'info', mixed $options = [], mixed ...$unknown): string
    {
        return self::capture(static fn () => ['message' => Event::text($message)], $level, $options, $unknown);
    }

    /**
     * Sends all captured events.
     *
     * @param float $timeout in seconds; 0 does not wait
     * @return bool true if all were accepted; false if the time is up or an event was lost since the last flush
     */
    public static function flush(mixed $timeout = 5.0, mixed ...$unknown): bool
    {
        return self::send(self::usable(['timeout' => $timeout], ['timeout' => 0], $unknown)['timeout'] ?? 5.0);
    }

    private static function send(float $timeout, float $maxStall = \INF): bool
    {
        try {
            $deadline = Transport::clock() + $timeout;
            $transport = self::transport();
            self::$current?->push(self::$current->suppression->takeAll());
            return $transport->flush($deadline, $maxStall);
        } catch (\Error $error) { // Exceptions come from the application's signal handlers.
            Log::once('failed', "flush failed: {$error->getMessage()}");
            return false;
        }
    }

    private static function capture(callable $describe, mixed $level, mixed $options, array $unknown): string
    {
        if (self::$isCapturing) {
            // Called from before_send, from an object being encoded (which could recurse without end) or from a signal handler.
            self::transport()->hasLost = true;
            return '';
        }
        try {
            $transport = self::transport();
            self::$isCapturing = true;
            $options = self::usable($options, self::CAPTURE_OPTIONS, $unknown)
                + self::usable(['level' => $level], self::CAPTURE_OPTIONS) + ['level' => 'info'];
            preg_match('/^(error|warning|warn|info|notice|debug|log)$/iD', $level = $options['level'])
                || Log::once("level $level", "unknown level '$level'");
            $id = self::$current?->record($describe(self::$current->options['source_lines']), $options);
            if ($id === null) {
                $transport->hasLost = true;
                Log::once('init', 'an event was captured before init and dropped');
            }
            Log::clear('failed');
        } catch (\Throwable $error) {
            self::$transport && self::$transport->hasLost = true;
            Log::once('failed', 'failed to capture an event: ' . $error::class . " at line {$error->getLine()}");
        } finally {
            self::$isCapturing = false;
        }
        self::$isLast ? self::onEnd() : self::$transport?->pump();
        return $id ?? '';
    }

    private function record(array $description, array $options): string
    {
        [$id, $now, $time] = [Event::id(), Transport::clock(), new \DateTimeImmutable('now', new \DateTimeZone('UTC'))];
        $event = $description + array_intersect_key($options, ['level' => 0, 'fingerprint' => 0])
            + ['event_id' => $id, 'timestamp' => $time->format('Y-m-d\TH:i:s.v\Z'), 'platform' => 'php']
            + array_intersect_key($this->options, ['server_name' => 0, 'environment' => 0, 'release' => 0])
            + ['sdk' => ['name' => 'obs/sdk', 'version' => self::VERSION]];
        $extra = $options['extra'] ?? [];
        $event['extra'] = array_replace($this->options['extra'], \is_object($extra) ? get_object_vars($extra) : (array) $extra);
        try {
            $event = $this->options['before_send'] ? ($this->options['before_send'])($event) : $event;
            $problem = $event === null || \is_array($event) ? null : 'returned ' . get_debug_type($event);
        } catch (\Throwable $error) {
            $problem = 'threw ' . $error::class;
        }
        self::$transport->hasLost = self::$transport->hasLost || $problem;
        $problem ? Log::once('before_send', "before_send $problem; the event was dropped") : Log::clear('before_send');
        if ($problem || !$event) {
            return '';
        }
        $event = Event::normalize(['event_id' => $id] + $event);
        $queued = sprintf('%.3F ', $now) . Event::encode($event);
        $this->push($this->suppression->takeExpired($now));
        $queued = $this->suppression->admit(Event::identity($event), $queued, $now);
        return $queued !== null && $this->push([$queued]) ? $id : '';
    }

    /** @param string[] $events */
    private function push(array $events): bool
    {
        return !\in_array(false, array_map(fn (string $event) => self::$transport->push($this->connection, $event), $events), true);
    }

    /**
     * Returns the options that are known and valid. The others are logged, and so are unknown arguments.
     *
     * @throws \InvalidArgumentException if $isStrict and an option is invalid
     */
    private static function usable(mixed $options, array $known, array $unknown = [], bool $isStrict = false): array
    {
        [$options, $unknown] = \is_array($options) ? [$options, $unknown] : [[], [...$unknown, $options]];
        foreach ($unknown as $name => $value) {
            Log::once("argument $name", 'unknown argument ' . (\is_int($name) ? 'of type ' . get_debug_type($value) : "'$name'"));
        }
        $options = array_filter($options, static fn ($value) => $value !== null);
        foreach ($options as $name => $value) {
            $isValid = !\array_key_exists($name, $known) ? null : match ($name) {
                'dsn', 'environment', 'server_name', 'release', 'level' => \is_string($value),
                'extra' => \is_array($value) || !$isStrict,
                'before_send' => \is_callable($value),
                'fingerprint' => \is_array($value) && \count($value) <= 8 && $value === array_filter($value, 'is_string'),
                'source_lines', 'capture_unhandled' => \is_bool($value),
                default => \is_int($value) || \is_float($value),
            };
            if (!$isValid) {
                $isValid === false && $isStrict && throw new \InvalidArgumentException("invalid value for option '$name'");
                Log::once("option $name", $isValid === null ? "unknown option '$name'" : "invalid value for option '$name'");
                unset($options[$name]);
            }
        }
        return $options;
    }

    /** Runs before the application's shutdown functions, after them, and with the destructors, whichever of them fail. */
    private static function onEnd(bool $isFirst = false): void
    {
        self::$reservedMemory = null;
        $isFirst && register_shutdown_function(self::onEnd(...));
        self::$isLast = !$isFirst;
        Log::restoreHandlers();
        self::$isCapturing = false;
        ['type' => $type, 'message' => $message] = error_get_last() ?? ['type' => 0, 'message' => ''];
        self::transport()->reset(($type & Handlers::FATAL) && !str_starts_with($message, 'Uncaught '));
        Handlers::onEnd();
        if (self::send(0.0)) {
            return;
        }
        // Send the response and release the session lock first, so that no visitor waits for the SDK.
        $finish = \PHP_SAPI === 'cli' ? [] : ['session_write_close', 'fastcgi_finish_request', 'litespeed_finish_request'];
        array_map(static fn (callable $function) => $isFirst || $function(), array_filter($finish, 'function_exists'));
        $started = Transport::clock();
        self::$patience ??= (self::$current?->options ?? self::DEFAULTS)['shutdown_timeout'];
        $isFirst && $finish ? self::send(min(self::$patience, self::MAX_DELAY), self::MAX_STALL) : self::send(self::$patience);
        self::$patience -= Transport::clock() - $started;
    }

    /** Returns the queue of this process. A forked child gets its own queue and connections. */
    private static function transport(): Transport
    {
        $process = \function_exists('getmypid') ? (int) getmypid() : 0;
        if (self::$process !== $process) {
            self::$process === null && Ending::call(self::onEnd(...));
            [self::$process, self::$transport] = [$process, new Transport()];
            self::$current = self::$current ? new self(self::$current->options) : null;
        }
        return self::$transport;
    }
}
