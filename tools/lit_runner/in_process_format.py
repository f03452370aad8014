"""A lit test format that runs the RUN lines of many files in one process, as pytest does.

lit's own format starts a process for every `smalti-opt` and `filecheck`, and each spends its time on importing. Here
a worker of lit imports once. lit still does the rest: it finds the tests, reads RUN, REQUIRES, UNSUPPORTED and XFAIL
lines, puts in its substitutions, shares the tests among its workers, and reports.
"""

from __future__ import annotations

import re
from pathlib import Path

from lit import Test, TestRunner
from lit.formats.base import FileBasedTest
from lit.LitConfig import LitConfig

from .shell import MissingProgram, run

_MARKED = re.compile(r"%dbg\(([^)]*)\)\s*(.*)", re.DOTALL)
"""A line of a script as lit keeps it: where it stands in the test, and the command."""


class InProcessTest(FileBasedTest):
    """One file is one test; its RUN lines run in the worker's own process."""

    def execute(self, test: Test.Test, lit_config: LitConfig) -> Test.Result:
        """Run a test up to the first RUN line that fails.

        What raises an exception, such as a redirection that the shell does not know, lit reports as UNRESOLVED.
        """
        script = TestRunner.parseIntegratedTestScript(test)
        if isinstance(script, Test.Result):
            return script
        if lit_config.noExecute:
            return Test.Result(Test.PASS)
        folder, base = TestRunner.getTempPaths(test)
        Path(base).parent.mkdir(parents=True, exist_ok=True)
        substitutions = TestRunner.getDefaultSubstitutions(test, folder, base)
        log = ""
        for line in TestRunner.applySubstitutions(script, substitutions):
            marked = _MARKED.fullmatch(line)
            place, command = marked.groups() if marked else ("RUN", line)
            try:
                code, out, err = run(command)
            except MissingProgram as missing:
                return Test.Result(Test.UNSUPPORTED, str(missing))
            log += f"# {place}\n{command}\n{out}{err}"
            if code != 0:
                return Test.Result(Test.FAIL, f"{log}# exit code {code}\n")
        return Test.Result(Test.PASS, log)
