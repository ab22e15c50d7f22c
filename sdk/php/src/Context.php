<?php

declare(strict_types=1);

namespace Obs;

/**
 * What later events carry: the user, tags, extra data and breadcrumbs.
 *
 * @phpstan-import-type Settings from Options
 */
final class Context
{
    private const MAX_BREADCRUMBS = 50;

    /** @var mixed[]|null */
    public ?array $user = null;
    /** @var mixed[] null for a tag that was removed */
    public array $tags = [];
    /** @var mixed[] */
    public array $extra = [];
    /** @var list<mixed[]> oldest first */
    private array $breadcrumbs = [];

    /** @param mixed[] $breadcrumb */
    public function addBreadcrumb(array $breadcrumb): void
    {
        $breadcrumb += ['timestamp' => Event::identified()['timestamp']];
        $this->breadcrumbs = \array_slice([...$this->breadcrumbs, $breadcrumb], -self::MAX_BREADCRUMBS);
    }

    /**
     * Returns these fields of an event. The options of its capture win, then what was set, then the defaults.
     *
     * @param Settings $defaults
     * @param mixed[] $options
     * @return array<string, mixed>
     */
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
