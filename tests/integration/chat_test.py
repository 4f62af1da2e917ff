#!/usr/bin/python3
"""The example examples/chat: built as its README says, used by people.

First by clients on different workers, then in a browser's windows.

# timeout: 180
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from browser_driver import Browser, find
from binary import BUSCTL, ROOT
from bus import Bus
from check import Failed, equal, main, skip_all, test, wait_until
from wsclient import Closed

CHAT = os.path.join(ROOT, "examples", "chat")
PAGE = pathlib.Path(CHAT, "index.html").resolve().as_uri()
DIED = r"worker \d+ was killed by signal 9"


def make_tools(folder):
    """clusterbus as it would be installed: on the PATH, and for pkg-config."""
    os.symlink(os.path.abspath(BUSCTL), os.path.join(folder, "clusterbus"))
    with open(os.path.join(folder, "clusterbus.pc"), "w",
              encoding="utf-8") as file:
        file.write("Name: clusterbus\nDescription: of this tree\nVersion: 0\n"
                   "Cflags: -I%s\n" % os.path.join(ROOT, "include"))
    return dict(os.environ, PKG_CONFIG_PATH=folder,
                PATH=folder + ":" + os.environ["PATH"])


def commands():
    """What the README says: the lines before the start, and its words."""
    with open(os.path.join(CHAT, "README.md"), encoding="utf-8") as file:
        text = file.read()
    *lines, start = re.search(r"```sh\n(.*?)```", text, re.S)[1].splitlines()
    return lines, start.split()


class Stage:
    """Four workers with the chat in them, made as its README says."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        chat = os.path.join(self.folder.name, "chat")
        shutil.copytree(CHAT, chat)
        lines, start = commands()
        equal(start[:4], ["clusterbus", "start", "-n", "4"])
        equal([start[4], start[6]], ["--contract", "--app"])
        env = make_tools(self.folder.name)
        for line in lines:
            subprocess.run(line, shell=True, cwd=chat, env=env, check=True,
                           timeout=60)
        self.bus = Bus(4, contract=os.path.join(chat, start[5]),
                       app=os.path.join(chat, start[7]), allow=[DIED])

    def __enter__(self):
        self.bus.__enter__()
        return self

    def __exit__(self, *what):
        self.bus.__exit__(*what)
        self.folder.cleanup()

    def show_log(self):
        self.bus.show_log()

    def person(self, name, slot):
        return self.bus.connect(
            slot, protocol="clusterbus.v1, bearer." + name)


def call(client, method, **data):
    answer = client.ask("call", method=method, data=data)
    return answer.get("data") if answer["op"] == "ok" else answer["code"]


def event(client, name):
    return client.wait_for(
        lambda m: m["op"] == "evt" and m["event"] == name)["data"]


@test
def what_is_said_in_a_room_reaches_who_is_in_it(stage):
    ann, bob, eve = (stage.person(n, i) for i, n in
                     enumerate(("ann", "bob", "eve")))
    for client in (ann, bob):
        equal(call(client, "join", room="lobby"), None)
    equal(event(ann, "people"), {"room": "lobby", "user": "ann", "here": True})
    equal(event(ann, "people"), {"room": "lobby", "user": "bob", "here": True})
    equal(call(ann, "say", room="lobby", text="hello"), None)
    for client in (ann, bob):
        equal(event(client, "message"),
              {"room": "lobby", "user": "ann", "text": "hello"})
    equal(call(eve, "say", room="lobby", text="me too"), "FORBIDDEN")
    eve.silent()
    equal(call(bob, "leave", room="lobby"), None)
    equal(event(ann, "people"), {"room": "lobby", "user": "bob",
                                 "here": False})
    equal(call(bob, "leave", room="lobby"), "NOT_FOUND")
    ann.close()
    bob.close()
    eve.close()


