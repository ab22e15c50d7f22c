//! Domain values into pages.
