//! HTML that cannot hold unescaped text.
