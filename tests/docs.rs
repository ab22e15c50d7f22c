//! The documentation: every link leads somewhere, and every shell command runs or says why it does not.
//!
//! Blocks marked ```sh are run by bash, page by page and in order, against an obs that was just started.
//! They run in the folder of its database (obs.sqlite), with `obs` on the path, the key test123, and the
//! server's address in place of `localhost:8000`. A block fails if one of its commands fails or if curl gets
//! an error status. A block that cannot run on its own (it needs a network, root, or a server in the
//! foreground) has `<!-- not run: REASON -->` on the line above it. Blocks in other languages are not run:
//! ```console for a transcript, ```text for anything without a language of its own.
mod common;

use common::{KEY, Obs};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

const PAGES: [&str; 6] =
    ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "contrib/README.md", "sdk-compat/README.md"];
const SDKS: [&str; 3] = ["sdk/go/README.md", "sdk/js/README.md", "sdk/php/README.md"];
/// Seconds that a block may take.
const TIMEOUT: &str = "20";
/// Makes curl fail on error statuses, and names the line of a command that fails. It is two lines long itself.
const PRELUDE: &str = r#"curl() { command curl --fail --silent --show-error "$@"; }
    trap 'echo "line $((START + LINENO - 2)): $BASH_COMMAND" >&2' ERR
"#;

#[test]
fn links_lead_to_existing_files_and_headings() {
    let problems: Vec<_> = pages().iter().flat_map(|page| broken_links(page, &read(page))).collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn shell_blocks_run_or_say_why_not() {
    let problems: Vec<_> = pages().iter().flat_map(|page| failing_blocks(page, &read(page))).collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn broken_links_are_found() {
    let good = "[a](src/lib.rs) [b](#two--three-4) ![c](docs) <img src=\"LICENSE\"> `[code](nowhere)` [d](https://x.example)\n\
                # Two & `Three` 4\n```text\n[e](nowhere)\n```\n[f]: README.md\n# Again (2)\n## Again 2\n[g](#again-2-1)";
    assert_eq!(broken_links("page.md", good), Vec::<String>::new());
    assert_eq!(
        broken_links("page.md", "[a](nowhere.md)\n[b](#none)\n[c]: nowhere#x"),
        ["page.md:1: nowhere.md", "page.md:2: #none", "page.md:3: nowhere#x"]
    );
}

#[test]
fn shell_blocks_that_run_or_are_marked_pass() {
    let page = "```sh\ncurl http://localhost:8000/api/events -H 'X-OBS-Key: test123' -d '{\"message\":\"m\"}' > sent\n```\n\
                ```sh\ntest -s sent   # a later block sees what an earlier one left\nobs --version\ntest -f obs.sqlite\n```\n\
                <!-- not run: needs root -->\n```sh\nfalse\n```\n```console\n$ false\n```\n1. In a list:\n   ```sh\n   true\n   ```";
    assert_eq!(failing_blocks("page.md", page), Vec::<String>::new());
}

#[test]
fn shell_blocks_that_fail_are_reported_with_their_line() {
    let page = "```sh\ntrue\nfalse\n```\n```sh\ncurl http://localhost:8000/nowhere\n```\n```sh\necho $UNSET\n```";
    let problems = failing_blocks("page.md", page);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].starts_with("page.md:1: ") && problems[0].contains("line 3: false"), "{problems:?}");
    assert!(problems[1].starts_with("page.md:5: ") && problems[1].contains("404"), "{problems:?}");
    assert!(problems[2].contains("UNSET"), "{problems:?}");
}

#[test]
fn blocks_without_a_language_or_a_reason_are_refused() {
    let page = "```bash\ntrue\n```\n```\ntext\n```\n<!-- not run: -->\n```sh\ntrue\n```";
    let lines: Vec<_> = failing_blocks("page.md", page).iter().map(|problem| problem[..10].to_string()).collect();
    assert_eq!(lines, ["page.md:1:", "page.md:4:", "page.md:8:"]);
}

/// The pages of the documentation, as paths from the root of the repository.
fn pages() -> Vec<String> {
    let docs =
        fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let docs = docs.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}"));
    PAGES.iter().chain(&SDKS).map(|page| page.to_string()).chain(docs).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

struct Block {
    /// The number of the line that opens it.
    line: usize,
    language: String,
    /// The line above it.
    above: String,
    code: String,
}

/// Splits a page into its prose, as numbered lines, and its fenced blocks.
fn parse(text: &str) -> (Vec<(usize, String)>, Vec<Block>) {
    let (mut prose, mut blocks) = (Vec::new(), Vec::<Block>::new());
    let (mut inside, mut above) = (false, "");
    for (number, line) in (1..).zip(text.lines()) {
        match line.trim_start().strip_prefix("```") {
            Some("") if inside => inside = false,
            _ if inside => blocks.last_mut().unwrap().code.extend([line, "\n"]),
            Some(language) => {
                let (language, above) = (language.trim().to_string(), above.trim().to_string());
                blocks.push(Block { line: number, language, above, code: String::new() });
                inside = true;
            }
            None => prose.push((number, without_code(line))),
        }
        above = line;
    }
    (prose, blocks)
}

