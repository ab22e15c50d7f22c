<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\Endings;
use Obs\Tests\Support\ProgramTestCase;

/** Under PHP's built-in web server, however a script ends, what was captured arrives. */
final class BuiltInServerTest extends ProgramTestCase
{
    use Endings;

    protected function playToTheEnd(string $code, string $before): void
    {
        $this->program($code, ['shutdown_timeout' => 10], 'program.php', $before);
        $pipes = [1 => ['file', '/dev/null', 'w'], 2 => ['file', "{$this->folder}/log", 'w']];
        $web = proc_open([\PHP_BINARY, '-S', '127.0.0.1:0', '-t', $this->folder], $pipes, $none);
        for ($deadline = microtime(true) + 10; !preg_match('~http://[\d.:]+~', file_get_contents("{$this->folder}/log"), $url);) {
            self::assertLessThan($deadline, microtime(true), 'the web server did not start');
            usleep(5000);
        }
        file_get_contents("$url[0]/program.php", false, stream_context_create(['http' => ['ignore_errors' => true, 'timeout' => 20]]));
        proc_terminate($web);
        proc_close($web);
    }
}
