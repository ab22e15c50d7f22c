<?php

// Symfony Messenger: a worker whose listeners clear the context before each message and send after it.

declare(strict_types=1);

require __DIR__ . '/autoload.php';

use Obs\Client;
use Symfony\Component\EventDispatcher\EventDispatcher;
use Symfony\Component\Messenger\Envelope;
use Symfony\Component\Messenger\Event\WorkerMessageFailedEvent;
use Symfony\Component\Messenger\Event\WorkerMessageHandledEvent;
use Symfony\Component\Messenger\Event\WorkerMessageReceivedEvent;
use Symfony\Component\Messenger\Event\WorkerRunningEvent;
use Symfony\Component\Messenger\Exception\HandlerFailedException;
use Symfony\Component\Messenger\Handler\HandlersLocator;
use Symfony\Component\Messenger\MessageBus;
use Symfony\Component\Messenger\Middleware\HandleMessageMiddleware;
use Symfony\Component\Messenger\Transport\InMemoryTransport;
use Symfony\Component\Messenger\Worker;

final class SendInvoice
{
    public function __construct(public readonly int $userId)
    {
    }
}

Client::init(['dsn' => getenv('OBS_DSN'), 'environment' => 'production', 'tags' => ['app' => 'messenger']]);

$events = new EventDispatcher();
$events->addListener(WorkerMessageReceivedEvent::class, function (WorkerMessageReceivedEvent $event): void {
    Client::clearContext();
    Client::setTag('message', $event->getEnvelope()->getMessage()::class);
});
$events->addListener(WorkerMessageFailedEvent::class, function (WorkerMessageFailedEvent $event): void {
    $error = $event->getThrowable();
    Client::captureException($error instanceof HandlerFailedException ? $error->getPrevious() : $error);
    Client::flush(1.0);
});
$events->addListener(WorkerMessageHandledEvent::class, fn () => Client::flush(1.0));
$events->addListener(WorkerRunningEvent::class, fn (WorkerRunningEvent $event) => $event->getWorker()->stop());

$handle = function (SendInvoice $message): void {
    Client::setUser(['id' => $message->userId]);
    throw new RuntimeException('messenger: the printer is out of paper');
};
$transport = new InMemoryTransport();
$transport->send(new Envelope(new SendInvoice(7)));
$bus = new MessageBus([new HandleMessageMiddleware(new HandlersLocator([SendInvoice::class => [$handle]]))]);
(new Worker(['memory' => $transport], $bus, $events))->run();
