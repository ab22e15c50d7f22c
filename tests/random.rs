//! Random sequences of everything that adds, moves or removes events, with kills in between: no acknowledged event is lost,
//! none is counted twice, and every count agrees. `SEED` selects a sequence.
mod common;
use common::database::*;
use common::load::{event, word};
use common::process::import;
use common::rng::Rng;
use common::triage::*;
use common::*;
use obs::time::Time;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

const KEYS: [(&str, &str); 1] = [("OBS_API_KEY", "test123,shop=shop123")];
const PROJECTS: [(&str, &str); 2] = [("", KEY), ("shop", "shop123")];
const STEPS: usize = 250;
/// Few enough that most are sent several times and by both projects.
const IDS: usize = 300;

struct Run {
    obs: Obs,
    rng: Rng,
    /// By id: the project and the issue of each event that was acknowledged and not deleted.
    events: HashMap<String, (&'static str, i64)>,
    step: usize,
}

impl Run {
    fn body(&mut self, id: Uuid) -> String {
        self.step += 1;
        event(&id.to_string(), &word(self.rng.below(4)), self.step)
    }

    fn id(&mut self) -> Uuid {
        Uuid::from_u128(self.rng.below(IDS) as u128 + 1)
    }

    /// The id that an event gets, and whether it is new.
    fn expected(&self, mut id: Uuid, project: &str) -> (bool, String) {
        loop {
            match self.events.get(&id.to_string()) {
                None => return (true, id.to_string()),
                Some((owner, _)) if *owner == project => return (false, id.to_string()),
                Some(_) => id = Uuid::new_v5(&id, project.as_bytes()),
            }
        }
    }

    fn stored(&mut self, id: String, project: &'static str) {
        let issue = "SELECT coalesce((SELECT into_id FROM merged WHERE merged.id = issue_id), issue_id) FROM events WHERE id = ";
        let issue = value(&self.obs.sqlite(), &format!("{issue}'{id}'"));
        self.events.insert(id, (project, issue));
    }

    fn send(&mut self) {
        let (project, key) = PROJECTS[self.rng.below(2)];
        let id = self.id();
        let body = self.body(id);
        let (is_new, stored) = self.expected(id, project);
        let response = self.obs.send(&format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {key}"), body.as_bytes());
        let expected = (if is_new { 201 } else { 200 }, Some(stored.as_str()));
        assert_eq!((response.status, response.json()["id"].as_str()), expected, "{project:?} {id}");
        self.stored(stored, project);
    }

    /// Kills the server, imports events of one project that arrived some time ago, and starts it again.
    fn import(&mut self) {
        self.obs.kill();
        let (project, _) = PROJECTS[self.rng.below(2)];
        let (mut lines, mut ids, mut new) = (String::new(), Vec::new(), HashSet::new());
        for _ in 0..self.rng.below(400) {
            let id = self.id();
            let mut line: Value = serde_json::from_str(&self.body(id)).unwrap();
            let age = self.rng.below(20 * 24 * 60) as i64 * 60_000;
            line["project"] = project.into();
            line["received_at"] = json!(Time::from_millis(Time::now().millis() - age).unwrap().to_string());
            lines += &format!("{line}\n");
            let (is_new, stored) = self.expected(id, project);
            new.extend(is_new.then(|| stored.clone()));
            ids.push(stored);
        }
        let expected = format!(
            "{} event{} imported, {} already stored\n",
            new.len(),
            if new.len() == 1 { "" } else { "s" },
            ids.len() - new.len()
        );
        assert_eq!(import(&self.obs.database, &lines), expected);
        ids.into_iter().for_each(|id| self.stored(id, project));
        self.restart();
    }

    fn restart(&mut self) {
        self.obs.kill();
        self.obs = Obs::in_folder(self.obs.folder().clone(), &[], &KEYS);
    }

    /// An event that is stored, with its issue.
    fn pick(&mut self) -> Option<(String, &'static str, i64)> {
        let mut ids: Vec<_> = self.events.keys().collect();
        ids.sort();
        let id = ids.get(self.rng.below(ids.len().max(1)))?.to_string();
        let (project, issue) = self.events[&id];
        Some((id, project, issue))
    }

    fn step(&mut self) {
        let action = self.rng.below(20);
        let picked = self.pick();
        match (action, picked) {
            (0, _) => self.import(),
            (1, _) => self.restart(),
            (2 | 3, Some((id, ..))) => {
                assert_eq!(delete(&self.obs, &format!("/api/events/{id}")), 204);
                self.events.remove(&id);
            }
            (4, Some((.., issue))) => {
                assert_eq!(delete(&self.obs, &format!("/api/issues/{issue}")), 204);
                self.events.retain(|_, (_, of)| *of != issue);
            }
            (5, Some((_, project, from))) => {
                let Some((_, other, into)) = self.pick() else { return };
                let expected = if project == other && from != into { 200 } else { 400 };
                assert_eq!(merge(&self.obs, from, into).status, expected);
                if expected == 200 {
                    self.events.values_mut().filter(|(_, issue)| *issue == from).for_each(|(_, issue)| *issue = into);
                }
            }
            (6, Some((.., issue))) => set_state(&self.obs, issue, ["open", "resolved", "ignored"][self.step % 3]),
            _ => self.send(),
        }
    }

    fn check(&self) {
        wait_for_upkeep(&self.obs);
        let ids: HashSet<String> = self.events.keys().cloned().collect();
        assert_eq!(event_ids(&self.obs.sqlite()), ids);
        assert_consistent(&self.obs.sqlite());
    }
}

#[test]
fn after_any_sequence_of_changes_and_kills_every_acknowledged_event_is_stored_and_counted_once() {
    let seeds = std::env::var("SEED").map_or(vec![1, 2], |seed| vec![seed.parse().unwrap()]);
    for seed in seeds {
        println!("SEED={seed}");
        let mut run = Run { obs: Obs::with(&[], &KEYS), rng: Rng(seed), events: HashMap::new(), step: 0 };
        for step in 1..=STEPS {
            run.step();
            if step % 50 == 0 {
                run.check();
            }
        }
    }
}
