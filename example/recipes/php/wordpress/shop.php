<?php

// Plugin Name: a shop that fails
// In place of an application: it signs a user in and throws where nothing catches it.

add_action('init', function () {
    $user = new WP_User((object) ['ID' => 7, 'user_login' => 'ann']);
    $GLOBALS['current_user'] = $user;
    do_action('set_current_user');
    throw new RuntimeException('wordpress: card declined');
});
