<?php

// The PHP example: a message, a warning and an exception.

declare(strict_types=1);

require __DIR__ . '/../../sdk/php/tests/autoload.php'; // In an application: vendor/autoload.php.

use Obs\Client;

function connectToDatabase(): void
{
    throw new RuntimeException('database connection failed: timeout after 30s');
}

Client::init([
    'dsn' => getenv('OBS_DSN') ?: 'http://test123@localhost:8000',
    'environment' => 'production',
]);

Client::captureMessage('Application started');
Client::captureMessage('Disk usage above 80%', 'warning', ['extra' => ['disk' => '/dev/sda1', 'used_percent' => 83]]);

try {
    connectToDatabase();
} catch (RuntimeException $exception) {
    Client::captureException($exception);
}

// The SDK also flushes when the script ends; this call tells us whether everything arrived.
if (!Client::flush()) {
    fwrite(STDERR, "PHP: some events did not reach obs\n");
    exit(1);
}
echo "PHP: sent a message, a warning and an exception\n";
