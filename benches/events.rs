//! The events that the bench sends: about 1,000 bytes each, with six frames.
use uuid::{Builder, Uuid};

/// How event ids are made: time-ordered, as obs and its SDKs make them, or at random.
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

/// The JSON of event number `n`. The events form `issues` issues, all of one type and with short messages.
pub fn uniform(id: Uuid, n: usize, issues: usize) -> String {
    let word = word(n % issues);
    json(id, n, &word, "CheckoutFailed", &format!("{word} failed for customer {n} after 30 s"))
}

/// The JSON of event number `n`, an issue of its own. Types and messages vary in length and script.
pub fn varied(n: usize) -> String {
    let (r#type, message) = MESSAGES[n % MESSAGES.len()];
    let word = word(n);
    let message = message.replace("WORD", &word).replace("NUMBER", &n.to_string());
    json(Ids::Ordered.next(), n, &word, r#type, &message)
}

/// Five of about 100 characters, one of which is not in Latin script, and one of about 400.
const MESSAGES: [(&str, &str); 6] = [
    ("DeadlockException", "Deadlock found when trying to get a lock on table WORD for order NUMBER; try restarting it"),
    (
        "StockReservationFailed",
        "Could not reserve article WORD for order NUMBER: the warehouse failed to answer within 30 s",
    ),
    (
        "PaymentDeclined",
        "Zahlung für Bestellung NUMBER abgelehnt: Das Händlerkonto WORD ist für Lastschriften gesperrt",
    ),
    (
        "TimeoutError",
        "Request to https://api.example.com/WORD/customers failed: no answer from upstream after 30000 ms",
    ),
    ("MailerError", "Не удалось отправить письмо о заказе NUMBER: шаблон WORD не найден в каталоге рассылок магазина"),
    (
        "QueryException",
        "SQLSTATE[42S22]: Column not found: 1054 Unknown column orders.WORD in field list (SQL: select orders.id, \
         orders.WORD, orders.created_at, customers.name, customers.email, customers.city from orders inner join \
         customers on customers.id = orders.customer_id left join shipments on shipments.order_id = orders.id where \
         orders.state = open and customers.id = NUMBER and shipments.sent_at is null order by orders.created_at desc)",
    ),
];

fn json(id: Uuid, n: usize, word: &str, r#type: &str, message: &str) -> String {
    let frames: Vec<String> = (0..6)
        .map(|depth| {
            format!(
                r#"{{"filename":"/srv/shop/src/{word}/step{depth}.php","function":"Shop\\{word}->step{depth}","lineno":{},"in_app":true}}"#,
                depth * 37 + 12
            )
        })
        .collect();
    format!(
        r#"{{"event_id":"{id}","level":"error","type":"{type}","message":"{message}","stacktrace":[{}],"platform":"php","server_name":"web-{}","environment":"production","release":"2026.11.2","extra":{{"cart":{n}}}}}"#,
        frames.join(","),
        n % 4
    )
}

/// A different word for each number. It has no digits, which grouping would replace.
pub fn word(mut n: usize) -> String {
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
