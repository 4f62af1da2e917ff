#!/usr/bin/python3
"""The demo page in a real browser: two windows, two workers, one chat.

Headless Chromium loads the page that the workers serve. Nothing here knows
how the page is made but the names of its elements.

# timeout: 180
"""
import json
import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from browser_driver import Browser, find
from bus import Bus
from check import Failed, equal, main, skip_all, test, wait_until

DIED = r"worker \d+ was killed by signal 9"
OPEN = "document.querySelector('#connection').dataset.state === 'open'"


class Stage:
    """A bus and a browser with two windows on different workers."""

    def __init__(self):
        self.bus = Bus(3, allow=[DIED])
        self.browser = self.first = self.second = None

    def __enter__(self):
        self.bus.__enter__()
        try:
            self.browser = Browser()
            self.first, self.second = self.open_two()
            wait_until(lambda: self.readers() == 2, 5, "both to read")
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, *what):
        if self.browser is not None:
            self.browser.close()
        self.bus.__exit__(*what)

    def show_log(self):
        self.bus.show_log()

    def open(self):
        window = self.browser.window("http://%s:%d/" % self.bus.address)
        window.wait(OPEN)
        return window

    def readers(self):
        """How many windows the bus knows as readers of the chat."""
        code, out, _ = self.bus.cli("presence", "demo", "--json")
        return len(out.splitlines()) if code == 0 else 0

    def open_two(self):
        first = self.open()
        for _ in range(30):
            second = self.open()
            if worker_of(second) != worker_of(first):
                return first, second
            second.close()
        raise Failed("all windows are on one worker")


def node_of(window):
    return window.eval("document.querySelector('#connection').dataset.node")


def worker_of(window):
    return int(node_of(window).split("-")[1])


def say(window, name, text):
    """Write into the chat as a person does."""
    window.type("#name", name)
    window.type("#text", text)
    window.press_enter()


def wait_line(window, name, worker, text):
    """Wait for exactly this line in the chat."""
    window.wait("[...document.querySelectorAll('#log li')].some(li =>"
                " li.querySelector('.who')?.textContent === %s"
                " && li.querySelector('.from').textContent === 'worker %d'"
                " && li.querySelector('.text').textContent === %s)"
                % (json.dumps(name), worker, json.dumps(text)))


def chat(stage, suffix):
    """Each window says something and both read it."""
    for window, name in ((stage.first, "Ann"), (stage.second, "Bob")):
        text = "%s says %s" % (name, suffix)
        say(window, name, text)
        for reader in (stage.first, stage.second):
            wait_line(reader, name, worker_of(window), text)


@test
def two_windows_on_different_workers_chat(stage):
    chat(stage, "hello")
    equal(stage.first.eval("document.querySelectorAll('#log li').length"), 2)
    equal(stage.first.eval(
        "document.querySelectorAll('#log li.mine').length"), 1)


@test
def the_page_shows_which_worker_it_is_on(stage):
    for window in (stage.first, stage.second):
        worker = worker_of(window)
        window.wait("document.querySelector('#connection-text').textContent"
                    " === 'This window is on worker %d'" % worker)
        window.wait("document.querySelector('tr.here')?.dataset.worker"
                    " === '%d'" % worker)


@test
def the_table_shows_all_workers_and_their_clients(stage):
    stage.first.wait("document.querySelectorAll('#workers tr').length === 3")
    stage.first.wait(
        "[...document.querySelectorAll('#workers td[data-state]')]"
        ".every(td => td.textContent === 'running')")
    stage.first.wait(
        "document.querySelector('#total-clients').textContent === '2'")
    stage.first.wait("Number(document.querySelector('#workers')"
                     ".rows[%d].cells[3].textContent) >= 2"
                     % worker_of(stage.first))


@test
def what_others_write_is_text_and_never_markup(stage):
    text = "<img src=x onerror=alert(1)><b>bold</b>"
    say(stage.first, "Ann <i>", text)
    wait_line(stage.second, "Ann <i>", worker_of(stage.first), text)
    equal(stage.second.eval(
        "document.querySelectorAll('#log img, #log b, #log i').length"), 0)


