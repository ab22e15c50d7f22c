-- What people do with issues: states, deletion, merging, search.

-- open, resolved or ignored; deleted or merged while what belongs to it still goes away, in the background.
ALTER TABLE issues ADD COLUMN state TEXT NOT NULL DEFAULT 'open';
ALTER TABLE issues ADD COLUMN resolved_at TEXT; -- the last time
ALTER TABLE issues ADD COLUMN reopened_at TEXT; -- by an event, after that

-- Only the state is indexed with each order. (The last one ends with the issue's id, as every index does.)
DROP INDEX issues_by_activity;
CREATE INDEX issues_by_activity ON issues (state, last_seq);
CREATE INDEX issues_by_count ON issues (state, count);
CREATE INDEX issues_by_age ON issues (state);

-- Few, and looked for. Others have no place in it.
CREATE INDEX issues_reopened ON issues (reopened_at) WHERE reopened_at IS NOT NULL;

-- How many issues there are in each state: kept, since counting them would take longer the more there are.
CREATE TABLE states (
    state  TEXT PRIMARY KEY,
    issues INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO states VALUES ('open', 0), ('resolved', 0), ('ignored', 0), ('deleted', 0), ('merged', 0);
UPDATE states SET issues = (SELECT count(*) FROM issues) WHERE state = 'open';
CREATE TRIGGER issue_begins AFTER INSERT ON issues BEGIN
    UPDATE states SET issues = issues + 1 WHERE state = new.state;
END;
CREATE TRIGGER issue_ends AFTER DELETE ON issues BEGIN
    UPDATE states SET issues = issues - 1 WHERE state = old.state;
END;
CREATE TRIGGER issue_changes AFTER UPDATE OF state ON issues WHEN new.state <> old.state BEGIN
    UPDATE states SET issues = issues - 1 WHERE state = old.state;
    UPDATE states SET issues = issues + 1 WHERE state = new.state;
END;

-- What became of an issue since it was made: resolved, reopened, ignored, merged.
CREATE TABLE issue_history (
    id       INTEGER PRIMARY KEY,
    issue_id INTEGER NOT NULL,
    at       TEXT NOT NULL,
    what     TEXT NOT NULL,
    other_id INTEGER -- of an issue that was merged into it
);
CREATE INDEX issue_history_by_issue ON issue_history (issue_id);

-- Where issues that were merged have gone. An id that leads nowhere any more is gone.
CREATE TABLE merged (
    id   INTEGER PRIMARY KEY,
    into_id INTEGER NOT NULL
);
CREATE INDEX merged_by_target ON merged (into_id);

-- Issues in which a value ever came.
CREATE INDEX issue_values_by_value ON issue_values (kind, value);

-- Which issues have three letters in a row. Behind by some issues, see `totals.searchable`.
CREATE VIRTUAL TABLE issue_text USING fts5 (
    title, culprit, content = 'issues', content_rowid = 'id', tokenize = 'trigram', detail = 'none', columnsize = 0
);
ALTER TABLE totals ADD COLUMN searchable INTEGER NOT NULL DEFAULT 0; -- the last issue that is in `issue_text`
