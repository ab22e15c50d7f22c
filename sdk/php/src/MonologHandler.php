<?php

declare(strict_types=1);

namespace Obs;

use Monolog\Handler\AbstractProcessingHandler;

/** A handler for Monolog 2 and 3: captures log records as Logger does. */
final class MonologHandler extends AbstractProcessingHandler
{
    /** @param array<string, mixed>|\Monolog\LogRecord $record */
    protected function write($record): void
    {
        $level = strtolower($record['level_name']);
        (new Logger('debug'))->log($level, $record['message'], $record['context'] + $record['extra']);
    }
}
