<?php

declare(strict_types=1);

namespace Obs;

// Load all classes now: there may be no autoloader, and later the memory may be exhausted or a deployment
// may have replaced the files.
array_map(
    static fn (string $class) => require_once __DIR__ . "/$class.php",
    ['Connection', 'Dsn', 'Event', 'Handlers', 'Json', 'Log', 'StackTrace', 'Suppression', 'Transport'],
);

/** The public API of the SDK: init, captureException, captureMessage and flush. */
final class Client
{
    public const VERSION = '0.1.0';

    private const DEFAULTS = [
        'dsn' => '', 'environment' => '', 'server_name' => '', 'release' => '', 'extra' => [], 'before_send' => null,
        'source_lines' => true, 'capture_unhandled' => false, 'connect_timeout' => 2.0, 'timeout' => 5.0, 'shutdown_timeout' => 2.0,
    ];

    private static ?self $current = null;
    private static ?Transport $transport = null;
    private static ?int $process = null;
    private static bool $isCapturing = false;
    private static ?string $reservedMemory = null; // Freed at shutdown, for a script that has run out of memory.

    private readonly Connection $connection;
    private readonly Suppression $suppression;

    private function __construct(private readonly array $options)
    {
        $this->connection = new Connection(Dsn::parse($options['dsn']), $options['connect_timeout'], $options['timeout']);
        $this->suppression = new Suppression();
    }

    /**
     * Configures the SDK. Never throws: if an option is invalid, PHP's error log says so and no events are
     * captured. Options that do not exist are ignored.
     */
    public static function init(array $options = []): void
    {
        Log::clear('init');
        try {
            self::transport();
            self::$reservedMemory ??= str_repeat('x', 512 << 10);
            self::$current?->push(self::$current->suppression->takeAll());
            self::$current = new self(self::validate($options));
            Handlers::setEnabled(self::$current->options['capture_unhandled']);
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
    public static function captureException(mixed $thrown, array $options = []): string
    {
        return self::capture(static fn (bool $withSource) => Event::fromThrown($thrown, $withSource), $options, 'error');
    }

    /**
     * Captures a message. Never throws and never blocks.
     *
     * @param mixed $message values other than strings are encoded as JSON
     * @param string $level 'error', 'warning' or 'info'
     * @param array{extra?: array, fingerprint?: string[]} $options
     * @return string the event's id, or '' if the event is not sent
     */
    public static function captureMessage(mixed $message, string $level = 'info', array $options = []): string
    {
        return self::capture(static fn () => ['message' => Event::text($message)], $options, $level);
    }

    /**
     * Sends all captured events.
     *
     * @param float $timeout in seconds; 0 does not wait
     * @return bool true if all were accepted; false if the time is up or an event was lost since the last flush
     */
    public static function flush(float $timeout = 5.0): bool
    {
        try {
            $deadline = Transport::clock() + $timeout;
            $transport = self::transport();
            self::$current?->push(self::$current->suppression->takeAll());
            return $transport->flush($deadline);
        } catch (\Error $error) { // Exceptions come from the application's signal handlers.
            Log::once('failed', "flush failed: {$error->getMessage()}");
            return false;
        }
    }

    private static function capture(callable $describe, array $options, string $level): string
    {
        if (self::$isCapturing) {
            // Called from before_send, from an object being encoded (which could recurse without end) or from a signal handler.
            self::transport()->hasLost = true;
            return '';
        }
        try {
            $transport = self::transport();
            self::$isCapturing = true;
            $id = self::$current?->record($describe(self::$current->options['source_lines']), $options, $level);
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
        \PHP_SAPI === 'cli' && self::$transport?->pump();
        return $id ?? '';
    }

    private function record(array $description, array $options, string $level): string
    {
        $event = $description + array_intersect_key($options, ['level' => 0, 'fingerprint' => 0])
            + ['event_id' => Event::id(), 'timestamp' => Event::now(), 'level' => $level, 'platform' => 'php']
            + array_intersect_key($this->options, ['server_name' => 0, 'environment' => 0, 'release' => 0])
            + ['sdk' => ['name' => 'obs/sdk', 'version' => self::VERSION]];
        $extra = $options['extra'] ?? [];
        $event['extra'] = array_replace($this->options['extra'], \is_object($extra) ? get_object_vars($extra) : (array) $extra);
        $id = $event['event_id'];
        try {
            $event = $this->options['before_send'] ? ($this->options['before_send'])($event) : $event;
            Log::clear('before_send');
        } catch (\Throwable $error) {
            $event = null;
            self::transport()->hasLost = true;
            Log::once('before_send', 'before_send threw ' . $error::class . '; the event was dropped');
        }
        if (!$event || !\is_array($event)) {
            return '';
        }
        $event = Event::normalize(['event_id' => $id] + $event);
        $json = Event::encode($event);
        $this->push($this->suppression->takeExpired($now = Transport::clock()));
        $json = $this->suppression->admit(Event::identity($event), $json, $now);
        return $json !== null && $this->push([$json]) ? $id : '';
    }

    /** @param string[] $events */
    private function push(array $events): bool
    {
        $areQueued = array_map(fn (string $json) => self::$transport->push($this->connection, $json), $events);
        return !\in_array(false, $areQueued, true);
    }

    /** @throws \InvalidArgumentException */
    private static function validate(array $options): array
    {
        $options = array_filter($options, static fn ($value) => $value !== null);
        foreach ($options as $name => $value) {
            $isValid = match ($name) {
                'dsn', 'environment', 'server_name', 'release' => \is_string($value),
                'extra' => \is_array($value),
                'before_send' => \is_callable($value),
                'source_lines', 'capture_unhandled' => \is_bool($value),
                'connect_timeout', 'timeout', 'shutdown_timeout' => \is_int($value) || \is_float($value),
                default => null,
            };
            $isValid === null && Log::once("option $name", "unknown option '$name'");
            $isValid === false && throw new \InvalidArgumentException("invalid value for option '$name'");
        }
        return $options + ['server_name' => \function_exists('gethostname') ? (string) gethostname() : ''] + self::DEFAULTS;
    }

    /** Runs twice, the second time after the application's own shutdown functions, which may capture events. */
    private static function onShutdown(bool $isLast = false): void
    {
        if (!$isLast) {
            self::$reservedMemory = null;
            Log::restoreHandlers();
            self::$isCapturing = false;
            self::transport()->reset(Handlers::wasFatal());
            Handlers::onShutdown();
            register_shutdown_function(self::onShutdown(...), true);
            return;
        }
        $transport = self::transport();
        self::$current?->push(self::$current->suppression->takeAll());
        if ($transport->isEmpty()) {
            return;
        }
        if (\PHP_SAPI !== 'cli') {
            // Send the response and release the session lock first, so that no visitor waits for the SDK.
            $finish = array_filter(['session_write_close', 'fastcgi_finish_request', 'litespeed_finish_request'], 'function_exists');
            array_map(static fn (callable $function) => $function(), $finish);
        }
        self::flush((self::$current?->options ?? self::DEFAULTS)['shutdown_timeout']);
    }

    /** Returns the queue of this process. A forked child gets its own queue and connections. */
    private static function transport(): Transport
    {
        $process = \function_exists('getmypid') ? (int) getmypid() : 0;
        if (self::$process !== $process) {
            self::$process === null && register_shutdown_function(self::onShutdown(...));
            self::$process = $process;
            self::$transport = new Transport();
            self::$current = self::$current ? new self(self::$current->options) : null;
        }
        return self::$transport;
    }
}
