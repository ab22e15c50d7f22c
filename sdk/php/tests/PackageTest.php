<?php

declare(strict_types=1);

namespace Obs\Tests;

use Obs\Tests\Support\ProgramTestCase;

/** The package: what Composer installs, in an empty folder and without a network, is all that a program needs. */
final class PackageTest extends ProgramTestCase
{
    private const ROOT = __DIR__ . '/..';

    private function shell(string $command): string
    {
        exec("cd {$this->folder} && COMPOSER_HOME={$this->folder}/home COMPOSER_ALLOW_SUPERUSER=1 $command 2>&1", $output, $status);
        self::assertSame(0, $status, implode("\n", $output));
        return implode("\n", $output);
    }

    public function testWhatTheReadmeSaysFirstWorksInAnEmptyFolder(): void
    {
        $this->serve();
        preg_match('/```console\n(.*?)```\s+```php\n(.*?)```/s', file_get_contents(self::ROOT . '/README.md'), $first);
        self::assertNotEmpty($first, 'the README does not start with commands and a program');
        $commands = str_replace(['$ ', '/path/to/obs'], ['', realpath(self::ROOT . '/../..')], $first[1]);
        // The folder is all that Composer may need.
        file_put_contents("{$this->folder}/composer.json", '{"repositories": [{"packagist.org": false}]}');
        file_put_contents("{$this->folder}/install.sh", "set -e\n$commands");
        $this->shell('sh install.sh');
        file_put_contents("{$this->folder}/program.php", "<?php\n" . str_replace('http://test123@localhost:8000', $this->server->dsn(), $first[2]));
        $run = $this->execute("{$this->folder}/program.php");
        self::assertStringNotContainsString('obs:', $run->stderr);
        self::assertSame(['deploy done', 'not caught'], array_column($this->server->events(), 'message'));
    }

    /** @dataProvider archives */
    public function testAnArchiveHasTheLicenceAndTheSourcesButNoTests(string $command): void
    {
        $this->shell("cp -r " . escapeshellarg(realpath(self::ROOT)) . " package && cd package && $command");
        $files = preg_replace('~^\./~', '', explode("\n", $this->shell('tar -tf package.tar')));
        $names = array_filter($files, static fn ($name) => !str_ends_with($name, '/'));
        self::assertEqualsCanonicalizing(
            ['LICENSE', 'README.md', 'composer.json', ...array_map(static fn ($file) => 'src/' . basename($file), glob(self::ROOT . '/src/*.php'))],
            $names,
        );
    }

    public function archives(): array
    {
        $git = 'git init -q && git add -A && git -c user.name=t -c user.email=t@example.com commit -qm t && git archive -o ../package.tar HEAD';
        return ['by Composer' => ['composer archive -q --format=tar --dir=.. --file=package'], 'by git' => [$git]];
    }

    public function testThePackageRequiresNothingButPhp(): void
    {
        self::assertSame(['php'], array_keys(json_decode(file_get_contents(self::ROOT . '/composer.json'), true)['require']));
        self::assertFileEquals(self::ROOT . '/../../LICENSE', self::ROOT . '/LICENSE');
    }
}
