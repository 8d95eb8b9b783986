"""Presidio's own engine behind the HTTP API of its server, with names from a list and no model.

usage: presidio.py PORT NAMES, where NAMES is a JSON list of pairs: a name and its entity
"""

import json
import logging
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

logging.disable(logging.CRITICAL)
import spacy
from presidio_analyzer import (
    AnalyzerEngine,
    AnalyzerRequest,
    PatternRecognizer,
    RecognizerRegistry,
)
from presidio_analyzer.nlp_engine import SpacyNlpEngine


class Blank(SpacyNlpEngine):
    def __init__(self):
        super().__init__()
        self.nlp = {"en": spacy.blank("en")}


def engine():
    lists = {}
    for name, entity in json.loads(sys.argv[2]):
        lists.setdefault(entity, []).append(name)
    recognizers = [
        PatternRecognizer(supported_entity=entity, deny_list=names)
        for entity, names in lists.items()
    ]
    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=["en"])
    return AnalyzerEngine(
        registry=registry, nlp_engine=Blank(), supported_languages=["en"]
    )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = self.rfile.read(int(self.headers["content-length"]))
        request = AnalyzerRequest(json.loads(asked))
        found = ENGINE.analyze(
            text=request.text,
            language=request.language,
            score_threshold=request.score_threshold,
            entities=request.entities,
        )
        answer = json.dumps([one.to_dict() for one in found]).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


ENGINE = engine()
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
