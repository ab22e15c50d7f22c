-- Events, the issues they belong to, and counts that are kept because they cannot be made once old events have gone.
-- A shipped migration is never edited: changes come as a further file. Times are ISO 8601, UTC, to the millisecond;
-- hours are whole hours since 1970.

-- What obs itself has to remember, such as the ingest key that it made.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE issues (
    id            INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again
    project       TEXT NOT NULL,                     -- the name of the key that its events come with, or ''
    title         TEXT NOT NULL,                     -- this and the next two are written once
    culprit       TEXT,
    grouped_by    TEXT NOT NULL,
    count         INTEGER NOT NULL,                  -- every event that ever arrived, and what clients held back
    stored        INTEGER NOT NULL,                  -- the events still there
    first_seen    TEXT NOT NULL,
    first_release TEXT,
    last_seen     TEXT NOT NULL,
    last_seq      INTEGER NOT NULL                   -- the newest event; what else describes an issue is read from it
);
CREATE INDEX issues_by_activity ON issues (last_seq);

-- Which issue a grouping key belongs to. An issue can have several: of older rules, or of issues merged into it.
CREATE TABLE issue_keys (
    project  TEXT NOT NULL,
    version  INTEGER NOT NULL, -- of the grouping rules
    hash     BLOB NOT NULL,
    issue_id INTEGER NOT NULL REFERENCES issues (id),
    PRIMARY KEY (project, version, hash)
) WITHOUT ROWID;

-- Short columns first: lists then never read the pages that a large `extra` overflows to.
CREATE TABLE events (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of arrival; never used again, since cursors go by it
    id          TEXT NOT NULL UNIQUE, -- UUID, lower case, with hyphens
    issue_id    INTEGER NOT NULL REFERENCES issues (id),
    level       TEXT NOT NULL,       -- error, warning or info
    timestamp   TEXT NOT NULL,       -- the client's clock: only shown
    received_at TEXT NOT NULL,       -- the server's clock
    platform    TEXT,
    environment TEXT,
    server_name TEXT,
    release     TEXT,
    suppressed  INTEGER,             -- further events that the client held back
    type        TEXT,
    message     TEXT NOT NULL,
    fingerprint TEXT,                -- from here on JSON, as it came
    stacktrace  TEXT,
    causes      TEXT,
    extra       TEXT,
    more        TEXT                 -- fields that have no column
);
CREATE INDEX events_by_issue ON events (issue_id); -- and by seq, which every index ends with

CREATE TABLE issue_hours (
    issue_id INTEGER NOT NULL REFERENCES issues (id),
    hour     INTEGER NOT NULL,
    events   INTEGER NOT NULL,
    PRIMARY KEY (issue_id, hour)
) WITHOUT ROWID;

CREATE TABLE hours (
    hour   INTEGER PRIMARY KEY,
    events INTEGER NOT NULL,
    errors INTEGER NOT NULL
);

-- How many of an issue's events came with each value; at most 100 values of a kind, the rest together as ''.
CREATE TABLE issue_values (
    issue_id INTEGER NOT NULL REFERENCES issues (id),
    kind     TEXT NOT NULL, -- environment, release or server_name
    value    TEXT NOT NULL,
    events   INTEGER NOT NULL,
    PRIMARY KEY (issue_id, kind, value)
) WITHOUT ROWID;
