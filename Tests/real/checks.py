"""All checks against real programs; see `run`."""

import sys

import harness

# Importing them registers their checks, in this order.
import programs  # noqa: F401
import control  # noqa: F401
import life  # noqa: F401
import groups  # noqa: F401
import commands  # noqa: F401
import terminals  # noqa: F401
import example  # noqa: F401
import proxy  # noqa: F401
import tls  # noqa: F401
import gateway  # noqa: F401
import streams  # noqa: F401
import strain  # noqa: F401
import moving  # noqa: F401
import watching  # noqa: F401
import framing  # noqa: F401
import containers  # noqa: F401
import asleep  # noqa: F401

sys.exit(harness.tally.run(sys.argv[1:]))
