"""Warnings and log lines of other packages show what would act, and end where ours do."""

import subprocess
import sys

import pytest

from finetune.errors import escape_lines
from tests.processes import ROOT

ACTING = "a\x1b]52;c;eA==\x07\x9b31m\u202eb"

WARN = {
    "a warning": "warnings.warn(text)",
    "a log line": "logging.getLogger('keras').warning('layer %s', text)",
    "a log line of absl": "from absl import logging as absl; absl.warning('layer %s', text)",
    "a traceback": "try: raise ValueError(text)\n"
    "except ValueError: logging.getLogger('x').exception('bad')",
}


@pytest.mark.parametrize("kind", WARN)
def test_what_acts_is_shown_as_its_escape(kind):
    code = (
        "import logging, warnings\n"
        "from finetune.execution.other_packages import escape_messages\n"
        "escape_messages(); escape_messages()\n"
        f"text = {ACTING!a}\n{WARN[kind]}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True
    )
    assert r"a\x1b]52;c;eA==\x07\x9b31m\u202eb" in done.stderr
    assert escape_lines(done.stderr) == done.stderr


def test_a_message_whose_arguments_do_not_fit_ends_nothing():
    code = (
        "import logging\n"
        "from finetune.execution.other_packages import escape_messages\n"
        "escape_messages()\n"
        "logging.getLogger('x').warning('%d', 'one')\nprint('on')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "on\n"
