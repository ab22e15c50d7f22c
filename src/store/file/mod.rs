//! The database file: opening and migrating it, locking it against a second obs, noticing when it is replaced, copying it.
pub mod backup;
pub mod identity;
pub mod lock;
pub mod open;
