#!/usr/bin/python3
"""The "ws" package of Node.js, a client that nobody here wrote.

The tests themselves are in node_ws_client.mjs; here the bus is started and
looked at afterwards.
"""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from binary import PATIENCE
from bus import Bus
from check import skip_all


def main():
    if shutil.which("node") is None:
        skip_all("there is no node")
    if not os.path.isdir(os.path.join(HERE, "node_modules", "ws")):
        skip_all("the ws package is not installed (tests/deps.sh test)")
    with Bus(2) as bus:
        code = subprocess.run(
            ["node", os.path.join(HERE, "node_ws_client.mjs"), bus.url],
            timeout=100 * PATIENCE,
            env=dict(os.environ, PATIENCE=str(PATIENCE))).returncode
    sys.exit(code)


main()
