<?php

// Loads the SDK and Debian's packages. In an application, this is Composer's vendor/autoload.php.

declare(strict_types=1);

require __DIR__ . '/../../../sdk/php/tests/autoload.php';

foreach (['Monolog', 'Symfony/Bundle/FrameworkBundle', 'Symfony/Component/Messenger'] as $package) {
    if (stream_resolve_include_path("$package/autoload.php")) {
        require_once "$package/autoload.php";
    }
}
