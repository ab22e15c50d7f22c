<?php

// A database that has nothing but the address of the site: the recipe needs no MySQL.

class EmptyDatabase extends wpdb
{
    public function db_connect($allow_bail = true)
    {
        return $this->ready = $this->has_connected = true;
    }

    public function query($query)
    {
        $this->last_result = [];
        if (str_contains($query, 'siteurl') || str_contains($query, 'autoload')) {
            $this->last_result[] = (object) ['option_name' => 'siteurl', 'option_value' => 'http://localhost'];
        }
        return $this->num_rows = count($this->last_result);
    }

    public function _real_escape($data)
    {
        return addslashes((string) $data);
    }

    public function db_version()
    {
        return '8.0';
    }

    public function get_col_charset($table, $column)
    {
        return false;
    }
}

$GLOBALS['wpdb'] = new EmptyDatabase('', '', '', '');
