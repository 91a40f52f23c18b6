"""Check an exported event log: `python check_export.py FILE [ANCHORS]`. Needs Python alone, none of AlgoSystem's code.

A line's hash is the SHA-256 of its other fields as JSON with sorted keys and no spaces; each line holds the hash of the
line before. ANCHORS is a copy of event-log.jsonl. Prints one sentence; exit code 0: whole, 1: not.
"""

import hashlib
import json
import sys


def main(path: str, anchors_path: str = "") -> str:
    """Give what is wrong, empty when nothing is."""
    anchors = {}
    if anchors_path:
        with open(anchors_path) as file:  # noqa: PTH123 (one import fewer for the reader)
            noted = [json.loads(line) for line in file]
        anchors = {(line["chain"], line["seq"]): line["hash"] for line in noted}
    with open(path) as file:  # noqa: PTH123
        header = json.loads(next(file))
        seq, before, ended = header["first_seq"] - 1, None, None
        for raw in file:
            line = json.loads(raw)
            if "end" in line:
                ended = line
                break
            told = {name: value for name, value in line.items() if name != "hash"}
            text = json.dumps(told, sort_keys=True, separators=(",", ":"))
            if line["chain"] != header["chain"] or line["seq"] != seq + 1 or before not in (None, line["prev_hash"]):
                return f"line {line['seq']} does not follow line {seq}"
            if hashlib.sha256(text.encode()).hexdigest() != line["hash"]:
                return f"line {line['seq']} is not what was written"
            if anchors.get((line["chain"], line["seq"]), line["hash"]) != line["hash"]:
                return f"line {line['seq']} is not the one that was anchored"
            seq, before = line["seq"], line["hash"]
    return "" if ended and seq == header["last_seq"] and ended["last_hash"] == (before or "") else "the end is missing"


if __name__ == "__main__":
    wrong = main(*sys.argv[1:])
    sys.stdout.write(f"NOT WHOLE: {wrong}\n" if wrong else "Whole.\n")
    sys.exit(1 if wrong else 0)
