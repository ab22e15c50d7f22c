//! The rules that hold the codebase together, enforced by reading the sources.
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Every source file, by its path below `src`.
fn sources() -> BTreeMap<String, String> {
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
    let rust = paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// A file's code without its tests and comments.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{}\n", line.split(" // ").next().unwrap_or_default())).collect()
}

/// Lines of code that contain one of `words`, in files outside `places`.
fn outside(places: &[&str], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (file, text) in sources() {
        if places.iter().any(|place| file.starts_with(place)) {
            continue;
        }
        let code = code(&text);
        let lines = code.lines().filter(|line| words.iter().any(|word| line.contains(word)));
        found.extend(lines.map(|line| format!("{file}: {}", line.trim())));
    }
    found
}

/// The paths that a `use` tree or an expression names, such as `store::error` in `crate::store::error::Error`.
fn paths(code: &str, prefix: &str) -> Vec<String> {
    let starts =
        code.match_indices(prefix).filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
    starts.flat_map(|(at, _)| tree(&code[at + prefix.len()..])).collect()
}

/// Expands `a::{b, c::d}` at the start of a text into `a::b` and `a::c::d`.
fn tree(text: &str) -> Vec<String> {
    let word = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (word, rest) = text.split_at(word);
    if let Some(list) = text.strip_prefix('{') {
        let mut depth = 0;
        let (mut items, mut start) = (Vec::new(), 0);
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' | ',' if depth == 0 => {
                    items.extend(tree(list[start..at].trim()));
                    start = at + 1;
                    if c == '}' {
                        break;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
        return items;
    }
    match rest.strip_prefix("::") {
        Some(rest) if !word.is_empty() => {
            let rest = tree(rest);
            let longer = rest.iter().map(|rest| format!("{word}::{rest}")).collect::<Vec<_>>();
            if longer.is_empty() { vec![word.into()] } else { longer }
        }
        _ if word.is_empty() => Vec::new(),
        _ => vec![word.into()],
    }
}

/// The file that defines what a path names: the longest part of it that is a module.
fn file_of(path: &str, files: &BTreeMap<String, String>) -> Option<String> {
    let parts: Vec<&str> = path.split("::").filter(|part| !part.is_empty()).collect();
    (1..=parts.len()).rev().find_map(|length| {
        let module = parts[..length].join("/");
        [format!("{module}.rs"), format!("{module}/mod.rs")].into_iter().find(|file| files.contains_key(file))
    })
}

/// Which files each file depends on.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let files = sources();
    let mut all = BTreeMap::new();
    for (file, text) in &files {
        let code = code(text).replace("pub(super)", "").replace("pub(in crate::store)", "");
        let module = file.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
        let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
        let mut named: Vec<String> = paths(&code, "crate::");
        named.extend(paths(&code, "super::").iter().map(|path| format!("{parent}::{path}")));
        for child in files.keys().filter_map(|other| other.strip_prefix(&format!("{}/", module.replace("::", "/")))) {
            let child = child.split(['/', '.']).next().unwrap_or_default();
            let uses = paths(&code, &format!("{child}::")).into_iter().map(|path| format!("{module}::{child}::{path}"));
            named.extend(uses.filter(|_| code.contains(&format!("mod {child};"))));
        }
        let used = named.iter().filter_map(|path| file_of(path, &files)).filter(|used| used != file);
        all.insert(file.clone(), used.collect());
    }
    all
}

/// Fails if a file uses one whose place comes earlier in `order`. A place is a file or a folder below `folder`.
fn assert_points_down(folder: &str, order: &[&str]) {
    let place = |file: &str| {
        let file = file.strip_prefix(folder)?;
        let at = order.iter().position(|place| file == format!("{place}.rs") || file.starts_with(&format!("{place}/")));
        Some(at.unwrap_or_else(|| panic!("{folder}{file} has no place in the order of {folder}")))
    };
    for (file, used) in dependencies() {
        for used in used {
            if let (Some(from), Some(to)) = (place(&file), place(&used)) {
                assert!(from <= to, "{file} uses {used}, which comes before it in the order of src/{folder}");
            }
        }
    }
}

#[test]
fn dependencies_point_down_the_map_in_lib_rs() {
    const ORDER: [&str; 20] = [
        "main",
        "lib",
        "serve",
        "banner",
        "config",
        "alerts",
        "web",
        "transfer",
        "views",
        "sourcemaps",
        "store",
        "query",
        "grouping",
        "event",
        "domain",
        "http",
        "text",
        "log",
        "time",
        "malloc",
    ];
    assert_points_down("", &ORDER);
    let map = &sources()["lib.rs"];
    let places: Vec<_> = ORDER[2..].iter().map(|module| map.find(&format!("[`{module}`]")).unwrap()).collect();
    assert!(places.is_sorted(), "the map in lib.rs has another order");
}

