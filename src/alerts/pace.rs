//! How many commands may run in how much time. Pure: the caller passes the current time.
use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub struct Pace {
    /// How many commands may start in any `period`, and how many alerts are sent one by one before a summary.
    max: usize,
    period: Duration,
    /// When each command of the last period started, oldest first.
    started: VecDeque<Instant>,
    /// Alerts sent one by one since nothing was pending.
    streak: usize,
}

#[derive(Debug, PartialEq)]
pub enum Turn {
    /// Start nothing for this long.
    Wait(Duration),
    /// Send the oldest pending alert.
    One,
    /// Send one summary of all pending alerts: there were too many, or the command is too slow for them.
    Summary,
}

impl Pace {
    pub fn new(max: usize, period: Duration) -> Pace {
        Pace { max, period, started: VecDeque::new(), streak: 0 }
    }

    /// Decides what to do while alerts are pending. Unless the answer is to wait, the caller starts a command.
    pub fn turn(&mut self, now: Instant) -> Turn {
        while self.started.front().is_some_and(|started| now - *started >= self.period) {
            self.started.pop_front();
        }
        if self.started.len() >= self.max
            && let Some(oldest) = self.started.front()
        {
            return Turn::Wait(self.period - (now - *oldest));
        }
        self.started.push_back(now);
        if self.streak >= self.max {
            self.streak = 0;
            return Turn::Summary;
        }
        self.streak += 1;
        Turn::One
    }

    /// Nothing is pending.
    pub fn caught_up(&mut self) {
        self.streak = 0;
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
        // The summary is a command too, and nine of the ten before it are less than a minute old.
        assert_eq!(pace.turn(start + 60 * SECOND), Turn::Wait(SECOND));
        assert_eq!(pace.turn(start + 61 * SECOND), Turn::One);
    }

    #[test]
    fn an_endless_flood_is_at_most_ten_commands_a_minute_and_a_summary_after_every_tenth_alert() {
        let (mut pace, start) = (Pace::new(10, MINUTE), Instant::now());
        let turns = (0..600).map(|at| (at, pace.turn(start + at * SECOND)));
        let started: Vec<_> = turns.filter(|(_, turn)| !matches!(turn, Turn::Wait(_))).collect();
        assert!(started.windows(11).all(|window| window[10].0 - window[0].0 >= 60), "{started:?}");
        assert!(started.chunks_exact(11).all(|chunk| chunk[10].1 == Turn::Summary), "{started:?}");
        assert_eq!(started.len(), 100);
    }

    #[test]
    fn after_a_summary_and_a_quiet_minute_alerts_are_sent_one_by_one_again() {
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
    fn a_slow_command_catches_up_with_a_summary_after_ten_alerts() {
        let (mut pace, start) = (Pace::new(10, MINUTE), Instant::now());
        let turns: Vec<_> = (0..12).map(|at| pace.turn(start + at * 10 * SECOND)).collect();
        assert_eq!(turns.iter().position(|turn| *turn == Turn::Summary), Some(10));
        assert_eq!(turns[11], Turn::One);
    }

    #[test]
    fn an_alert_now_and_then_is_never_a_summary() {
        let (mut pace, start) = (Pace::new(10, MINUTE), Instant::now());
        for at in 0..100 {
            assert_eq!(pace.turn(start + at * 7 * SECOND), Turn::One);
            pace.caught_up();
        }
    }
}
