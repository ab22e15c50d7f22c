//! How many commands run in how much time. Pure: whoever asks says what time it is.
use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub struct Pace {
    /// How many may begin in any `period`.
    most: usize,
    period: Duration,
    /// When each command of the last period began, the oldest first.
    begun: VecDeque<Instant>,
    /// Since when something has been waiting without a break.
    behind: Option<Instant>,
    /// Something has waited for no other reason than this pace.
    held_back: bool,
}

#[derive(Debug, PartialEq)]
pub enum Turn {
    /// Nothing, for so long.
    Wait(Duration),
    /// A command for the alert that has waited longest.
    One,
    /// A command for all that wait: there have been too many, or the command is too slow for them.
    Summary,
}

impl Pace {
    pub fn new(most: usize, period: Duration) -> Pace {
        Pace { most, period, begun: VecDeque::new(), behind: None, held_back: false }
    }

    /// What to do now that something waits. Unless it is to wait, a command begins.
    pub fn turn(&mut self, now: Instant) -> Turn {
        while self.begun.front().is_some_and(|begun| now - *begun >= self.period) {
            self.begun.pop_front();
        }
        if self.begun.len() >= self.most
            && let Some(oldest) = self.begun.front()
        {
            self.held_back = true;
            return Turn::Wait(self.period - (now - *oldest));
        }
        self.begun.push_back(now);
        let behind = *self.behind.get_or_insert(now);
        if self.held_back || now - behind >= self.period {
            self.caught_up();
            return Turn::Summary;
        }
        Turn::One
    }

    /// Nothing waits.
    pub fn caught_up(&mut self) {
        (self.behind, self.held_back) = (None, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_flood_is_ten_commands_and_a_minute_later_one_summary() {
        let (mut pace, start) = (Pace::new(10, MINUTE), Instant::now());
        for at in 0..10 {
            assert_eq!(pace.turn(start + at * SECOND), Turn::One);
        }
        assert_eq!(pace.turn(start + 10 * SECOND), Turn::Wait(50 * SECOND));
        assert_eq!(pace.turn(start + 59 * SECOND), Turn::Wait(SECOND));
        assert_eq!(pace.turn(start + 60 * SECOND), Turn::Summary);
        // The summary counts as a command of this minute, in which nine of the last ten still fall.
        assert_eq!(pace.turn(start + 60 * SECOND), Turn::Wait(SECOND));
        assert_eq!(pace.turn(start + 61 * SECOND), Turn::Summary);
    }

    #[test]
    fn after_a_summary_and_a_quiet_minute_alerts_come_one_by_one_again() {
        let (mut pace, start) = (Pace::new(10, MINUTE), Instant::now());
        for _ in 0..10 {
            pace.turn(start);
        }
        assert!(matches!(pace.turn(start), Turn::Wait(_)));
        assert_eq!(pace.turn(start + MINUTE), Turn::Summary);
        pace.caught_up();
        assert_eq!(pace.turn(start + 2 * MINUTE), Turn::One);
    }

    #[test]
    fn never_more_than_ten_in_any_minute() {
        let (mut pace, start) = (Pace::new(10, MINUTE), Instant::now());
        let begun: Vec<u32> = (0..300).filter(|at| !matches!(pace.turn(start + *at * SECOND), Turn::Wait(_))).collect();
        assert!(begun.len() >= 50);
        assert!(begun.windows(11).all(|window| window[10] - window[0] >= 60), "{begun:?}");
    }

    #[test]
    fn a_slow_command_that_falls_behind_for_a_minute_is_told_the_rest_at_once() {
        let (mut pace, start) = (Pace::new(10, MINUTE), Instant::now());
        let turns: Vec<_> = (0..8).map(|at| pace.turn(start + at * 10 * SECOND)).collect();
        assert_eq!(turns.iter().position(|turn| *turn == Turn::Summary), Some(6));
        assert_eq!(turns[7], Turn::One);
    }

    #[test]
    fn one_now_and_then_is_never_a_summary() {
        let (mut pace, start) = (Pace::new(10, MINUTE), Instant::now());
        for at in 0..100 {
            assert_eq!(pace.turn(start + at * 7 * SECOND), Turn::One);
            pace.caught_up();
        }
    }
}
