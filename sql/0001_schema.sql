-- The schema of an obs database. Open the file with `sqlite3 obs.sqlite` and query it; only obs should write to it.
--
-- Times are ISO 8601 in UTC with milliseconds: 2026-11-24T18:42:06.123Z. Hours are whole hours since 1970-01-01.
-- Some numbers are stored although a query could count them. They stay correct after old events have been removed,
-- and reading them takes the same time however many events there are.
--
-- Once obs is released, a change to the schema is a further file in this folder, and this one is never edited again.

-- Values that obs keeps for itself, such as the ingest key that it generated.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- One row per issue: the events of one project that share a grouping key.
CREATE TABLE issues (
    id            INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused
    project       TEXT NOT NULL,                     -- project of the ingest key; '' for a key without one
    title         TEXT NOT NULL,                     -- set when the issue is created, like the next two
    culprit       TEXT,
    grouped_by    TEXT NOT NULL,                     -- which grouping rule formed the issue, in words
    title_seq     INTEGER,                           -- the event that supplied these three
    users         INTEGER NOT NULL DEFAULT 0,        -- rows of kind user in issue_values, kept by triggers
    count         INTEGER NOT NULL,                  -- every event that ever arrived, and those that clients held back
    stored        INTEGER NOT NULL,                  -- events still in the table `events`
    first_seen    TEXT NOT NULL,                     -- earliest and latest arrival of any event
    first_release TEXT,                              -- of the event seen first
    last_seen     TEXT NOT NULL,
    last_seq      INTEGER NOT NULL,                  -- the newest event, which supplies type, message and level
    state         TEXT NOT NULL DEFAULT 'open',      -- open, resolved or ignored; deleted or merged until the
                                                     -- background work on its events is finished
    resolved_at   TEXT,                              -- when it was last resolved
    reopened_at   TEXT                               -- when an event reopened it after that
);

-- One index for each order of the issue list. Every index ends with the id, so the last one orders by id.
CREATE INDEX issues_by_activity ON issues (state, last_seq);
CREATE INDEX issues_by_count ON issues (state, count);
CREATE INDEX issues_by_age ON issues (state);

-- Retention starts with the issue that stores the most events. An issue with a single event keeps it.
CREATE INDEX issues_by_stored ON issues (stored) WHERE stored > 1;

-- The issue that a grouping key belongs to. After a merge an issue has several keys.
CREATE TABLE issue_keys (
    project  TEXT NOT NULL,
    version  INTEGER NOT NULL, -- version of the grouping rules
    hash     BLOB NOT NULL,
    issue_id INTEGER NOT NULL REFERENCES issues (id),
    PRIMARY KEY (project, version, hash)
) WITHOUT ROWID;
CREATE INDEX issue_keys_by_issue ON issue_keys (issue_id);

-- One row per event. Short columns come first, so that a list never reads the overflow pages of a long `extra`.
CREATE TABLE events (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT, -- order of arrival; never reused, because cursors refer to it
    id          TEXT NOT NULL UNIQUE,              -- UUID in lower case with hyphens
    issue_id    INTEGER NOT NULL REFERENCES issues (id),
    level       TEXT NOT NULL,                     -- error, warning or info
    timestamp   TEXT NOT NULL,                     -- by the client's clock; displayed, never used for ordering
    received_at TEXT NOT NULL,                     -- by the server's clock
    platform    TEXT,
    environment TEXT,
    server_name TEXT,
    release     TEXT,
    suppressed  INTEGER,                           -- further events that the client held back
    unhandled   INTEGER NOT NULL DEFAULT 0,        -- 1 if nobody caught the error
    type        TEXT,
    message     TEXT NOT NULL,
    fingerprint TEXT,                              -- this and the columns below are JSON as the client sent it
    stacktrace  TEXT,
    causes      TEXT,
    tags        TEXT,                              -- an object of strings
    user        TEXT,
    request     TEXT,
    breadcrumbs TEXT,
    contexts    TEXT,
    extra       TEXT,
    more        TEXT                               -- fields that have no column of their own
);
CREATE INDEX events_by_issue ON events (issue_id); -- and by seq within an issue

