<?php

declare(strict_types=1);

namespace Obs;

use Psr\Log\AbstractLogger;

/** A PSR-3 logger, for psr/log 1 to 3: captures the exception in a record's context, or else the record's message. */
final class Logger extends AbstractLogger
{
    private const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

    /** @param string $minimum the least level that is captured */
    public function __construct(private readonly string $minimum = 'error')
    {
    }

    /**
     * @param mixed $level
     * @param string|\Stringable $message
     * @param mixed[] $context
     */
    public function log($level, $message, array $context = []): void
    {
        $severity = (int) array_search($level, self::LEVELS, true);
        if ($severity < (int) array_search($this->minimum, self::LEVELS, true)) {
            return;
        }
        $fill = /** @param string[] $name */ static fn (array $name) => Event::text($context[$name[1]] ?? $name[0]);
        $text = preg_replace_callback('/\{([\w.]+)\}/', $fill, (string) $message);
        $level = $severity > 3 ? 'error' : ($severity === 3 ? 'warning' : 'info');
        $extra = array_diff_key($context, ['exception' => 0]);
        ($context['exception'] ?? null) instanceof \Throwable
            ? Client::captureException($context['exception'], ['level' => $level, 'extra' => $extra + ['log' => $text]])
            : Client::captureMessage($text, $level, ['extra' => $extra]);
    }
}
