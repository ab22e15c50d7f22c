-- Alerts that `OBS_ALERT_COMMAND` has not been run for yet.
CREATE TABLE alerts (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT NOT NULL,    -- UUID; stays the same if the alert is sent again
    kind             TEXT NOT NULL,    -- new, reopened or rate
    issue_id         INTEGER NOT NULL, -- the issue and the event may have been removed by the time the alert is sent
    event_seq        INTEGER NOT NULL,
    events_last_hour INTEGER           -- for rate only
);