@test
def nothing_on_the_page_was_refused_or_failed(stage):
    for window in (stage.first, stage.second):
        equal(window.complaints(), [])
        equal(window.eval("performance.getEntriesByType('resource')"
                          ".filter(e => !e.name.startsWith(location.origin))"
                          ".length"), 0, "resources from elsewhere")


@test
def the_library_works_as_a_script_and_as_a_module(stage):
    equal(stage.first.eval(
        "(async () => { const a = (await import('/bus.mjs')).connect;"
        " const c = a(); await c.ping(); const node = c.node; c.close();"
        " return a === clusterbus.connect && /^[0-9a-f]{8}-/.test(node); })()"
    ), True)


@test
def a_window_whose_worker_is_killed_comes_back_and_the_chat_goes_on(stage):
    worker = worker_of(stage.first)
    node = node_of(stage.first)
    other = node_of(stage.second)
    os.kill(stage.bus.pid(worker), signal.SIGKILL)
    began = time.monotonic()
    stage.first.wait(
        "document.querySelector('#connection').dataset.node !== '%s' && %s"
        % (node, OPEN))
    print("# back after %.2f s" % (time.monotonic() - began))
    equal(node_of(stage.second), other, "the other window's worker")
    wait_until(lambda: stage.bus.running(3), 10, "the worker is back")
    chat(stage, "we go on")
    stage.second.wait("Number(document.querySelector('#total-restarts')"
                      ".textContent) >= 1")


def watch_states(window):
    """From now on the page writes down every state of its connection."""
    window.eval(
        "globalThis.seen = []; new MutationObserver(all => all.forEach(one =>"
        " seen.push(one.target.dataset.state))).observe("
        "document.querySelector('#connection'),"
        " { attributeFilter: ['data-state'], attributeOldValue: true });"
        " seen.length")


def states_seen(window):
    """What it has written down without `open`, which it was from the start."""
    return window.eval("seen.filter(state => state !== 'open')")


def conn_of(window):
    return window.eval("document.querySelector('#connection').title")


def moved(stage, *words):
    """Run a command that moves clients; wait until all have arrived."""
    code, _, errors = stage.bus.cli(*words)
    equal(code, 0, errors)
    wait_until(lambda: stage.bus.running() and not stage.bus.total("moving")
               and stage.bus.total("clients") == 2, 10, "both have arrived")


@test
def a_rolling_restart_is_not_noticed_and_the_chat_goes_on(stage):
    windows = (stage.first, stage.second)
    before = [(node_of(window), conn_of(window)) for window in windows]
    for window in windows:
        watch_states(window)
    moved(stage, "restart")
    chat(stage, "and on")
    for window, (node, conn) in zip(windows, before):
        equal(states_seen(window), [])
        equal(conn_of(window), conn, "the connection")
        equal(node_of(window) != node, True, "another worker than before")


@test
def a_window_shows_where_it_has_been_moved_to_when_it_says_something(stage):
    windows = (stage.first, stage.second)
    for window in windows:
        watch_states(window)
    moved(stage, "scale", "1")
    for window, name in zip(windows, ("Ann", "Bob")):
        say(window, name, "where am I")
        wait_line(window, name, 0, "where am I")
        window.wait("document.querySelector('#connection-text').textContent"
                    " === 'This window is on worker 0'")
        equal(states_seen(window), [])
    moved(stage, "scale", "3")


@test
def when_the_bus_is_gone_the_page_says_so_and_when_it_tries_again(stage):
    window = stage.second
    stage.bus.stop()
    # It waits and tries in turns: all this has to be seen at one moment.
    window.wait("document.querySelector('#connection').dataset.state"
                " === 'waiting' && /^Next try in \\d+ s$/.test("
                "document.querySelector('#connection-wait').textContent) && "
                "document.querySelector('#connection-text').textContent"
                " === 'No connection.'")
    window.wait("/^These figures are \\d+ s old/.test("
                "document.querySelector('#figures-age').textContent)", 20)
    port = stage.bus.port
    stage.bus.options["listen"] = "127.0.0.1:%d" % port
    stage.bus.start()
    window.click("#retry")
    window.wait(OPEN)
    equal(window.eval("document.querySelector('#connection-wait')"
                      ".textContent"), "")


if find() is None:
    skip_all("there is no chromium")
main(shared=Stage(), limit=90)
