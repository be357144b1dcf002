#!/usr/bin/env python3
"""payhook config: check, show, help, on real files, a real environment and the examples that are shipped."""
import os, re, stat

from harness import SECRET, WORK, Run, file, main, promise

SIGNING = "whsec_c2lnbmluZy1rZXktb2YtdGhlLXRlc3Qtc2hvcA=="
ROOT = os.environ["PAYHOOK_SOURCE_DIR"]
GOOD = """endpoints:
  shop:
    connector: stripe
    secrets: [ env:SECRET, file:old ]
destinations:
  app:
    url: http://127.0.0.1:3000/events
    secret: env:SIGNING
"""


def secret_file(name, text, mode=0o600):
    path = file(name, text)
    os.chmod(path, mode)
    return path


secret_file("old", "whsec_An0therSecret\n")
GOOD_FILE = file("payhook.yaml", GOOD)


def config(*args, **env):
    return Run("config", *args, env={"SIGNING": SIGNING, **env})


def warnings(run):
    """What is said, but for what thin events would lack: who gets none needs nothing for them."""
    return [line for line in run.err.splitlines() if "no api_key: thin events" not in line]


@promise
def each_subcommand_has_help_and_wrong_usage_exits_with_2():
    for words in ([], ["check"], ["show"], ["help"]):
        config(*words, "--help").exits(0, out="usage: payhook config")
    config().exits(2, err="usage")
    config("nonsense").exits(2, err="usage")
    config("check", GOOD_FILE, GOOD_FILE).exits(2, err="one argument at most")
    config("check", "--connector", "stripe").exits(2, err="--connector")
    config("help", "nothing").exits(2, err="no setting begins with")
    config("help", "log", "--markdown").exits(2, err="whole manual")


@promise
def a_good_file_is_good_and_relative_to_its_own_folder():
    run = config("check", GOOD_FILE).exits(0, out="payhook.yaml: ok: 1 endpoint, 1 destination")
    assert warnings(run) == []


@promise
def mistakes_exit_with_1_and_have_their_places():
    bad = file("bad.yaml", GOOD.replace("connector: stripe", "connector: strpe").replace("env:SIGNING", "env:NOT_THERE"))
    run = config("check", bad).exits(1, err=f"{bad}:3:16: endpoints.shop.connector: no connector is called \"strpe\"; did you mean \"stripe\"?")
    assert f"{bad}:8:13: destinations.app.secret: the environment variable NOT_THERE is not set" in run.err
    assert run.out == b"" and len(run.err.splitlines()) == 2
    config("show", bad).exits(1, err="strpe")
    config("check", "/nowhere.yaml").exits(1, err="/nowhere.yaml: is not there")
    config("check", WORK.name).exits(1, err="cannot be read")


@promise
def a_pasted_secret_is_refused_and_not_repeated():
    for text in (GOOD.replace("env:SECRET", SECRET), GOOD.replace("env:SECRET", "env:" + SECRET),
                 GOOD.replace("stripe", SECRET), GOOD.replace("http://127", f"http://u:{SECRET}@127"),
                 GOOD + f"log: {{ level: {SECRET} }}\n", GOOD + f"{SECRET}: 1\n", GOOD + f"data: [ {SECRET} ]\n"):
        config("check", file("pasted.yaml", text)).exits(1)  # Run itself looks for SECRET in what was printed


@promise
def a_secret_that_everybody_may_read_is_a_warning():
    secret_file("open", SECRET, 0o644)
    path = file("open.yaml", GOOD.replace("file:old", "file:open").replace("env:SECRET, ", ""))
    config("check", path).exits(0, out="ok", err="is open to every user of this machine; chmod 600 it")
    secret_file("open", SECRET, 0o600)
    assert warnings(config("check", path).exits(0)) == []


@promise
def a_pipe_in_a_files_place_is_refused_and_not_waited_for():
    os.mkfifo(os.path.join(WORK.name, "pipe"))
    config("check", file("pipe.yaml", GOOD.replace("file:old", "file:pipe"))).exits(1, err="cannot be read as a file")


@promise
def show_prints_names_of_secrets_and_loads_again():
    shown = config("show", GOOD_FILE, PAYHOOK_DATA="/srv/payhook").exits(0, out="secret: env:SECRET").text
    assert "An0therSecret" not in shown and SIGNING not in shown
    assert re.search(r"timeout:\n +connect: 5s # default\n +total: 15s # default", shown)
    again = file("again.yaml", shown)
    plain = [re.sub(" # .*", "", line) for line in shown.splitlines()]
    assert config("show", again).exits(0).text.splitlines() == plain


