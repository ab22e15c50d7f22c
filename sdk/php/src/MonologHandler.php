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
        $context = $record['context'] + $record['extra'];
        (new Logger('debug'))->log(strtolower($record['level_name']), $record['message'], $context);
    }
}
