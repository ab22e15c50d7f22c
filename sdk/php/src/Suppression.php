<?php // Of the same error, 100 events a minute go out; of the others the last one is held, and says how many there were.

declare(strict_types=1);

namespace Obs;

final class Suppression
{
    private const WINDOW = 60.0;
    private const MAX_SENT = 100;
    private const MAX_KEYS = 1000;
    private const MAX_BYTES = 8 << 20;
    private const MAX_SUPPRESSED = 1_000_000;

    /** @var array<string, array{start: float, sent: int, held: int, last: string}> by error */
    private array $windows = []; // Since all windows are equally long, the first one always ends first.
    private int $bytes = 0;

    /** The event as it is to go out, or null where it is held back. */
    public function admit(string $error, string $json, float $now): ?string
    {
        $this->windows[$error] ??= ['start' => $now, 'sent' => 0, 'held' => 0, 'last' => ''];
        $window = &$this->windows[$error];
        if ($window['sent'] < self::MAX_SENT) {
            $window['sent']++;
            return $json;
        }
        $this->bytes += \strlen($json) - \strlen($window['last']);
        $window['last'] = $json;
        return ++$window['held'] > self::MAX_SUPPRESSED ? $this->take($error) : null;
    }

    /** @return string[] what was held in windows that are over, and in the oldest ones where there are too many */
    public function over(float $now): array
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

    /** @return string[] everything held; the windows go on */
    public function all(): array
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
