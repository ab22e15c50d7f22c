//! Which events are one issue: a key, a title and a culprit from an event, and in words why.
