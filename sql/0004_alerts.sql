-- What `OBS_ALERT_COMMAND` has yet to be told.

-- Rows come at the end and go from the front, so that the first and the last `seq` tell how many there are.
CREATE TABLE alerts (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT NOT NULL,    -- UUID, the same each time that the alert is tried
    kind             TEXT NOT NULL,    -- new, reopened or rate
    issue_id         INTEGER NOT NULL, -- this and the next may be gone when it is the alert's turn
    event_seq        INTEGER NOT NULL,
    events_last_hour INTEGER           -- for rate
);

-- Alerts for which there was no room. Both counts only grow.
CREATE TABLE alerts_left_out (
    kind   TEXT PRIMARY KEY,
    alerts INTEGER NOT NULL, -- ever
    told   INTEGER NOT NULL  -- of those: a summary has said how many
) WITHOUT ROWID;
