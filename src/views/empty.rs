//! `GET /` before the first event: how to send one, ready to paste.
use super::layout::note;
use crate::html;
use crate::views::html::Html;

/// `origin` is where the reader found this page; `key` is there if the reader may know it.
pub fn empty(origin: &str, key: Option<&str>) -> Html {
    let (scheme, host) = origin.split_once("://").unwrap_or(("http", origin));
    let dsn = format!("{scheme}://{}@{host}", key.unwrap_or("KEY"));
    let hint = match key {
        Some(_) => html!("The key can send events but cannot read them."),
        None => html!("For <code>KEY</code>, put one of the server's ingest keys."),
    };
    note(
        "No events yet",
        html!(
            r#"<p>obs is running and waits for its first event. Send one now; it appears here on reload.</p>
<h2>From a shell</h2>
<pre class="all">curl {}/api/events \
  -H 'X-OBS-Key: {}' \
  -d '{{"message":"something broke","level":"error","platform":"curl"}}'</pre>
<h2>From an app: paste this DSN</h2>
<pre class="all">{}</pre>
{}<p class="dim">EventPage click selects a whole block. {}</p>"#,
            origin,
            key.unwrap_or("KEY"),
            dsn,
            snippets(origin, &dsn),
            hint
        ),
    )
}

/// How an application of each language begins.
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
<details><summary>JavaScript in a page</summary><pre class="all">&lt;script type="module"&gt;
  import * as obs from '{1}/sdk.js';
  obs.init({{ dsn: '{0}', captureUnhandled: true }});
&lt;/script&gt;</pre></details>
"#,
        dsn,
        origin
    )
}
