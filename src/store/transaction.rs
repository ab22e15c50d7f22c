//! Write transactions of two kinds: durable when they return, or durable together with the next event.
use super::error::Error;
use rusqlite::{Connection, Transaction, TransactionBehavior};

/// The commit is on the disk when this returns, so that a client may be told.
pub fn durable<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Transaction) -> Result<T, Error>,
) -> Result<T, Error> {
    commit(connection, "FULL", work)
}

/// For background work that nobody waits for: after a crash it is simply done again. Skipping the sync saves most of
/// its cost.
pub fn relaxed<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Transaction) -> Result<T, Error>,
) -> Result<T, Error> {
    commit(connection, "NORMAL", work)
}

/// An error or a panic in `work` rolls the transaction back.
fn commit<T>(
    connection: &mut Connection,
    synchronous: &str,
    work: impl FnOnce(&mut Transaction) -> Result<T, Error>,
) -> Result<T, Error> {
    connection.pragma_update(None, "synchronous", synchronous)?;
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&mut transaction)?;
    transaction.commit()?;
    Ok(done)
}
