"""Runs one other detector over texts, for `cargo xtask bench detect`.

usage: rivals.py presidio|detect-secrets < rows > findings

In: a JSON string a line. Out: for each, a list of [name, start, end] in characters, a line; last, an
object with the seconds that the scan took, without start-up and parsing.
"""

import importlib
import inspect
import json
import os
import pkgutil
import sys
import tempfile
import time


def presidio():
    """Every pattern recognizer that ships, over a language model that knows no words."""
    import logging

    logging.disable(logging.CRITICAL)
    import spacy
    from presidio_analyzer import (
        AnalyzerEngine,
        PatternRecognizer,
        RecognizerRegistry,
        predefined_recognizers,
    )
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Blank(SpacyNlpEngine):
        def __init__(self):
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}

    classes = {}
    for module in pkgutil.walk_packages(
        predefined_recognizers.__path__, predefined_recognizers.__name__ + "."
    ):
        try:
            loaded = importlib.import_module(module.name)
        except ImportError:
            continue
        for name, kind in inspect.getmembers(loaded, inspect.isclass):
            if issubclass(kind, PatternRecognizer) and kind is not PatternRecognizer:
                classes[name] = kind
    classes["PhoneRecognizer"] = predefined_recognizers.PhoneRecognizer
    recognizers = []
    for kind in classes.values():
        try:
            recognizers.append(kind(supported_language="en"))
        except TypeError:
            continue
    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=["en"])
    engine = AnalyzerEngine(
        registry=registry, nlp_engine=Blank(), supported_languages=["en"]
    )

    def scan(text):
        results = engine.analyze(text=text, language="en", score_threshold=0.4)
        return [[found.entity_type, found.start, found.end] for found in results]

    return scan


def detect_secrets():
    """Every plugin that ships, with the filters and thresholds of the default settings."""
    from detect_secrets.core.scan import scan_file

    # Files are what it reads: for single lines it drops its own thresholds.
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "text.txt")

    def scan(text):
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        lines = text.splitlines(keepends=True)
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line))
        found = []
        for secret in scan_file(path):
            number = secret.line_number - 1
            if number >= len(lines):
                continue
            at = max(lines[number].find(secret.secret_value or ""), 0)
            start = starts[number] + at
            found.append([secret.type, start, start + len(secret.secret_value or "")])
        return found

    return scan


def run(scan):
    texts = [json.loads(line) for line in sys.stdin]
    # Start-up work that is done at the first text does not count.
    scan("warm up 4111 1111 1111 1111")
    answers, started = [], time.process_time()
    for text in texts:
        answers.append(scan(text))
    seconds = time.process_time() - started
    for answer in answers:
        print(json.dumps(answer))
    print(json.dumps({"seconds": seconds}))


def main():
    if sys.argv[1] == "presidio":
        run(presidio())
        return
    from detect_secrets.settings import default_settings

    with default_settings():
        run(detect_secrets())


main()
