<?php

// A Symfony application in one file: a route that fails, and the listener that reports what Symfony catches.

declare(strict_types=1);

require __DIR__ . '/../autoload.php';

use Obs\Client;
use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Component\DependencyInjection\Loader\Configurator\ContainerConfigurator;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpKernel\Event\ExceptionEvent;
use Symfony\Component\HttpKernel\Exception\HttpExceptionInterface;
use Symfony\Component\HttpKernel\Kernel as BaseKernel;
use Symfony\Component\Routing\Loader\Configurator\RoutingConfigurator;

Client::init(['dsn' => getenv('OBS_DSN'), 'environment' => 'prod', 'tags' => ['app' => 'symfony']]);

final class ReportException
{
    public function __invoke(ExceptionEvent $event): void
    {
        if (!$event->getThrowable() instanceof HttpExceptionInterface) { // A 404 is no error.
            Client::captureException($event->getThrowable(), ['handled' => false]);
        }
    }
}

final class Kernel extends BaseKernel
{
    use MicroKernelTrait;

    public function registerBundles(): iterable
    {
        yield new FrameworkBundle();
    }

    protected function configureContainer(ContainerConfigurator $container): void
    {
        $container->extension('framework', ['secret' => 's', 'http_method_override' => false]);
        $container->services()->set(ReportException::class, ReportException::class)
            ->tag('kernel.event_listener', ['event' => ExceptionEvent::class]);
    }

    protected function configureRoutes(RoutingConfigurator $routes): void
    {
        $routes->add('pay', '/pay')->controller('kernel::pay');
    }

    public function pay(): Response
    {
        Client::setUser(['id' => 7]); // In an application: from a listener of LoginSuccessEvent.
        throw new RuntimeException('symfony: card declined');
    }

    public function getProjectDir(): string
    {
        return getenv('RECIPE_FOLDER');
    }
}

$kernel = new Kernel('prod', false);
$request = Request::createFromGlobals();
$response = $kernel->handle($request);
$response->send();
$kernel->terminate($request, $response);
