//! `GET /setup`, and `GET /` before the first event: how to send events, ready to paste.
use super::html::{Html, html};
use super::layout::note;
use crate::domain::Key;

/// The documentation's folder.
pub const DOCS: &str = "https://github.com/alexisbouchez/observability-prototype/blob/main/docs";
pub const HYPHEN: &str = "Sentry's SDKs for JavaScript accept no key with a hyphen. obs's own SDKs do.";

/// What to set up, and how much the reader may know about it.
pub struct Setup<'a> {
    /// The URL at which the reader reached obs.
    pub origin: &'a str,
    pub keys: &'a [Key],
    pub may_see_keys: bool,
}

impl Setup<'_> {
    /// The addresses for each key.
    pub fn all(&self) -> impl Iterator<Item = Addresses<'_>> {
        let (scheme, host) = self.origin.split_once("://").unwrap_or(("http", self.origin));
        self.keys.iter().map(move |key| {
            let shown = if self.may_see_keys { &key.key } else { "KEY" };
            Addresses { project: &key.project, key: shown, dsn: format!("{scheme}://{shown}@{host}") }
        })
    }

    /// What to know about the key.
    pub fn hint(&self) -> &'static str {
        match self.may_see_keys {
            true => "A key can send events but not read them.",
            false => "Replace KEY with one of the server's ingest keys.",
        }
    }
}

pub struct Addresses<'a> {
    pub project: &'a str,
    /// `KEY` if the reader may not see it.
    pub key: &'a str,
    /// For obs's SDKs. Sentry's need `/1` after it.
    pub dsn: String,
}

/// `GET /` before the first event.
pub fn empty(setup: &Setup) -> Html {
    let intro = html!("<p>obs is running and waiting for its first event. Send one, then reload this page.</p>\n");
    note("No events yet", html!("{}{}", intro, instructions(setup)))
}

pub fn setup(setup: &Setup) -> Html {
    note("Set up an application", html!("{}{}", instructions(setup), search()))
}

/// What the search box accepts.
pub const SEARCH: [(&str, &str); 5] = [
    ("cart \"is undefined\"", "words and phrases in the title, the culprit, and the newest event's type and message"),
    ("is:unhandled", "or open, resolved, ignored, any, new, reopened"),
    ("level:error", "level, platform and type of the newest event"),
    ("env:production", "env, release, server, user and project of any event"),
    ("browser:\"Firefox 144\"", "any tag by its name and value"),
];

fn search() -> Html {
    let rows = SEARCH.map(|(example, meaning)| html!("<dt><code>{}</code></dt><dd>{}</dd>\n", example, meaning));
    let rows: Html = rows.into_iter().collect();
    html!(
        "<h2>Search</h2>\n<p>Several conditions narrow a search: an issue must meet all of them.</p>\n<dl>\n{}</dl>\n",
        rows
    )
}

fn instructions(setup: &Setup) -> Html {
    let blocks = setup.all().map(|addresses| blocks(setup.origin, &addresses)).collect::<Html>();
    html!(
        "{}<p class=\"dim\">One click selects a whole block. {} {}</p>\n\
         <p class=\"dim\">More: <a href=\"{}/sentry.md\">Sentry's SDKs</a>, \
         <a href=\"{}/api.md\">JSON over HTTP</a>, <a href=\"/setup/sourcemaps\">source maps</a>, <a href=\"/\">all issues</a></p>\n",
        blocks,
        setup.hint(),
        HYPHEN,
        DOCS,
        DOCS
    )
}

/// The blocks for one key.
fn blocks(origin: &str, addresses: &Addresses) -> Html {
    let Addresses { project, key, dsn } = addresses;
    let is_named = !project.is_empty();
    let heading = |text: &str| if is_named { html!("<h3>{}</h3>", text) } else { html!("<h2>{}</h2>", text) };
    let project = is_named.then(|| html!("<h2>Project <span>{}</span></h2>\n", project));
    html!(
        r#"{}{}
<pre class="all">curl {}/api/events \
  -H 'X-OBS-Key: {}' \
  -d '{{"message":"something broke","level":"error","platform":"curl"}}'</pre>
{}
<pre class="all">{}</pre>
{}{}
<pre class="all">{}/1</pre>
{}"#,
        project,
        heading("From a shell"),
        origin,
        key,
        heading("From an application, with this DSN for obs's SDK"),
        dsn,
        snippets(origin, dsn),
        heading("From an application, with this DSN for any of Sentry's SDKs"),
        dsn,
        of_sentry(dsn)
    )
}

/// How to set up an SDK of obs in each language.
fn snippets(origin: &str, dsn: &str) -> Html {
    html!(
        r#"<details><summary>Go</summary><pre class="all">import obs "github.com/alexisbouchez/observability-prototype/sdk/go"

obs.Init(obs.Options{{
    DSN:         "{0}",
    Environment: "production",
}})
defer obs.Flush(5 * time.Second)
defer obs.Recover()</pre></details>
<details><summary>PHP</summary><pre class="all">\Obs\Client::init([
    'dsn'         =&gt; '{0}',
    'environment' =&gt; 'production',
]);</pre></details>
<details><summary>JavaScript in Node or Bun</summary><pre class="all">import * as obs from '@obs/sdk';

obs.init({{
  dsn: '{0}',
  environment: 'production',
}});</pre></details>
<details><summary>JavaScript in a browser</summary><pre class="all">&lt;script type="module"&gt;
  import * as obs from '{1}/sdk.js';
  obs.init({{ dsn: '{0}' }});
&lt;/script&gt;</pre></details>
"#,
        dsn,
        origin
    )
}

/// How to set up an SDK of Sentry in each language.
fn of_sentry(dsn: &str) -> Html {
    html!(
        r#"<details><summary>Python, JavaScript, Go, PHP, Ruby, Java, .NET, Rust</summary><pre class="all">sentry_sdk.init("{0}/1")</pre>
<pre class="all">Sentry.init({{ dsn: "{0}/1" }});</pre>
<pre class="all">sentry.Init(sentry.ClientOptions{{Dsn: "{0}/1"}})</pre>
<pre class="all">\Sentry\init(['dsn' =&gt; '{0}/1']);</pre>
<pre class="all">Sentry.init {{ |config| config.dsn = '{0}/1' }}</pre>
<pre class="all">Sentry.init(options -&gt; options.setDsn("{0}/1"));</pre>
<pre class="all">SentrySdk.Init("{0}/1");</pre>
<pre class="all">let _guard = sentry::init("{0}/1");</pre></details>
"#,
        dsn
    )
}
