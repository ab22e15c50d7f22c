//! A change that someone asked for: made by the writer in a transaction of its own, answered once it is durable.
use super::Error;
use crate::time::Time;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::sync::mpsc::{self, Receiver};

/// Dropped before it was made, it says that the writer is down.
pub struct Change {
    /// What it removes is not to be found in the file any more.
    pub wipes: bool,
    make: Box<dyn FnOnce(Place) + Send>,
}

/// The connection to make a change on, or why it cannot be made now.
pub type Place<'a> = Result<&'a mut Connection, Error>;

impl Change {
    /// The change, and where its outcome comes.
    pub fn new<T: Send + 'static>(
        wipes: bool,
        work: impl FnOnce(&Transaction, &str) -> rusqlite::Result<T> + Send + 'static,
    ) -> (Change, Receiver<Result<T, Error>>) {
        let (reply, answer) = mpsc::sync_channel(1);
        let make = move |place: Place| {
            let _ = reply.send(place.and_then(|connection| commit(connection, wipes, work)));
        };
        (Change { wipes, make: Box::new(make) }, answer)
    }

    /// Makes it and answers, or answers why it cannot be made now.
    pub fn make(self, place: Place) {
        (self.make)(place);
    }
}

fn commit<T>(
    connection: &mut Connection,
    wipes: bool,
    work: impl FnOnce(&Transaction, &str) -> rusqlite::Result<T>,
) -> Result<T, Error> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    set_wiping(connection, wipes)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&transaction, &Time::now().to_string())?;
    transaction.commit()?;
    if wipes {
        // What was done is done: if this fails, it is tried again between commits.
        let _ = truncate_wal(connection);
    }
    Ok(done)
}

/// Whether what is deleted is written over with zeros, also where that means to write pages that have come free.
pub fn set_wiping(connection: &Connection, on: bool) -> rusqlite::Result<()> {
    connection.pragma_update(None, "secure_delete", if on { "ON" } else { "FAST" })
}

/// Whether the WAL is empty now. It is not while someone reads what it had.
pub fn truncate_wal(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(std::time::Duration::ZERO)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(super::LOCK_WAIT)?;
    Ok(!busy?)
}
