<?php

// Plugin Name: obs
// In wp-content/mu-plugins, which WordPress loads before all plugins. OBS_DSN is a constant in wp-config.php.

require_once ABSPATH . 'vendor/autoload.php';

Obs\Client::init(['dsn' => OBS_DSN, 'environment' => wp_get_environment_type(), 'tags' => ['app' => 'wordpress']]);

add_action('set_current_user', function () {
    $user = wp_get_current_user();
    Obs\Client::setUser($user->ID ? ['id' => $user->ID, 'username' => $user->user_login] : null);
});
