//! The name of the library that a stack frame's path belongs to, as its users know it.

/// `net/http`, `github.com/go-chi/chi`, `@scope/name`, `doctrine/orm`; otherwise the directory of the file, or the file.
pub fn name(path: &str) -> String {
    let path = path.replace('\\', "/");
    let after = |directory: &str| path.rsplit_once(directory).map(|(_, rest)| rest);
    if let Some(rest) = after("node_modules/") {
        first(rest, if rest.starts_with('@') { 2 } else { 1 })
    } else if let Some(rest) = after("site-packages/") {
        first(rest, 1)
    } else if let Some(rest) = after("go/pkg/mod/") {
        without_major(rest.split('@').next().unwrap_or(rest)).to_string()
    } else if let Some(rest) = after("vendor/") {
        // Go vendors by host (`github.com/go-chi/chi`), Composer by vendor (`doctrine/orm`).
        let host = rest.split('/').next().is_some_and(|host| host.contains('.'));
        without_major(&first(rest, if host { 3 } else { 2 })).to_string()
    } else if let Some(rest) = go_root(&path) {
        first(rest, usize::MAX)
    } else if let Some(rest) = after("/gems/") {
        without_version(&first(rest, 1)).to_string()
    } else if let Some((_, rest)) = after("/registry/src/").and_then(|rest| rest.split_once('/')) {
        without_version(&first(rest, 1)).to_string()
    } else if let Some((_, rest)) = after("/rustc/").and_then(|rest| rest.split_once("/library/")) {
        first(rest, 1)
    } else if path.starts_with("node:") || path.starts_with("internal/") {
        "node".to_string()
    } else {
        path.rsplit('/').take(2).last().unwrap_or(&path).to_string()
    }
}

/// Go's own sources: `/usr/local/go/src/`, `/usr/lib/go-1.22/src/`.
fn go_root(path: &str) -> Option<&str> {
    let at = path.find("/usr/local/go").or_else(|| path.find("/usr/lib/go"))?;
    path[at..].split_once("/src/").map(|(_, rest)| rest)
}

/// The first directories, or the file if there are none.
fn first(path: &str, most: usize) -> String {
    match path.rsplit_once('/') {
        Some((directories, _)) => directories.split('/').take(most).collect::<Vec<_>>().join("/"),
        None => path.to_string(),
    }
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

    #[test]
    fn the_name_is_found_where_each_package_manager_puts_it() {
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
            ("node:internal/process/task_queues", "node"),
            ("<anonymous>", "<anonymous>"),
            ("/opt/x/lib.so", "x"),
            ("", ""),
        ] {
            assert_eq!(name(path), known_as, "{path}");
        }
    }
}
