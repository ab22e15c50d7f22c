//! The invariants that a reader relies on, held by reading the sources.
use std::fs;
use std::path::{Path, PathBuf};

/// Every source file with its path below `src`.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_string();
    let rust = paths.iter().filter(|path| path.extension().is_some_and(|e| e == "rs"));
    rust.map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// Files outside `places` whose code, tests and comments aside, has one of `words`.
fn outside(places: &[&str], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (file, text) in sources() {
        if places.iter().any(|place| file.starts_with(place)) {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{file}: {}", line.trim()));
            }
        }
    }
    found
}

/// The crate's modules as its map lists them, from the top down.
const ORDER: [&str; 25] = [
    "main", "malloc", "start", "transfer", "config", "alerts", "server", "routes", "handlers", "state", "auth", "rate",
    "error", "response", "views", "html", "store", "query", "grouping", "event", "frame", "domain", "http", "json",
    "log",
];

#[test]
fn dependencies_point_down_only() {
    let place = |module: &str| ORDER.iter().position(|name| *name == module);
    for (file, text) in sources().iter().filter(|(file, _)| file != "lib.rs") {
        let own = file.split(['/', '.']).next().unwrap();
        let uses = text.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap().split(',').collect::<Vec<_>>(),
            None => vec![rest],
        });
        for used in uses.map(|path| path.trim().split(|c: char| !c.is_ascii_lowercase()).next().unwrap()) {
            let down = used == own || used == "time" || used == "macros" || place(own) < place(used);
            assert!(down, "{file} uses {used}, which is not below it");
        }
    }
    let map = sources().into_iter().find(|(file, _)| file == "lib.rs").unwrap().1;
    let places: Vec<_> = ORDER[1..].iter().map(|module| map.find(&format!("[`{module}`]")).unwrap()).collect();
    assert!(places.is_sorted(), "the map in lib.rs has another order");
}

#[test]
fn only_the_store_knows_sqlite() {
    assert_eq!(outside(&["store/"], &["rusqlite", "SELECT ", "INSERT "]), [""; 0]);
}

#[test]
fn only_http_touches_sockets_and_only_start_names_them() {
    assert_eq!(outside(&["http/"], &["TcpStream", "socket2", "httparse"]), [""; 0]);
    assert_eq!(outside(&["http/", "start.rs"], &["TcpListener", "SocketAddr"]), [""; 0]);
}

#[test]
fn http_knows_nothing_of_obs() {
    for (file, text) in sources().iter().filter(|(file, _)| file.starts_with("http/")) {
        let foreign = text.lines().find(|line| line.contains("crate::") && !line.contains("crate::http"));
        assert_eq!(foreign, None, "{file}");
    }
}

#[test]
fn only_the_configuration_reads_the_environment() {
    assert_eq!(outside(&["config.rs", "main.rs", "malloc.rs"], &["env::"]), [""; 0]);
    assert_eq!(outside(&["config.rs", "malloc.rs"], &["env::var"]), [""; 0]);
}

#[test]
fn the_store_and_the_views_know_no_http() {
    for (file, text) in sources() {
        if ["store/", "views/", "event.rs", "grouping.rs", "domain.rs"].iter().any(|place| file.starts_with(place)) {
            assert!(!text.contains("rouille") && !text.contains("crate::http"), "{file}");
        }
    }
}

#[test]
fn parsing_and_grouping_do_no_input_or_output() {
    for (file, text) in sources() {
        if ["event.rs", "grouping.rs", "frame.rs", "json.rs", "domain.rs"].contains(&file.as_str()) {
            for word in ["std::fs", "std::io", "Tcp", "now()", "now_v7", "println", "log::"] {
                assert!(!text.contains(word), "{file} has {word}");
            }
        }
    }
}

#[test]
fn only_one_file_can_build_html() {
    assert_eq!(outside(&["html.rs"], &["only_for_the_html_macro", "Escaped("]), [""; 0]);
}

#[test]
fn every_file_says_its_job_in_its_first_line() {
    for (file, text) in sources() {
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! ") && first.len() > 25, "{file}: {first}");
    }
}

#[test]
fn nothing_gives_up_on_what_it_is_sent() {
    assert_eq!(outside(&[], &[".unwrap()", ".expect(", "panic!", "todo!", "unsafe ", "println!"]), [""; 0]);
}

#[test]
fn no_file_is_too_long_to_read_in_one_go() {
    for (file, text) in sources() {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        // Rules for a hundred kinds of message: it should be shorter, and until it is it may not grow.
        let most = if file == "grouping.rs" { 443 } else { 300 };
        assert!(code.lines().count() <= most, "{file} has {} lines", code.lines().count());
    }
}
