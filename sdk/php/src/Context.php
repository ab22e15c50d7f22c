<?php

declare(strict_types=1);

namespace Obs;

/** What later events carry: the user, tags, extra data and breadcrumbs. */
final class Context
{
    private const MAX_BREADCRUMBS = 50;

    /** @var array<string, mixed>|null */
    public ?array $user = null;
    /** @var array<string, mixed> null for a tag that was removed */
    public array $tags = [];
    /** @var array<string, mixed> */
    public array $extra = [];
    /** @var list<array<string, mixed>> oldest first */
    private array $breadcrumbs = [];

    public function addBreadcrumb(array $breadcrumb): void
    {
        $breadcrumb += ['timestamp' => Event::identified()['timestamp']];
        $this->breadcrumbs = \array_slice([...$this->breadcrumbs, $breadcrumb], -self::MAX_BREADCRUMBS);
    }

    /** Returns these fields of an event. The options of its capture win, then what was set, then the defaults. */
    public function fields(array $defaults, array $options): array
    {
        $isSet = static fn (mixed $value) => $value !== null;
        $tags = array_filter(($options['tags'] ?? []) + $this->tags + $defaults['tags'], $isSet);
        return [
            'user' => $options['user'] ?? $this->user,
            'tags' => array_map(static fn (mixed $tag) => \is_scalar($tag) ? $tag : Event::text($tag), $tags),
            'extra' => array_replace(array_filter($this->extra + $defaults['extra'], $isSet), $options['extra'] ?? []),
            'breadcrumbs' => $this->breadcrumbs,
        ];
    }
}
