<?php

// Loads the SDK and the test support: PSR-4, as composer.json has it.

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    foreach (['Obs\\Tests\\' => __DIR__, 'Obs\\' => __DIR__ . '/../src'] as $prefix => $folder) {
        $file = $folder . '/' . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
        if (str_starts_with($class, $prefix) && is_file($file)) {
            require $file;
            return;
        }
    }
});
