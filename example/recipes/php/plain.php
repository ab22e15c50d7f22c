<?php

// Plain PHP under FPM: a front controller. Nothing catches what it throws.

declare(strict_types=1);

require __DIR__ . '/autoload.php';

use Obs\Client;

Client::init(['dsn' => getenv('OBS_DSN'), 'environment' => 'production', 'tags' => ['app' => 'shop']]);

/** In an application, from the session. */
function currentUser(): array
{
    return ['id' => 7, 'email' => 'ann@example.com'];
}

function pay(): never
{
    Client::addBreadcrumb(['category' => 'cart', 'message' => 'paying']);
    throw new DomainException('plain: card declined');
}

Client::setUser(currentUser());
pay();