-- Events per issue and hour, for at least the last 14 days.
CREATE TABLE issue_hours (
    issue_id INTEGER NOT NULL,
    hour     INTEGER NOT NULL,
    events   INTEGER NOT NULL,
    errors   INTEGER NOT NULL, -- those of level error
    PRIMARY KEY (issue_id, hour)
) WITHOUT ROWID;

-- The same per project, for the figures above the list. Of all projects together, they are the sum.
CREATE TABLE project_hours (
    hour    INTEGER NOT NULL,
    project TEXT NOT NULL,
    events  INTEGER NOT NULL,
    errors  INTEGER NOT NULL,
    PRIMARY KEY (hour, project)
) WITHOUT ROWID;

-- Events per issue and value. After 100 values of one kind (1,000 users), events with any other value are counted
-- under ''. After 30 tags, further tags are not counted.
CREATE TABLE issue_values (
    issue_id INTEGER NOT NULL REFERENCES issues (id),
    kind     TEXT NOT NULL, -- environment, release, server_name, user, or tag:NAME
    value    TEXT NOT NULL,
    events   INTEGER NOT NULL,
    PRIMARY KEY (issue_id, kind, value)
) WITHOUT ROWID;
CREATE INDEX issue_values_by_value ON issue_values (kind, value); -- the issues that ever had a value
CREATE TRIGGER user_counted AFTER INSERT ON issue_values WHEN new.kind = 'user' AND new.value <> '' BEGIN
    UPDATE issues SET users = users + 1 WHERE id = new.issue_id;
END;
CREATE TRIGGER user_removed AFTER DELETE ON issue_values WHEN old.kind = 'user' AND old.value <> '' BEGIN
    UPDATE issues SET users = users - 1 WHERE id = old.issue_id;
END;

-- The environments and releases that the list offers as filters, each with its number of rows in issue_values. At most
-- 1,000 of each kind. A count of events would have to be written with every commit.
CREATE TABLE filter_values (
    kind      TEXT NOT NULL,    -- environment or release
    value     TEXT NOT NULL,
    issues    INTEGER NOT NULL,
    first_seq INTEGER NOT NULL, -- the first event that had it
    PRIMARY KEY (kind, value)
) WITHOUT ROWID;

-- What happened to an issue: resolved, ignored, reopened, reopened by an event, merged.
CREATE TABLE issue_history (
    id       INTEGER PRIMARY KEY,
    issue_id INTEGER NOT NULL,
    at       TEXT NOT NULL,
    what     TEXT NOT NULL,
    other_id INTEGER -- the issue that was merged into this one
);
CREATE INDEX issue_history_by_issue ON issue_history (issue_id);

-- The issue that each merged issue is now part of, for redirects from its old address.
CREATE TABLE merged (
    id      INTEGER PRIMARY KEY,
    into_id INTEGER NOT NULL
);
CREATE INDEX merged_by_target ON merged (into_id);

-- Alerts that OBS_ALERT_COMMAND has not delivered yet.
CREATE TABLE alerts (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT NOT NULL,    -- UUID; a repeated alert has the same one
    kind             TEXT NOT NULL,    -- new, reopened or rate
    issue_id         INTEGER NOT NULL, -- the issue, or its event, may be gone by the time the alert runs
    event_seq        INTEGER NOT NULL,
    events_last_hour INTEGER,          -- for an alert of kind rate
    due_at           INTEGER DEFAULT 0, -- Unix milliseconds of the next try; NULL once obs has given up
    failures         INTEGER NOT NULL DEFAULT 0,
    error            TEXT              -- why it failed the last time
);
CREATE INDEX alerts_by_due_time ON alerts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX alerts_failed ON alerts (issue_id) WHERE error IS NOT NULL;

