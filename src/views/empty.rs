//! `GET /` before the first event: how to send one, ready to paste.
use super::html::{Html, html};
use super::layout::note;

/// `origin` is the URL at which the reader reached obs. `key` is set if the reader may see it.
pub fn empty(origin: &str, key: Option<&str>) -> Html {
    let dsn = dsn(origin, key);
    note(
        "No events yet",
        html!(
            r#"<p>obs is running and waiting for its first event. Send one, then reload this page.</p>
<h2>From a shell</h2>
<pre class="all">curl {}/api/events \
  -H 'X-OBS-Key: {}' \
  -d '{{"message":"something broke","level":"error","platform":"curl"}}'</pre>
<h2>From an application, with this DSN</h2>
<pre class="all">{}</pre>
{}<p class="dim">One click selects a whole block. {}</p>"#,
            origin,
            key.unwrap_or("KEY"),
            dsn,
            snippets(origin, &dsn),
            hint(key)
        ),
    )
}

pub fn dsn(origin: &str, key: Option<&str>) -> String {
    let (scheme, host) = origin.split_once("://").unwrap_or(("http", origin));
    format!("{scheme}://{}@{host}", key.unwrap_or("KEY"))
}

/// What to know about the key.
pub fn hint(key: Option<&str>) -> &'static str {
    match key {
        Some(_) => "The key can send events but not read them.",
        None => "Replace KEY with one of the server's ingest keys.",
    }
}

/// How to set up an SDK in each language.
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
  obs.init({{ dsn: '{0}', captureUnhandled: true }});
&lt;/script&gt;</pre></details>
"#,
        dsn,
        origin
    )
}
