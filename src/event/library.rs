//! Library paths: which files belong to a library, and the library's name as its users know it.
use std::borrow::Cow;

/// A directory that holds libraries, and how a library's name is read from the rest of the path.
type Directory = (&'static str, fn(&str) -> Option<&str>);

/// A path with one of these is a library's, with either slash. The list is part of grouping, version 1.
const DIRECTORIES: [Directory; 9] = [
    ("/node_modules/", |rest| Some(first(rest, if rest.starts_with('@') { 2 } else { 1 }))),
    ("/site-packages/", |rest| Some(first(rest, 1))),
    ("/go/pkg/mod/", |rest| rest.split('@').next().map(without_major)),
    ("/vendor/", |rest| Some(vendored(rest))),
    ("/usr/local/go/", go_package),
    ("/usr/lib/go", go_package), // `/usr/lib/go-1.22/`
    ("/gems/", |rest| Some(without_version(first(rest, 1)))),
    ("/.cargo/", crate_name),
    ("/rustc/", |rest| rest.split_once("/library/").map(|(_, rest)| first(rest, 1))),
];
/// So is a path that begins with one of these.
const PREFIXES: [&str; 3] = ["node:", "internal/", "<"];

pub fn contains(path: &str) -> bool {
    let path = match path.contains('\\') {
        true => Cow::Owned(path.replace('\\', "/")),
        false => Cow::Borrowed(path),
    };
    let is_in = |directory: &str| path.contains(directory) || path.starts_with(&directory[1..]); // `vendor/x` is relative
    DIRECTORIES.iter().any(|(directory, _)| is_in(directory)) || PREFIXES.iter().any(|prefix| path.starts_with(prefix))
}

/// `net/http`, `github.com/go-chi/chi`, `@scope/name`, `doctrine/orm`; otherwise the directory around the file, or the
/// file.
pub fn name(path: &str) -> String {
    if path.starts_with("node:") || path.starts_with("internal/") {
        return "node".to_string();
    }
    let path = format!("/{}", path.replace('\\', "/"));
    let named = |(directory, name): &Directory| path.rsplit_once(directory).and_then(|(_, rest)| name(rest));
    let name = DIRECTORIES.iter().find_map(named).or_else(|| crate_name(&path)); // Cargo's directory can be elsewhere
    name.unwrap_or_else(|| path[1..].rsplit('/').take(2).last().unwrap_or_default()).to_string()
}

/// Go vendors by host (`github.com/go-chi/chi`), Composer by vendor (`doctrine/orm`).
fn vendored(rest: &str) -> &str {
    let is_host = rest.split('/').next().is_some_and(|host| host.contains('.'));
    without_major(first(rest, if is_host { 3 } else { 2 }))
}

/// Go's own sources: `src/net/http/server.go`, `-1.22/src/runtime/panic.go`.
fn go_package(rest: &str) -> Option<&str> {
    rest.split_once("src/").map(|(_, rest)| first(rest, usize::MAX))
}

/// `registry/src/index-6f17/serde_json-1.0.1/src/de.rs`
fn crate_name(rest: &str) -> Option<&str> {
    let (_, rest) = rest.rsplit_once("registry/src/")?;
    rest.split_once('/').map(|(_, rest)| without_version(first(rest, 1)))
}

/// The first `max` directories, or the file if it is in none.
fn first(path: &str, max: usize) -> &str {
    let directories = path.rsplit_once('/').map_or(path, |(directories, _)| directories);
    directories.match_indices('/').nth(max - 1).map_or(directories, |(end, _)| &directories[..end])
}

/// `chi/v5` is version 5 of `chi`.
fn without_major(module: &str) -> &str {
    match module.rsplit_once("/v") {
        Some((name, major)) if major.parse::<u32>().is_ok() => name,
        _ => module,
    }
}

/// `activerecord-7.1.3` is a version of `activerecord`.
fn without_version(package: &str) -> &str {
    match package.rsplit_once('-') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => name,
        _ => package,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Cases {
        library: Vec<String>,
        own: Vec<String>,
    }

    #[test]
    fn a_path_is_a_librarys_with_either_slash_absolute_or_relative() {
        let cases: Cases = serde_json::from_str(include_str!("../../tests/library-paths.json")).unwrap();
        assert!(!cases.library.is_empty() && !cases.own.is_empty());
        cases.library.iter().for_each(|path| assert!(contains(path), "{path} is a library's"));
        cases.own.iter().for_each(|path| assert!(!contains(path), "{path} is the application's own"));
    }

    #[test]
    fn a_library_is_named_by_the_rule_of_its_package_manager() {
        for (path, known_as) in [
            ("/usr/local/go/src/net/http/server.go", "net/http"),
            ("/usr/lib/go-1.22/src/runtime/panic.go", "runtime"),
            ("/root/go/pkg/mod/github.com/go-chi/chi/v5@v5.0.1/mux.go", "github.com/go-chi/chi"),
            ("/root/go/pkg/mod/golang.org/x/net@v0.1.0/http2/server.go", "golang.org/x/net"),
            ("/srv/vendor/github.com/jackc/pgx/v5/pgxpool/pool.go", "github.com/jackc/pgx"),
            ("vendor/gopkg.in/yaml.v3/decode.go", "gopkg.in/yaml.v3"),
            ("/srv/shop/vendor/doctrine/orm/src/UnitOfWork.php", "doctrine/orm"),
            ("/srv/shop/vendor/autoload_runtime.php", "autoload_runtime.php"),
            (r"C:\shop\vendor\doctrine\orm\src\UnitOfWork.php", "doctrine/orm"),
            ("/app/node_modules/a/node_modules/@remix-run/router/dist/router.js", "@remix-run/router"),
            ("/app/node_modules/react-dom/index.js", "react-dom"),
            ("/usr/lib/python3/site-packages/django/core/handlers/base.py", "django"),
            ("/usr/lib/python3/site-packages/six.py", "six.py"),
            ("/var/lib/gems/3.1.0/gems/activerecord-7.1.3/lib/active_record.rb", "activerecord"),
            ("/home/x/.cargo/registry/src/index-6f17/serde_json-1.0.1/src/de.rs", "serde_json"),
            ("/rustc/90b35a/library/core/src/panicking.rs", "core"),
            ("/usr/local/cargo/registry/src/index-6f17/tokio-1.0.1/src/task.rs", "tokio"),
            ("node:internal/process/task_queues", "node"),
            ("<anonymous>", "<anonymous>"),
            ("/opt/x/lib.so", "x"),
            ("", ""),
        ] {
            assert_eq!(name(path), known_as, "{path}");
        }
    }
}
