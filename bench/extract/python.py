#!/usr/bin/env python3
"""What Python's trafilatura makes of the labelled pages, and how fast: python.py FOLDER OUT.jsonl

pip install trafilatura==2.3.1 lxml_html_clean zstandard
"""
import io
import json
import sys
import time

import trafilatura
import zstandard

folder, out = sys.argv[1], open(sys.argv[2], "w")
for name, file in [("trafilatura", "trafilatura-eval"), ("mozilla", "mozilla-readability")]:
    pages, seconds = 0, 0.0
    with open(f"{folder}/{file}.jsonl.zst", "rb") as packed:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(packed), encoding="utf-8"):
            page = json.loads(line)
            if "html" not in page:
                continue
            begun = time.process_time()
            text = trafilatura.extract(page["html"], include_comments=False) or ""
            seconds += time.process_time() - begun
            pages += 1
            out.write(json.dumps({"set": name, "id": page["id"], "text": text}) + "\n")
    print(f"trafilatura {trafilatura.__version__}: {name}'s {pages} pages, {pages / seconds:.1f} a second of one core")
