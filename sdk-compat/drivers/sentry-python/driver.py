"""Sentry's Python SDK as a driver for sdk-compat, with one function per scenario of ../../README.md."""
import os
import sys
import time

import sentry_sdk
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware

BAD = "\ud83d"  # Half of a surrogate pair.
SCENARIO, DSN = sys.argv[1:]


def set_up(**options):
    # By default, the SDK shortens long texts, and adds the command line to `extra`.
    sentry_sdk.init(DSN, max_value_length=1_000_000, disabled_integrations=[ArgvIntegration()], **options)


def flush(timeout=10):
    started = time.monotonic()
    sentry_sdk.flush(timeout)  # Returns nothing; it is over before the timeout once all events are sent.
    print("flush", "true" if time.monotonic() - started < timeout else "false", flush=True)


def message(text, level="info", **scope):
    sentry_sdk.capture_message(text, level, **scope)


def captured(*args, **scope):
    """A scenario that captures one message."""
    return lambda: (set_up(), message(*args, **scope), flush())


def messages():
    set_up()
    for level in ("info", "warning", "error"):
        message(f"compat {level}", level)
    flush()


def raise_exception():
    raise RuntimeError("compat exception")  # compat:here


def exception():
    set_up()
    try:
        raise_exception()
    except RuntimeError as error:
        sentry_sdk.capture_exception(error)
    flush()


def causes():
    set_up()
    try:
        try:
            try:
                raise RuntimeError("root")
            except RuntimeError as error:
                raise RuntimeError("middle") from error
        except RuntimeError as error:
            raise RuntimeError("outer") from error
    except RuntimeError as error:
        sentry_sdk.capture_exception(error)
    flush()


def bad_extra():
    set_up()
    extra = {"ok": "fine", "odd": print}
    extra["self"] = extra
    message("bad extra", extras=extra)
    flush()


def options():
    set_up(environment="staging", release="1.2.3", server_name="host-7")
    sentry_sdk.get_global_scope().update_from_kwargs(extras={"app": "compat", "kept": True})
    message("options", "warning", extras={"app": "call", "n": 1})
    flush()


def fingerprint():
    set_up()
    for text in ("first text", "second text"):
        message(text, fingerprint=["compat-group"])
    flush()


def before_send():
    def edit(event, hint):
        if event["message"] == "drop me":
            return None
        event["message"] = event["message"].replace("secret", "removed")
        return event

    set_up(before_send=edit)
    message("drop me")
    message("the secret word")
    flush()


def burst():
    set_up()
    for number in range(100):
        message(f"burst {number}")
    flush(30)


def two_flushes():
    set_up()
    for text in ("first", "second"):
        message(text)
        flush()


def silent_server():
    set_up()
    message("no answer")
    flush(2)


def unhandled():
    set_up()
    raise_unhandled()


def raise_unhandled():
    raise RuntimeError("compat unhandled")


def rethrow(run):
    """Captures the error that it raises again."""
    try:
        run()
    except RuntimeError as error:
        sentry_sdk.capture_exception(error)
        raise


def rethrown():
    set_up()
    rethrow(lambda: rethrow(raise_unhandled))


def no_flush():
    set_up()
    message("no flush")


def layer(name, user):
    """What one layer of the scenario context sets."""
    return {"user": {"id": user}, "tags": {"from": name, name: "yes"}, "extras": {"from": name, name: True}}


def context():
    set_up()
    sentry_sdk.get_global_scope().update_from_kwargs(**layer("process", 1))
    with sentry_sdk.isolation_scope() as scope:  # As the SDK's integrations do for each request.
        scope.update_from_kwargs(**layer("request", 2))
        message("capture", **layer("capture", 3))
        message("request")
    with sentry_sdk.isolation_scope():
        message("next request")
    message("process")
    flush()


def breadcrumbs():
    set_up(max_breadcrumbs=50)
    for number in range(60):
        sentry_sdk.add_breadcrumb(message=f"crumb {number}")
    message("breadcrumbs")
    flush()


def carried():
    set_up()
    sentry_sdk.set_user({"id": 7, "email": "ann@example.com"})
    sentry_sdk.set_tag("plan", "pro")
    sentry_sdk.set_context("order", {"id": 12})
    sentry_sdk.add_breadcrumb(category="cart", message="added", data={"sku": "A-1"})
    sentry_sdk.capture_exception(RuntimeError("compat carried"))
    flush()


def request():
    set_up()

    def application(environ, start_response):
        raise RuntimeError("compat request")

    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/pay", "QUERY_STRING": "coupon=1", "HTTP_USER_AGENT": "compat/1"}
    server = {"SERVER_NAME": "shop.example.com", "SERVER_PORT": "80", "wsgi.url_scheme": "http"}
    try:
        SentryWsgiMiddleware(application)({**environ, **server}, lambda *_: None)
    except RuntimeError:
        flush()


SCENARIOS = {
    "messages": messages,
    "exception": exception,
    "causes": causes,
    "unicode": captured("naïve 日本語 🦀 a\0b", extras={"key 🦀": "日本語"}),
    "invalid-text": captured(f"broken:{BAD}:end", extras={"bad": BAD}),
    "bad-extra": bad_extra,
    "large-extra": captured("large extra", extras={"blob": "x" * 900_000}),
    "too-large": captured("too large", extras={"ok": "fine", "blob": "x" * 3_000_000}),
    "html": captured('<script>alert("compat")</script>'),
    "options": options,
    "fingerprint": fingerprint,
    "before-send": before_send,
    "burst": burst,
    "two-flushes": two_flushes,
    "wrong-key": captured("wrong key"),
    "silent-server": silent_server,
    "unhandled": unhandled,
    "unhandled-plain": raise_unhandled,
    "rethrown": rethrown,
    "no-flush": no_flush,
    "context": context,
    "breadcrumbs": breadcrumbs,
    "carried": carried,
    "request": request,
}

if SCENARIO not in SCENARIOS:
    os._exit(64)
SCENARIOS[SCENARIO]()
