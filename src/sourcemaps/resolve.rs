//! The stack traces of an event, as the source maps of its scripts say; and which maps are missing.
