"""The binary under test, and how patient to be with it.

It is $BUSCTL, or build/busctl.

Limits on time catch what hangs; they do not measure.  A sanitizer makes
everything slower, and a machine that others use as well ($CI is set there)
stands still for a second now and then: PATIENCE widens every limit.  A
sanitizer keeps freed memory back, too: limits on memory say nothing then.
"""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUSCTL = os.path.abspath(os.environ.get("BUSCTL") or
                         os.path.join(ROOT, "build", "busctl"))


def _sanitized():
    try:
        with open(BUSCTL, "rb") as file:
            return b"__asan_init" in file.read()
    except OSError:
        return False


SANITIZED = _sanitized()
PATIENCE = 5 if SANITIZED else 3 if os.environ.get("CI") else 1
MEMORY = 1 << 30 if SANITIZED else 0  # kB on top of every limit
