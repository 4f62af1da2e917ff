#!/usr/bin/python3
"""The demo page of a bus that wants a token, in a real browser.

# timeout: 120
"""
import os
import secrets
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from browser_driver import Browser, find
from binary import BUSCTL
from bus import Bus
from check import equal, main, skip_all, test


class Stage:
    """A bus with a key, and a browser."""

    def __enter__(self):
        with tempfile.NamedTemporaryFile("w", suffix=".key",
                                         delete=False) as key:
            key.write(secrets.token_hex(32))
        self.key = key.name
        self.bus = Bus(1, jwt_key=self.key)
        self.bus.__enter__()
        self.browser = Browser()
        return self

    def __exit__(self, *what):
        self.browser.close()
        self.bus.__exit__(*what)
        os.unlink(self.key)

    def show_log(self):
        self.bus.show_log()

    def token(self, user):
        return subprocess.run(
            [BUSCTL, "token", "--key", self.key, "--user", user], check=True,
            timeout=20, text=True, capture_output=True).stdout.strip()

    def window(self):
        window = self.browser.window("http://%s:%d/" % self.bus.address)
        window.wait(state("authenticating"))
        window.wait(ASKED)
        return window


def state(wanted):
    return ("document.querySelector('#connection')?.dataset.state === '%s'"
            % wanted)


def give(window, token):
    """Write a token into the field as a person does."""
    window.type("#token", token)
    window.press_enter()


ASKED = "document.querySelector('#token-form')?.checkVisibility()"
TEXT = "document.querySelector('#connection-text').textContent"
WHY = "document.querySelector('#token-error')?.textContent"


@test
def the_page_asks_for_a_token_and_goes_on_with_a_good_one(stage):
    window = stage.window()
    give(window, stage.token("Ann"))
    window.wait(state("open"))
    equal(window.eval(TEXT), "This window is on worker 0, as Ann")
    window.wait("!" + ASKED)
    window.type("#name", "Ann")
    window.type("#text", "hello")
    window.press_enter()
    window.wait("document.querySelector('#log li .text')?.textContent"
                " === 'hello'")
    equal(window.complaints(), [])
    window.close()


@test
def a_bad_token_is_told_and_the_next_one_may_be_good(stage):
    window = stage.window()
    give(window, "not.a.token")
    window.wait("!!" + WHY)
    equal(window.eval(ASKED), True)
    give(window, "no token at all")
    window.wait("/letters, digits/.test(%s)" % WHY)
    give(window, stage.token("Bob"))
    window.wait(state("open"))
    window.close()


@test
def a_token_is_kept_for_the_window_and_for_no_other(stage):
    window = stage.window()
    give(window, stage.token("Cem"))
    window.wait(state("open"))
    window.eval("void setTimeout(() => { window.old = true;"
                " location.reload(); })")
    window.wait("!window.old && document.readyState === 'complete' && "
                + state("open"))
    equal(window.eval(TEXT), "This window is on worker 0, as Cem")
    stage.window().close()
    window.close()


@test
def a_token_that_is_no_longer_good_is_forgotten(stage):
    window = stage.window()
    window.eval("sessionStorage.setItem('token', 'not.a.token')")
    window.eval("void setTimeout(() => location.reload())")
    window.wait(state("closed"))
    window.wait("!!" + WHY)
    give(window, stage.token("Dora"))
    window.wait(state("open"))
    window.close()


if find() is None:
    skip_all("there is no chromium")
main(shared=Stage(), limit=60)