@test
def who_is_in_a_room_stays_there_when_the_workers_are_replaced(stage):
    ann, bob = stage.person("ann", 0), stage.person("bob", 1)
    for client in (ann, bob):
        equal(call(client, "join", room="stable"), None)
    pids = set(stage.bus.pids().values())
    equal(stage.bus.cli("restart")[0], 0)
    wait_until(lambda: not pids & set(stage.bus.pids().values()) and
               stage.bus.running(4) and not stage.bus.total("moving"), 20)
    for client in (ann, ann, bob):  # two have joined
        event(client, "people")
    equal(call(ann, "say", room="stable", text="still here"), None)
    equal(event(bob, "message"),
          {"room": "stable", "user": "ann", "text": "still here"})
    ann.close()
    equal(event(bob, "people"), {"room": "stable", "user": "ann",
                                 "here": False})
    bob.close()


@test
def a_direct_message_reaches_its_user_wherever_he_is(stage):
    ann = stage.person("ann", 0)
    bobs = [stage.person("bob", slot) for slot in (1, 2)]
    equal(call(ann, "tell", user="bob", text="psst"), None)
    for bob in bobs:
        equal(event(bob, "direct"), {"user": "ann", "text": "psst"})
    ann.silent()
    for client in [ann] + bobs:
        client.close()


@test
def who_is_in_a_room_is_known_also_when_a_worker_has_died(stage):
    people = [stage.person(name, slot) for slot, name in
              enumerate(("ann", "bob", "cem", "dan"))]
    for client in people:
        equal(call(client, "join", room="garden"), None)
    equal(sorted(call(people[0], "who", room="garden")["users"]),
          ["ann", "bob", "cem", "dan"])
    os.kill(stage.bus.pid(3), signal.SIGKILL)
    people[3].wait_closed()
    equal(sorted(call(people[0], "who", room="garden")["users"]),
          ["ann", "bob", "cem"])
    people[1].close()
    wait_until(lambda: sorted(call(people[0], "who", room="garden")["users"])
               == ["ann", "cem"], 5, "bob has left")
    wait_until(lambda: stage.bus.running(4), 10, "the worker is back")
    people[0].close()
    people[2].close()


@test
def nobody_without_a_name_comes_in_and_nonsense_is_refused(stage):
    for name in "A", "a.b", "x" * 41:
        try:
            stage.person(name, None)
        except Closed as closed:
            equal(closed.code, 4401)
        else:
            raise Failed(name + " came in")
    ann = stage.person("ann", 0)
    equal(call(ann, "join", room="Lobby!"), "VALIDATION")
    equal(call(ann, "join"), "VALIDATION")
    equal(call(ann, "shout", room="lobby"), "NOT_FOUND")
    ann.close()


def enter(browser, stage, name):
    window = browser.window("%s?bus=%s:%d" % ((PAGE,) + stage.bus.address))
    window.wait("typeof clusterbus === 'object'")
    window.type("#name", name)
    window.press_enter()
    window.wait("document.querySelector('#text').disabled === false")
    return window


def wait_line(window, kind, text):
    window.wait("[...document.querySelectorAll('#log li.%s')].some(li =>"
                " li.textContent === %s)" % (kind, json.dumps(text)))


def write(window, text):
    window.type("#text", text)
    window.press_enter()


@test
def people_chat_in_the_page(stage):
    if find() is None:
        skip_all("there is no chromium")
    browser = Browser()
    try:
        ann, bob = (enter(browser, stage, name) for name in ("ann", "bob"))
        wait_line(ann, "note", "bob has come")
        for window in (ann, bob):
            window.wait("document.querySelector('#people').textContent"
                        " === 'ann, bob'")
        write(ann, "<b>hello</b>")
        for window in (ann, bob):
            wait_line(window, "message", "ann: <b>hello</b>")
        equal(bob.eval("document.querySelectorAll('#log b').length"), 0)
        write(bob, "@ann psst")
        wait_line(ann, "direct", "bob to you: psst")
        equal(bob.eval("document.querySelectorAll('#log .direct').length"), 0)
        bob.close()
        wait_line(ann, "note", "bob has left")
        ann.wait("document.querySelector('#people').textContent === 'ann'")
        equal(ann.complaints(), [])
    finally:
        browser.close()


main(shared=Stage(), limit=60)