#[test]
fn dependencies_inside_the_store_point_down() {
    let order = [
        "mod",
        "transfer",
        "write",
        "upkeep",
        "upload_chunks",
        "alerts",
        "source_maps",
        "change",
        "read",
        "counts",
        "hours",
        "filter_values",
        "labels",
        "file",
        "transaction",
        "error",
    ];
    assert_points_down("store/", &order);
}

#[test]
fn dependencies_inside_http_point_down() {
    let order = [
        "mod",
        "client",
        "server",
        "exchange",
        "shared",
        "app",
        "body",
        "incoming",
        "response",
        "head",
        "target",
        "coding",
        "read_buffer",
        "table",
        "budget",
        "limits",
        "conn",
        "listen",
        "refusal",
        "lock",
    ];
    assert_points_down("http/", &order);
}

#[test]
fn dependencies_inside_web_point_down() {
    let order = [
        "mod",
        "routes",
        "sentry",
        "sentry_uploads",
        "source_maps",
        "envelope",
        "ingest",
        "api",
        "pages",
        "forms",
        "assets",
        "metrics",
        "changes",
        "call",
        "state",
        "auth",
        "base",
        "rate",
        "refused",
        "error",
        "response",
    ];
    assert_points_down("web/", &order);
}

#[test]
fn no_two_files_depend_on_each_other() {
    let dependencies = dependencies();
    for file in dependencies.keys() {
        let (mut reached, mut next) = (BTreeSet::new(), vec![file]);
        while let Some(used) = next.pop() {
            for further in &dependencies[used] {
                assert!(further != file, "{file} depends on itself, by way of {used}");
                if reached.insert(further) {
                    next.push(further);
                }
            }
        }
    }
}

#[test]
fn only_the_store_knows_sqlite() {
    assert_eq!(outside(&["store/"], &["rusqlite", "SELECT ", "INSERT "]), [""; 0]);
}

#[test]
fn only_http_touches_sockets_and_only_serve_names_addresses() {
    assert_eq!(outside(&["http/"], &["TcpStream", "socket2", "httparse"]), [""; 0]);
    assert_eq!(outside(&["http/", "serve.rs"], &["TcpListener", "SocketAddr"]), [""; 0]);
}

#[test]
fn http_knows_nothing_of_obs() {
    for (file, used) in dependencies().iter().filter(|(file, _)| file.starts_with("http/")) {
        let foreign = used.iter().find(|used| !used.starts_with("http/"));
        assert_eq!(foreign, None, "{file}");
    }
}

#[test]
fn only_the_configuration_reads_the_environment() {
    assert_eq!(outside(&["config/", "main.rs", "malloc.rs"], &["env::"]), [""; 0]);
    assert_eq!(outside(&["config/", "malloc.rs"], &["env::var"]), [""; 0]);
}

#[test]
fn the_store_and_the_views_know_no_http() {
    for (file, text) in sources() {
        if ["store/", "views/", "event/", "grouping/", "domain.rs"].iter().any(|place| file.starts_with(place)) {
            assert!(!text.contains("rouille") && !text.contains("crate::http"), "{file}");
        }
    }
}

#[test]
fn parsing_and_grouping_do_no_input_or_output() {
    for (file, text) in sources() {
        if ["event/", "grouping/", "domain.rs", "query.rs", "text.rs"].iter().any(|place| file.starts_with(place)) {
            for word in ["std::fs", "std::io", "Tcp", "now()", "now_v7", "println", "log::"] {
                assert!(!text.contains(word), "{file} contains {word}");
            }
        }
    }
}

#[test]
fn only_one_file_can_build_html() {
    assert_eq!(outside(&["views/html.rs"], &["only_for_the_html_macro", "Escaped("]), [""; 0]);
}

#[test]
fn the_first_line_of_every_file_states_its_job() {
    for (file, text) in sources() {
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! ") && first.len() > 25, "{file}: {first}");
    }
}

#[test]
fn no_code_panics_on_purpose() {
    assert_eq!(outside(&[], &[".unwrap()", ".expect(", "panic!", "todo!", "unsafe ", "println!"]), [""; 0]);
}

#[test]
fn no_file_has_more_than_300_lines() {
    for (file, text) in sources() {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        assert!(code.lines().count() <= 300, "{file} has {} lines", code.lines().count());
    }
}
