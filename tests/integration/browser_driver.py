"""A headless Chromium, driven over the DevTools protocol.

The protocol goes through a pair of pipes (--remote-debugging-pipe: JSON texts,
a NUL byte after each), so there is no port to find and nothing to install.  A
window is a browser context of its own: nothing is shared between two of them,
as between two people's browsers.
"""
import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from check import deadline_in

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu",
         "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run", "--disable-dev-shm-usage",
         "--remote-debugging-pipe"]

# The browser finds the pipes at descriptors 3 and 4.
LAUNCH = ("import os, sys; os.dup2(int(sys.argv[1]), 3);"
          "os.dup2(int(sys.argv[2]), 4); os.execvp(sys.argv[3], sys.argv[3:])")


class BrowserError(Exception):
    """The browser does not do what it was asked, or is not there."""


def find():
    """The path of Chromium, or None."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


class Browser:
    """One browser process, with a profile of its own."""

    def __init__(self, *flags):
        self.dir = tempfile.mkdtemp(prefix="cbus-browser-")
        self.last_id = 0
        self.buffer = b""
        self.answers = {}
        self.events = []
        to_child, self.to_browser = os.pipe()
        self.from_browser, from_child = os.pipe()
        ends = [os.dup(to_child), os.dup(from_child)]
        for fd in (to_child, from_child):
            os.close(fd)
        # Above 4, so that neither overwrites the other.
        ends = [self._move_up(fd) for fd in ends]
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", LAUNCH] + [str(fd) for fd in ends] +
                [find()] + FLAGS +
                ["--user-data-dir=" + os.path.join(self.dir, "profile")] +
                list(flags) + ["about:blank"], pass_fds=ends,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        for fd in ends:
            os.close(fd)
        os.set_blocking(self.from_browser, False)

    @staticmethod
    def _move_up(fd):
        import fcntl
        moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
        os.close(fd)
        return moved

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End the browser and all that it started."""
        try:
            self.call("Browser.close", deadline=5)
            self.process.wait(5)
        except (BrowserError, OSError, subprocess.TimeoutExpired):
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.to_browser)
        os.close(self.from_browser)
        shutil.rmtree(self.dir, ignore_errors=True)

    def log(self):
        """What the browser has written."""
        with open(os.path.join(self.dir, "log"), errors="replace") as file:
            return file.read()

    def _read(self, end):
        """Take in what comes until the deadline, at least one text."""
        wait = end - time.monotonic()
        if wait <= 0 or not select.select([self.from_browser], [], [], wait)[0]:
            raise BrowserError("the browser does not answer")
        data = os.read(self.from_browser, 1 << 20)
        if not data:
            raise BrowserError("the browser has ended: " + self.log()[-800:])
        self.buffer += data
        *texts, self.buffer = self.buffer.split(b"\0")
        for text in texts:
            message = json.loads(text)
            if "id" in message:
                self.answers[message["id"]] = message
            else:
                self.events.append(message)

    def call(self, method, session=None, deadline=20, **params):
        """One command of the protocol; returns its result."""
        self.last_id += 1
        message = {"id": self.last_id, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to_browser, data):]
        end = deadline_in(deadline)
        while message["id"] not in self.answers:
            self._read(end)
        answer = self.answers.pop(message["id"])
        if "error" in answer:
            raise BrowserError("%s: %s" % (method, answer["error"]))
        return answer["result"]

    def window(self, url, width=1100, height=760):
        """Open a window that shares nothing with the others."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank",
                           browserContextId=context, width=width,
                           height=height)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target,
                            flatten=True)["sessionId"]
        window = Window(self, context, target, session)
        window.call("Page.enable")
        window.call("Runtime.enable")
        window.call("Log.enable")
        error = window.call("Page.navigate", url=url).get("errorText")
        if error:
            raise BrowserError("%s: %s" % (url, error))
        window.wait("document.readyState === 'complete'"
                    " && location.href !== 'about:blank'")
        return window


class Window:
    """A page in a browser."""

    def __init__(self, browser, context, target, session):
        self.browser = browser
        self.context = context
        self.target = target
        self.session = session

    def call(self, method, **params):
        """A command for this page."""
        return self.browser.call(method, self.session, **params)

    def eval(self, expression):
        """The value of a JavaScript expression; promises are waited for."""
        got = self.call("Runtime.evaluate", expression=expression,
                        awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in got:
            raise BrowserError("%s: %s" % (
                expression, json.dumps(got["exceptionDetails"])[:800]))
        return got["result"].get("value")

    def wait(self, expression, deadline=15):
        """Wait until the expression is true; returns its value."""
        end = deadline_in(deadline)
        while True:
            value = self.eval(expression)
            if value:
                return value
            if time.monotonic() > end:
                raise BrowserError("not within %d s: %s; the page: %s" % (
                    deadline, expression,
                    self.eval("document.body.innerText")[:800]))
            time.sleep(0.02)

    def type(self, selector, text):
        """Put the cursor into a field, empty it, type."""
        self.eval("(e => { e.focus(); e.select(); })"
                  "(document.querySelector(%s))" % json.dumps(selector))
        self.call("Input.insertText", text=text)

    def press_enter(self):
        """The Enter key, where the cursor is."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key="Enter",
                      code="Enter", windowsVirtualKeyCode=13, text="\r")

    def click(self, selector):
        """Click on an element."""
        self.eval("document.querySelector(%s).click()" % json.dumps(selector))

    def complaints(self):
        """Errors that the page or the browser reported about this page."""
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            params = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(params["exceptionDetails"])[:400])
            elif (event["method"] == "Log.entryAdded"
                  and params["entry"]["level"] == "error"):
                found.append(params["entry"]["text"])
        return found

    def screenshot(self, path, dark=False):
        """Save a picture of the whole page."""
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme",
             "value": "dark" if dark else "light"}])
        picture = self.call("Page.captureScreenshot",
                            captureBeyondViewport=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def close(self):
        """Close the window."""
        self.browser.call("Target.disposeBrowserContext",
                          browserContextId=self.context)
