<?php

// The configuration of the recipe: as WordPress has it, and the DSN.

define('DB_NAME', '');
define('DB_USER', '');
define('DB_PASSWORD', '');
define('DB_HOST', '');
define('OBS_DSN', getenv('OBS_DSN'));
define('WP_ENVIRONMENT_TYPE', 'production');
$table_prefix = 'wp_';
defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
