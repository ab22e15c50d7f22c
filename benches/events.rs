//! The events that are sent: about 1,000 bytes with six frames, as an application would.
use uuid::{Builder, Uuid};

/// How an event's id is made: by the clock, as SDKs and obs itself do, or at random.
#[derive(Clone, Copy, PartialEq)]
pub enum Ids {
    Ordered,
    Random,
}

impl Ids {
    pub fn next(self) -> Uuid {
        let mut bytes = [0; 16];
        match self {
            Ids::Ordered => Uuid::now_v7(),
            Ids::Random => {
                getrandom::fill(&mut bytes).expect("random numbers");
                Builder::from_random_bytes(bytes).into_uuid()
            }
        }
    }
}

/// The JSON of the `n`th event, one of `issues` kinds.
pub fn json(id: Uuid, n: usize, issues: usize) -> String {
    let word = word(n % issues);
    let mut frames = String::new();
    for depth in 0..6 {
        let comma = if depth > 0 { "," } else { "" };
        frames += &format!(
            r#"{comma}{{"filename":"/srv/shop/src/{word}/step{depth}.php","function":"Shop\\{word}->step{depth}","lineno":{},"in_app":true}}"#,
            depth * 37 + 12
        );
    }
    format!(
        r#"{{"event_id":"{id}","level":"error","type":"CheckoutFailed","message":"{word} failed for customer {n} after 30 s","stacktrace":[{frames}],"platform":"php","server_name":"web-{}","environment":"production","release":"2026.11.2","extra":{{"cart":{n}}}}}"#,
        n % 4
    )
}

/// A word of letters alone, another for each number, so that grouping takes none for a number.
fn word(mut n: usize) -> String {
    const SYLLABLES: [&str; 20] = [
        "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we", "xi",
        "yo", "zu",
    ];
    let mut word = String::from("Q");
    for _ in 0..6 {
        word += SYLLABLES[n % 20];
        n /= 20;
    }
    word
}