@promise
def the_environment_overrides_and_is_marked():
    config("show", GOOD_FILE, PAYHOOK_LOG_LEVEL="debug").exits(0, out="level: debug # from the environment")
    config("check", PAYHOOK_CONFIG=GOOD_FILE).exits(0, out="1 endpoint, 1 destination")


@promise
def one_variable_is_an_endpoint():
    config("check", PAYHOOK_STRIPE_SECRET=SECRET).exits(0, out="no file, the built-in configuration: ok: 1 endpoint, 0 destinations")
    config("show", PAYHOOK_STRIPE_SECRET=SECRET, PAYHOOK_ADYEN_SECRET="0123456789abcdef" * 4).exits(0, out="secret: env:PAYHOOK_STRIPE_SECRET")
    config("check", PAYHOOK_STRIPE_SECRET="").exits(1, err="env:PAYHOOK_STRIPE_SECRET is empty")


@promise
def a_key_of_the_wrong_form_is_an_error_that_does_not_show_it():
    base64 = "RHefVUeqBskQxDkysesMcfxo2dDAV1UMSOwqz2ugVg=="
    path = file("adyen.yaml", "endpoints:\n  shop:\n    connector: adyen\n    secrets: [ env:ADYEN_KEY ]\n")
    for command in (["config", "check", path], ["serve", "--check", "--config", path]):
        run = Run(*command, env={"ADYEN_KEY": base64})
        run.exits(1, err="adyen.yaml:4:16: endpoints.shop.secrets: env:ADYEN_KEY is of the wrong form: keys of adyen are hex")
        assert base64 not in run.text + run.err
        Run(*command, env={"ADYEN_KEY": "44782DEF" * 8}).exits(0)


@promise
def a_check_says_what_thin_events_would_lack():
    path = file("thin.yaml", "endpoints:\n  shop:\n    connector: stripe\n    secrets: [ env:KEY ]\n")
    config("check", path, KEY=SECRET).exits(0, err="thin.yaml:2:3: warning: endpoints.shop.config: no api_key: thin events")
    Run("serve", "--check", "--config", path, env={"KEY": SECRET}).exits(0, err="no api_key: thin events")


@promise
def further_pages_are_known_connectors():
    os.makedirs(os.path.join(WORK.name, "pages"), exist_ok=True)
    with open(os.path.join(ROOT, "connectors/stripe.yaml")) as f:
        file("pages/own.yaml", f.read().replace("name: stripe", "name: own", 1))
    path = file("own.yaml", "connectors: pages\n" + GOOD.replace("connector: stripe", "connector: own"))
    config("check", path).exits(0)
    file("pages/own.yaml", "name: own\n")
    config("check", path).exits(1, err="connectors: the pages of")


@promise
def the_example_is_right_under_its_unit():
    """contrib/payhook.yaml, with the credentials that contrib/payhook.service loads and no others."""
    folder = os.path.join(WORK.name, "credentials")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(ROOT, "contrib/payhook.service")) as f:
        unit = f.read()
    names = re.findall(r"^LoadCredential=([a-z-]+):/etc/payhook/secrets/\1$", unit, re.M)
    assert len(names) == 6
    for name in names:
        secret_file(f"credentials/{name}", SIGNING if name == "shop" else "0123456789abcdef" * 4 if name != "stripe-old" else SECRET, 0o400)
    run = config("check", os.path.join(ROOT, "contrib/payhook.yaml"), CREDENTIALS_DIRECTORY=folder)
    run.exits(0, out="ok: 2 endpoints, 1 destination")
    assert warnings(run) == []
    os.remove(os.path.join(folder, "shop"))
    config("check", os.path.join(ROOT, "contrib/payhook.yaml"), CREDENTIALS_DIRECTORY=folder).exits(1, err="/shop is not there")


@promise
def the_unit_is_hardened():
    with open(os.path.join(ROOT, "contrib/payhook.service")) as f:
        unit = f.read()
    for line in ("DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "StateDirectory=payhook",
                 "MemoryDenyWriteExecute=yes", "SystemCallFilter=@system-service", "ExecReload=/bin/kill -HUP $MAINPID"):
        assert line in unit.splitlines(), line


main()
