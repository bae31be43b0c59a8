"""Loading TensorFlow: its log lines are dropped, what others print is not."""

import subprocess
import sys

from tests.processes import ROOT

CODE = """
import os
from finetune.engines import tensorflow_import as module
with module._log_lines_dropped():
    os.write(2, b"I0000 00:00:1795612870.381155    4171 port.cc:153] oneDNN is on\\nkept\\n")
module.import_tensorflow()
os.write(2, b"after\\n")
"""


def test_only_log_lines_of_cpp_are_dropped():
    answer = subprocess.run(
        [sys.executable, "-c", CODE], check=True, cwd=ROOT, capture_output=True, text=True
    )
    assert answer.stderr == "kept\nafter\n"
