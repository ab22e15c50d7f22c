-- What it takes to find quickly which events go when there are too many.

-- The issues that can lose an event and stay; whose newest events are all that they have are left out.
CREATE INDEX issues_by_stored ON issues (stored) WHERE stored > 1;

-- An issue goes with its keys.
CREATE INDEX issue_keys_by_issue ON issue_keys (issue_id);

-- One row: what would otherwise be counted.
CREATE TABLE totals (
    stored INTEGER NOT NULL -- events
);
INSERT INTO totals SELECT coalesce(sum(stored), 0) FROM issues;
