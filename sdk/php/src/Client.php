<?php // The public API: init, captureException, captureMessage, flush.

declare(strict_types=1);

namespace Obs;

// All files at once: there may be no autoloader, later the memory may be out, or a deployment may have moved the files.
array_map(
    static fn (string $class) => require_once __DIR__ . "/$class.php",
    ['Connection', 'Dsn', 'Event', 'Handlers', 'Json', 'Log', 'StackTrace', 'Suppression', 'Transport'],
);

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
    private static ?string $reserve = null; // Given back at the end: the memory may be exhausted then.

    private readonly Connection $connection;
    private readonly Suppression $suppression;

    private function __construct(private readonly array $options)
    {
        $this->connection = new Connection(Dsn::parse($options['dsn']), $options['connect_timeout'], $options['timeout']);
        $this->suppression = new Suppression();
    }

    /** Sets the SDK up. What is wrong with the options is told in PHP's error log; the application goes on in any case. */
    public static function init(array $options = []): void
    {
        Log::passed('not set up');
        try {
            self::transport();
            self::$reserve ??= str_repeat('x', 512 << 10);
            self::$current?->push(self::$current->suppression->all());
            self::$current = new self(self::checked($options));
            Handlers::turn(self::$current->options['capture_unhandled']);
        } catch (\Throwable $wrong) {
            self::$current = null;
            Log::once('not set up', $wrong->getMessage() . '; nothing is captured');
        }
    }

    /**
     * Captures an exception, or anything else. Never throws, and never waits.
     *
     * @param array{extra?: array, level?: string, fingerprint?: string[]} $options
     * @return string the event's id, or '' where nothing is sent
     */
    public static function captureException(mixed $thrown, array $options = []): string
    {
        return self::capture(static fn (bool $withSource) => Event::ofThrown($thrown, $withSource), $options, 'error');
    }

    /**
     * Captures a message (what is no string is told as JSON) of the level 'error', 'warning' or 'info'. Never throws, and never waits.
     *
     * @param array{extra?: array, fingerprint?: string[]} $options
     * @return string the event's id, or '' where nothing is sent
     */
    public static function captureMessage(mixed $message, string $level = 'info', array $options = []): string
    {
        return self::capture(static fn () => ['message' => Event::text($message)], $options, $level);
    }

    /** Sends everything, for at most so many seconds; says truly whether all that was captured was accepted. */
    public static function flush(float $timeout = 5.0): bool
    {
        try {
            $deadline = Transport::clock() + $timeout;
            $transport = self::transport();
            self::$current?->push(self::$current->suppression->all());
            return $transport->flush($deadline);
        } catch (\Error $trouble) { // What a signal handler of the application's throws is not for us to catch.
            Log::once('failed', "flush failed: {$trouble->getMessage()}");
            return false;
        }
    }

    private static function capture(callable $describe, array $options, string $level): string
    {
        if (self::$isCapturing) {
            // Called by before_send, by an object that is being encoded (that could go on for ever), or by a signal handler.
            self::transport()->hasLost = true;
            return '';
        }
        try {
            $transport = self::transport();
            self::$isCapturing = true;
            $id = self::$current?->record($describe(self::$current->options['source_lines']), $options, $level);
            if ($id === null) {
                $transport->hasLost = true;
                Log::once('not set up', 'an event was captured before init; it is lost');
            }
            Log::passed('failed');
        } catch (\Throwable $trouble) {
            self::$transport && self::$transport->hasLost = true;
            Log::once('failed', 'an event could not be captured: ' . $trouble::class . " at line {$trouble->getLine()}");
        } finally {
            self::$isCapturing = false;
        }
        \PHP_SAPI === 'cli' && self::$transport?->pump();
        return $id ?? '';
    }

    private function record(array $described, array $options, string $level): string
    {
        $event = $described + array_intersect_key($options, ['level' => 0, 'fingerprint' => 0])
            + ['event_id' => Event::id(), 'timestamp' => Event::now(), 'level' => $level, 'platform' => 'php']
            + array_intersect_key($this->options, ['server_name' => 0, 'environment' => 0, 'release' => 0])
            + ['sdk' => ['name' => 'obs/sdk', 'version' => self::VERSION]];
        $extra = $options['extra'] ?? [];
        $event['extra'] = array_replace($this->options['extra'], \is_object($extra) ? get_object_vars($extra) : (array) $extra);
        $id = $event['event_id'];
        try {
            $event = $this->options['before_send'] ? ($this->options['before_send'])($event) : $event;
            Log::passed('before_send');
        } catch (\Throwable $trouble) {
            $event = null;
            self::transport()->hasLost = true;
            Log::once('before_send', 'before_send failed with ' . $trouble::class . ', and its event is dropped');
        }
        if (!$event || !\is_array($event)) {
            return '';
        }
        $event = Event::tidy(['event_id' => $id] + $event);
        $json = Event::encode($event);
        $this->push($this->suppression->over($now = Transport::clock()));
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
    private static function checked(array $options): array
    {
        $options = array_filter($options, static fn ($value) => $value !== null);
        foreach ($options as $name => $value) {
            $isRight = match ($name) {
                'dsn', 'environment', 'server_name', 'release' => \is_string($value),
                'extra' => \is_array($value),
                'before_send' => \is_callable($value),
                'source_lines', 'capture_unhandled' => \is_bool($value),
                'connect_timeout', 'timeout', 'shutdown_timeout' => \is_int($value) || \is_float($value),
                default => null,
            };
            $isRight === null && Log::once("option $name", "there is no option '$name'");
            $isRight === false && throw new \InvalidArgumentException("the option '$name' has a wrong value");
        }
        return $options + ['server_name' => \function_exists('gethostname') ? (string) gethostname() : ''] + self::DEFAULTS;
    }

    /** Runs twice: the second time after the application's own shutdown functions, which may still capture. */
    private static function onShutdown(bool $isLast = false): void
    {
        if (!$isLast) {
            self::$reserve = null;
            Log::restart();
            self::$isCapturing = false;
            self::transport()->restart(Handlers::wasFatal());
            Handlers::onShutdown();
            register_shutdown_function(self::onShutdown(...), true);
            return;
        }
        $transport = self::transport();
        self::$current?->push(self::$current->suppression->all());
        if ($transport->isEmpty()) {
            return;
        }
        if (\PHP_SAPI !== 'cli') {
            // Who waits for the lock of the session, or for the response, does not wait for us.
            $finish = array_filter(['session_write_close', 'fastcgi_finish_request', 'litespeed_finish_request'], 'function_exists');
            array_map(static fn (callable $function) => $function(), $finish);
        }
        self::flush((self::$current?->options ?? self::DEFAULTS)['shutdown_timeout']);
    }

    /** The queue of this process. A forked child has one of its own, and nothing to do with its parent's, nor with its connection. */
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
