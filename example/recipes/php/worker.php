<?php

// A queue worker: it never ends, so it sends after each job, and each job has a context of its own.

declare(strict_types=1);

require __DIR__ . '/autoload.php';

use Obs\Client;

Client::init(['dsn' => getenv('OBS_DSN'), 'environment' => 'production', 'tags' => ['app' => 'worker']]);

/** In an application, these come from a queue. */
$jobs = [
    ['name' => 'invoice', 'user' => 7, 'run' => fn () => Client::addBreadcrumb(['message' => 'invoice sent'])],
    ['name' => 'mail', 'user' => 8, 'run' => fn () => throw new RuntimeException('worker: no such mailbox')],
];

foreach ($jobs as $job) {
    Client::clearContext();
    Client::setUser(['id' => $job['user']]);
    Client::setTag('job', $job['name']);
    try {
        $job['run']();
    } catch (Throwable $e) {
        Client::captureException($e);
    }
    Client::flush(1.0);
}
