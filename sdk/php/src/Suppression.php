<?php

declare(strict_types=1);

namespace Obs;

/** Limits repeats: per minute, 100 events of the same error are sent, then only the latest one, with a count. */
final class Suppression
{
    private const WINDOW = 60.0, MAX_SENT = 100, MAX_SUPPRESSED = 1_000_000, MAX_KEYS = 1000, MAX_BYTES = 8 << 20;

    /** @var array<string, array{start: float, sent: int, held: int, last: string}> by identity of the error */
    private array $windows = []; // Ordered by their end, since all are equally long.
    private int $bytes = 0;

    /** Returns the event to send now, or null if it is held back. */
    public function admit(string $error, string $json, float $now): ?string
    {
        $this->windows[$error] ??= ['start' => $now, 'sent' => 0, 'held' => 0, 'last' => ''];
        $window = &$this->windows[$error];
        if ($window['sent']++ < self::MAX_SENT) {
            return $json;
        }
        $this->bytes += \strlen($json) - \strlen($window['last']);
        $window['last'] = $json;
        return ++$window['held'] > self::MAX_SUPPRESSED ? $this->take($error) : null;
    }

    /** @return string[] the events held in windows that are over, and in the oldest windows if a limit is exceeded */
    public function takeExpired(float $now): array
    {
        $events = [];
        foreach ($this->windows as $error => ['start' => $start]) {
            if ($now - $start < self::WINDOW && \count($this->windows) < self::MAX_KEYS && $this->bytes <= self::MAX_BYTES) {
                break;
            }
            $events[] = $this->take($error);
            unset($this->windows[$error]);
        }
        return array_filter($events);
    }

    /** @return string[] all held events; the windows stay open */
    public function takeAll(): array
    {
        return array_filter(array_map($this->take(...), array_keys($this->windows)));
    }

    private function take(string $error): string
    {
        ['held' => $held, 'last' => $json] = $this->windows[$error];
        $this->bytes -= \strlen($json);
        $this->windows[$error] = ['held' => 0, 'last' => ''] + $this->windows[$error];
        return $held > 1 ? substr($json, 0, -1) . ',"suppressed":' . ($held - 1) . '}' : $json;
    }
}
