<?php

// Loads the SDK and the test support without Composer.

declare(strict_types=1);

require __DIR__ . '/../src/Client.php';
require __DIR__ . '/Support/Server.php';
require __DIR__ . '/Support/ProgramTestCase.php';
