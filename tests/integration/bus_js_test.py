#!/usr/bin/python3
"""The client library with all that a bus can want: tokens, contract, methods.

The tests themselves are in bus_js_client.mjs, on the "ws" package; here the bus
is started, with an application.
"""
import os
import secrets
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from application import compile_app
from binary import BUSCTL, PATIENCE
from bus import Bus
from check import skip_all

DATA = os.path.join(HERE, "data")


def main():
    if shutil.which("node") is None:
        skip_all("there is no node")
    if not os.path.isdir(os.path.join(HERE, "node_modules", "ws")):
        skip_all("the ws package is not installed (tests/deps.sh test)")
    app = compile_app(os.path.join(DATA, "bus_js", "app.c"))
    with tempfile.TemporaryDirectory() as folder:
        key = os.path.join(folder, "key")
        contract = os.path.join(folder, "chat.json")
        with open(key, "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(32))
        shutil.copy(os.path.join(DATA, "contract", "chat.json"), contract)
        with Bus(2, app=app, jwt_key=key, call_timeout="300ms",
                 contract=contract) as bus:
            code = subprocess.run(
                ["node", os.path.join(HERE, "bus_js_client.mjs"), bus.url,
                 BUSCTL, key, bus.run_dir, contract],
                timeout=100 * PATIENCE,
                env=dict(os.environ, PATIENCE=str(PATIENCE))).returncode
            if code != 0:
                bus.show_log()
    sys.exit(code)


main()
