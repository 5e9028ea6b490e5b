"""Runs the compiler commands of checks.json: loop.py JOBS DIRECTORY

Runs up to JOBS commands at once. Writes the answers of the first repetition to DIRECTORY/answers.
"""

import asyncio
import json
import os
import pathlib
import re
import sys
import tempfile


async def run(command, directory, environment):
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode == 0, output.decode(errors="replace")


async def check_once(check, parent, slots):
    async with slots:
        with tempfile.TemporaryDirectory(dir=parent) as directory:
            if check["source"] is not None:
                path = pathlib.Path(directory, check["file"])
                path.write_text(check["source"], encoding="utf-8")
            environment = os.environ | {"TMPDIR": directory}
            yes, output = await run(check["command"], directory, environment | {"LC_ALL": "C"})
            if yes and check["program"]:
                yes, said = await run(check["program"], directory, environment)
                output += said
    # A macro that is not defined leaves no mark in what the preprocessor writes.
    if check["mark"] is not None and check["mark"] not in output:
        return False
    return yes and not any(re.search(pattern, output) for pattern in check["fail_patterns"])


async def main(jobs, directory):
    here = pathlib.Path(__file__).parent
    batch = json.loads((here / "checks.json").read_text(encoding="utf-8"))
    checks = batch["checks"]
    slots = asyncio.Semaphore(jobs)
    with tempfile.TemporaryDirectory() as parent:
        runs = (check_once(check, parent, slots) for _ in range(batch["repeat"]) for check in checks)
        found = await asyncio.gather(*runs)
    lines = (f"{check['id']} {'yes' if yes else 'no'}\n" for check, yes in zip(checks, found))
    pathlib.Path(directory, "answers").write_text("".join(lines), encoding="utf-8")


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