/// The line without its inline code. A heading keeps the text of its code, which is part of its anchor.
fn without_code(line: &str) -> String {
    if line.starts_with('#') { line.replace('`', "") } else { line.split('`').step_by(2).collect() }
}

fn broken_links(page: &str, text: &str) -> Vec<String> {
    let folder = root().join(page).parent().unwrap().to_path_buf();
    let leads_somewhere = |target: &str| {
        let (path, fragment) = target.split_once('#').map_or((target, None), |(path, fragment)| (path, Some(fragment)));
        let file = folder.join(path);
        let has = |fragment: &str, text: &str| anchors(text).iter().any(|anchor| anchor == fragment);
        match fragment {
            None => file.exists(),
            Some(fragment) if path.is_empty() => has(fragment, text),
            Some(fragment) => fs::read_to_string(file).is_ok_and(|text| has(fragment, &text)),
        }
    };
    let mut broken = Vec::new();
    for (number, line) in parse(text).0 {
        let wrong = targets(&line).into_iter().filter(|target| !target.contains(':') && !leads_somewhere(target));
        broken.extend(wrong.map(|target| format!("{page}:{number}: {target}")));
    }
    broken
}

/// What a line links to: `](target)`, `[name]: target`, and the attributes `href` and `src`.
fn targets(line: &str) -> Vec<&str> {
    let after = |opening: &str, end: &'static [char]| {
        line.split(opening).skip(1).map(|rest| rest.split(end).next().unwrap_or("")).collect::<Vec<_>>()
    };
    let mut targets = [after("](", &[')', ' ']), after("href=\"", &['"']), after("src=\"", &['"'])].concat();
    targets.extend(line.starts_with('[').then(|| line.split_once("]: ")).flatten().map(|(_, target)| target.trim()));
    targets
}

/// The anchors that GitHub gives a page's headings: repeated ones get -1, -2, …
fn anchors(text: &str) -> Vec<String> {
    let mut slugs: Vec<String> = Vec::new();
    for (_, line) in parse(text).0.iter().filter(|(_, line)| line.starts_with('#')) {
        let title = line.trim_matches(['#', ' ']).to_lowercase().replace(' ', "-");
        slugs.push(title.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect());
    }
    let earlier = |at: usize| slugs[..at].iter().filter(|slug| **slug == slugs[at]).count();
    let anchor = |at| if earlier(at) == 0 { slugs[at].clone() } else { format!("{}-{}", slugs[at], earlier(at)) };
    (0..slugs.len()).map(anchor).collect()
}

/// Runs the shell blocks of a page, in order, on a server of the page's own.
fn failing_blocks(page: &str, text: &str) -> Vec<String> {
    let obs = Obs::start();
    let problem = |block: &Block| match block.language.as_str() {
        "" => Some("the block has no language: ```sh if it runs, ```console or ```text if not".to_string()),
        "bash" | "shell" | "zsh" => Some("```sh is the name for shell here".to_string()),
        "sh" => match block.above.strip_prefix("<!-- not run:") {
            Some(reason) if reason.trim() == "-->" => Some("the reason why it is not run is missing".to_string()),
            Some(_) => None,
            None => run(block, &obs),
        },
        _ => None,
    };
    parse(text).1.iter().filter_map(|block| Some(format!("{page}:{}: {}", block.line, problem(block)?))).collect()
}

/// Returns what went wrong, if anything did.
fn run(block: &Block, obs: &Obs) -> Option<String> {
    let code = block.code.replace("localhost:8000", &format!("127.0.0.1:{}", obs.port));
    let binaries = Path::new(env!("CARGO_BIN_EXE_obs")).parent().unwrap();
    let folder = obs.folder().join("");
    // DuckDB looks for its extensions below its home folder.
    let duckdb = root().join("target/duckdb");
    let _ = symlink(duckdb.join("home/.duckdb"), folder.join(".duckdb"));
    let duckdb = duckdb.join("duckdb_cli");
    let path = format!("{}:{}:{}", binaries.display(), duckdb.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("timeout");
    command.args([TIMEOUT, "bash", "-euo", "pipefail", "-c", &format!("{PRELUDE}{code}")]).stdin(Stdio::null());
    command.env_clear().env("PATH", path).env("HOME", &folder).env("OBS_API_KEY", KEY);
    let output = command.env("START", block.line.to_string()).current_dir(folder).output().unwrap();
    let failure = match output.status.code() {
        Some(0) => return None,
        Some(124) => format!("still running after {TIMEOUT} seconds"),
        status => format!("status {status:?}"),
    };
    Some(format!("{failure}\n{}", String::from_utf8_lossy(&output.stderr)))
}
