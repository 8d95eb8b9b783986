"""The official `google-genai` package: generate, stream, tools, counting."""

from google import genai
from google.genai import types
from scenarios import arguments, run

base, key, only = arguments()


def connect(**options):
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=base, **options))


client = connect(timeout=20_000)
MODEL = "gemini-2.5-flash"
ASK = "What do you see tonight?"
TOOLS = types.GenerateContentConfig(
    tools=[
        types.Tool(
            function_declarations=[
                types.FunctionDeclaration(
                    name="light_range",
                    parameters=types.Schema(
                        type="OBJECT", properties={"tower": types.Schema(type="STRING")}
                    ),
                )
            ]
        )
    ]
)


def ask(model=MODEL, using=client, **more):
    return using.models.generate_content(model=model, contents=ASK, **more)


def plain():
    answer = ask()
    return {"text": answer.text, "usage": answer.usage_metadata.total_token_count}


def stream():
    pieces, usage = [], None
    for piece in client.models.generate_content_stream(model=MODEL, contents=ASK):
        pieces.append(piece.text)
        usage = piece.usage_metadata.total_token_count
    return {"pieces": len(pieces), "text": "".join(pieces), "usage": usage}


def tool():
    call = ask(config=TOOLS).function_calls[0]
    return {"name": call.name, "arguments": call.args}


def tool_stream():
    stream = client.models.generate_content_stream(model=MODEL, contents=ASK, config=TOOLS)
    calls = [call for piece in stream for call in piece.function_calls or []]
    return {"name": calls[0].name, "arguments": calls[0].args}


def count_tokens():
    return client.models.count_tokens(model=MODEL, contents=ASK).total_tokens


def fail_400():
    ask("fail-400")


def fail_401():
    ask("fail-401")


def fail_403():
    ask("fail-403")


def fail_404():
    ask("fail-404")


def fail_429():
    ask("fail-429")


def fail_503():
    ask("fail-503")


def retry():
    options = types.HttpRetryOptions(attempts=3, initial_delay=0.2, http_status_codes=[429])
    patient = connect(retry_options=options)
    return ask("busy-once", using=patient).text


def stream_to_the_end():
    """Reads until the stream ends or breaks."""
    return sum(1 for _ in client.models.generate_content_stream(model=MODEL, contents=ASK))


def timeout():
    ask("slow", using=connect(timeout=400))


run(
    [
        plain,
        stream,
        tool,
        tool_stream,
        count_tokens,
        fail_400,
        fail_401,
        fail_403,
        fail_404,
        fail_429,
        fail_503,
        retry,
        timeout,
    ],
    only,
    when_named=[stream_to_the_end],
)
