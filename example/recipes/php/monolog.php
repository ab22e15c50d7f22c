<?php

// Monolog: what the application logs as an error is captured, with the rest of the record's context.

declare(strict_types=1);

require __DIR__ . '/autoload.php';

use Monolog\Logger;
use Obs\Client;
use Obs\MonologHandler;

Client::init(['dsn' => getenv('OBS_DSN'), 'environment' => 'production', 'tags' => ['app' => 'cron']]);
Client::setUser(['id' => 7]);

$log = new Logger('shop');
$log->pushHandler(new MonologHandler('error'));
$log->info('not captured');
try {
    intdiv(1, 0);
} catch (DivisionByZeroError $e) {
    $log->error('monolog: no average of {count} orders', ['exception' => $e, 'count' => 0]);
}
