#!/usr/bin/python3
"""Who may connect: tokens, however they come, and what they allow."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from binary import BUSCTL
from bus import Bus
from check import equal, main, test
from keys import token, write_pair, write_secret
from wsclient import Client, Refused

ADDRESS = r"gave its token in the address"


class Guarded(Bus):
    """A bus that wants tokens, signed with the secret of keys.py."""

    def __init__(self, n=1, **options):
        self.keys = tempfile.mkdtemp(prefix="cbus-keys-")
        self.key = write_secret(self.keys)
        options.setdefault("jwt_key", self.key)
        super().__init__(n, **options)

    def __exit__(self, *what):
        try:
            super().__exit__(*what)
        finally:
            shutil.rmtree(self.keys, ignore_errors=True)

    def log_in(self, text, **more):
        """A client with this token in its header."""
        return self.connect(headers=["Authorization: Bearer " + text], **more)

    def closed(self, text=None, **more):
        """How a client with this token is closed: (code, reason)."""
        if text is not None:
            more["headers"] = ["Authorization: Bearer " + text]
        client = Client(self.address, welcome=False, **more)
        closed = client.wait_closed()
        return closed.code, closed.reason


def busctl(*words):
    """A command that looks for no bus: (exit status, output, errors)."""
    done = subprocess.run([BUSCTL] + list(words), capture_output=True,
                          text=True, timeout=20)
    return done.returncode, done.stdout, done.stderr


def refused(code, bus, text, reason):
    """The token is turned away with this code, and this is in its reason."""
    got, why = bus.closed(text)
    equal(got, code, why)
    assert reason in why, why


def answer(client, text):
    """What comes back for an `auth` in band."""
    return client.ask("auth", token=text)


@test
def a_token_comes_in_a_header_in_the_subprotocols_or_in_the_address():
    with Guarded(allow=[ADDRESS]) as bus:
        text = token("ann", role="admin", pad="x" * 4000)
        ways = [{"headers": ["Authorization: Bearer " + text]},
                {"headers": ["authorization:   bearer   " + text]},
                {"protocol": "clusterbus.v1, bearer." + text},
                {"protocol": "bearer." + text + ",clusterbus.v1.bin"},
                {"path": "/x?a=1&token=" + text + "&b=2"}]
        for way in ways:
            client = bus.connect(**way)
            equal(client.welcome["user"], "ann")
            equal(client.welcome["role"], "admin")
            wanted = "clusterbus.v1"
            if ".bin" in way.get("protocol", ""):
                wanted = "clusterbus.v1.bin"
            equal(client.protocol, wanted)
            client.sub("t")
        bus.connect(path="/?token=" + text)
        equal(bus.total("auth_in_address"), 2)
        equal(bus.log().count("in the address"), 1)
        assert text not in bus.log() and text[-43:] not in bus.log()


@test
def names_that_need_escapes_arrive_whole():
    with Guarded() as bus:
        name = 'a"b\\c \u00e9\U0001f600/' + '"' * 200
        equal(bus.log_in(token(name)).welcome["user"], name)
        assert "role" not in bus.log_in(token(name)).welcome


@test
def a_bad_token_is_closed_with_4401_after_the_upgrade():
    with Guarded(log_level="debug") as bus:
        good = token("ann")
        refused(4401, bus, token("ann", secret=b"x" * 40), "not signed")
        refused(4401, bus, token("ann", lives=-1), "expired")
        refused(4401, bus, token("ann", exp="soon"), "not a number")
        refused(4401, bus, token("ann", nbf=int(time.time()) + 600),
                "not valid yet")
        refused(4401, bus, token(5), "user is not a string")
        refused(4401, bus, token("a\nb"), "user's name")
        refused(4401, bus, token("u" * 256), "too long")
        refused(4401, bus, token("ann", role="a/b"), "role's name")
        refused(4401, bus, token("ann", topics="t"), '"topics"')
        refused(4401, bus, token("ann", topics=[""]), "no topic")
        refused(4401, bus, token("ann", alg="none"), "algorithm")
        refused(4401, bus, good[:-2], "")
        refused(4401, bus, "nonsense", "three parts")
        equal(bus.total("auth_failed"), 13)
        equal(bus.total("clients"), 0)
        assert good not in bus.log() and good[:-2] not in bus.log()
        equal(bus.log_in(good).welcome["user"], "ann")


@test
def a_good_token_for_somebody_else_is_closed_with_4403():
    with Guarded(jwt_issuer="us", jwt_audience="chat") as bus:
        refused(4403, bus, token("ann", aud="chat"), "issuer")
        refused(4403, bus, token("ann", iss="them", aud="chat"), "issuer")
        refused(4403, bus, token("ann", iss="us"), "audience")
        refused(4403, bus, token("ann", iss="us", aud=["a", "b"]), "audience")
        for aud in "chat", ["a", "chat"]:
            bus.log_in(token("ann", iss="us", aud=aud)).alive()


@test
def rsa_and_p256_keys_check_what_busctl_token_makes():
    with tempfile.TemporaryDirectory() as keys:
        pairs = [write_pair(keys, kind) for kind in ("rsa", "ec")]
        public = [pair[1] for pair in pairs]
        with Guarded(jwt_key=public + [write_secret(keys)]) as bus:
            for private, public in pairs:
                code, text, _ = busctl("token", "--key", private, "--user",
                                       "ann", "--role", "r")
                equal(code, 0)
                equal(bus.log_in(text.strip()).welcome["user"], "ann")
                equal(busctl("token", "check", "--key", public,
                             text.strip())[0], 0)
                with open(public, "rb") as file:
                    stolen = file.read()
                for secret in stolen, stolen.rstrip():
                    refused(4401, bus, token("eve", secret=secret), "")
            bus.log_in(token("bob")).alive()  # the third key


@test
def the_names_of_the_claims_can_be_chosen():
    with Guarded(jwt_user_claim="mail", jwt_role_claim="group") as bus:
        client = bus.log_in(token("ann", mail="a@b", group="staff"))
        equal(client.welcome["user"], "a@b")
        equal(client.welcome["role"], "staff")


@test
def without_a_token_the_client_waits_and_then_says_who_it_is():
    with Guarded() as bus:
        client = bus.connect()
        equal(client.welcome["auth"], "required")
        assert "user" not in client.welcome
        for op in ({"op": "sub", "topic": "t"}, {"op": "unsub", "topic": "t"},
                   {"op": "pub", "topic": "t", "data": 1},
                   {"op": "call", "method": "m"},
                   {"op": "watch", "resource": "r"}):
            equal(client.ask(**op)["code"], "UNAUTHORIZED", op)
        client.publish_binary("t", b"x")
        equal(client.wait_for(lambda m: m["op"] == "err")["code"],
              "UNAUTHORIZED")
        client.alive()
        equal(answer(client, "nonsense")["code"], "UNAUTHORIZED")
        equal(client.ask("sub", topic="t")["code"], "UNAUTHORIZED")
        got = answer(client, token("ann", role="admin"))
        equal((got["op"], got["user"], got["role"]), ("ok", "ann", "admin"))
        client.sub("t")
        client.pub("t", 1)
        equal(client.msg("t")["data"], 1)
        equal(bus.total("auth_failed"), 1)


@test
def a_client_that_says_nothing_is_closed_with_4401():
    with Guarded(auth_timeout="300ms") as bus:
        client = bus.connect()
        closed = client.wait_closed()
        equal((closed.code, closed.reason),
              (4401, "not authenticated in time"))
        equal(bus.total("auth_failed"), 1)


@test
def anonymous_clients_are_served_beside_those_with_tokens():
    with Guarded(anonymous=True) as bus:
        nobody = bus.connect()
        assert "user" not in nobody.welcome and "auth" not in nobody.welcome
        nobody.sub("t")
        equal(bus.log_in(token("ann")).welcome["user"], "ann")
        refused(4401, bus, "nonsense", "three parts")
        equal(answer(nobody, token("bob"))["user"], "bob")
        equal(answer(nobody, token("eve"))["code"], "FORBIDDEN")


@test
def a_token_ends_at_its_time_unless_it_is_renewed():
    with Guarded() as bus:
        short = bus.log_in(token("ann", lives=2))
        renewed = bus.log_in(token("bob", lives=2))
        equal(answer(renewed, token("bob"))["op"], "ok")
        closed = short.wait_closed()
        equal((closed.code, closed.reason), (4401, "token expired"))
        equal(bus.total("auth_expired"), 1)
        renewed.alive()


@test
def a_new_token_must_keep_user_and_role():
    with Guarded() as bus:
        client = bus.log_in(token("ann", role="admin"))
        for other in (token("bob", role="admin"), token("ann", role="x"),
                      token("ann")):
            equal(answer(client, other)["code"], "FORBIDDEN")
        equal(answer(client, "nonsense")["code"], "UNAUTHORIZED")
        equal(answer(client, token("ann", role="admin"))["op"], "ok")
        client.alive()


@test
def what_a_new_token_does_not_grant_is_left():
    with Guarded() as bus:
        client = bus.log_in(token("ann"))
        for topic in "chat:1", "news", "chat":
            client.sub(topic)
        equal(answer(client, token("ann", topics=["chat:*"]))["op"], "ok")
        told = client.wait_for(lambda m: m["op"] == "err")
        equal(told["code"], "FORBIDDEN")
        assert told["message"].startswith("2 subscriptions"), told
        other = bus.log_in(token("bob"))
        for topic in "news", "chat", "chat:1":
            other.ok("pub", topic=topic, data=topic)
        equal(client.recv()["topic"], "chat:1")


@test
def pages_of_other_origins_are_refused():
    allowed = ["https://a.example", "http://localhost:3000"]
    with Guarded(allowed_origin=allowed, anonymous=True) as bus:
        for origin in allowed:
            bus.connect(headers=["Origin: " + origin]).alive()
        bus.connect().alive()
        for origin in ("https://b.example", "https://a.example.evil",
                       "http://a.example", "null", "https://A.example"):
            try:
                bus.connect(headers=["Origin: " + origin])
                raise AssertionError("let in: " + origin)
            except Refused as no:
                equal(no.status, 403)
        equal(bus.total("origin_refused"), 5)
    with Bus(1, allowed_origin="*") as bus:
        bus.connect(headers=["Origin: https://b.example"]).alive()


@test
def a_reload_changes_the_keys_for_new_clients():
    with Guarded(n=2) as bus:
        old = bus.log_in(token("ann"))
        write_secret(bus.keys, b"y" * 40)
        equal(bus.cli("reload")[0], 0)
        refused(4401, bus, token("ann"), "not signed")
        bus.log_in(token("bob", secret=b"y" * 40)).alive()
        old.alive()


@test
def a_reload_with_a_broken_key_changes_nothing():
    with Guarded(n=2, allow=["secret must have 32", "refused it"]) as bus:
        write_secret(bus.keys, b"short")
        code, _, errors = bus.cli("reload")
        assert code != 0
        assert "secret must have 32 bytes" in errors + bus.log(), errors
        bus.log_in(token("ann")).alive()


@test
def a_broken_key_stops_the_start():
    bus = Guarded(jwt_key="/nonexistent/key", checked=False)
    process = bus.spawn()
    try:
        assert process.wait(20) in (2, 78), process.returncode
        bus.process = None
        assert "/nonexistent/key" in bus.log(), bus.log()
        assert "No such file" in bus.log(), bus.log()
    finally:
        bus.kill()
        shutil.rmtree(bus.dir)
        shutil.rmtree(bus.keys)


@test
def an_open_bus_looks_at_no_token():
    with Bus(1) as bus:
        client = bus.connect(protocol="clusterbus.v1, bearer.x.y.z")
        assert "user" not in client.welcome
        equal(answer(client, token("ann"))["code"], "NOT_FOUND")


@test
def a_public_address_needs_no_insecure_when_tokens_are_needed():
    with Guarded() as bus:
        words = ["config", "check", "--listen", "0.0.0.0:0"]
        assert busctl(*words)[0] == 2
        equal(busctl(*words, "--jwt-key", bus.key)[0], 0)
        assert busctl(*words, "--jwt-key", bus.key, "--anonymous")[0] == 2
        code, _, errors = busctl("config", "check", "--jwt-key", "/nowhere")
        equal(code, 2)
        assert "/nowhere" in errors, errors


@test
def busctl_token_says_what_is_wrong():
    with Guarded() as bus:
        private, _ = write_pair(bus.keys, "ed25519")
        code, _, errors = busctl("token", "--key", private, "--user", "a")
        equal(code, 1)
        assert "EdDSA is not supported" in errors, errors
        code, _, errors = busctl("token", "check", "--key", bus.key,
                                 token("ann", lives=-5))
        equal(code, 1)
        assert "expired" in errors, errors
        code, out, _ = busctl("token", "check", "--key", bus.key,
                              token("ann", role="r", topics=["a", "b:*"]))
        equal(code, 0)
        for word in 'user: "ann"', 'role: "r"', 'topics: "a" "b:*"':
            assert word in out, out
        for words in (["--user", "a"], ["--key", bus.key],
                      ["--key", bus.key, "--user"],
                      ["--key", bus.key, "--user", "a", "--nonsense"],
                      ["--key", bus.key, "--user", "a", "--expires", "0"],
                      ["--key", bus.key, "--user", "a", "--expires", "1y"],
                      ["--key", bus.key, "--user", "a", "--claim", "x"],
                      ["--key", bus.key, "--user", "a", "--claim", "x={"],
                      ["--key", bus.key, "--user", "a" * 9000],
                      ["check", "--key", bus.key]):
            equal(busctl("token", *words)[0], 2, words)


@test
def busctl_token_puts_all_claims_into_a_token():
    with Guarded(jwt_issuer="us", jwt_audience="chat", jwt_role_claim="group",
                 allow=[ADDRESS]) as bus:
        code, text, _ = busctl(
            "token", "--key", bus.key, "--user", "ann", "--topics", "a,b:*",
            "--publish", "", "--expires=2m", "--issuer", "us", "--audience",
            "chat", "--claim", 'group="staff"')
        equal(code, 0)
        client = bus.connect(path="/?token=" + text.strip())
        equal(client.welcome["role"], "staff")
        client.sub("b:1")
        equal(client.ask("sub", topic="c")["code"], "FORBIDDEN")
        equal(client.ask("pub", topic="a", data=1)["code"], "FORBIDDEN")


main()