-- One row per source map. Pages show minified stack traces as these say.
CREATE TABLE source_maps (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- of several maps for one script, the largest id counts
    file         TEXT NOT NULL,    -- the script's name, which ends the path: index-lR73.js
    path         TEXT NOT NULL,    -- the script's path as the upload gave it: assets/index-lR73.js
    release      TEXT,
    uploaded_at  TEXT NOT NULL,
    used_at      TEXT NOT NULL,    -- when a page needed it, to the day; the least recently used map is removed first
    bytes        INTEGER NOT NULL, -- as stored
    sources      INTEGER NOT NULL,
    with_content INTEGER NOT NULL, -- the sources whose text the map contains
    state        TEXT NOT NULL     -- stored; incoming until its last part has been written; deleted until its last part is gone
);
CREATE INDEX source_maps_by_file ON source_maps (file);

-- The maps with each debug id, of which the one that was uploaded last counts.
CREATE TABLE source_map_ids (
    debug_id TEXT NOT NULL, -- UUID in lower case with hyphens
    map_id   INTEGER NOT NULL REFERENCES source_maps (id),
    PRIMARY KEY (debug_id, map_id)
) WITHOUT ROWID;
CREATE INDEX source_map_ids_by_map ON source_map_ids (map_id);

-- The contents of a map, so that a page reads only what it shows. Part 0 says what the others are: blocks of
-- mappings, and the text of each source. A part is deflated and cut into pieces, so that none takes long
-- to write.
CREATE TABLE source_map_parts (
    map_id INTEGER NOT NULL REFERENCES source_maps (id),
    part   INTEGER NOT NULL,
    piece  INTEGER NOT NULL,
    data   BLOB NOT NULL,
    PRIMARY KEY (map_id, part, piece)
);

-- Parts of uploads that wait for the others, for at most an hour.
CREATE TABLE upload_chunks (
    sha1 TEXT PRIMARY KEY,  -- its name, which the client chose
    at   TEXT NOT NULL,
    data BLOB NOT NULL
);

-- One row: the number of rows in `events`, and about how many bytes of the file source maps and chunks take.
CREATE TABLE totals (stored INTEGER NOT NULL, source_map_bytes INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0);
-- A piece leaves about half a kilobyte of its last page empty.
CREATE TRIGGER source_map_grown AFTER INSERT ON source_map_parts BEGIN
    UPDATE totals SET source_map_bytes = source_map_bytes + length(new.data) + 512;
END;
CREATE TRIGGER source_map_shrunk AFTER DELETE ON source_map_parts BEGIN
    UPDATE totals SET source_map_bytes = source_map_bytes - length(old.data) - 512;
END;
CREATE TRIGGER upload_grown AFTER INSERT ON upload_chunks BEGIN
    UPDATE totals SET source_map_bytes = source_map_bytes + length(new.data) + 512;
END;
CREATE TRIGGER upload_shrunk AFTER DELETE ON upload_chunks BEGIN
    UPDATE totals SET source_map_bytes = source_map_bytes - length(old.data) - 512;
END;

-- The number of issues of each project in each state, maintained by the triggers below.
CREATE TABLE states (
    project TEXT NOT NULL,
    state   TEXT NOT NULL,
    issues  INTEGER NOT NULL,
    PRIMARY KEY (project, state)
) WITHOUT ROWID;
CREATE TRIGGER issue_created AFTER INSERT ON issues BEGIN
    INSERT INTO states VALUES (new.project, new.state, 1) ON CONFLICT DO UPDATE SET issues = issues + 1;
END;
CREATE TRIGGER issue_removed AFTER DELETE ON issues BEGIN
    UPDATE states SET issues = issues - 1 WHERE project = old.project AND state = old.state;
END;
CREATE TRIGGER issue_state_changed AFTER UPDATE OF state ON issues WHEN new.state <> old.state BEGIN
    UPDATE states SET issues = issues - 1 WHERE project = old.project AND state = old.state;
    INSERT INTO states VALUES (new.project, new.state, 1) ON CONFLICT DO UPDATE SET issues = issues + 1;
END;
